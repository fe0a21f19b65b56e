"""`dpm ingest` and `dpm corrections` against a served firm: what is fetched, kept, read again, stored and told."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from upath import UPath

from daily_profit_model.defs.launch.corrections import list_corrections
from daily_profit_model.defs.launch.ingest import FEEDS, ingest
from daily_profit_model.lake import Lake, read, write_revision
from daily_profit_model.settings import Settings, WrongSettings, WrongUse, load_settings
from daily_profit_model.tables.raw import RAW_ACCOUNTS, RAW_METRICS_DAILY
from daily_profit_model_tests.end_to_end.firm import dpm
from daily_profit_model_tests.end_to_end.small_firm import DAYS, END, START, WEEK_LATER, SmallFirm

NEWEST = [END - timedelta(days=ago) for ago in (3, 2, 1, 0)]
"""A day that nobody corrects, and the three that the service corrects later."""


def fetched(
    feed: str, capsys: pytest.CaptureFixture[str], first: date = START, last: date = END, **options: Any
) -> dict[str, Any]:
    """What `dpm ingest --json` says."""
    capsys.readouterr()
    assert ingest(load_settings(), feed.split(), first, last, as_json=True, **options) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def lake_of(settings: Settings) -> Lake:
    return Lake(UPath(settings.lake_root))


def test_every_feed_fills_its_table_and_the_quarantine_of_its_days(
    small_firm: SmallFirm, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = lake_of(load_settings())
    for feed in [name for name in FEEDS if name != "accounts"]:  # that is another name of metrics alltime
        said = fetched(feed, capsys, last=START + timedelta(days=1))
        assert (said["feed"], said["table"]) == (feed, FEEDS[feed])
        assert (said["partitions"], said["revisions_stored"], said["kept"]) == (2, 2, 0)
        assert lake.partitions(FEEDS[feed]) == lake.partitions("raw/quarantine") == DAYS[:2]
        files = [lake.describe(FEEDS[feed], day, "newest") for day in DAYS[:2]]
        assert said["rows"] == sum(file.rows for file in files if file is not None) > 0
        assert [run["end_date"] for run in said["runs"]] == [DAYS[1]]
        assert said["checks_passed"] > 0
    assert fetched("accounts", capsys, last=START + timedelta(days=1))["runs"] == []
    rejects = "raw/rejects/trades_closed#newest"
    quarantine = lake.describe("raw/quarantine", DAYS[0])
    assert quarantine is not None
    assert quarantine.inputs[f"{rejects}@{DAYS[0]}"] is not None


def test_complete_days_are_kept_and_each_hole_is_a_run(
    small_firm: SmallFirm, capsys: pytest.CaptureFixture[str]
) -> None:
    fetched("metrics daily", capsys)
    before = {day: lake_of(load_settings()).file(RAW_METRICS_DAILY.name, day) for day in DAYS}
    for day in (DAYS[2], DAYS[6], DAYS[7]):
        shutil.rmtree(load_settings().dpm_data_dir / "lake" / "raw" / "metrics_daily" / f"date={day}")
    said = fetched("metrics daily", capsys)
    assert [(run["start_date"], run["end_date"]) for run in said["runs"]] == [(DAYS[2], DAYS[2]), (DAYS[6], DAYS[7])]
    assert (said["partitions"], said["revisions_stored"]) == (3, 3)
    after = {day: lake_of(load_settings()).file(RAW_METRICS_DAILY.name, day) for day in DAYS}
    assert {day for day in DAYS if before[day] == after[day]} == set(DAYS) - {DAYS[2], DAYS[6], DAYS[7]}
    assert ingest(load_settings(), ["metrics", "daily"], START, END) == 0
    said_of_nothing = f"metrics daily: every day of {START} … {END} is complete; --force reads them again\n"
    assert capsys.readouterr().out == said_of_nothing


def test_forced_days_are_read_again_and_stored_only_where_they_differ(
    small_firm: SmallFirm, capsys: pytest.CaptureFixture[str]
) -> None:
    fetched("metrics daily", capsys, NEWEST[0])
    again = fetched("metrics daily", capsys, NEWEST[0], force=True)
    assert (again["partitions"], again["revisions_stored"], again["revisions_unchanged"]) == (4, 0, 4)
    small_firm.at(WEEK_LATER)
    corrected = fetched("metrics daily", capsys, NEWEST[0], force=True)
    lake = lake_of(load_settings())
    twice = [day for day in map(str, NEWEST) if len(lake.files(RAW_METRICS_DAILY.name, day)) == 2]
    assert twice
    assert str(NEWEST[0]) not in twice
    assert (corrected["revisions_stored"], corrected["revisions_unchanged"]) == (len(twice), 4 - len(twice))
    assert corrected["rows"] == again["rows"]


def test_corrections_tell_table_day_rows_and_columns_of_each_replaced_revision(
    small_firm: SmallFirm, capsys: pytest.CaptureFixture[str]
) -> None:
    fetched("metrics daily", capsys, NEWEST[0])
    fetched("trades closed", capsys, NEWEST[0])
    small_firm.at(WEEK_LATER)
    fetched("metrics daily", capsys, NEWEST[0], force=True)
    fetched("trades closed", capsys, NEWEST[0], force=True)
    settings, since = load_settings(), "2000-01-01"
    list_corrections(settings, since, "", as_json=True)
    told = json.loads(capsys.readouterr().out)
    lake = lake_of(settings)
    assert {(one["table"], one["date"]) for one in told} == {
        (RAW_METRICS_DAILY.name, day) for day in map(str, NEWEST) if len(lake.files(RAW_METRICS_DAILY.name, day)) == 2
    }
    for one in told:
        older, newer = (
            by_key(read(lake, RAW_METRICS_DAILY, [one["date"]], as_known=datetime.fromisoformat(one[instant])))
            for instant in ("replaced", "ingested_at")
        )
        differing = [key for key in older if older[key] != newer[key]]
        profits = [key for key in older if older[key]["net_profit"] != newer[key]["net_profit"]]
        assert (one["rows_added"], one["rows_removed"], one["rows_changed"]) == (0, 0, len(differing))
        assert one["changed_columns"]["net_profit"] == len(profits) > 0
    list_corrections(settings, since, "metrics_daily", as_json=False)
    assert "net_profit" in capsys.readouterr().out
    list_corrections(settings, max(one["ingested_at"] for one in told), "", as_json=True)
    assert len(json.loads(capsys.readouterr().out)) == 1
    list_corrections(settings, "2999-01-01T06:00:00Z", "", as_json=False)
    assert capsys.readouterr().out == "no revision has replaced another since 2999-01-01 06:00:00 UTC\n"


def test_plans_and_regimes_need_no_key(
    small_firm: SmallFirm, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISK_API_KEY", "")
    for feed in ("plans", "regimes"):
        assert fetched(feed, capsys, last=START)["partitions"] == 1


def test_an_error_that_a_check_finds_is_exit_code_1_and_named_once(
    small_firm: SmallFirm, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, at = load_settings(), datetime(2026, 3, 2, 5, tzinfo=UTC)
    account = {"platform": 5, "broker": 1, "login": "7", "account_id": "a", "is_live": True, "status": 9, "phase": 1}
    for day in DAYS[:3]:  # as if fetched by a run that was killed before it was recorded
        row = {**dict.fromkeys(RAW_ACCOUNTS.column_names), **account, "date": date.fromisoformat(day)}
        rows = pa.Table.from_pylist([row], schema=RAW_ACCOUNTS.schema())
        facts = {"received": 1, "stored": 1}
        write_revision(lake_of(settings), RAW_ACCOUNTS, day, rows, ingested_at=at, code_version="1", facts=facts)
    assert ingest(settings, ["accounts"], START, START + timedelta(days=2)) == 1
    said = capsys.readouterr().out
    assert f"error: accounts_valid of raw/accounts does not hold on {DAYS[0]} and 2 more days: " in said
    assert "status is 1, 2 or 3" in said


def by_key(rows: pa.Table) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {tuple(row[name] for name in RAW_METRICS_DAILY.key): row for row in rows.to_pylist()}


def test_bars_without_a_service_are_one_line_that_names_the_variable(
    small_firm: SmallFirm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARKET_API_BASE_URL", "")
    with pytest.raises(WrongSettings, match="MARKET_API_BASE_URL is not set, so no bars can be had"):
        ingest(load_settings(), ["bars"], START, END)


@pytest.mark.parametrize("words", [["nonsense"], ["metrics"], ["trades", "daily"], ["accounts", "closed"]])
def test_an_unknown_feed_is_wrong_use_that_names_the_feeds(words: list[str]) -> None:
    with pytest.raises(WrongUse, match="the feeds are accounts, plans, regimes, bars, metrics alltime"):
        ingest(load_settings(), words, None, None)


def test_the_command_line_reaches_the_same_assets(small_firm: SmallFirm, tmp_path: Path) -> None:
    variables = {**small_firm.variables, "DPM_DATA_DIR": str(tmp_path / "data")}
    days = ("--start-date", DAYS[0], "--end-date", DAYS[1])
    done = dpm(variables, "ingest", "trades", "open", *days)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"trades open {DAYS[0]} … {DAYS[1]}: 2 partitions, ")
    wrong = dpm(variables, "corrections", "--since", "lately")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert "'lately' is no day" in wrong.stderr
