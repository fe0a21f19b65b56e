"""A shadow deployment that serves a share of the accounts of a filled platform: whose numbers, and made again to the bit."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from upath import UPath

from daily_profit_model.defs.all_rules import RULES
from daily_profit_model.defs.all_tables import TABLES
from daily_profit_model.defs.calendars import range_tags
from daily_profit_model.defs.launch.plan import STEPS, partitions_of
from daily_profit_model.defs.launch.shadows import create_deployment
from daily_profit_model.defs.models.registry import champion_of, transitions
from daily_profit_model.defs.monitoring.assets import conformity, model_performance, outcomes
from daily_profit_model.defs.monitoring.shadow import shadow_losses
from daily_profit_model.defs.predictions.assets import account_daily, portfolio_daily
from daily_profit_model.defs.predictions.shadow import shadow, shadow_scores
from daily_profit_model.defs.predictions.traffic import traffic
from daily_profit_model.defs.resources.lake_io import REPLACE_SERVED_TAG, LakeIOManager
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.serving import CHAMPION
from daily_profit_model.modeling.shadow_contracts import (
    PREDICTIONS_SHADOW,
    PREDICTIONS_TRAFFIC,
    SHADOW_LOSSES,
    SHADOW_SCORES,
)
from daily_profit_model.modeling.traffic import assigned
from daily_profit_model.monitoring.replay import replayed_days
from daily_profit_model.quality.judge import judge
from daily_profit_model.settings import load_settings
from daily_profit_model.tables import Table
from daily_profit_model.tables.monitoring import MODEL_PERFORMANCE, MONITORING_OUTCOMES
from daily_profit_model.tables.predictions import PORTFOLIO_DAILY, PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model_tests.end_to_end.conftest import NOT_SERVED_FROM, Platform
from daily_profit_model_tests.end_to_end.firm import END

DAYS = [END.isoformat(), (END + timedelta(days=1)).isoformat()]
TRAFFIC = 40
_SERVED = (PREDICTIONS_TRAFFIC, PREDICTIONS_ACCOUNT_DAILY, PORTFOLIO_DAILY)


@pytest.fixture(scope="module")
def firm(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the platform of which the last two days are served once more, a share of them by a shadow deployment."""
    folder = tmp_path_factory.mktemp("traffic") / "data"
    shutil.copytree(platform.data_dir, folder, ignore=shutil.ignore_patterns(*NOT_SERVED_FROM, "dagster"))
    lake = lake_in(folder)
    for table in _SERVED:
        for day in DAYS:
            shutil.rmtree(lake.partition_folder(table.name, day))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DPM_DATA_DIR", str(folder))
        patch.setattr("daily_profit_model.defs.launch.shadows._tell", lambda *_: None)
        champion = champion_of(lake, END).version
        version = next(name for name in transitions(lake)["version"].to_pylist() if name[:8] < champion[:8])
        create_deployment(
            load_settings(), version, traffic=TRAFFIC, days=60, first_day=None, reason="a test", author="ana"
        )
        make(folder, shadow_scores, traffic, account_daily, portfolio_daily)
    return folder


