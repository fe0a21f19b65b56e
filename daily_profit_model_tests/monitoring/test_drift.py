"""A day's statistics against plain numpy, and what is broken on a day."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from daily_profit_model.modeling.matrix import EncodedFeature, Floats
from daily_profit_model.modeling.reference import LEVELS, SCHEMA, ranks
from daily_profit_model.monitoring.drift import (
    OF_NUMBERS,
    DayStatistics,
    Profile,
    day_statistics,
    profile_of_numbers,
    profiles,
)
from daily_profit_model.monitoring.drift_breaks import hard_break

COUNTRIES = Profile("country", "category", "string", (), ("CH", "DE", "FR"), (0.5, 0.3, 0.2))


def values(count: int, seed: int = 1) -> Floats:
    """Four zeros in ten, fat tails, both signs."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(count) < 0.4, 0.0, rng.standard_t(3, count))


def profile(of: Floats) -> Profile:
    return profile_of_numbers("x", of.astype(np.float32))


def day(of: Floats, reference: Profile) -> DayStatistics:
    (found,) = day_statistics(pa.table({reference.feature: pa.array(of, from_pandas=True)}), [reference])
    return found


def named(found: DayStatistics, reference: Profile) -> dict[str, float]:
    return dict(zip(reference.statistics, found.values.tolist(), strict=True))


def test_statistics_are_those_of_the_ranks_of_every_row() -> None:
    reference = profile(values(20_000))
    today = values(5_000, seed=2) + np.where(np.arange(5_000) % 3, 0.0, 0.4)
    with_nulls = np.where(np.arange(5_000) < 500, np.nan, today)
    known = with_nulls[500:]
    own = ranks(known.astype(np.float32).astype(float), np.array(reference.quantiles))
    found = named(day(with_nulls, reference), reference)
    assert found["location"] == pytest.approx(own.mean() - 0.5, abs=0.002)
    assert found["scale"] == pytest.approx(np.abs(own - own.mean()).mean(), abs=0.002)
    assert found["lower_tail"] == pytest.approx((known < np.quantile(values(20_000), 0.05)).mean(), abs=0.002)
    assert found["upper_tail"] == pytest.approx((known > np.quantile(values(20_000), 0.95)).mean(), abs=0.002)
    assert found["null_share"] == pytest.approx(0.1)
    assert found["zero_share"] == pytest.approx((known == 0).mean())


def test_the_reference_itself_lies_in_the_middle() -> None:
    of = values(20_000)
    reference = profile(of)
    found = named(day(of, reference), reference)
    assert found["location"] == pytest.approx(0.0, abs=0.002)
    assert [found["lower_tail"], found["upper_tail"]] == pytest.approx([0.05, 0.05], abs=0.001)
    assert reference.cell_shares.sum() == pytest.approx(1.0)
    assert day(of, reference).distance < 0.011


@pytest.mark.parametrize(
    ("change", "statistic"),
    [
        (lambda x: x + 0.5, "location"),
        (lambda x: np.where(x > 0, 3 * x, x), "upper_tail"),
        (lambda x: np.where(x < 0, 3 * x, x), "lower_tail"),
        (lambda x: 2 * x, "scale"),
        (lambda x: np.where(np.arange(len(x)) % 4 == 0, np.nan, x), "null_share"),
        (lambda x: np.where(np.arange(len(x)) % 4 == 0, 0.0, x), "zero_share"),
    ],
)
def test_each_change_moves_its_statistic_up(change, statistic: str) -> None:  # type: ignore[no-untyped-def]
    reference, usual = profile(values(20_000)), values(4_000, seed=2)
    before, after = (named(day(of, reference), reference)[statistic] for of in (usual, change(usual)))
    assert after > before + 0.01


def test_a_day_of_equal_distribution_moves_nothing() -> None:
    reference = profile(values(20_000))
    ours, theirs = (day(values(20_000, seed), reference).values for seed in (2, 3))
    assert np.abs(ours - theirs).max() < 0.015


