"""A version serves only when it beats every baseline, covers, was taught by sound data and is no worse than the champion."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from daily_profit_model.modeling.comparison import Difference
from daily_profit_model.modeling.gate import Incumbent, baseline_serves, decide, is_baseline
from daily_profit_model.modeling.registry import transitions_table
from daily_profit_model.modeling.training import TrainedModel

CUTOFF = date(2024, 1, 7)
GOOD = (0.03, 0.01, 0.04)
WORSE, SAME, BETTER = (Difference(value, value - 0.5, value + 0.5, value / 100) for value in (0.8, 0.1, -0.8))


def manifest(
    *skills: tuple[float, float, float], coverage: tuple[float, float, float] = (0.9, 0.88, 0.92)
) -> dict[str, Any]:
    names = ("zero", "last_value", "account_median", "train_median")
    values = dict(zip(names, skills or (GOOD, GOOD), strict=False))
    best = min(values, key=lambda name: values[name][0])
    return {
        "cutoff": CUTOFF.isoformat(),
        "model_hash": "ab" * 32,
        "forecaster": "l1",
        "split": {"test": {"from": "2023-12-01", "to": "2023-12-28", "days": 28}},
        "scores": {
            "intervals": {"coverage_90": coverage},
            "skills": values,
            "skill": dict(zip(("value", "lower", "upper"), values[best], strict=True)) | {"best_baseline": best},
        },
    }


def champion(difference: Difference | None, why: str = "") -> Incumbent:
    return Incumbent("20231231-cccccccc", "boosters", difference, why)


def test_a_first_version_that_beats_all_baselines_is_promoted_two_days_after_its_cut_off() -> None:
    made = decide(manifest(), champion=None)
    assert (made.decision, made.version, made.in_force_from) == (
        "promoted",
        "20240107-abababab",
        CUTOFF + timedelta(days=2),
    )
    assert made.reason == "skill +0.030 [+0.010, +0.040] against zero excludes zero, and nothing is in force"


@pytest.mark.parametrize("lower", [-0.01, 0.0])
def test_a_version_that_does_not_surely_beat_one_of_the_baselines_is_refused_and_the_line_names_it(
    lower: float,
) -> None:
    made = decide(manifest(GOOD, (0.05, lower, 0.1)), champion=None)
    assert (made.decision, made.evidence["champion"]) == ("refused", None)
    assert made.reason.endswith("against last_value does not exclude zero")


@pytest.mark.parametrize(
    ("coverage", "says"),
    [((0.85, 0.8, 0.89), "too little"), ((0.95, 0.94, 0.96), "too wide")],
)
def test_intervals_that_do_not_cover_are_refused(coverage: tuple[float, float, float], says: str) -> None:
    made = decide(manifest(coverage=coverage), champion=None)
    assert made.decision == "refused"
    assert made.reason.endswith(says)


@pytest.mark.parametrize("coverage", [(0.85, 0.8, 0.91), (0.885, 0.88, 0.89), (0.95, 0.89, 0.97)])
def test_coverage_that_is_near_or_not_surely_off_passes(coverage: tuple[float, float, float]) -> None:
    assert decide(manifest(coverage=coverage), champion=None).decision == "promoted"


def test_a_failed_check_of_the_training_set_refuses_and_is_named() -> None:
    made = decide(manifest(), champion=champion(BETTER), failed_checks=["account_days_once"])
    assert (made.decision, made.reason) == ("refused", "a check of its training set failed: account_days_once")


def test_a_version_is_refused_when_worse_a_challenger_when_equal_and_promoted_when_better_than_the_champion() -> None:
    made = [decide(manifest(), champion=champion(difference)) for difference in (WORSE, SAME, BETTER)]
    assert [one.decision for one in made] == ["refused", "challenger", "promoted"]
    assert made[0].reason == "it loses +0.80 USD [+0.30, +1.30] more than the champion 20231231-cccccccc"
    assert made[1].reason.endswith(
        "loses +0.10 USD [-0.40, +0.60] more than the champion 20231231-cccccccc: no difference"
    )


def test_a_version_that_cannot_be_compared_with_the_champion_is_refused_with_the_reason() -> None:
    made = decide(manifest(), champion=champion(None, "it has learnt from these days"))
    assert (made.decision, made.reason[-29:]) == ("refused", "it has learnt from these days")


@pytest.mark.parametrize("kind", ["baseline", "unusable"])
def test_a_sound_version_takes_the_place_of_a_baseline_or_of_a_champion_that_can_serve_no_more(kind: Any) -> None:
    assert decide(manifest(), champion=Incumbent("20231231-cccccccc", kind)).decision == "promoted"


def test_where_no_model_may_serve_the_best_baseline_does_and_says_so(baseline: TrainedModel) -> None:
    refused = decide(manifest((0.01, -0.1, 0.1)), champion=None)
    made = baseline_serves(baseline.model.manifest, refused)
    assert made.decision == "promoted"
    assert made.reason.startswith("no model serves yet, so the best baseline does (zero): skill +0.010")
    rows = transitions_table([refused, made]).to_pylist()
    assert {row["version"]: is_baseline(row) for row in rows} == {refused.version: False, baseline.model.version: True}
