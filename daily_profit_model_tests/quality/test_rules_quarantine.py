"""Rejected losers are noticed by whole days, and few or fairly rejected rows raise no alarm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest

from daily_profit_model.lake import Lake, write, write_revision
from daily_profit_model.partitions import days_between
from daily_profit_model.quality.evaluate import evaluate
from daily_profit_model.quality.load import load
from daily_profit_model.quality.outcome import Outcome
from daily_profit_model.quality.rules_quarantine import BIAS_LIMIT, DAYS_NEEDED, QUARANTINE_RULES, TRAILING_DAYS
from daily_profit_model.risk_api import quarantine
from daily_profit_model.risk_api.quarantine import Rejection
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import RAW_METRICS_DAILY, RAW_QUARANTINE, RAW_TRADES_CLOSED

FIRST = date(2026, 3, 1)
STORED = [-1.0] * 9 + [1.0] * 11 + [0.0, None]
"""Of the stored rows with an outcome 45 % lose."""
Profits = Callable[[int], Sequence[Any]]
"""What the payloads of a day say, by the day's place."""


def outcomes(
    lake: Lake, days: int, rejected: Profits, *, table: Table = RAW_TRADES_CLOSED, field: str = "profit"
) -> Outcome:
    """What the rule says of the last day, and of the last two together."""
    column = "profit" if table is RAW_TRADES_CLOSED else "net_profit"
    listed = days_between(FIRST, FIRST + timedelta(days=days - 1))
    for place, day in enumerate(listed):
        if not rejected(place) and place < days - 2:
            continue  # a day without files is one without rows
        own = date.fromisoformat(day)
        blank = dict.fromkeys(table.column_names)
        rows = [{**blank, "date": own, "login": str(n), column: profit} for n, profit in enumerate(STORED)]
        stored = pa.Table.from_pylist(rows, schema=table.schema())
        at = datetime(2026, 9, 1, tzinfo=UTC)
        write_revision(lake, table, day, stored, ingested_at=at, code_version="1")
        payloads = [orjson.dumps({field: profit, "n": n}).decode() for n, profit in enumerate(rejected(place))]
        texts = [Rejection("unreadable_date", None, text) for text in [*payloads, "no json", "5"]]
        write(lake, RAW_QUARANTINE, day, quarantine.of_rejections(table, own, texts), code_version="1")
    (last,) = evaluate(QUARANTINE_RULES, partial(load, lake), listed[-1:])
    assert evaluate(QUARANTINE_RULES, partial(load, lake), listed[-2:])[-1] == last
    return last


@pytest.mark.parametrize(
    ("table", "field"), [(RAW_TRADES_CLOSED, "profit"), (RAW_METRICS_DAILY, "netProfit")], ids=["trades", "metrics"]
)
def test_rejecting_losers_fails_on_the_first_day_on_which_it_can_be_known_L11(
    lake: Lake, table: Table, field: str
) -> None:
    outcome = outcomes(lake, DAYS_NEEDED, lambda _: [-5.0, "-3"], table=table, field=field)
    assert (outcome.passed, outcome.error) == (False, "")
    (sample,) = outcome.samples
    assert sample["table_name"] == table.name
    assert (sample["days"], sample["rejected_rows"]) == (DAYS_NEEDED, 2 * DAYS_NEEDED)
    assert sample["mean_gap"] == pytest.approx(0.55)
    assert outcome.observed == pytest.approx(np.sqrt(DAYS_NEEDED))


def test_rejecting_winners_fails_as_well_and_later_as_most_rows_win(lake: Lake) -> None:
    assert not outcomes(lake, DAYS_NEEDED + 4, lambda _: [5.0]).passed


def test_a_day_less_is_not_judged_whatever_was_rejected(lake: Lake) -> None:
    outcome = outcomes(lake, DAYS_NEEDED - 1, lambda _: [-5.0] * 50)
    assert (outcome.passed, outcome.observed, outcome.error) == (True, None, "")


def test_one_day_of_many_losers_is_one_observation(lake: Lake) -> None:
    outcome = outcomes(lake, DAYS_NEEDED, lambda place: [-5.0] * 200 if place == 3 else [5.0, -5.0])
    assert outcome.passed


def test_fairly_rejected_rows_raise_no_alarm_and_the_value_is_the_plain_computation(lake: Lake) -> None:
    drawn = np.random.default_rng(5).choice([-1.0, 1.0], (70, 3), p=[0.45, 0.55])
    outcome = outcomes(lake, 70, lambda place: drawn[place].tolist() if place % 3 == 0 else [])
    assert outcome.passed
    gaps = (drawn[12::3] < 0).mean(axis=1) - 0.45
    expected = abs(gaps.sum()) / np.sqrt(max((gaps**2).sum(), len(gaps) * 0.45 * 0.55))
    assert outcome.observed == pytest.approx(expected)
    assert expected < BIAS_LIMIT


def test_payloads_without_a_readable_profit_are_not_judged(lake: Lake) -> None:
    outcome = outcomes(lake, DAYS_NEEDED, lambda _: ["NaN", None, "much", 0])
    assert (outcome.passed, outcome.observed, outcome.error) == (True, None, "")


def test_a_rejection_that_has_nothing_to_do_with_outcomes_alarms_less_often_than_allowed() -> None:
    """The statistic alone, where it is weakest: all rejected rows of a day share an outcome, and losers are rare."""
    draw = np.random.default_rng(1)
    for days, losing_share in ((DAYS_NEEDED, 0.05), (DAYS_NEEDED, 0.45), (TRAILING_DAYS, 0.1), (TRAILING_DAYS, 0.5)):
        gaps = (draw.random((50_000, days)) < losing_share) - losing_share
        scale = np.sqrt(np.maximum((gaps**2).sum(axis=1), days * losing_share * (1 - losing_share)))
        assert (abs(gaps.sum(axis=1)) / scale > BIAS_LIMIT).mean() <= 0.001
