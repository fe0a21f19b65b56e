"""`dpm quarantine` on a stored instance: what is told, what a retry stores and records, and that all downstream sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from daily_profit_model.defs.launch.instance import stored_instance
from daily_profit_model.defs.launch.quarantine import list_rejects, retry_rejects, show_rejects
from daily_profit_model.defs.raw.assets import FETCHED
from daily_profit_model.defs.raw.quarantined import SAMPLES, SHOWN_CHARACTERS, shown
from daily_profit_model.defs.table_asset import asset_key
from daily_profit_model.lake import Lake, LakeError, changes_since_written, read, write
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model.risk_api import quarantine
from daily_profit_model.risk_api.quarantine import Rejection
from daily_profit_model.settings import Settings, WrongUse, load_settings
from daily_profit_model.tables.raw import RAW_QUARANTINE, RAW_TRADES_CLOSED
from daily_profit_model.tables.staging import STAGING_TRADES
from daily_profit_model_tests.risk_api.records import DAY, trade
from daily_profit_model_tests.risk_api.rejecting import FILLED_LATER, store_fetch

D = DAY.isoformat()
TABLE = RAW_TRADES_CLOSED.name
Say = Callable[..., Any]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """The settings of a data folder of its own, with one day of trades; there is no service."""
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RISK_API_BASE_URL", "http://127.0.0.1:1/")
    loaded = load_settings()
    rejected = [("unreadable_date", trade(1)), ("non_positive_lots", trade(2, lots=0)), ("duplicate_key", trade(3))]
    store_fetch(Lake(loaded.lake_root), [trade()], rejected, at=FILLED_LATER)
    return loaded


@pytest.fixture
def told(settings: Settings, capsys: pytest.CaptureFixture[str]) -> Say:
    """What a command prints as JSON."""

    def say(command: Callable[..., object], *arguments: Any, **options: Any) -> Any:
        capsys.readouterr()
        command(settings, *arguments, as_json=True, **options)
        return json.loads(capsys.readouterr().out)

    return say


def test_rows_are_counted_by_table_day_and_reason(
    told: Say, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = told(list_rejects, "", None, None)
    assert listed == [
        {"table": TABLE, "date": D, "reason": reason, "rows": 1}
        for reason in ("duplicate_key", "non_positive_lots", "unreadable_date")
    ]
    assert told(list_rejects, "trades_closed", DAY, None) == told(list_rejects, TABLE, None, DAY) == listed
    assert told(list_rejects, "metrics_daily", None, None) == []
    assert told(list_rejects, "", None, DAY.replace(day=2)) == []
    list_rejects(settings, "", None, DAY.replace(day=2), as_json=False)
    assert capsys.readouterr().out == "nothing lies in quarantine\n"


def test_the_rows_are_shown_as_they_were_received(
    told: Say, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(show_rejects, "trades_closed", DAY, "non_positive_lots", 20)
    assert said["rows"] == 1
    assert json.loads(said["shown"][0]["payload"]) == trade(2, lots=0)
    assert len(told(show_rejects, TABLE, DAY, "", 2)["shown"]) == 2
    show_rejects(settings, TABLE, DAY, "", 1, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{TABLE} of {D}: 3 rows in quarantine"
    assert lines[-1] == "… and 2 more: --limit"


def test_wrong_words_are_wrong_use_that_names_the_right_ones(settings: Settings) -> None:
    with pytest.raises(WrongUse, match="those are raw/plans, raw/accounts"):
        list_rejects(settings, "trades", None, None, as_json=False)
    with pytest.raises(WrongUse, match="there are: duplicate_key, non_positive_lots, unreadable_date"):
        show_rejects(settings, TABLE, DAY, "nonsense", 20, as_json=False)
    with pytest.raises(LakeError, match="was not fetched"):
        show_rejects(settings, TABLE, DAY.replace(day=2), "", 20, as_json=False)
    with pytest.raises(WrongUse, match="exclude each other"):
        list_rejects(settings, "", DAY, DAY, as_json=False)
    options = {"dry_run": False, "as_json": False}
    for days, all_days in (([], False), ([DAY], True)):
        with pytest.raises(WrongUse, match="say which days"):
            retry_rejects(settings, TABLE, days, all_days=all_days, **options)
    with pytest.raises(WrongUse, match="DPM_START_DATE"):
        retry_rejects(settings, TABLE, [DAY.replace(year=2020)], all_days=False, **options)
    with pytest.raises(WrongUse, match="dpm ingest plans --force"):
        retry_rejects(settings, "plans", [], all_days=True, **options)


def test_a_retry_is_recorded_without_the_service_and_everything_downstream_looks_out_of_date(
    told: Say, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = Lake(settings.lake_root)
    hashes = HashLookup(lake)
    inputs = {f"{TABLE}@{D}": hashes(TABLE, D)}
    staged = write(lake, STAGING_TRADES, D, STAGING_TRADES.schema().empty_table(), code_version="1", inputs=inputs)
    assert not changes_since_written(staged, HashLookup(lake), "1")

    dry = told(retry_rejects, TABLE, [DAY], all_days=False, dry_run=True)
    counts = {
        "date": D,
        "tried": 2,
        "new": 1,
        "new_at_cut_off": 1,
        "present": 0,
        "test_accounts": 0,
        "late": 0,
        "rejected": 2,
    }
    assert (dry["days"], dry["dry_run"]) == ([counts], True)
    assert len(lake.files(TABLE, D)) == 1

    done = told(retry_rejects, TABLE, [], all_days=True, dry_run=False)
    assert (done["days"], done["checks_failed"]) == (
        [counts],
        [
            {"table": RAW_QUARANTINE.name, "date": D, "check": "quarantine_small", "severity": "warn"}
            | {"description": done["checks_failed"][0]["description"]}
        ],
    )
    assert read(lake, RAW_TRADES_CLOSED, [D])["ticket"].to_pylist() == ["901", "902"]
    (change,) = changes_since_written(staged, HashLookup(lake), "1")
    assert change.what == f"{TABLE}@{D}"

    instance = stored_instance(settings)
    trades = materialization(instance, RAW_TRADES_CLOSED)
    assert {name: trades.metadata[name].value for name in ("retried_new", "rows_added", "revision_stored")} == {
        "retried_new": 1,
        "rows_added": 1,
        "revision_stored": True,
    }
    assert "received" not in trades.metadata  # the service was not asked: `dpm run` still reads corrections today
    rejected = materialization(instance, RAW_QUARANTINE)
    assert rejected.metadata[f"rows of {TABLE}"].value == 2
    assert set(read(lake, RAW_QUARANTINE, [D])["reason"].to_pylist()) == {"non_positive_lots", "duplicate_key"}

    again = told(retry_rejects, TABLE, [DAY], all_days=False, dry_run=False)
    assert [day["new"] for day in again["days"]] == [0]
    assert len(lake.files(TABLE, D)) == 2
    assert instance.get_runs_count() == 1  # nothing moves, nothing runs


def materialization(instance: dg.DagsterInstance, table: Any) -> dg.AssetMaterialization:
    made = instance.get_latest_materialization_event(asset_key(table))
    assert made is not None
    assert made.asset_materialization is not None
    assert made.asset_materialization.partition == D
    return made.asset_materialization


def test_the_ui_shows_rows_by_table_reasons_and_some_of_each_reason() -> None:
    rows = [Rejection("unreadable_date", "x", json.dumps({"n": n, "text": "y" * 500})) for n in range(30)]
    few = quarantine.of_rejections(RAW_TRADES_CLOSED, DAY, [*rows, Rejection("unknown_side", None, "{}")])
    metadata = shown(few, FETCHED)
    assert metadata[f"rows of {TABLE}"] == 31
    assert metadata["rows of raw/plans"] == 0
    assert [record.data for record in metadata["reasons"].records] == [
        {"table": TABLE, "reason": "unreadable_date", "rows": 30},
        {"table": TABLE, "reason": "unknown_side", "rows": 1},
    ]
    samples = [record.data for record in metadata["samples"].records]
    assert len(samples) == SAMPLES
    assert {sample["reason"] for sample in samples} == {"unreadable_date", "unknown_side"}
    assert max(len(str(sample["payload"])) for sample in samples) == SHOWN_CHARACTERS
    none = shown(pa.Table.from_pylist([], schema=RAW_QUARANTINE.schema()), FETCHED)
    assert set(none.values()) == {0}
