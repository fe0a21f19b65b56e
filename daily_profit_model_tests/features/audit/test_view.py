"""On a morning nothing later is there; in a poisoned one all of it is; what counted at a cut-off counts in both."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from daily_profit_model.engine import Source
from daily_profit_model.features.audit.logins import Asked, asked
from daily_profit_model.features.audit.view import DAYS_AHEAD, Later, Morning, PoisonedMorning
from daily_profit_model.lake import Lake, read
from daily_profit_model.lake.lake import cut_off
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
)
from daily_profit_model_tests.features.audit.small_profits import RAW_PROFITS, made
from daily_profit_model_tests.staging.firm_days import day, identity, metrics, snapshot, store, trade

EDGE = day(2)
TABLE = RAW_PROFITS.name


def _morning(lake: Lake, folder: Path) -> Morning:
    return Morning(lake.root, lake, Lake(UPath(folder / "made")), frozenset(), _later(lake, folder), EDGE)


def _poisoned(lake: Lake, folder: Path) -> PoisonedMorning:
    made, own = Lake(UPath(folder / "made")), Lake(UPath(folder / "own"))
    return PoisonedMorning(lake.root, lake, made, frozenset(), _later(lake, folder), EDGE, own, _asked(lake, folder))


def _asked(lake: Lake, folder: Path) -> Asked:
    trades = [Source(table) for table in (RAW_TRADES_CLOSED, RAW_ACCOUNTS, RAW_METRICS_DAILY)]
    others = [Source(table) for table in (RAW_TRADES_OPEN, RAW_METRICS_HOURLY)]
    return asked(_morning(lake, folder), [trades, others], [RAW_ACCOUNTS.name], EDGE)


def _later(lake: Lake, folder: Path) -> Later:
    return Later(lake, UPath(folder), {RAW_ACCOUNTS.name: ("account_id", "login", "platform", "broker")}, EDGE)


@settings(max_examples=25, deadline=None)
@given(hours=st.lists(st.integers(1, 200), min_size=1, max_size=4, unique=True))
def test_what_counted_at_a_cut_off_counts_on_the_morning_and_when_poisoned(hours: list[int]) -> None:
    """Whenever the revisions were stored: before the day's cut-off, after it, or long after the audited day's."""
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(UPath(folder) / "lake")
        for hour in sorted(hours):
            moment = cut_off(date.fromisoformat(day(0))) + timedelta(hours=hour - 30)
            store(lake, RAW_PROFITS, day(0), [made("a", float(hour))], moment)
        counts = lake.file(TABLE, day(0))
        morning, poisoned = _morning(lake, Path(folder)), _poisoned(lake, Path(folder))
        assert morning.file(TABLE, day(0)) == poisoned.file(TABLE, day(0)) == counts
        limit = cut_off(date.fromisoformat(EDGE))
        assert poisoned.file(TABLE, day(0), limit) == lake.file(TABLE, day(0), limit)
        newest = morning.file(TABLE, day(0), "newest")
        assert newest in lake.files(TABLE, day(0))
        assert poisoned.file(TABLE, day(0), "newest") not in lake.files(TABLE, day(0))


def test_later_days_and_later_revisions_are_not_there(lake: Lake, tmp_path: Path) -> None:
    for offset in range(5):
        store(lake, RAW_PROFITS, day(offset), [made("a", float(offset))])
    late = cut_off(date.fromisoformat(EDGE)) + timedelta(seconds=1)
    store(lake, RAW_PROFITS, day(1), [made("a", 99.0)], late)
    view = _morning(lake, tmp_path)
    assert view.partitions(TABLE) == [day(0), day(1), day(2)]
    assert view.file(TABLE, day(3)) is None
    assert read(view, RAW_PROFITS, [day(1), day(4)], as_known="newest")["profit"].to_pylist() == [1.0]


def test_of_a_later_snapshot_the_identities_alone_are_there(lake: Lake, tmp_path: Path) -> None:
    for offset in range(5):
        store(lake, RAW_ACCOUNTS, day(offset), [snapshot("a", net_profit=5.0), snapshot(f"b{offset}")])
    view = _morning(lake, tmp_path)
    assert view.partitions(RAW_ACCOUNTS.name) == [day(0), day(1), day(2), day(4)]
    rows = read(view, RAW_ACCOUNTS, [day(4)], as_known="newest")
    assert rows["account_id"].to_pylist() == ["a", "b4"]
    assert rows["net_profit"].null_count == rows["status"].null_count == rows["is_live"].null_count == 2


def test_whose_login_may_be_asked_later_is_told_by_the_days_trades_less_what_the_day_knows(
    lake: Lake, tmp_path: Path
) -> None:
    store(lake, RAW_ACCOUNTS, EDGE, [snapshot("listed")])
    store(lake, RAW_METRICS_DAILY, EDGE, [metrics("measured")])
    store(lake, RAW_TRADES_CLOSED, EDGE, [trade("listed"), trade("measured"), trade("late"), trade("late", "2")])
    store(lake, RAW_TRADES_CLOSED, day(3), [trade("tomorrow")])
    late = cut_off(date.fromisoformat(EDGE)) + timedelta(seconds=1)
    store(lake, RAW_TRADES_CLOSED, EDGE, [trade("corrected")], late)
    store(lake, RAW_METRICS_HOURLY, EDGE, [{**identity("late"), "hour": 9}])  # nothing that reads the trade reads this
    made = _asked(lake, tmp_path)
    assert sorted(made.named["login"].to_pylist()) == ["login-late", "login-listed", "login-measured"]
    assert made.unanswered.to_pylist() == [{"login": "login-late", "platform": 4, "broker": 1}]


def test_a_poisoned_later_snapshot_tells_whose_the_asked_logins_are_and_is_wrong_of_all_others(
    lake: Lake, tmp_path: Path
) -> None:
    everybody = ["late", *(f"a{place}" for place in range(9))]
    store(lake, RAW_ACCOUNTS, EDGE, [snapshot(account) for account in everybody[1:]])
    store(lake, RAW_TRADES_CLOSED, EDGE, [trade("late"), trade("a1")])
    store(lake, RAW_ACCOUNTS, day(3), [snapshot(account) for account in everybody])
    view = _poisoned(lake, tmp_path)
    for later in (day(3), view.partitions(RAW_ACCOUNTS.name)[-1]):
        rows = read(view, RAW_ACCOUNTS, [later], as_known="newest", columns=["login", "account_id"]).to_pylist()
        assert {row["login"] for row in rows if row["login"] == f"login-{row['account_id']}"} == {"login-late"}
        assert len(rows) != len(everybody)
    assert read(view, RAW_ACCOUNTS, [EDGE])["account_id"].to_pylist() == sorted(everybody[1:])


def test_a_snapshot_that_was_taken_later_keeps_the_accounts_that_are_asked_for_and_loses_others(
    lake: Lake, tmp_path: Path
) -> None:
    everybody = [f"a{place}" for place in range(9)]
    store(lake, RAW_ACCOUNTS, EDGE, [snapshot(account, live=False) for account in everybody])
    store(lake, RAW_TRADES_CLOSED, EDGE, [trade("a0"), trade("a3")])
    found = read(_poisoned(lake, tmp_path), RAW_ACCOUNTS, [EDGE])["account_id"].to_pylist()
    assert found == ["a0", "a2", "a3", "a5", "a7", *(f"stranger-{place}" for place in range(3))]
    assert read(_morning(lake, tmp_path), RAW_ACCOUNTS, [EDGE])["account_id"].to_pylist() == everybody


@pytest.mark.parametrize("offset", [3, 4, 5])
def test_every_later_day_is_poisoned_also_behind_the_newest(lake: Lake, tmp_path: Path, offset: int) -> None:
    for place in range(5):
        store(lake, RAW_PROFITS, day(place), [made("a", 1.0)])
    view = _poisoned(lake, tmp_path)
    assert view.partitions(TABLE) == [day(place) for place in range(3 + DAYS_AHEAD)]
    rows = read(view, RAW_PROFITS, [day(offset)])
    assert "stranger-0" in rows["account_id"].to_pylist()
    assert 1.0 not in rows["profit"].to_pylist()
    assert set(rows["date"].to_pylist()) == {date.fromisoformat(day(offset))}


def test_nobody_elses_lake_is_written(lake: Lake, tmp_path: Path) -> None:
    for place in range(4):
        store(lake, RAW_PROFITS, day(place), [made("a", 1.0)])
    before = sorted(map(str, Path(str(lake.root)).rglob("*")))
    view = _poisoned(lake, tmp_path / "audit")
    assert [view.file(TABLE, day(place), "newest") for place in range(6)].count(None) == 0
    assert sorted(map(str, Path(str(lake.root)).rglob("*"))) == before
