"""Days that a real platform served: made again from lake and models alone, and frozen whatever is corrected later."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from upath import UPath

from daily_profit_model.defs.all_tables import TABLES
from daily_profit_model.defs.build import build_definitions
from daily_profit_model.defs.launch.plan import STEPS, work_of
from daily_profit_model.defs.monitoring.assets import interval_calibration
from daily_profit_model.defs.predictions.assets import account_daily, feature_snapshots, model_scores, portfolio_daily
from daily_profit_model.defs.predictions.traffic import traffic
from daily_profit_model.defs.resources.lake_io import REPLACE_SERVED_TAG, LakeIOManager
from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.lake import Lake, LakeError, read, write
from daily_profit_model.lake.served import read_version, versions
from daily_profit_model.modeling.contracts import (
    MODEL_SCORES,
    MODELS_CHAMPION,
    MONITORING_CONFORMITY,
    MONITORING_INTERVAL_CALIBRATION,
)
from daily_profit_model.modeling.shadow_contracts import PREDICTIONS_TRAFFIC
from daily_profit_model.monitoring.replay import ReplayedDay, replay_days, replayed_days
from daily_profit_model.settings import WrongUse, load_settings
from daily_profit_model.tables import Table
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model_tests.end_to_end.conftest import Platform
from daily_profit_model_tests.end_to_end.firm import END, dpm

DAY = END.isoformat()
DAYS = [(END - timedelta(days=1)).isoformat(), DAY]
NEEDED = (FEATURE_SNAPSHOTS, MONITORING_INTERVAL_CALIBRATION, PREDICTIONS_ACCOUNT_DAILY)
SERVED = (feature_snapshots, model_scores, interval_calibration, traffic, account_daily, portfolio_daily)


@pytest.fixture(scope="module")
def needed(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that a replay of two days needs of the platform, and nothing else."""
    folder = tmp_path_factory.mktemp("needed") / "data"
    for table in NEEDED:
        copy(platform, folder, table, DAYS)
    shutil.copytree(platform.data_dir / "models", folder / "models")
    return folder


def copy(platform: Platform, folder: Path, table: Table, partitions: Sequence[str]) -> None:
    for partition in partitions:
        place = Path("lake") / table.name / f"{table.partitioning}={partition}"
        shutil.copytree(platform.data_dir / place, folder / place)


