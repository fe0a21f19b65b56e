"""What is usual for a symbol comes from its own past: what is not judged, what is no fault, what lasts a whole day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest

from daily_profit_model.lake import Lake
from daily_profit_model.quality.evaluate import evaluate
from daily_profit_model.quality.frame import Frame
from daily_profit_model.quality.frames_bars import MOVES, REGIMES, SESSIONS, TRADES
from daily_profit_model.quality.load import load
from daily_profit_model.quality.rules_bars import BARS_RULES
from daily_profit_model_tests.quality.small_firm import Day, Record, Spoil, nothing, store

BARS = "raw/market_bars"
MONDAY = date(2026, 3, 2)


def fill(lake: Lake, days: int, spoil: Callable[[date], Spoil] = lambda _: nothing) -> None:
    """Bars of `days` days up to the last, a Monday."""
    for back in range(days):
        day = MONDAY - timedelta(days=back)
        store(lake, day.isoformat(), [BARS], spoil(day))


def rows_of(lake: Lake, frame: Frame, *columns: str) -> list[tuple[object, ...]]:
    """The given columns of a frame on the last day, row by row."""
    rows = load(lake, frame, [MONDAY.isoformat()]).to_pylist()
    return [tuple(row[name] for name in columns) for row in rows]


def failing(lake: Lake, table: str = BARS) -> set[str]:
    """The rules of bars that do not hold of a table's last day."""
    rules = [rule for rule in BARS_RULES if rule.table == table]
    outcomes = evaluate(rules, partial(load, lake), [MONDAY.isoformat()])
    assert not any(outcome.error for outcome in outcomes)
    return {outcome.rule.id for outcome in outcomes if not outcome.passed}


def only(wanted: Callable[[Record], bool]) -> Spoil:
    """The bars that are wanted, and no others."""

    def spoil(day: Day) -> None:
        day.rows[BARS] = [bar for bar in day.rows[BARS] if wanted(bar)]

    return spoil


def times(factor: float) -> Spoil:
    """Every price in another unit."""

    def spoil(day: Day) -> None:
        for bar in day.rows[BARS]:
            bar |= {name: bar[name] * factor for name in ("open", "high", "low", "close")}

    return spoil


def hours(first: int, last: int) -> Spoil:
    return only(lambda bar: first <= bar["bar_start"].hour <= last)


@pytest.mark.parametrize(("weeks", "expected"), [(2, None), (3, 12)])
def test_with_fewer_than_three_same_weekdays_before_it_a_day_is_not_judged(
    lake: Lake, weeks: int, expected: int | None
) -> None:
    fill(lake, 7 * weeks + 1, lambda day: hours(12, 23) if day == MONDAY else nothing)
    columns = ("missing_hours", "stale_hours", "empty_hours")
    found = rows_of(lake, SESSIONS, *columns)
    assert found == [(expected, *[None if expected is None else 0] * 2)] * 2


def test_a_session_that_has_moved_by_an_hour_has_no_gap_and_one_that_is_shorter_has(lake: Lake) -> None:
    fill(lake, 29, lambda day: hours(8, 16) if day == MONDAY else hours(7, 15))
    assert failing(lake) == set()
    store(lake, MONDAY.isoformat(), [BARS], hours(8, 15))
    assert rows_of(lake, SESSIONS, "missing_hours") == [(1,), (1,)]
    assert failing(lake) == {"hours_complete"}


def test_a_symbol_that_is_gone_has_a_gap_and_one_holiday_makes_nothing_usual(lake: Lake) -> None:
    holiday = MONDAY - timedelta(days=14)
    fill(lake, 29, lambda day: only(lambda bar: bar["symbol"] == "EURUSD") if day in (MONDAY, holiday) else nothing)
    assert set(rows_of(lake, SESSIONS, "symbol", "missing_hours")) == {("EURUSD", 0), ("GBPUSD", 24)}
    store(lake, MONDAY.isoformat(), [BARS], nothing)
    assert failing(lake) == set()


