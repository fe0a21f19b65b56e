"""Promotion is decided by the test days, and a past day is served by the champion of that day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daily_profit_model.modeling import registry
from daily_profit_model.modeling.contracts import MODELS_CHAMPION, MODELS_NET_PROFIT
from daily_profit_model.modeling.training import TrainedModel

START = date(2024, 1, 7)


def manifest(week: int, value: float, lower: float) -> dict[str, Any]:
    return {
        "cutoff": (START + timedelta(weeks=week)).isoformat(),
        "model_hash": f"{week:08d}" + "f" * 56,
        "split": {"test": {"from": "2023-12-01", "to": "2023-12-28", "days": 28}},
        "scores": {
            "coverage_90": 0.9,
            "skill": {"value": value, "lower": lower, "upper": value + 0.01, "best_baseline": "zero"},
        },
    }


CHAMPION = {"version": "20240101-aaaaaaaa"}


def test_a_version_whose_skill_excludes_zero_is_promoted_two_days_after_its_cut_off() -> None:
    made = registry.decide(manifest(0, 0.03, 0.01), champion=CHAMPION)
    assert made.decision == "promoted"
    assert made.in_force_from == START + timedelta(days=2)
    assert made.version == "20240107-00000000"
    assert made.reason == "skill +0.030 [+0.010, +0.040] against zero excludes zero"
    assert made.evidence["champion"] == CHAMPION["version"]


@pytest.mark.parametrize("lower", [-0.01, 0.0])
def test_a_version_whose_skill_does_not_exclude_zero_is_refused(lower: float) -> None:
    made = registry.decide(manifest(0, 0.03, lower), champion=CHAMPION)
    assert made.decision == "refused"
    assert "does not exclude zero" in made.reason


def test_without_a_champion_an_unproven_version_serves_provisionally_and_says_so() -> None:
    made = registry.decide(manifest(0, 0.03, -0.01))
    assert (made.decision, made.evidence["provisional"]) == ("promoted", True)
    assert made.reason.startswith("provisional")
    strict = registry.PromotionSettings(first_may_be_provisional=False)
    assert registry.decide(manifest(0, 0.03, -0.01), strict).decision == "refused"


def test_without_a_champion_a_version_that_loses_to_a_baseline_is_still_refused() -> None:
    assert registry.decide(manifest(0, -0.001, -0.02)).decision == "refused"


def test_decisions_in_order_know_the_ones_before_whatever_order_they_come_in() -> None:
    manifests = [manifest(0, 0.02, -0.01), manifest(1, 0.02, -0.01), manifest(2, 0.02, 0.01)]
    table = registry.decide_in_order(manifests[::-1])
    assert table["decision"].to_pylist() == ["promoted", "refused", "promoted"]
    assert table.schema.equals(MODELS_CHAMPION.schema())
    assert table.equals(registry.decide_in_order(manifests))
    assert orjson.loads(table["evidence"][2].as_py())["champion"] == "20240107-00000000"


def test_a_past_day_gets_the_champion_of_that_day_never_a_later_one() -> None:
    table = registry.decide_in_order([manifest(w, 0.02, 0.01) for w in range(3)])
    first = START + timedelta(days=2)
    assert registry.in_force(table, first - timedelta(days=1)) is None
    assert _version(table, first) == "20240107-00000000"
    assert _version(table, first + timedelta(days=6)) == "20240107-00000000"
    assert _version(table, first + timedelta(days=7)) == "20240114-00000001"
    assert _version(table, first + timedelta(days=999)) == "20240121-00000002"


def test_a_refused_version_is_never_in_force() -> None:
    table = registry.decide_in_order([manifest(0, 0.02, 0.01), manifest(1, 0.02, -0.01)])
    assert _version(table, START + timedelta(days=30)) == "20240107-00000000"


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.integers(0, 70))
def test_later_decisions_never_change_who_was_in_force(good: list[bool], offset: int) -> None:
    manifests = [manifest(w, 0.02, 0.01 if ok else -0.01) for w, ok in enumerate(good)]
    day = START + timedelta(days=offset)
    known = [m for m in manifests if date.fromisoformat(m["cutoff"]) + timedelta(days=2) <= day]
    later = registry.in_force(registry.decide_in_order(manifests), day)
    assert later == (registry.in_force(registry.decide_in_order(known), day) if known else None)


def test_the_version_row_holds_the_manifests_figures(trained: TrainedModel) -> None:
    table = registry.version_row(trained.model)
    assert table.schema.equals(MODELS_NET_PROFIT.schema())
    row = table.to_pylist()[0]
    assert row["version"] == row["folder"] == trained.model.version
    assert row["skill_lower"] == trained.evaluation.skill.lower
    assert row["coverage_90"] == trained.evaluation.coverage_90
    assert row["test_days"] == trained.evaluation.days
    assert all(value is not None for value in row.values())


def test_no_decisions_mean_nobody_is_in_force() -> None:
    assert registry.in_force(registry.transitions_table([]), START) is None


def _version(table: pa.Table, day: date) -> str:
    row = registry.in_force(table, day)
    assert row is not None
    return str(row["version"])
