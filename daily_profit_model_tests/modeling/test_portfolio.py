"""Sums over accounts: by whom, with what error of whole past days, and what is no evidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from daily_profit_model.engine import run_table
from daily_profit_model.lake import Lake, write, write_revision
from daily_profit_model.lake.lake import cut_off
from daily_profit_model.modeling.portfolio import EVIDENCE_DAYS, portfolio_query
from daily_profit_model.tables import Table
from daily_profit_model.tables.predictions import PORTFOLIO_DAILY, PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model.tables.raw import RAW_METRICS_DAILY

FIRST = date(2026, 3, 2)
Account = tuple[str, str | None, float, float, float]
"""Name, plan, expected, width of its interval, and what it made: NaN when it did not trade, infinite when closed."""


def day(offset: int) -> str:
    return (FIRST + timedelta(days=offset)).isoformat()


def rows(table: Table, records: Sequence[dict[str, object]]) -> pa.Table:
    """Records in a table's columns; what is required and not given is some text, number or moment."""
    some = {pa.string(): "x", pa.float64(): 0.0, pa.int64(): 1, pa.date32(): FIRST, pa.bool_(): True}
    standard = {
        column.name: some.get(
            column.type, datetime(2026, 1, 1, tzinfo=UTC) if pa.types.is_timestamp(column.type) else []
        )
        for column in table.columns
        if column.required
    }
    return pa.Table.from_pylist([{**standard, **record} for record in records], schema=table.schema())


def predict(lake: Lake, offset: int, accounts: Sequence[Account], *, arrived: bool = True) -> None:
    """A served day and, unless it has not arrived, what came of it."""
    of = date.fromisoformat(day(offset))
    served = [
        {"prediction_date": of, "account_id": name, "plan_id": plan, "expected_net_profit": expected,
         "lower_90": -width / 2, "upper_90": width / 2, "model_version": "v1"}
        for name, plan, expected, width, _ in accounts
    ]  # fmt: skip
    write(lake, PREDICTIONS_ACCOUNT_DAILY, day(offset), rows(PREDICTIONS_ACCOUNT_DAILY, served), code_version="1")
    if not arrived:
        return
    told = [
        {"date": of, "account_id": name, "login": name, "platform": 4, "broker": 1, "status": 1 if made < math.inf else 3,
         "num_trades": int(made < math.inf), "net_profit": made if made < math.inf else None}
        for name, *_, made in accounts
        if not math.isnan(made)
    ]  # fmt: skip
    known = cut_off(of) - timedelta(hours=1)
    write_revision(
        lake, RAW_METRICS_DAILY, day(offset), rows(RAW_METRICS_DAILY, told), ingested_at=known, code_version="1"
    )


def portfolio(
    lake: Lake, *offsets: int, evidence_days: int = EVIDENCE_DAYS
) -> dict[tuple[int, str], dict[str, object]]:
    """The portfolio's rows by (offset, member)."""
    days = [day(offset) for offset in offsets]
    made = run_table(
        portfolio_query(lake.partitions(RAW_METRICS_DAILY.name), evidence_days), lake, PORTFOLIO_DAILY, days
    )
    return {
        ((row["prediction_date"] - FIRST).days, row["member"]): row
        for table in made.values()
        for row in table.to_pylist()
    }


def missing_by(error: float) -> list[Account]:
    """Four accounts of two plans, each of which makes `error` more than expected."""
    return [
        (name, plan, 10.0 * place, 100.0 + place, 10.0 * place + error)
        for place, (name, plan) in enumerate([("a", "p"), ("b", "p"), ("c", "q"), ("d", None)])
    ]


def test_means_are_summed_over_the_firm_and_over_each_plan(lake: Lake) -> None:
    predict(lake, 0, missing_by(0.0), arrived=False)
    made = portfolio(lake, 0)
    sums = {member: (row["level"], row["accounts"], row["expected_net_profit"]) for (_, member), row in made.items()}
    assert sums == {
        "all": ("firm", 4, 60.0), "p": ("plan", 2, 10.0), "q": ("plan", 1, 20.0), "unknown": ("plan", 1, 30.0),
    }  # fmt: skip
    assert {(row["lower_90"], row["upper_90"], row["days_of_evidence"]) for row in made.values()} == {(None, None, 0)}


