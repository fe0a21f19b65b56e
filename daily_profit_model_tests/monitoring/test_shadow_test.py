"""Decisions on shadows: each rule fires where it should, and not where it should not; how often is the benchmark's."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from scipy.special import stdtr

from daily_profit_model.monitoring.betting import Bettor, Floats, confidence_sequence, evidence_of
from daily_profit_model.monitoring.end_test import end_test
from daily_profit_model.monitoring.shadow_test import (
    CHOICES,
    EVIDENCE_LEVEL,
    HARM_LEVEL,
    PROMOTION,
    Decision,
    Plan,
    decide,
    judge,
)

PLAN = Plan(days=60)


def noise(count: int, days: int, seed: int = 1, correlation: float = 0.0) -> Floats:
    found = np.random.default_rng(seed).standard_normal((count, days))
    found[:, 1:] *= np.sqrt(1 - correlation**2)
    for day in range(1, days):
        found[:, day] += correlation * found[:, day - 1]
    return found


def rate(differences: Floats, choice: str, plan: Plan = PLAN, misses: float = 0.0, may_stop: bool = True) -> float:
    excess = misses + 0.01 * noise(*differences.shape, seed=9)
    codes = judge(differences, excess, plan, may_stop=may_stop).choice
    return float((codes == CHOICES.index(choice)).mean())  # type: ignore[arg-type]


def one(effect: float, days: int = 60, seed: int = 1, misses: float = 0.0, plan: Plan = PLAN) -> Decision:
    return decide(noise(1, days, seed)[0] + effect, misses + 0.005 * noise(1, days, 9)[0], plan)


def test_equal_models_are_seldom_promoted_however_often_one_looks() -> None:
    for correlation in (0.0, 0.5):
        assert rate(noise(2000, 60, correlation=correlation), "promote", may_stop=False) <= 0.05


def test_correlated_days_would_promote_equal_models_if_they_counted_as_independent() -> None:
    days = noise(2000, 120, correlation=0.5)
    found = evidence_of(days, PROMOTION)
    steps = np.diff(found.log_capital, axis=1) * found.inflation[:, :-1]
    naive = np.cumsum(steps, axis=1).max(axis=1) >= np.log(20)
    honest = found.log_capital.max(axis=1) >= np.log(20)
    assert naive.mean() > 0.1 > 0.05 >= honest.mean()


def test_a_better_shadow_is_promoted_and_a_far_better_one_before_the_end() -> None:
    assert rate(noise(300, 60) + 0.5, "promote") > 0.8
    decision = one(1.2)
    assert decision.decision == "promote"
    assert decision.day < 60
    assert decision.end_p_value is None
    assert decision.evidence_better[-1] >= decision.threshold_promote == 1 / EVIDENCE_LEVEL
    assert decision.evidence_better[:-1].max() < decision.threshold_promote


def test_the_planned_end_finds_what_the_evidence_of_each_day_does_not() -> None:
    days = noise(500, 60) + 0.4
    judged = judge(days, -1 + 0.01 * noise(*days.shape), PLAN)
    promoted = judged.choice == CHOICES.index("promote")
    at_end = promoted & (judged.day == 59)
    assert at_end.sum() > 50
    assert (judged.better.log_capital[at_end].max(axis=1) < np.log(1 / EVIDENCE_LEVEL)).sum() > 50
    assert not (judge(days[:, :59], -1 + 0.01 * noise(500, 59), PLAN).choice == CHOICES.index("stop_end")).any()


def test_a_clearly_worse_shadow_is_stopped_within_weeks_and_an_equal_one_seldom() -> None:
    judged = judge(noise(500, 60) - 1.0, 0.01 * noise(500, 60), PLAN)
    assert np.median(judged.day) + 1 <= 20
    assert (judged.choice == CHOICES.index("stop_harm")).mean() > 0.6
    assert rate(noise(1000, 60), "stop_harm") <= HARM_LEVEL
    decision = one(-2.0)
    assert decision.decision == "stop_harm"
    assert decision.evidence_worse[-1] >= decision.threshold_harm


def test_what_cannot_pass_any_more_is_stopped_as_futile_and_what_can_goes_on() -> None:
    assert rate(noise(300, 60) - 0.2, "stop_futility") > 0.7
    assert rate(noise(300, 60) + 0.5, "stop_futility") < 0.03
    assert rate(noise(300, 19) - 0.2, "stop_futility") == 0.0


def test_intervals_that_miss_more_are_not_promoted_and_neither_day_by_day_nor_at_the_end() -> None:
    better = noise(500, 60) + 1.0
    assert rate(better, "promote") > 0.95
    assert rate(better, "promote", misses=0.02) <= 0.05
    assert rate(better, "promote", misses=0.05) == 0.0
    assert "coverage may be worse" in one(1.0, misses=0.05).rule


def test_shadows_that_miss_exactly_as_often_as_the_champion_pass_the_guard() -> None:
    decision = decide(noise(1, 60)[0] + 1.0, np.zeros(60), PLAN)
    assert decision.decision == "promote"


def test_five_shadows_need_five_times_the_evidence() -> None:
    single, five = one(1.2), one(1.2, plan=Plan(60, comparisons=5))
    assert five.threshold_promote == 5 * single.threshold_promote
    assert five.day > single.day
    days = noise(2500, 60)
    alone = judge(days, np.full(days.shape, -1.0), PLAN, may_stop=False).choice.reshape(-1, 5)
    together = judge(days, np.full(days.shape, -1.0), Plan(60, comparisons=5), may_stop=False).choice.reshape(-1, 5)
    promote = CHOICES.index("promote")
    assert (alone == promote).any(axis=1).mean() > 0.06 > 0.05 >= (together == promote).any(axis=1).mean()


def test_a_margin_must_be_exceeded() -> None:
    assert rate(noise(300, 60) + 0.6, "promote") > 0.8
    assert rate(noise(300, 60) + 0.6, "promote", Plan(60, margin=0.6)) < 0.05


def test_a_shadow_that_is_a_little_better_mostly_and_far_worse_sometimes_is_not_promoted() -> None:
    rng = np.random.default_rng(1)
    days = np.where(rng.random((1000, 120)) < 0.1, -2.5, 0.25) + 0.5 * noise(1000, 120)
    assert np.median(days) > 0.15
    assert days.mean() < 0
    assert rate(days, "promote", Plan(120), misses=-1.0, may_stop=False) < 0.05


def test_units_do_not_matter_and_one_wild_day_decides_nothing() -> None:
    days = noise(1, 40)[0] + 0.2
    cents = decide(days * 1e4, np.zeros(40), PLAN)
    dollars = decide(days, np.zeros(40), PLAN)
    assert cents.evidence_better == pytest.approx(dollars.evidence_better)
    assert cents.lower == pytest.approx(dollars.lower * 1e4)
    wild = noise(1, 15, seed=5)[0]
    calm = decide(wild, np.zeros(15), PLAN)
    wild[14] = 1e9
    after = decide(wild, np.zeros(15), PLAN)
    assert calm.decision == after.decision == "continue"
    assert after.evidence_better[-1] <= 2 * max(calm.evidence_better[-2], 1.0)


def test_the_confidence_sequence_holds_the_truth_on_all_days_and_excludes_what_is_refuted() -> None:
    held = 0
    for seed in range(20):
        lower, upper = confidence_sequence(noise(1, 60, seed)[0] + 0.7, PROMOTION, 0.05)
        assert (np.diff(lower[np.isfinite(lower)]) >= 0).all()
        assert (np.diff(upper[np.isfinite(upper)]) <= 0).all()
        held += bool((lower <= 0.7).all() and (upper >= 0.7).all())
    assert held >= 19
    assert lower[0] == -np.inf
    assert 0 < lower[-1] < 0.7 < upper[-1] < 2


def test_a_decision_taken_stays_as_it_was_when_more_days_come() -> None:
    first = one(1.2)
    days, misses = noise(1, 60)[0] + 1.2, 0.005 * noise(1, 60, 9)[0]
    for until in (first.day, first.day + 7, 60):
        again = decide(days[:until], misses[:until], PLAN)
        assert (again.decision, again.day, again.rule) == (first.decision, first.day, first.rule)
        for field in fields(Decision):
            assert np.array_equal(getattr(again, field.name), getattr(first, field.name))
    assert decide(days[: first.day - 1], misses[: first.day - 1], PLAN).decision == "continue"


def test_each_day_is_judged_by_the_days_before_it_alone() -> None:
    days = noise(3, 60)
    changed = days.copy()
    changed[:, 40:] *= 50
    ours, others = evidence_of(days, PROMOTION), evidence_of(changed, PROMOTION)
    assert np.array_equal(ours.log_capital[:, :40], others.log_capital[:, :40])
    assert np.array_equal(ours.scale[:, :40], others.scale[:, :40], equal_nan=True)
    assert not np.array_equal(ours.log_capital[:, 40], others.log_capital[:, 40])


def test_the_end_test_is_students_where_days_are_independent_and_gives_correlated_days_less() -> None:
    days = np.round(noise(1, 100, seed=3), 1) + 0.2
    days[:, 1::2] = 0.4 - days[:, ::2]  # neighbours that swing back: counted as independent
    assert end_test(days).p_value == pytest.approx(student(days), rel=0.02)
    smooth = noise(400, 100, correlation=0.5) + 0.2
    up = smooth.mean(axis=1) > 0
    assert (end_test(smooth).p_value > student(smooth))[up].mean() > 0.99


def student(days: Floats) -> Floats:
    """The one-sided p-value of the textbook's test."""
    statistic = days.mean(axis=1) / days.std(axis=1, ddof=1) * np.sqrt(days.shape[1])
    found: Floats = stdtr(days.shape[1] - 1, -statistic)
    return found


def test_days_that_are_all_equal_decide_by_their_sign() -> None:
    assert decide(np.full(60, 0.5), np.zeros(60), PLAN).decision == "promote"
    assert decide(np.full(60, -0.5), np.zeros(60), PLAN).decision == "stop_harm"
    assert decide(np.zeros(60), np.zeros(60), PLAN).decision in ("stop_futility", "stop_end")


def test_few_days_continue_and_no_day_at_all_is_an_error() -> None:
    assert one(5.0, days=3).decision == "continue"
    with pytest.raises(ValueError, match="no day has been evaluated"):
        decide(np.empty(0), np.empty(0), PLAN)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        decide(np.array([1.0, np.nan]), np.zeros(2), PLAN)
    with pytest.raises(ValueError, match="a number a day of each"):
        decide(np.zeros(3), np.zeros(2), PLAN)
    with pytest.raises(ValueError, match="at least one day"):
        Plan(0)
    with pytest.raises(ValueError, match="can lose all"):
        Bettor(2.0, 2.0, (0.5,))