def test_categories_have_a_share_each_and_new_ones_one_together() -> None:
    column = pa.array(["CH", "CH", "DE", "XX", None, None, "FR", "YY"])
    (found,) = day_statistics(pa.table({"country": column}), [COUNTRIES])
    expected = [0.25, 2 / 6, 2 / 6, 1 / 6, 1 / 6]
    assert found.values == pytest.approx(expected)
    assert COUNTRIES.statistics == ("null_share", "new_share", "share of CH", "share of DE", "share of FR")
    assert found.distance == pytest.approx((abs(2 / 6 - 0.5) + abs(1 / 6 - 0.3) + abs(1 / 6 - 0.2) + 2 / 6) / 2)
    assert found.known == 6


def test_flags_and_whole_numbers_are_read_as_the_model_reads_them() -> None:
    flag = Profile("is_live", "flag", "bool", tuple(np.quantile([0.0] * 30 + [1.0] * 70, LEVELS)))
    rows = pa.table({"is_live": pa.array([True, False, None, True])})
    (found,) = day_statistics(rows, [flag])
    assert named(found, flag)["zero_share"] == pytest.approx(1 / 3)
    assert named(found, flag)["null_share"] == 0.25
    assert hard_break(replace(found, rows=400, known=300, is_constant=True), flag) is None


def test_profiles_come_from_the_sketch_that_a_bundle_stores() -> None:
    sketch = [
        {"feature": "x", "kind": "numeric", "quantiles": list(range(101)), "shares": [], "missing_share": 0.1},
        {"feature": "country", "kind": "category", "quantiles": [], "shares": [0.5, 0.3, 0.2], "missing_share": 0.0},
    ]
    encoding = [
        EncodedFeature("x", "numeric", "double"),
        EncodedFeature("country", "category", "string", ("CH", "DE", "FR")),
    ]
    number, country = profiles(pa.Table.from_pylist(sketch, schema=SCHEMA), encoding)
    assert number.statistics == OF_NUMBERS
    assert number.missing_share == 0.1
    assert country == COUNTRIES


def test_a_column_that_was_never_known_has_a_share_of_nulls_alone() -> None:
    never = profile(np.full(10, np.nan))
    found = named(day(np.arange(4.0), never), never)
    assert found.pop("null_share") == 0.0
    assert np.isnan(list(found.values())).all()
    with pytest.raises(ValueError, match="without rows"):
        day_statistics(pa.table({"x": pa.array([], pa.float64())}), [never])


ONE_SIDED = np.exp(values(20_000))
BROKEN = [
    ("all null", ONE_SIDED, lambda x: np.where(np.arange(len(x)) > 0, np.nan, x)),
    ("constant", ONE_SIDED, lambda x: np.full(len(x), x[1])),
    ("constant", values(20_000), lambda x: np.zeros(len(x))),
    ("unit", ONE_SIDED, lambda x: 100 * x),
    ("unit", values(20_000), lambda x: x / 100),
    ("sign", ONE_SIDED, lambda x: -x),
]


@pytest.mark.parametrize(("name", "of", "change"), BROKEN)
def test_what_breaks_on_a_day_is_named_on_that_day(name: str, of: Floats, change) -> None:  # type: ignore[no-untyped-def]
    reference, today = profile(of), of[:500]
    assert hard_break(day(today, reference), reference) is None
    assert hard_break(day(change(today), reference), reference) == name
    assert hard_break(day(change(today)[:20], reference), reference) is None


def test_what_was_so_in_the_reference_is_not_broken() -> None:
    mostly_null = replace(profile(values(20_000)), missing_share=0.95)
    assert hard_break(day(np.full(500, np.nan), mostly_null), mostly_null) is None
    mostly_zero = profile(np.where(np.arange(1000) % 10, 0.0, 1.0))
    assert hard_break(day(np.zeros(500), mostly_zero), mostly_zero) is None
    wild = profile(values(20_000))
    for of in (-values(500, seed=3), 10 * values(500, seed=3), values(500, seed=3) + 3):
        assert hard_break(day(of, wild), wild) is None


def test_renamed_categories_are_broken_and_one_more_is_not() -> None:
    def broken(names: list[str]) -> str | None:
        (found,) = day_statistics(pa.table({"country": pa.array(names * 100)}), [COUNTRIES])
        return hard_break(found, COUNTRIES)

    assert broken(["ch", "de", "FR"]) == "new categories"
    assert broken(["CH", "DE", "AT"]) is None