def test_the_sums_are_of_what_is_served_and_name_the_champion_though_a_shadow_serves_a_whole_plan(lake: Lake) -> None:
    of = {"prediction_date": FIRST, "lower_90": -1.0, "upper_90": 1.0}
    served = [
        {
            **of,
            "account_id": "a",
            "plan_id": "p",
            "expected_net_profit": 1.0,
            "model_version": "v1",
            "served_by": "champion",
        },
        {
            **of,
            "account_id": "b",
            "plan_id": "q",
            "expected_net_profit": 2.0,
            "model_version": "v2",
            "served_by": "s1-v2",
        },
    ]
    write(lake, PREDICTIONS_ACCOUNT_DAILY, day(0), rows(PREDICTIONS_ACCOUNT_DAILY, served), code_version="1")
    made = portfolio(lake, 0)
    assert [(row["expected_net_profit"], row["model_version"]) for row in made.values()] == [
        (3.0, "v1"), (1.0, "v1"), (2.0, "v1"),
    ]  # fmt: skip
    write(lake, PREDICTIONS_ACCOUNT_DAILY, day(0), rows(PREDICTIONS_ACCOUNT_DAILY, served[1:]), code_version="1")
    assert {row["model_version"] for row in portfolio(lake, 0).values()} == {"v2"}


def test_ends_are_order_statistics_of_past_days_in_units_of_summed_widths(lake: Lake) -> None:
    errors = [float(error) for error in np.random.default_rng(3).permutation(np.linspace(-30, 50, 41))]
    for offset, error in enumerate(errors):
        predict(lake, offset, missing_by(error))
    predict(lake, 41, missing_by(0.0), arrived=False)
    made = portfolio(lake, 41)
    for member, count, width in (("all", 4, 406.0), ("p", 2, 201.0)):
        ordered = sorted(count * error / width for error in errors)
        row = made[41, member]
        assert row["days_of_evidence"] == 41
        assert row["lower_90"] == pytest.approx(row["expected_net_profit"] + ordered[math.floor(42 * 0.05) - 1] * width)
        assert row["upper_90"] == pytest.approx(row["expected_net_profit"] + ordered[math.ceil(42 * 0.95) - 1] * width)


def test_with_fewer_than_nineteen_days_of_evidence_there_is_no_interval(lake: Lake) -> None:
    for offset in range(19):
        predict(lake, offset, missing_by(float(offset)))
    predict(lake, 19, missing_by(0.0), arrived=False)
    made = portfolio(lake, 18, 19)
    assert (made[18, "all"]["days_of_evidence"], made[18, "all"]["lower_90"], made[18, "all"]["upper_90"]) == (
        18,
        None,
        None,
    )
    assert made[19, "all"]["lower_90"] == pytest.approx(60.0)
    assert made[19, "all"]["upper_90"] == pytest.approx(60.0 + 4 * 18.0)


def test_accounts_that_err_together_are_one_observation_however_many_they_are(lake: Lake) -> None:
    for offset in range(20):
        predict(lake, offset, missing_by(40.0 if offset % 2 else -40.0))
    predict(lake, 20, missing_by(0.0), arrived=False)
    row = portfolio(lake, 20)[20, "all"]
    assert (row["lower_90"], row["upper_90"]) == (pytest.approx(60.0 - 160.0), pytest.approx(60.0 + 160.0))


def test_a_day_that_has_not_arrived_is_no_evidence_and_an_account_that_did_not_trade_made_zero(lake: Lake) -> None:
    idle, closed = ("e", "p", 5.0, 50.0, math.nan), ("f", "p", 7.0, 70.0, math.inf)
    for offset in range(20):
        predict(lake, offset, [*missing_by(1.0), idle, closed], arrived=offset != 7)
    predict(lake, 20, missing_by(0.0), arrived=False)
    row = portfolio(lake, 20)[20, "all"]
    assert row["days_of_evidence"] == 19
    # four accounts a dollar above, one five below, the closed one out of both sums
    assert row["upper_90"] == pytest.approx(60.0 + (4.0 - 5.0) / 456.0 * 406.0)


def test_days_before_the_window_are_forgotten_and_a_range_gives_what_each_day_gives(lake: Lake) -> None:
    last = 25
    for offset in range(last + 1):
        predict(lake, offset, missing_by(1000.0 if offset < 3 else float(offset % 5)))
    made = portfolio(lake, *range(last - 2, last + 1), evidence_days=20)
    assert made[last, "all"]["days_of_evidence"] == 20
    assert made[last, "all"]["upper_90"] == pytest.approx(60.0 + 4 * 4.0)
    alone = portfolio(lake, last, evidence_days=20)
    assert {key: row for key, row in made.items() if key[0] == last} == alone


def test_a_correction_that_came_after_the_cut_off_changes_nothing(lake: Lake) -> None:
    for offset in range(20):
        predict(lake, offset, missing_by(1.0))
    before = portfolio(lake, 20) if predict(lake, 20, missing_by(0.0), arrived=False) is None else {}
    of = date.fromisoformat(day(5))
    late = rows(
        RAW_METRICS_DAILY,
        [{"date": of, "account_id": "a", "login": "a", "status": 1, "num_trades": 1, "net_profit": 9e6}],
    )
    write_revision(lake, RAW_METRICS_DAILY, day(5), late, ingested_at=cut_off(of) + timedelta(days=2), code_version="1")
    assert portfolio(lake, 20) == before
