"""Every feature against a naive reference, on random histories with nulls, deaths and rebirths."""

from __future__ import annotations

import math
from datetime import date, timedelta

import pyarrow as pa
import pytest

from daily_profit_model.features import CATALOGUE
from daily_profit_model_tests.features.histories import DAYS, FIRST, LAST, features_of, histories, iso
from daily_profit_model_tests.features.reference import Value, reference_rows

Rows = dict[tuple[date, str], dict[str, Value]]
CHECKED = ("performance", "memory", "state", "calendar")


@pytest.fixture(scope="module")
def both() -> tuple[Rows, Rows]:
    """(compiled, reference), by (day, account): the first days of the lake, ten in the middle, the last ten."""
    staging = histories(accounts=14, seed=11)
    days = {FIRST + timedelta(days=offset) for offset in (*range(8), *range(70, 80), *range(DAYS - 10, DAYS))}
    made = features_of(staging, FIRST.isoformat(), LAST.isoformat()).to_pylist()
    compiled = {(row["date"], row["account_id"]): row for row in made if row["date"] in days}
    return compiled, reference_rows(staging, days)


def test_the_rows_are_the_eligible_account_days(both: tuple[Rows, Rows]) -> None:
    compiled, reference = both
    assert len(reference) > 150
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


def _single_account(profits: list[float | None]) -> pa.Table:
    """One life that ends on the last day with the given profits."""
    rows = histories(accounts=1, seed=2).to_pylist()[0]
    born = LAST - timedelta(days=len(profits) - 1)
    records = [
        {**rows, "date": born + timedelta(days=place), "first_seen_date": born, "net_profit": profit,
         "has_traded": profit != 0, "is_eligible": True}
        for place, profit in enumerate(profits)
    ]  # fmt: skip
    return pa.Table.from_pylist(records, schema=histories(accounts=1, seed=2).schema)


def _last(profits: list[float | None]) -> dict[str, Value]:
    (row,) = features_of(_single_account(profits), iso(0), iso(0)).to_pylist()
    answered: dict[str, Value] = row
    return answered


def test_one_day_has_no_deviation_L9() -> None:
    row = _last([25.0])
    assert (row["pnl_std_5d"], row["sharpe_5d"], row["pnl_downside_std_5d"]) == (None, None, None)
    assert (row["days_observed_5d"], row["pnl_mean_5d"], row["pnl_lag_1d"]) == (1, 25.0, None)


def test_without_a_loss_there_is_no_profit_factor_and_without_deviation_no_sharpe_L9() -> None:
    row = _last([10.0] * 25)
    assert [row[f"profit_factor_{w}d"] for w in (3, 5, 10, 20)] == [None] * 4
    assert [row[f"sharpe_{w}d"] for w in (3, 5, 10, 20)] == [None] * 4
    assert [row[f"pnl_std_{w}d"] for w in (3, 5, 10, 20)] == [0.0] * 4


def test_days_whose_profit_is_not_known_stay_unknown_L9() -> None:
    row = _last([None, None, None])
    assert (row["pnl_sum_3d"], row["pnl_mean_3d"], row["pnl_min_3d"], row["win_day_share_3d"]) == (None,) * 4
    assert (row["ewm_pnl_3d"], row["abs_pnl_mean_3d"], row["pnl_median_20d"], row["days_observed_3d"]) == (
        None, None, None, 0,
    )  # fmt: skip


def test_a_day_that_did_not_trade_is_a_known_zero_L9() -> None:
    row = _last([0.0, 0.0, 6.0])
    assert (row["pnl_mean_3d"], row["days_observed_3d"], row["trading_day_share_3d"]) == (2.0, 3, 1 / 3)


def test_a_share_of_trading_days_never_exceeds_one() -> None:
    assert _last([None, 5.0, None])["trading_day_share_3d"] == 1.0


def test_a_new_life_remembers_nothing_of_the_former_one() -> None:
    former = _single_account([100.0] * 30).slice(0, 20)
    new = _single_account([1.0, 2.0])
    alone = features_of(new, iso(0), iso(0))
    assert features_of(pa.concat_tables([former, new]), iso(0), iso(0)).equals(alone)
    assert alone["days_observed_60d"].to_pylist() == [2]
