"""features/trade_daily, row by row: what it counts, that its sums are exact, and that no order of rows moves a bit."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY
from daily_profit_model.lake import content_hash
from daily_profit_model_tests.features.histories import FIRST, LAST, histories, iso
from daily_profit_model_tests.features.reference_trades import Trade, trade_day
from daily_profit_model_tests.features.trading import Record, random_trades, trade, trade_days, trades_table

NOON = datetime(LAST.year, LAST.month, LAST.day, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def trades() -> pa.Table:
    return random_trades(histories(accounts=10, seed=31), seed=32)


@pytest.fixture(scope="module")
def made(trades: pa.Table) -> pa.Table:
    return trade_days(trades, FIRST.isoformat(), LAST.isoformat())


def _row(*records: Record) -> dict[str, Any]:
    (row,) = trade_days(trades_table(list(records)), iso(0), iso(0)).to_pylist()
    made: dict[str, Any] = row
    return made


def _at(number: int, opened: int, closed: int, profit: float, **values: object) -> Record:
    """A trade opened and closed so many minutes after noon."""
    times = {"open_time": NOON + timedelta(minutes=opened), "close_time": NOON + timedelta(minutes=closed)}
    return trade(LAST, "a", number, profit=profit, **times, **values)


def test_a_row_stands_for_each_account_and_day_with_a_trade_of_a_known_account(
    trades: pa.Table, made: pa.Table
) -> None:
    keys = {
        (row["date"], row["account_id"])
        for row in trades.to_pylist()
        if row["account_id"] is not None and row["date"] >= FIRST
    }
    assert {(row["date"], row["account_id"]) for row in made.to_pylist()} == keys
    assert made.num_rows == len(keys) > 300
    assert pc.sum(pc.invert(trades["is_resolved"])).as_py() > 5


@pytest.mark.parametrize(
    "name", [name for name in FEATURES_TRADE_DAILY.column_names if name not in FEATURES_TRADE_DAILY.key]
)
def test_a_column_equals_its_reference_to_the_last_bit(trades: pa.Table, made: pa.Table, name: str) -> None:
    by_day: dict[tuple[date, str], list[Trade]] = {}
    for row in trades.to_pylist():
        by_day.setdefault((row["date"], row["account_id"]), []).append(row)
    wrong = []
    for row in made.to_pylist():
        expected = trade_day(by_day[(row["date"], row["account_id"])])[name]
        if name == "duration_squared_deviations":
            expected = pytest.approx(expected, rel=1e-9, abs=1e-9)
        if row[name] != expected:
            wrong.append((row["date"], row["account_id"], row[name], expected))
    assert wrong == []


def test_the_order_of_trades_moves_no_bit(trades: pa.Table, made: pa.Table) -> None:
    for seed in (1, 2):
        shuffled = trades.take(np.random.default_rng(seed).permutation(trades.num_rows))
        assert content_hash(trade_days(shuffled, FIRST.isoformat(), LAST.isoformat())) == content_hash(made)


def test_a_day_alone_has_the_bits_of_a_range(trades: pa.Table, made: pa.Table) -> None:
    for ago in (0, 50):
        day = pa.scalar(LAST - timedelta(days=ago), pa.date32())
        alone = trade_days(trades.filter(pc.equal(trades["date"], day)), iso(ago), iso(ago))
        assert content_hash(alone) == content_hash(made.filter(pc.equal(made["date"], day)))


def test_sums_that_floats_would_miss_are_exact() -> None:
    many = [trade(LAST, "a", n, profit=0.1, lots=0.1, volume_usd=1e9 + 0.01, commission=-0.7) for n in range(1_000)]
    row = _row(*many, trade(LAST, "a", 1_000, profit=-0.3, volume_usd=None))
    assert sum([0.1] * 1_000) != 100.0
    assert (row["gross_profit"], row["gross_loss"], row["commission"]) == (100.0, -0.3, -700.0)
    assert (row["lots"], row["volume_usd"], row["duration_hours"]) == (101.0, 1_000_000_000_010.0, 1_001.0)


def test_a_trade_that_breaks_even_but_for_the_noise_of_floats_is_neither_won_nor_lost() -> None:
    row = _row(trade(LAST, "a", 1, profit=0.3, costs=-0.1 - 0.2), trade(LAST, "a", 2, profit=0.1 + 0.2, costs=-0.3))
    assert (row["trades"], row["winning_trades"], row["losing_trades"]) == (2, 0, 0)
    assert (row["gross_profit"], row["gross_loss"]) == (0.0, 0.0)


def test_costs_turn_a_profit_into_a_loss() -> None:
    row = _row(trade(LAST, "a", 1, profit=2.0, costs=-3.5))
    assert (row["winning_trades"], row["losing_trades"], row["gross_loss"]) == (0, 1, -1.5)


def test_a_trade_follows_the_newest_one_that_closed_before_its_opening() -> None:
    row = _row(
        _at(1, 0, 10, 5.0),
        _at(2, 5, 20, -5.0, lots=2.0),  # nothing was closed yet
        _at(3, 10, 60, 0.0, lots=32.0),  # what closes at this instant has not closed before
        _at(6, 11, 60, 0.0, lots=4.0),  # the win
        _at(4, 30, 70, 1.0, lots=8.0),  # the loss
        _at(5, 65, 80, 1.0, lots=16.0),  # a trade that broke even: neither
    )
    assert (row["trades_after_win"], row["lots_after_win"]) == (1, 4.0)
    assert (row["trades_after_loss"], row["lots_after_loss"]) == (1, 8.0)


def test_a_trade_does_not_follow_itself() -> None:
    """One that was closed at the instant of its opening comes after the loss before it, not after its own win."""
    row = _row(_at(1, 0, 10, -5.0), _at(2, 30, 30, 7.0, lots=3.0))
    assert (row["trades_after_win"], row["trades_after_loss"], row["lots_after_loss"]) == (0, 1, 3.0)


def test_of_trades_closed_at_one_instant_the_last_by_key_is_the_newest_in_whatever_order_they_come() -> None:
    closed = [_at(1, 0, 10, 5.0), _at(2, 0, 10, -5.0), _at(3, 20, 30, 1.0)]
    made = [_row(*closed), _row(*closed[::-1])]
    assert {(row["trades_after_win"], row["trades_after_loss"]) for row in made} == {(0, 1)}


def test_of_equal_parts_of_two_logins_the_same_one_is_the_newest_in_whatever_order_they_come() -> None:
    """Logins of two servers may count positions alike; an account may have both."""
    closed = [_at(1, 0, 10, 5.0), _at(1, 0, 10, -5.0, login="of another server", broker=2), _at(3, 20, 30, 1.0)]
    assert _row(*closed) == _row(*closed[::-1])


def test_trades_of_another_account_or_another_day_are_followed_by_none() -> None:
    yesterday = trade(LAST - timedelta(days=1), "a", 1, profit=-5.0)
    other = trade(LAST, "b", 2, profit=-5.0, open_time=NOON - timedelta(hours=5))
    rows = trade_days(trades_table([yesterday, other, trade(LAST, "a", 3)]), iso(1), iso(0)).to_pylist()
    assert [row["trades_after_loss"] for row in rows] == [0, 0, 0]


def test_a_position_closed_in_parts_counts_with_each_part() -> None:
    row = _row(_at(1, 0, 10, 5.0), _at(1, 0, 20, -5.0, ticket="t2"))
    assert (row["trades"], row["winning_trades"], row["losing_trades"], row["trades_after_win"]) == (2, 1, 1, 0)


def test_a_trade_whose_symbol_is_not_known_is_in_no_symbol_L9() -> None:
    row = _row(trade(LAST, "a", 1, symbol=None), trade(LAST, "a", 2, symbol="XAUUSD", volume_usd=7.0))
    assert row["symbols"] == [{"symbol": "XAUUSD", "trades": 1, "volume_usd": 7.0}]


def test_a_day_without_trades_has_no_row() -> None:
    assert trade_days(trades_table([trade(LAST, "a", 1)]), iso(2), iso(1)).num_rows == 0


def test_a_weekend_begins_and_ends_at_midnight_by_the_opening() -> None:
    monday = datetime(LAST.year, LAST.month, LAST.day, tzinfo=UTC)
    assert monday.isoweekday() == 1
    openings = [
        monday - timedelta(days=2, milliseconds=1),
        monday - timedelta(days=2),
        monday - timedelta(milliseconds=1),
    ]
    row = _row(*(trade(LAST, "a", n, open_time=at, close_time=NOON) for n, at in enumerate([*openings, monday])))
    assert (row["trades"], row["weekend_trades"]) == (4, 2)