@pytest.fixture
def copied(firm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, to be changed."""
    shutil.copytree(firm, tmp_path / "data")
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def lake_in(folder: Path) -> Lake:
    return Lake(UPath(folder / "lake"))


def make(folder: Path, *assets: dg.AssetsDefinition, last: str = DAYS[-1], force: bool = False) -> None:
    """The assets of the days up to `last`, on a graph without checks."""
    lake = lake_in(folder)
    done = dg.materialize(
        list(assets),
        instance=dg.DagsterInstance.ephemeral(),
        resources={"lake": lake, "lake_io": LakeIOManager(lake, TABLES), "settings": load_settings()},
        tags={**range_tags(DAYS[0], last), REPLACE_SERVED_TAG: str(force).lower()},
    )
    assert done.success


def rows_of(folder: Path, table: Table, day: str) -> pa.Table:
    return read(lake_in(folder), table, [day])


def said_by(folder: Path, table: Table, rule: str, days: Sequence[str] = DAYS) -> list[tuple[bool, int | None]]:
    """Whether a rule holds of each day, and how many rows it does not hold of."""
    of_table = [each for each in RULES if each.table == table.name]
    (wanted,) = [each for each in of_table if each.id == rule]
    found = judge(lake_in(folder), table, [wanted], of_table, list(days))
    return [(outcome.passed, outcome.unexpected_count) for outcome in found]


def test_exactly_the_hashed_accounts_are_served_by_the_shadow_and_all_others_as_before(
    platform: Platform, firm: Path
) -> None:
    for day in DAYS:
        before, now = (rows_of(folder, PREDICTIONS_ACCOUNT_DAILY, day) for folder in (platform.data_dir, firm))
        (deployed,) = rows_of(firm, PREDICTIONS_TRAFFIC, day).to_pylist()
        name = deployed["deployment"]
        assert (deployed["traffic"], deployed["failure"]) == (TRAFFIC, None)
        servers = now["served_by"].to_pylist()
        assert servers == assigned(now["account_id"].to_pylist(), [(name, TRAFFIC)])
        assert 5 < servers.count(name) < len(servers) - 5
        own = pc.equal(now["served_by"], name)
        assert now.filter(pc.invert(own)).equals(before.filter(pc.invert(own)))
        served = now.filter(own)
        for column in ("model_version", "model_hash", "calibration_version"):
            assert pc.unique(served[column]).to_pylist() == [deployed[column]]
        for column in ("feature_date", "login", "plan_id", "features_hash", "snapshot_hash", "code_version", "as_of"):
            assert now[column].equals(before[column])
        assert not served["predicted_net_profit"].equals(before.filter(own)["predicted_net_profit"])
    assert said_by(firm, PREDICTIONS_ACCOUNT_DAILY, "traffic_by_hash") == [(True, 0)] * 2
    assert said_by(firm, PREDICTIONS_ACCOUNT_DAILY, "traffic_served") == [(True, 0)] * 2
    assert said_by(firm, PREDICTIONS_ACCOUNT_DAILY, "served_as_scored") == [(True, 0)] * 2
    assert said_by(firm, PREDICTIONS_ACCOUNT_DAILY, "one_model_a_day") == [(True, 0)] * 2


def test_days_that_a_shadow_serves_a_share_of_are_replayed_to_the_last_bit(firm: Path) -> None:
    for found in replayed_days(lake_in(firm), firm / "models", DAYS):
        assert found.missing is None
        assert found.differences == []
        assert found.predictions > 50
    served = rows_of(firm, PREDICTIONS_ACCOUNT_DAILY, DAYS[0])
    account = served.filter(pc.not_equal(served["served_by"], CHAMPION))["account_id"][0].as_py()
    (one,) = replayed_days(lake_in(firm), firm / "models", DAYS[:1], account)
    assert (one.holds, one.predictions) == (True, 1)


def test_without_the_stored_calibration_of_the_shadow_a_day_is_not_replayed(copied: Path) -> None:
    lake = lake_in(copied)
    shutil.rmtree(lake.partition_folder(PREDICTIONS_TRAFFIC.name, DAYS[0]))
    (found,) = replayed_days(lake, copied / "models", DAYS[:1])
    assert "predictions/traffic of" in str(found.missing)
    assert "of s1-" in str(found.missing)


def test_what_the_shadow_serves_is_what_it_predicts_and_comparison_and_calibration_are_of_all_accounts(
    copied: Path, platform: Platform
) -> None:
    make(copied, shadow)
    assert said_by(copied, PREDICTIONS_SHADOW, "served_as_shadowed") == [(True, 0)] * 2
    assert rows_of(copied, PREDICTIONS_SHADOW, DAYS[1]).num_rows > 50
    # its second day is calibrated by its first
    file = lake_in(copied).describe(PREDICTIONS_TRAFFIC.name, DAYS[1])
    assert file is not None
    assert f"{SHADOW_SCORES.name}@{DAYS[0]}" in file.inputs
    make(copied, conformity, outcomes, model_performance, shadow_losses, last=DAYS[0])
    settled = rows_of(copied, MONITORING_OUTCOMES, DAYS[0])
    performance = rows_of(copied, MODEL_PERFORMANCE, DAYS[0]).to_pylist()
    (alone,) = rows_of(platform.data_dir, MODEL_PERFORMANCE, DAYS[0]).to_pylist()
    (losses,) = rows_of(copied, SHADOW_LOSSES, DAYS[0]).to_pylist()
    assert {row["model_version"] for row in performance} == set(settled["model_version"].to_pylist())
    assert sum(row["accounts"] for row in performance) == losses["accounts"] == alone["accounts"]
    assert losses["champion_loss"] == pytest.approx(alone["pinball"], rel=1e-12)
    for name, day in (("monitoring/conformity", DAYS[0]), ("monitoring/interval_calibration", DAYS[1])):
        now, before = (lake_in(folder).describe(name, day) for folder in (copied, platform.data_dir))
        assert now is not None
        assert before is not None
        assert now.content_hash == before.content_hash


def test_a_shadow_that_cannot_serve_is_replaced_by_the_champion_and_that_is_told(
    copied: Path, platform: Platform
) -> None:
    (deployed,) = rows_of(copied, PREDICTIONS_TRAFFIC, DAYS[0]).to_pylist()
    next((copied / "models" / deployed["model_version"]).glob("manifest.json")).write_text("{}", encoding="utf-8")
    _forget_bundles()
    make(copied, traffic, account_daily, force=True)
    (row,) = rows_of(copied, PREDICTIONS_TRAFFIC, DAYS[0]).to_pylist()
    assert (row["failure"], row["calibration"]) == ("BundleError", None)
    for day in DAYS:
        before, now = (rows_of(folder, PREDICTIONS_ACCOUNT_DAILY, day) for folder in (platform.data_dir, copied))
        assert now.equals(before)
    told = said_by(copied, PREDICTIONS_ACCOUNT_DAILY, "traffic_served")
    assert [holds for holds, _ in told] == [False, False]
    assert said_by(copied, PREDICTIONS_ACCOUNT_DAILY, "traffic_by_hash") == [(True, 0)] * 2
    assert said_by(copied, PREDICTIONS_TRAFFIC, "traffic_valid") == [(True, 0)] * 2


def test_where_nobody_can_say_who_has_traffic_the_champion_serves(copied: Path, platform: Platform) -> None:
    lake = lake_in(copied)
    first, second = (lake.partition_folder("models/shadows", number, "number") for number in ("000001", "000002"))
    Path(str(first)).rename(str(second))  # a gap: an act is lost
    make(copied, traffic, account_daily, force=True)
    assert rows_of(copied, PREDICTIONS_TRAFFIC, DAYS[0]).num_rows == 0
    now, before = (rows_of(folder, PREDICTIONS_ACCOUNT_DAILY, DAYS[0]) for folder in (copied, platform.data_dir))
    assert now.equals(before)


def test_a_plan_has_days_of_traffic_from_its_first_on(firm: Path) -> None:
    (step,) = [each for each in STEPS if each.calendar == "traffic_days"]
    lake, today = lake_in(firm), END + timedelta(days=1)
    assert partitions_of(step, lake, END - timedelta(days=3), END, today) == DAYS
    assert step.may_fail


def _forget_bundles() -> None:
    from daily_profit_model.defs.models.registry import _loaded

    _loaded.cache_clear()
