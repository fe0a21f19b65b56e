"""Rules that compare a day with its past: each statement is violated on a day that was spoiled for it, and on no other."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pyarrow as pa
import pytest
from upath import UPath

from daily_profit_model.lake import Lake, write
from daily_profit_model.partitions import days_between
from daily_profit_model.quality.evaluate import evaluate
from daily_profit_model.quality.load import load
from daily_profit_model.quality.rules_history import history_rules
from daily_profit_model.tables.staging import STAGING_TRADES

FIRST = date(2026, 3, 2)
GOOD_DAYS = 30
ROWS = 120

Rows = list[dict[str, Any]]
Found = dict[str, set[tuple[str, str, str]]]


def good_rows(day: date) -> Rows:
    draw = random.Random(day.toordinal())
    return [
        {
            "date": day,
            "platform": 5,
            "broker": 1,
            "login": str(place),
            "position": str(place),
            "account_id": f"a{place}",
            "is_resolved": True,
            "symbol": ("EURUSD", "XAUUSD", "US30")[place % 3],
            "symbol_class": ("forex", "metals", "index")[place % 3],
            "session": ("asia", "london")[place % 2],
            "side": ("buy", "sell")[place % 2],
            "has_stop_loss": place % 4 == 0,
            "has_take_profit": place % 4 == 1,
            "open_time": datetime(day.year, day.month, day.day, 8),
            "close_time": datetime(day.year, day.month, day.day, 9),
            **{name: draw.uniform(50, 150) for name in ("lots", "volume_usd", "duration_hours", "profit")},
            **{name: draw.uniform(50, 150) for name in ("commission", "costs", "net_profit")},
        }
        for place in range(ROWS)
    ]


def said(column: str, value: Any, rows: int = ROWS) -> Any:
    def spoil(own: Rows) -> Rows:
        return [{**row, column: value(row[column]) if callable(value) else value} for row in own[:rows]] + own[rows:]

    return spoil


SPOILED = {
    "unit": ("lots", said("lots", lambda lots: lots * 100)),
    "lost": ("volume_usd", said("volume_usd", None)),
    "nulls": ("profit", said("profit", None, ROWS // 3)),
    "size": ("net_profit", said("net_profit", lambda profit: profit * 100, ROWS // 5)),
    "zeros": ("commission", said("commission", 0.0)),
    "location": ("duration_hours", said("duration_hours", lambda hours: hours + 500)),
    "sign": ("costs", said("costs", lambda costs: -costs)),
    "constant": ("costs", said("costs", 100.0)),
    "new label": ("session", said("session", "Asia", ROWS // 3)),
    "share of a label": ("symbol_class", said("symbol_class", "forex")),
    "rows": ("", lambda rows: rows[: ROWS // 4]),
    "hardly a row": ("", lambda rows: rows[:5]),
}
VIOLATED = {
    "unit": ("day_not_broken", "no column's size has jumped as by another unit"),
    "lost": ("day_not_broken", "no column that had values is wholly null"),
    "nulls": ("nulls_as_before", "no column misses more values than before"),
    "size": ("values_as_before", "no column's large values have jumped"),
    "zeros": ("values_as_before", "no column has far more or fewer zeros"),
    "location": ("values_as_before", "no column's quartiles lie far outside all days before"),
    "sign": ("values_as_before", "no column that had one sign mostly has the other"),
    "constant": ("values_as_before", "no column has stopped varying"),
    "new label": ("labels_as_before", "no new label is suddenly common"),
    "share of a label": ("labels_as_before", "no label has grown or shrunk far beyond all days before"),
    "rows": ("rows_as_on_weekday", "about as many rows as on this weekday"),
    "hardly a row": ("day_not_empty", "no less than a tenth of the rows of any same weekday"),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """By fault what is violated on its day, as rule, statement and column; under `good` that of all good days."""
    lake = Lake(UPath(tmp_path_factory.mktemp("lake")))
    days = days_between(FIRST, FIRST + timedelta(days=GOOD_DAYS + len(SPOILED) - 1))
    spoiled = dict(zip(days[GOOD_DAYS:], SPOILED, strict=True))
    for day in days:
        rows = good_rows(date.fromisoformat(day))
        if day in spoiled:
            rows = SPOILED[spoiled[day]][1](rows)
        whole = pa.Table.from_pylist(
            [{name: row.get(name) for name in STAGING_TRADES.column_names} for row in rows], STAGING_TRADES.schema()
        )
        write(lake, STAGING_TRADES, day, whole, code_version="1")
    violated: Found = {name: set() for name in ("good", *SPOILED)}
    with pytest.MonkeyPatch.context() as patch:  # the library's cost is by validation
        patch.setattr("daily_profit_model.quality.evaluate.DAYS_A_VALIDATION", len(days))
        outcomes = evaluate(history_rules(STAGING_TRADES), partial(load, lake), days)
    for outcome in outcomes:
        assert not outcome.error
        for sample in outcome.samples:
            said_of = (outcome.rule.id, str(sample["violates"]), str(sample.get("column") or ""))
            violated[spoiled.get(outcome.partition, "good")].add(said_of)
    return violated


@pytest.mark.parametrize("fault", SPOILED)
def test_a_day_that_differs_from_its_past_is_noticed_and_the_column_named(found: Found, fault: str) -> None:
    column, _ = SPOILED[fault]
    assert (*VIOLATED[fault], column) in found[fault]


def test_days_like_those_before_violate_nothing(found: Found) -> None:
    assert found["good"] == set()


def test_every_statement_has_a_fault_here() -> None:
    statements = {
        (rule.id, expectation.says) for rule in history_rules(STAGING_TRADES) for expectation in rule.expectations
    }
    assert set(VIOLATED.values()) == statements
