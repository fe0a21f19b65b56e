"""Feeds as feeds: a day that repeats the one before, and one that comes late; what cannot be known is not judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

import pyarrow as pa
import pytest

from daily_profit_model.lake import Lake, write_revision
from daily_profit_model.quality.evaluate import evaluate
from daily_profit_model.quality.load import ENOUGH_ARRIVALS, load
from daily_profit_model.quality.outcome import Outcome
from daily_profit_model.quality.rules_feeds import FEED_RULES, FEWEST_REPEATED
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import (
    RAW_MARKET_REGIMES,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_TRADES_CLOSED,
)
from daily_profit_model.tables.raw_regimes import INSTRUMENTS

FIRST = date(2026, 3, 2)
USUALLY_H = 6.0
TRADING = (RAW_METRICS_DAILY, RAW_METRICS_HOURLY, RAW_TRADES_CLOSED)


def keep(
    lake: Lake, table: Table, day: date, records: Sequence[Mapping[str, object]], after_h: float = USUALLY_H
) -> None:
    """Store a fetch of `day`, made so many hours after the day's end."""
    rows = [{name: record.get(name) for name in table.column_names} | {"date": day} for record in records]
    at = datetime.combine(day + timedelta(days=1), time(), UTC) + timedelta(hours=after_h)
    write_revision(
        lake,
        table,
        day.isoformat(),
        pa.Table.from_pylist(rows, schema=table.schema()),
        ingested_at=at,
        code_version="1",
    )


def judged(lake: Lake, table: Table, rule_id: str, day: date) -> Outcome:
    (rule,) = (rule for rule in FEED_RULES if (rule.table, rule.id) == (table.name, rule_id))
    (outcome,) = evaluate([rule], partial(load, lake), [day.isoformat()])
    return outcome


def acted(day: date, accounts: int) -> list[dict[str, Any]]:
    """What accounts made on a day: rows that fit each of the tables of trading."""
    return [
        {
            "account_id": f"a{number}",
            "platform": 4,
            "broker": 2,
            "login": f"{number}",
            "hour": 9,
            "num_trades": 2,
            "net_profit": number + day.day / 100,
            "position": f"p{number}",
            "ticket": f"{day.day}{number}",
            "profit": number + day.day / 100,
        }
        for number in range(accounts)
    ]


def days(count: int) -> list[date]:
    return [FIRST + timedelta(days=number) for number in range(count)]


@pytest.mark.parametrize("table", TRADING, ids=lambda table: table.name)
def test_a_day_served_twice_is_an_error(lake: Lake, table: Table) -> None:
    first, second, third, last = days(4)
    keep(lake, table, first, acted(first, 12))
    keep(lake, table, second, acted(second, 12))
    keep(lake, table, third, acted(second, 12))
    keep(lake, table, last, [*acted(third, 12)[:5], *acted(last, 12)[5:]])
    fine, frozen = judged(lake, table, "day_not_frozen", second), judged(lake, table, "day_not_frozen", third)
    assert (fine.passed, fine.is_judged, fine.observed) == (True, True, 0.0)
    assert (frozen.passed, frozen.rule.severity, frozen.observed) == (False, "error", 1.0)
    assert (frozen.samples[0]["repeated"], frozen.samples[0]["rows"]) == (12, 12)
    assert judged(lake, table, "day_not_frozen", last).passed  # nothing of it equals the day before as it was served


@pytest.mark.parametrize(("repeated", "holds"), [(6, True), (7, False)])
def test_more_than_half_of_the_rows_must_be_the_same(lake: Lake, repeated: int, holds: bool) -> None:
    first, second = days(2)
    keep(lake, RAW_METRICS_DAILY, first, acted(first, 12))
    keep(lake, RAW_METRICS_DAILY, second, [*acted(first, 12)[:repeated], *acted(second, 12)[repeated:]])
    assert judged(lake, RAW_METRICS_DAILY, "day_not_frozen", second).passed is holds


def test_quiet_days_and_accounts_that_did_nothing_repeat_nothing(lake: Lake) -> None:
    first, second = days(2)
    idle = [{**row, "num_trades": 0, "net_profit": 0.0} for row in acted(first, 30)]
    few = acted(first, FEWEST_REPEATED - 1)
    keep(lake, RAW_METRICS_DAILY, first, [*few, *idle[len(few) :]])
    keep(lake, RAW_METRICS_DAILY, second, [*few, *idle[len(few) :]])
    outcome = judged(lake, RAW_METRICS_DAILY, "day_not_frozen", second)
    assert (outcome.passed, outcome.is_judged) == (True, False)


def prices(day: date, moved: int) -> dict[str, Any]:
    """A document of which the first `moved` prices are the day's own."""
    return {
        f"{symbol.lower()}_last_price": 100.0 + number + (day.day if number < moved else 0)
        for number, symbol in enumerate(INSTRUMENTS)
    }


def test_prices_of_which_none_has_moved_are_an_error_and_one_that_has_is_enough(lake: Lake) -> None:
    first, second, third = days(3)
    keep(lake, RAW_MARKET_REGIMES, first, [prices(first, 0)])
    keep(lake, RAW_MARKET_REGIMES, second, [prices(second, 0)])
    keep(lake, RAW_MARKET_REGIMES, third, [prices(third, 1)])
    frozen = judged(lake, RAW_MARKET_REGIMES, "day_not_frozen", second)
    assert (frozen.passed, frozen.samples[0]["both_known"]) == (False, len(INSTRUMENTS))
    assert judged(lake, RAW_MARKET_REGIMES, "day_not_frozen", third).passed
    alone = judged(lake, RAW_MARKET_REGIMES, "day_not_frozen", first)
    assert (alone.passed, alone.is_judged) == (True, False)


def arrived(lake: Lake, mornings: int, last_after_h: float) -> Outcome:
    """What is said of a day that came after so many usual mornings."""
    *before, last = days(mornings + 1)
    for day in before:
        keep(lake, RAW_METRICS_DAILY, day, acted(day, 1))
    keep(lake, RAW_METRICS_DAILY, last, acted(last, 1), last_after_h)
    return judged(lake, RAW_METRICS_DAILY, "arrives_in_time", last)


@pytest.mark.parametrize(("after_h", "holds"), [(USUALLY_H + 0.9, True), (USUALLY_H + 1.1, False), (1.0, True)])
def test_a_day_may_come_an_hour_later_than_usual(lake: Lake, after_h: float, holds: bool) -> None:
    outcome = arrived(lake, ENOUGH_ARRIVALS, after_h)
    assert (outcome.passed, outcome.is_judged) == (holds, True)
    assert outcome.observed == pytest.approx(after_h - USUALLY_H)
    if not holds:
        assert outcome.samples[0]["usually_after_h"] == USUALLY_H


def test_a_correction_read_later_does_not_make_the_day_late(lake: Lake) -> None:
    arrived(lake, ENOUGH_ARRIVALS, USUALLY_H)
    last = days(ENOUGH_ARRIVALS + 1)[-1]
    keep(lake, RAW_METRICS_DAILY, last, acted(last, 2), 20.0)
    assert judged(lake, RAW_METRICS_DAILY, "arrives_in_time", last).observed == 0.0


@pytest.mark.parametrize(("mornings", "after_h"), [(ENOUGH_ARRIVALS, 24 * 30.0), (ENOUGH_ARRIVALS - 1, 20.0)])
def test_a_day_filled_later_or_without_a_usual_time_is_not_judged(lake: Lake, mornings: int, after_h: float) -> None:
    outcome = arrived(lake, mornings, after_h)
    assert (outcome.passed, outcome.is_judged, outcome.error) == (True, False, "")