def test_a_weekday_without_a_session_expects_none(lake: Lake) -> None:
    fill(lake, 29, lambda day: only(lambda _: False) if day.weekday() == 0 and day != MONDAY else nothing)
    assert {missing for (missing,) in rows_of(lake, SESSIONS, "missing_hours")} == {None}


def test_a_market_that_is_flat_on_every_such_day_is_not_stale(lake: Lake) -> None:
    def flat(day: Day) -> None:
        for bar in day.rows[BARS]:
            bar |= dict.fromkeys(("open", "high", "low", "close"), 1.1)

    fill(lake, 29, lambda day: flat if day.weekday() == 0 else nothing)
    assert failing(lake) == set()
    fill(lake, 29, lambda day: flat if day == MONDAY else nothing)
    assert failing(lake) == {"prices_alive"}


def test_a_day_in_another_unit_is_seen_at_its_first_hour_even_after_a_weekend(lake: Lake) -> None:
    weekend = (5, 6)
    fill(lake, 29, lambda day: only(lambda _: False) if day.weekday() in weekend else nothing)
    assert failing(lake) == set()
    store(lake, MONDAY.isoformat(), [BARS], times(0.01))
    outcomes = evaluate([rule for rule in BARS_RULES if rule.frame is MOVES], partial(load, lake), [MONDAY.isoformat()])
    assert outcomes[0].unexpected_count == 2
    assert outcomes[0].samples[0]["bar_start"] == str(datetime(2026, 3, 2, tzinfo=UTC))


def test_moves_are_not_judged_before_five_days_of_bars(lake: Lake) -> None:
    fill(lake, 5, lambda day: times(100.0) if day == MONDAY else nothing)
    assert {move for (move,) in rows_of(lake, MOVES, "move")} == {None}
    store(lake, (MONDAY - timedelta(days=5)).isoformat(), [BARS])
    assert failing(lake) == {"moves_plausible"}


def test_without_bars_trades_and_regimes_are_not_judged(lake: Lake) -> None:
    store(lake, MONDAY.isoformat(), ["raw/trades_closed", "raw/market_regimes"])
    assert set(rows_of(lake, TRADES, "close_outside", "open_outside")) == {(None, None)}
    assert set(rows_of(lake, REGIMES, "gap")) == {(None,)}
    assert failing(lake, "raw/trades_closed") == failing(lake, "raw/market_regimes") == set()


def test_prices_of_another_day_and_of_symbols_without_bars_are_not_judged(lake: Lake) -> None:
    yesterday = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def spoil(day: Day) -> None:
        first, second, *others = day.rows["raw/trades_closed"]
        first |= {"open_price": 9.0, "open_time": yesterday}
        second |= {"open_price": 9.0, "close_price": 9.0, "std_symbol": "USOUSD"}
        day.rows["raw/trades_closed"] = [first, second, *others]

    store(lake, MONDAY.isoformat(), [BARS, "raw/trades_closed"], spoil)
    found = rows_of(lake, TRADES, "close_outside", "open_outside")
    assert sorted(found, key=str) == [(0.0, 0.0)] * 6 + [(0.0, None), (None, None)]
    assert failing(lake, "raw/trades_closed") == set()


@pytest.mark.parametrize(
    ("price", "is_outside"), [(1.10301, False), (1.10302, True), (1.09699, False), (1.09698, True)]
)
def test_the_range_is_widened_by_an_hours_share_and_the_spread(lake: Lake, price: float, is_outside: bool) -> None:
    # 1.098 … 1.102 in 24 bars: (1 / sqrt(24) + 0.05) of 0.004 is 0.0010165
    def spoil(day: Day) -> None:
        day.rows["raw/trades_closed"][0] |= {"close_price": price}

    store(lake, MONDAY.isoformat(), [BARS, "raw/trades_closed"], spoil)
    assert (failing(lake, "raw/trades_closed") == {"prices_within_bars"}) is is_outside
