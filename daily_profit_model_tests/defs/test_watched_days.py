"""A version that did not serve from the first day on that it could have: what its first day's drift rests on."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from daily_profit_model.defs.all_tables import TABLES
from daily_profit_model.defs.calendars import range_tags
from daily_profit_model.defs.models.registry import hash_lookup
from daily_profit_model.defs.monitoring.drift import drift
from daily_profit_model.defs.monitoring.watched_days import DaysBeforeService
from daily_profit_model.defs.resources.lake_io import LakeIOManager
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY
from daily_profit_model.lake import Lake, PartitionFile, changes_since_written, read, write
from daily_profit_model.modeling.bundle import Model, save
from daily_profit_model.modeling.contracts import MODEL_SCORES
from daily_profit_model.modeling.matrix import ModelFeature
from daily_profit_model.modeling.scoring import score
from daily_profit_model.modeling.shadow_contracts import SHADOW_SCORES
from daily_profit_model.modeling.shadows import first_day_of
from daily_profit_model.modeling.splits import SplitSettings
from daily_profit_model.modeling.training import TrainSettings, train
from daily_profit_model.monitoring import drift_detection
from daily_profit_model.monitoring.drift_reference import Watched, watched_of, watched_table
from daily_profit_model.monitoring.drift_table import EARLIER_DAYS, KnownDay, alarmed_columns, version_of
from daily_profit_model.partitions import days_between
from daily_profit_model.settings import Settings, load_settings
from daily_profit_model.tables import Table
from daily_profit_model.tables.drift import MONITORING_DRIFT
from daily_profit_model.tables.monitoring import MONITORING_OUTCOMES
from daily_profit_model_tests.modeling.panel import FIRST_DAY, simulate_panel

LEARNT, SHADOWED = 70, 12
"""Days of the training set, and days that the version could have served before it did."""
CUTOFF = date(2026, 4, 20)
EARLIER = days_between(CUTOFF + timedelta(days=2), CUTOFF + timedelta(days=1 + SHADOWED))
FIRST, SECOND = days_between(CUTOFF + timedelta(days=2 + SHADOWED), CUTOFF + timedelta(days=3 + SHADOWED))
SHIFTED, SHIFT = "drawdown_from_peak", 0.5
COLUMNS = {"planned_risk": SHIFTED, "size": "balance", "pnl_sum_1d": "pnl_sum_1d", "profit_scale": "profit_scale"}
"""Of the simulated panel, by names of the catalogue."""
REPLAYS = 40
"""So few tell these few charts' thresholds well enough."""
OTHER = {"model_version": "20260413-bbbbbbbb", "model_hash": "b" * 64}


@dataclass(frozen=True)
class Firm:
    """A version, what it is watched by, and the rows of the days after its cut-off."""

    model: Model
    watched: Watched
    training: pa.Table
    after: pa.Table

    def rows(self, day: str) -> pa.Table:
        return self.after.filter(pc.equal(self.after["target_date"], pa.scalar(date.fromisoformat(day), pa.date32())))


@pytest.fixture(scope="module")
def firm() -> Iterator[Firm]:
    panel = simulate_panel(accounts=80, days=LEARNT + SHADOWED + 3, seed=5)
    later = CUTOFF - timedelta(days=LEARNT) - FIRST_DAY
    assert later.days % 7 == 0
    frame = panel.frame.rename_columns([COLUMNS.get(name, name) for name in panel.frame.column_names])
    for name in ("feature_date", "target_date"):
        days = pc.add(frame[name], pa.scalar(later, pa.duration("s"))).cast(pa.date32())
        frame = frame.set_column(frame.column_names.index(name), name, days)
    is_learnt = pc.less_equal(frame["target_date"], pa.scalar(CUTOFF, pa.date32()))
    training = frame.filter(is_learnt)
    split = SplitSettings(validation_days=7, calibration_days=14, test_days=14, calibration_share=0.2, test_share=0.2)
    features = [ModelFeature(name, "numeric") for name in COLUMNS.values()]
    settings = TrainSettings(objective="l1", split=split)
    model = train(training, features, cutoff=CUTOFF, settings=settings, data_versions={}, code_version="1").model
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drift_detection, "REPLAYS", REPLAYS)
        yield Firm(model, watched_of(watched_table(model, training)), training, frame.filter(pc.invert(is_learnt)))


