"""Every feature against a naive reference, on random histories with nulls, deaths and rebirths."""

from __future__ import annotations

import math
from datetime import date, timedelta

import pytest

from daily_profit_model.features import CATALOGUE
from daily_profit_model_tests.features.histories import DAYS, FIRST, LAST, features_of, histories, iso
from daily_profit_model_tests.features.reference import reference_rows
from daily_profit_model_tests.features.reference_trades import Value
from daily_profit_model_tests.features.trading import random_regimes, random_trades, trade_days

Rows = dict[tuple[date, str], dict[str, Value]]
CHECKED = ("performance", "memory", "state", "calendar", "behaviour", "market", "peers")


@pytest.fixture(scope="module")
def both() -> tuple[Rows, Rows]:
    """(compiled, reference), by (day, account): the first days of the lake, ten in the middle, the last ten."""
    staging = histories(accounts=17, seed=11)
    trades, regimes = random_trades(staging, seed=12), random_regimes(FIRST, DAYS, seed=13)
    first, last = FIRST.isoformat(), LAST.isoformat()
    days = {FIRST + timedelta(days=offset) for offset in (*range(8), *range(70, 80), *range(DAYS - 10, DAYS))}
    made = features_of(staging, first, last, trade_days(trades, first, last), regimes).to_pylist()
    compiled = {(row["date"], row["account_id"]): row for row in made if row["date"] in days}
    return compiled, reference_rows(staging, days, trades, regimes)


def test_the_rows_are_the_eligible_account_days(both: tuple[Rows, Rows]) -> None:
    compiled, reference = both
    assert len(reference) > 200
    assert set(compiled) == set(reference)


@pytest.mark.parametrize("family", CHECKED)
def test_the_reference_covers_the_family(both: tuple[Rows, Rows], family: str) -> None:
    names = {feature.name for feature in CATALOGUE if feature.family == family}
    assert names - set(next(iter(both[1].values()))) == set()


@pytest.mark.parametrize("name", [feature.name for feature in CATALOGUE if feature.family in CHECKED])
def test_a_feature_equals_its_reference(both: tuple[Rows, Rows], name: str) -> None:
    compiled, reference = both
    wrong = {
        key: (compiled[key][name], row[name])
        for key, row in reference.items()
        if not _same(compiled[key][name], row[name])
    }
    assert wrong == {}
    assert any(row[name] is not None for row in reference.values())


def test_static_features_are_the_terms_of_the_row() -> None:
    staging = histories(accounts=6, seed=5)
    made = features_of(staging, iso(3), iso(0)).to_pylist()
    rows = {(row["date"], row["account_id"]): row for row in staging.to_pylist()}
    names = [feature.name for feature in CATALOGUE if feature.family == "static"]
    assert len(made) > 5
    for feature_row in made:
        row = rows[(feature_row["date"], feature_row["account_id"])]
        as_text = {name: None if row[name] is None else str(row[name]) for name in ("phase", "platform", "broker")}
        assert {name: feature_row[name] for name in names} == {name: {**row, **as_text}[name] for name in names}


def _same(left: Value, right: Value) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
    return left == right