@pytest.fixture
def copied(needed: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    shutil.copytree(needed, tmp_path / "data")
    return tmp_path / "data"


def lake_in(folder: Path) -> Lake:
    return Lake(UPath(folder / "lake"))


def replayed(folder: Path, day: str = DAY, account: str = "") -> ReplayedDay:
    (found,) = replayed_days(lake_in(folder), folder / "models", [day], account)
    return found


def test_served_days_are_made_again_from_lake_and_models_alone_in_another_process(needed: Path) -> None:
    done = dpm({"DPM_DATA_DIR": str(needed)}, "replay", "--days", "9", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["ok"]
    assert found["equal"] == found["predictions"] > 50
    assert [day["date"] for day in found["days"]] == DAYS
    assert all(day["served_by"] == [day["replayed_by"]] for day in found["days"])
    assert sorted(path.name for path in needed.iterdir()) == ["lake", "models"]


def test_one_account_is_replayed_by_id_or_login(
    needed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DPM_DATA_DIR", str(needed))
    rows = read(lake_in(needed), PREDICTIONS_ACCOUNT_DAILY, [DAY])
    account, login = rows["account_id"][3].as_py(), rows["login"][3].as_py()
    for name, count in ((account, 1), (login, rows["login"].to_pylist().count(login))):
        assert replay_days(load_settings(), [END], last=None, account=name, as_json=False) == 0
        predictions = "1 prediction" if count == 1 else f"{count} predictions"
        assert capsys.readouterr().out == f"{DAY}: {predictions}, all equal to the last bit\n"
    assert replay_days(load_settings(), [], last=2, account=account, as_json=False) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 days, 2 predictions: all equal to the last bit"
    assert "account nobody is not among the" in str(replayed(needed, account="nobody").missing)


def test_a_cell_that_was_changed_is_told_with_account_column_and_both_values(
    copied: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = lake_in(copied)
    rows = read(lake, PREDICTIONS_ACCOUNT_DAILY, [DAY])
    true = rows["upper_90"].to_pylist()
    place = rows.column_names.index("upper_90")
    spoiled = rows.set_column(place, "upper_90", pa.array([*true[:-1], true[-1] + 0.01]))
    write(lake, PREDICTIONS_ACCOUNT_DAILY, DAY, spoiled, code_version="1")
    monkeypatch.setenv("DPM_DATA_DIR", str(copied))
    assert replay_days(load_settings(), [END], last=None, account="", as_json=False) == 1
    account = rows["account_id"][-1].as_py()
    assert capsys.readouterr().out.splitlines() == [
        f"{DAY}: {rows.num_rows} predictions, 1 differ",
        f"  account {account}, upper_90: stored {true[-1] + 0.01!r}, replayed {true[-1]!r}",
    ]
    assert replay_days(load_settings(), [END], last=None, account="", as_json=True) == 1
    (day,) = json.loads(capsys.readouterr().out)["days"]
    assert day["equal"] == rows.num_rows - 1
    assert day["differences"] == [
        {"account_id": account, "column": "upper_90", "stored": true[-1] + 0.01, "replayed": true[-1]}
    ]


def test_a_bundle_of_which_one_byte_was_changed_is_refused_by_the_name_of_the_file(copied: Path) -> None:
    version = read(lake_in(copied), PREDICTIONS_ACCOUNT_DAILY, [DAY])["model_version"][0].as_py()
    # of a model a booster, of a baseline that serves its conformity
    file = next(path for path in sorted((copied / "models" / version).iterdir()) if path.name != "manifest.json")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    said = replayed(copied).missing
    assert said == f"{file.parent}: the file {file.name} is not what the manifest says (sha256 differs)"
    shutil.rmtree(file.parent)
    assert replayed(copied).missing == f"{file.parent}: there is no manifest.json"


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (FEATURE_SNAPSHOTS, "predictions/feature_snapshots of {day}: the version {snapshot}… is not in the lake"),
        (
            MONITORING_INTERVAL_CALIBRATION,
            "monitoring/interval_calibration of {day}: the calibration {calibration} is not",
        ),
        (PREDICTIONS_ACCOUNT_DAILY, "there are no predictions of {day}; there are"),
    ],
    ids=["snapshot", "calibration", "predictions"],
)
def test_what_is_missing_is_said_in_one_line(copied: Path, table: Table, says: str) -> None:
    row = read(lake_in(copied), PREDICTIONS_ACCOUNT_DAILY, [DAY]).to_pylist()[0]
    shutil.rmtree(copied / "lake" / table.name / f"date={DAY}")
    said = says.format(day=DAY, snapshot=row["snapshot_hash"][:16], calibration=row["calibration_version"])
    assert str(replayed(copied).missing).startswith(said)
    (other,) = replayed_days(lake_in(copied), copied / "models", [DAYS[0]])
    assert other.holds


@pytest.mark.parametrize("table", [FEATURE_SNAPSHOTS, MONITORING_INTERVAL_CALIBRATION], ids=["snapshot", "calibration"])
def test_a_frozen_row_that_was_changed_behind_its_hash_is_refused(copied: Path, table: Table) -> None:
    lake = lake_in(copied)
    file = lake.describe(table.name, DAY)
    assert file is not None
    spoil(Path(str(file.path)))
    assert "was changed: its rows are not those of its hash" in str(replayed(copied).missing)


def spoil(path: Path) -> None:
    """Change the first number of the last row of the file, and leave its footer as it was."""
    file = pq.ParquetFile(path)
    footer = {b"dpm": file.metadata.metadata[b"dpm"]}
    rows = file.read()
    name = next(
        field.name for field in rows.schema if pa.types.is_floating(field.type) and not rows[field.name].null_count
    )
    values = rows[name].to_pylist()
    changed = pa.array([*values[:-1], values[-1] + 1.0], rows.schema.field(name).type)
    place = rows.column_names.index(name)
    pq.write_table(rows.set_column(place, name, changed).replace_schema_metadata(footer), path)


def test_rows_served_before_they_pointed_at_anything_cannot_be_replayed(copied: Path) -> None:
    lake = lake_in(copied)
    rows = read(lake, PREDICTIONS_ACCOUNT_DAILY, [DAY])
    place = rows.column_names.index("snapshot_hash")
    blind = rows.set_column(place, "snapshot_hash", pa.nulls(rows.num_rows, pa.string()))
    write(lake, PREDICTIONS_ACCOUNT_DAILY, DAY, blind, code_version="1")
    assert "served before rows had a snapshot_hash" in str(replayed(copied).missing)


def test_a_day_of_before_rows_said_who_serves_them_is_replayed_as_the_champions(copied: Path) -> None:
    lake = lake_in(copied)
    file = lake.describe(PREDICTIONS_ACCOUNT_DAILY.name, DAY)
    assert file is not None
    stored = pq.ParquetFile(str(file.path))
    footer = {b"dpm": stored.metadata.metadata[b"dpm"]}
    pq.write_table(stored.read().drop(["served_by"]).replace_schema_metadata(footer), str(file.path))
    assert read(lake, PREDICTIONS_ACCOUNT_DAILY, [DAY])["served_by"].null_count > 50
    found = replayed(copied)
    assert (found.holds, found.predictions > 50) == (True, True)


def test_days_are_asked_for_in_exactly_one_way(needed: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DPM_DATA_DIR", str(needed))
    for days, last in (([], None), ([END], 3)):
        with pytest.raises(WrongUse, match="either --date YYYY-MM-DD, once or more often, or --days N"):
            replay_days(load_settings(), days, last=last, account="", as_json=False)
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path / "empty"))
    with pytest.raises(LakeError, match="there are no predictions in .* to replay"):
        replay_days(load_settings(), [END], last=None, account="", as_json=False)


@pytest.fixture
def serving(platform: Platform, copied: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder in which the day can be served again: with features, conformity and the champions."""
    lake = lake_in(platform.data_dir)
    before = (END - timedelta(days=1)).isoformat()
    copy(platform, copied, FEATURES_ACCOUNT_DAILY, [before])
    copy(platform, copied, MODEL_SCORES, [DAY])
    copy(platform, copied, PREDICTIONS_TRAFFIC, [DAY])
    copy(platform, copied, MODELS_CHAMPION, lake.partitions(MODELS_CHAMPION.name))
    known = [day for day in lake.partitions(MONITORING_CONFORMITY.name) if day < DAY]
    copy(platform, copied, MONITORING_CONFORMITY, known)
    monkeypatch.setenv("DPM_DATA_DIR", str(copied))
    monkeypatch.setattr("daily_profit_model.modeling.plots.plot_calibration", lambda rows: b"")
    return copied


def serve_again(
    folder: Path, instance: dg.DagsterInstance, assets: Sequence[dg.AssetsDefinition] = SERVED, *, force: bool = False
) -> dict[str, dict[str, object]]:
    """The assets made for the day, on a graph without checks; the metadata of each materialisation."""
    lake = lake_in(folder)
    result = dg.materialize(
        list(assets),
        partition_key=DAY,
        instance=instance,
        resources={"lake": lake, "lake_io": LakeIOManager(lake, TABLES), "settings": load_settings()},
        tags={REPLACE_SERVED_TAG: "true"} if force else {},
    )
    made = [
        event.step_materialization_data.materialization for event in result.all_events if event.is_step_materialization
    ]
    return {each.asset_key.to_user_string(): {n: v.value for n, v in each.metadata.items()} for each in made}


@cache
def asset_graph() -> dg.AssetGraph:
    return build_definitions().resolve_asset_graph()


def needs_work(folder: Path, instance: dg.DagsterInstance) -> list[str]:
    """Why `dpm run` would make tables of the served day again, a hundred days later."""
    steps = [step for step in STEPS if step.stage == "predictions" and step.calendar == "next_days"]
    today = END + timedelta(days=100)
    works = [work_of(step, lake_in(folder), instance, asset_graph(), [DAY], False, today) for step in steps]
    return [work.reason for work in works if work.partitions]


def content(folder: Path, table: Table) -> str:
    file = lake_in(folder).describe(table.name, DAY)
    assert file is not None
    return file.content_hash


def correct_features(folder: Path) -> None:
    """Features of the day before, as if a later correction had reached them."""
    lake, before = lake_in(folder), (END - timedelta(days=1)).isoformat()
    rows = read(lake, FEATURES_ACCOUNT_DAILY, [before])
    place = rows.column_names.index("profit_scale")
    doubled = rows.set_column(place, "profit_scale", pc.multiply(rows["profit_scale"], 2.0))
    write(lake, FEATURES_ACCOUNT_DAILY, before, doubled, code_version="1")


def test_features_corrected_after_serving_leave_the_day_as_served_and_what_they_would_give_beside_it_L6(
    serving: Path,
) -> None:
    instance = dg.DagsterInstance.ephemeral()
    assert serve_again(serving, instance)[FEATURE_SNAPSHOTS.name].get("version_beside") is None
    before = {table: content(serving, table) for table in (*NEEDED, MODEL_SCORES)}
    correct_features(serving)
    assert needs_work(serving, instance) == []
    told = serve_again(serving, instance)
    assert {table: content(serving, table) for table in before} == before
    assert told[FEATURE_SNAPSHOTS.name]["rows_changed"] == told[FEATURE_SNAPSHOTS.name]["dagster/row_count"]
    beside = told[FEATURE_SNAPSHOTS.name]["version_beside"]
    rows = read_version(lake_in(serving), FEATURE_SNAPSHOTS.name, DAY, str(beside))
    served = read(lake_in(serving), FEATURE_SNAPSHOTS, [DAY])
    assert rows["profit_scale"].to_pylist() == pc.multiply(served["profit_scale"], 2.0).to_pylist()
    assert replayed(serving).holds


def test_a_forced_rewrite_replaces_the_day_and_keeps_every_version_before_it(serving: Path) -> None:
    instance = dg.DagsterInstance.ephemeral()
    first = {table: content(serving, table) for table in NEEDED}
    pointer = read(lake_in(serving), PREDICTIONS_ACCOUNT_DAILY, [DAY])["snapshot_hash"][0].as_py()
    correct_features(serving)
    told = serve_again(serving, instance, (feature_snapshots,), force=True)
    with pytest.raises(
        LakeError, match=r"predictions/model_scores of .* was made from another version of predictions/f"
    ):
        serve_again(serving, instance, (account_daily,))
    assert replayed(serving).holds
    told |= serve_again(serving, instance, SERVED[1:])  # what rests on a served table that was made anew follows it
    for table in (FEATURE_SNAPSHOTS, PREDICTIONS_ACCOUNT_DAILY):
        assert told[table.name]["replaced_version"] == first[table]
        assert first[table] in [file.content_hash for file in versions(lake_in(serving), table.name, DAY)][1:]
    assert read_version(lake_in(serving), FEATURE_SNAPSHOTS.name, DAY, pointer).num_rows
    assert read(lake_in(serving), PREDICTIONS_ACCOUNT_DAILY, [DAY])["snapshot_hash"][0].as_py() != pointer
    assert replayed(serving).holds


def test_outcomes_corrected_after_serving_leave_calibration_and_replay_as_they_were(serving: Path) -> None:
    instance = dg.DagsterInstance.ephemeral()
    lake = lake_in(serving)
    before = {table: content(serving, table) for table in NEEDED}
    for day in lake.partitions(MONITORING_CONFORMITY.name):
        rows = read(lake, MONITORING_CONFORMITY, [day])
        place = rows.column_names.index("lower_stretch")
        worse = rows.set_column(place, "lower_stretch", pc.multiply(rows["lower_stretch"], 5.0))
        write(lake, MONITORING_CONFORMITY, day, worse, code_version="1")
    told = serve_again(serving, instance, (interval_calibration, account_daily, portfolio_daily))
    assert "version_beside" in told[MONITORING_INTERVAL_CALIBRATION.name]
    assert {table: content(serving, table) for table in before} == before
    assert needs_work(serving, instance)[0].endswith("in the lake, but not yet recorded")
    assert replayed(serving).holds


def test_a_day_served_before_its_inputs_were_complete_is_healed_to_what_a_backfill_gives(serving: Path) -> None:
    instance = dg.DagsterInstance.ephemeral()
    lake = lake_in(serving)
    whole = {table: content(serving, table) for table in NEEDED}
    late = lake.partitions(MONITORING_CONFORMITY.name)[-1]
    rows = read(lake, MONITORING_CONFORMITY, [late])
    shutil.rmtree(lake.partition_folder(MONITORING_CONFORMITY.name, late))
    serve_again(serving, instance, force=True)
    hasty = content(serving, PREDICTIONS_ACCOUNT_DAILY)
    assert hasty != whole[PREDICTIONS_ACCOUNT_DAILY]
    assert needs_work(serving, instance) == []
    write(lake, MONITORING_CONFORMITY, late, rows, code_version="1")
    (reason,) = needs_work(serving, instance)
    assert reason == f"monitoring/interval_calibration of {DAY}: monitoring/conformity@{late} has changed"
    told = serve_again(serving, instance, (interval_calibration, account_daily, portfolio_daily))
    assert told[PREDICTIONS_ACCOUNT_DAILY.name]["replaced_version"] == hasty
    assert {table: content(serving, table) for table in NEEDED} == whole
    assert needs_work(serving, instance) == []
    assert replayed(serving).holds