@pytest.fixture
def settings(firm: Firm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a data folder with the version and its training set."""
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "evidently", None)  # whose pages take seconds
    monkeypatch.setattr(drift_detection, "REPLAYS", REPLAYS)
    save(firm.model, tmp_path / "models")
    stored(Lake(load_settings().lake_root), TRAINING_ACCOUNT_DAILY, CUTOFF.isoformat(), firm.training)
    return load_settings()


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return Lake(settings.lake_root)


def stored(lake: Lake, table: Table, partition: str, rows: pa.Table) -> PartitionFile:
    """The rows, with what their contract requires and no reader of these tests looks at."""
    day = pa.scalar(date.fromisoformat(partition), pa.date32())
    filled = {"login": "1", "features_hash": "0" * 64, "outcome_status": "idle", **OTHER}
    columns = {}
    for column in table.columns:
        if column.name in rows.column_names:
            columns[column.name] = rows[column.name]
        elif column.name == table.day_column or column.name == "cutoff":
            columns[column.name] = pa.repeat(day, rows.num_rows)
        elif column.required and column.name in filled:
            columns[column.name] = pa.repeat(filled[column.name], rows.num_rows)
        elif column.required and pa.types.is_floating(column.type):
            columns[column.name] = pa.repeat(0.0, rows.num_rows)
        elif column.required:
            columns[column.name] = pa.repeat(day, rows.num_rows).cast(column.type)
        else:
            columns[column.name] = pa.nulls(rows.num_rows, column.type)
    return write(lake, table, partition, pa.table(columns), code_version="1")


def predicted(lake: Lake, firm: Firm, days: Sequence[str], *, serves: bool, deployments: Sequence[str] = ()) -> None:
    """What drift reads of these days, on which a feature is shifted: the version serves, or another; and the version's
    shadow deployments."""
    for day in days:
        rows = firm.rows(day)
        snapshot = rows.set_column(rows.column_names.index(SHIFTED), SHIFTED, pc.add(rows[SHIFTED], SHIFT))
        scores = score(firm.model, snapshot)
        stored(lake, FEATURE_SNAPSHOTS, day, snapshot)
        stored(lake, MODEL_SCORES, day, scores if serves else scores.drop_columns(list(OTHER)))
        stored(lake, MONITORING_OUTCOMES, day, rows.rename_columns({"target_net_profit": "net_profit"}))
        if deployments:
            parts = [scores.append_column("deployment", pa.repeat(name, scores.num_rows)) for name in deployments]
            stored(lake, SHADOW_SCORES, day, pa.concat_tables(parts))


def made(lake: Lake, settings: Settings, first: str, last: str) -> list[pa.Table]:
    """monitoring/drift of the days, on a graph without checks."""
    done = dg.materialize(
        [drift],
        instance=dg.DagsterInstance.ephemeral(),
        resources={"lake": lake, "lake_io": LakeIOManager(lake, TABLES), "settings": settings},
        tags=range_tags(first, last),
    )
    assert done.success
    days = days_between(date.fromisoformat(first), date.fromisoformat(last))
    return [read(lake, MONITORING_DRIFT, [day]) for day in days]


def file_of(lake: Lake, table: Table, day: str) -> PartitionFile:
    file = lake.describe(table.name, day)
    assert file is not None
    return file


def changed(lake: Lake, day: str) -> set[str]:
    """The inputs of monitoring/drift of a day that are not what they were."""
    file = file_of(lake, MONITORING_DRIFT, day)
    return {change.what for change in changes_since_written(file, hash_lookup(lake), file.code_version)}


def days_of(inputs: Mapping[str, str | None], table: Table) -> list[str]:
    return sorted(name.partition("@")[2] for name in inputs if name.startswith(f"{table.name}@"))


def since(rows: pa.Table) -> date | None:
    """The first day of the shifted column's alarm; None: it has none."""
    found = [row["first_alarm_day"] for row in alarmed_columns(rows) if row["column_name"] == SHIFTED]
    return found[0] if found else None


def test_a_version_that_was_a_shadow_first_knows_on_its_first_day_what_has_drifted_since_its_cut_off(
    lake: Lake, settings: Settings, firm: Firm
) -> None:
    predicted(lake, firm, [FIRST, SECOND], serves=True)
    assert since(made(lake, settings, FIRST, FIRST)[0]) is None
    predicted(lake, firm, EARLIER, serves=False, deployments=["s1"])
    first, second = made(lake, settings, FIRST, SECOND)
    began = since(first)
    assert began is not None
    assert date.fromisoformat(EARLIER[0]) < began < date.fromisoformat(FIRST)
    assert since(second) == began
    assert lake.partitions(MONITORING_DRIFT.name) == [FIRST, SECOND]


def test_its_sums_are_those_of_a_champion_that_has_served_from_the_first_day_on(
    lake: Lake, settings: Settings, firm: Firm
) -> None:
    predicted(lake, firm, [FIRST, SECOND], serves=True)
    predicted(lake, firm, EARLIER, serves=True)
    *_, always, next_day = made(lake, settings, EARLIER[0], SECOND)
    shutil.rmtree(str(lake.table_folder(MONITORING_DRIFT.name)))
    predicted(lake, firm, EARLIER, serves=False, deployments=["s1"])
    first, second = made(lake, settings, FIRST, SECOND)
    assert first.equals(always)
    summed = ["sum_up", "sum_down", "rise", "is_alarm", "first_alarm_day"]
    assert second.select(summed).equals(next_day.select(summed))
    content = file_of(lake, MONITORING_DRIFT, FIRST).content_hash
    made(lake, settings, FIRST, FIRST)
    assert file_of(lake, MONITORING_DRIFT, FIRST).content_hash == content


def test_the_inputs_of_its_first_day_name_every_earlier_day_and_those_of_the_next_do_not(
    lake: Lake, settings: Settings, firm: Firm
) -> None:
    predicted(lake, firm, EARLIER, serves=False, deployments=["s1"])
    predicted(lake, firm, [FIRST, SECOND], serves=True)
    made(lake, settings, FIRST, SECOND)
    inputs = file_of(lake, MONITORING_DRIFT, FIRST).inputs
    for table in (FEATURE_SNAPSHOTS, MODEL_SCORES, SHADOW_SCORES, MONITORING_OUTCOMES):
        for day in EARLIER:
            assert inputs[f"{table.name}@{day}"] == file_of(lake, table, day).content_hash
    # what is not settled, and may never be, is no change
    assert inputs[f"{MONITORING_OUTCOMES.name}@{CUTOFF + timedelta(days=1)}"] is None
    of_second = file_of(lake, MONITORING_DRIFT, SECOND).inputs
    assert days_of(of_second, FEATURE_SNAPSHOTS) == [SECOND]
    assert days_of(of_second, MONITORING_DRIFT) == [FIRST]
    assert changed(lake, FIRST) == changed(lake, SECOND) == set()
    predicted(lake, firm, EARLIER[3:4], serves=False, deployments=["s1", "s2"])
    assert changed(lake, FIRST) == {f"{SHADOW_SCORES.name}@{EARLIER[3]}"}
    assert changed(lake, SECOND) == set()


def test_days_before_a_missing_snapshot_do_not_count(lake: Lake, settings: Settings, firm: Firm) -> None:
    gap = EARLIER[8]
    predicted(lake, firm, [*EARLIER[:8], *EARLIER[9:]], serves=False, deployments=["s1"])
    predicted(lake, firm, [FIRST], serves=True)
    (with_gap,) = made(lake, settings, FIRST, FIRST)
    inputs = file_of(lake, MONITORING_DRIFT, FIRST).inputs
    assert days_of(inputs, FEATURE_SNAPSHOTS) == [*EARLIER[8:], FIRST]
    assert inputs[f"{FEATURE_SNAPSHOTS.name}@{gap}"] is None
    assert changed(lake, FIRST) == set()
    for day in EARLIER[:8]:
        shutil.rmtree(str(lake.partition_folder(FEATURE_SNAPSHOTS.name, day)))
    assert made(lake, settings, FIRST, FIRST)[0].equals(with_gap)


def test_a_champion_that_serves_from_the_first_day_on_reads_no_earlier_day(
    lake: Lake, settings: Settings, firm: Firm
) -> None:
    predicted(lake, firm, [EARLIER[0]], serves=True)
    before = date.fromisoformat(EARLIER[0]) - timedelta(days=1)
    stored(lake, FEATURE_SNAPSHOTS, before.isoformat(), firm.rows(EARLIER[0]))
    made(lake, settings, EARLIER[0], EARLIER[0])
    assert file_of(lake, MONITORING_DRIFT, EARLIER[0]).inputs.keys() == {
        f"{FEATURE_SNAPSHOTS.name}@{EARLIER[0]}",
        f"{MODEL_SCORES.name}@{EARLIER[0]}",
        f"{MONITORING_OUTCOMES.name}@{before}",
        f"{MONITORING_DRIFT.name}@{before}",
        f"{TRAINING_ACCOUNT_DAILY.name}@{CUTOFF}",
    }


def test_predictions_are_known_of_days_that_the_version_scored_itself_and_features_of_all(
    lake: Lake, firm: Firm
) -> None:
    came_back, alone, shadowed, twice, unpredicted = EARLIER[:5]
    predicted(lake, firm, [came_back], serves=True)
    predicted(lake, firm, [alone], serves=False)
    predicted(lake, firm, [shadowed], serves=False, deployments=["s1"])
    predicted(lake, firm, [twice], serves=False, deployments=["s1", "s2"])
    stored(lake, FEATURE_SNAPSHOTS, unpredicted, firm.rows(unpredicted))
    known, inputs = DaysBeforeService(lake).before(EARLIER[5], version_of(firm.model), firm.watched)
    assert [day.day.isoformat() for day in known] == EARLIER[:4]
    accounts = firm.rows(alone).num_rows
    assert [of_kind(day, firm.watched, "feature") for day in known] == [(True, accounts)] * 4
    predictions = [of_kind(day, firm.watched, "prediction") for day in known]
    assert predictions == [(True, accounts), (False, 0), (True, accounts), (True, accounts)]
    assert [of_kind(day, firm.watched, "target")[0] for day in known] == [False, True, True, True]
    assert days_of(inputs, SHADOW_SCORES) == [alone, shadowed, twice]


def test_it_looks_back_as_far_as_sums_go_and_not_at_all_where_there_are_none(lake: Lake, firm: Firm) -> None:
    days = days_between(CUTOFF + timedelta(days=2), CUTOFF + timedelta(days=2 * EARLIER_DAYS))
    for day in days[-EARLIER_DAYS - 3 :]:
        stored(lake, FEATURE_SNAPSHOTS, day, firm.rows(FIRST))
    version = version_of(firm.model)
    inputs = DaysBeforeService(lake).before(days[-1], version, firm.watched)[1]
    assert days_of(inputs, FEATURE_SNAPSHOTS) == days[-1 - EARLIER_DAYS : -1]
    assert days[0] == first_day_of(version.version).isoformat()
    assert DaysBeforeService(lake).before(days[-1], version, replace(firm.watched, calibration=None)) == ([], {})


def of_kind(known: KnownDay, watched: Watched, kind: str) -> tuple[bool, float]:
    """Whether anything is known of a kind of column on a day, and of how many rows."""
    is_of_kind = np.array([own == kind for own, _, _ in watched.charts])
    return bool(np.isfinite(known.values[is_of_kind]).any()), float(known.rows[is_of_kind].max())
