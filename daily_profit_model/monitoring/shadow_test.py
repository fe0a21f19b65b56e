"""Is a shadow better than the champion? Rules over whole days, valid however often one looks.

Here: what is decided at which evidence, pure functions over numbers a day. The evidence is `betting`'s, the test at the
planned end `end_test`'s; which days and accounts enter, and who is served, is the graph's business.

Input, a number a day in order: the mean over the accounts that both scored of (champion's loss - shadow's loss), so that
a positive day speaks for the shadow; and the shadow's share of outcomes outside its interval minus the champion's.

Estimand: the mean over days of the day's difference, gains counted up to a bound and losses further, so that it is not
above the plain mean by what a few lucky days brought: daily up to PROMOTION.clip_gain scales as a gain and clip_loss as
a loss (the scale: a robust standard deviation of days), at the planned end up to CLIP_GAIN and in full. A day counts
once, however many accounts it has. Hypothesis: that mean is at most `margin`.
The daily evidence holds exactly where no day's mean, given the days before it, exceeds the margin; where days resemble
their neighbours, the hypothesis is on the mean over days, and the levels hold as closely as the benchmark shows.

Rules, on every day in this order; the first that fires decides:
1. stop_harm: the evidence that the shadow is worse reaches 1 / HARM_LEVEL.
2. promote: the evidence that it is better reaches comparisons / EVIDENCE_LEVEL, the plain mean is above the margin
   too, and the guard holds: there is evidence of 2 / GUARD_LEVEL, or at the planned end a test at GUARD_LEVEL / 2,
   that its intervals miss less than MISS_MARGIN more outcomes than the champion's.
3. at the planned end, promote: as 2, the evidence replaced by a test of all days at END_LEVEL / comparisons;
   else stop_end.
4. stop_futility: from FUTILITY_FROM days on, were the shadow better by WORTH_FINDING from now on, the test at the
   planned end would still pass with a chance below FUTILITY_CHANCE.

An equal shadow is promoted with a chance of at most EVIDENCE_LEVEL + END_LEVEL = 5 %, any of `comparisons` equal ones
together too (Bonferroni; Holm's later steps never come, since the first promotion ends all comparisons with this
champion). The stops only lower it. Measured in benchmarks/shadow_simulation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from daily_profit_model.monitoring.betting import Bettor, Evidence, Floats, confidence_sequence, evidence_of
from daily_profit_model.monitoring.end_test import EndTest, chance_at_end, end_test

Choice = Literal["continue", "promote", "stop_harm", "stop_futility", "stop_end"]
CHOICES: tuple[Choice, ...] = ("continue", "promote", "stop_harm", "stop_futility", "stop_end")
"""In the order of the codes that `judge` gives."""

EVIDENCE_LEVEL = 0.02
"""Chance of an equal shadow's promotion by daily evidence. The planned end gets more of the 5 %: the same share buys
more power there, and a large improvement passes a fiftieth early as well as a twentieth."""

END_LEVEL = 0.03
"""Chance of an equal shadow's promotion by the test at the planned end."""

HARM_LEVEL = 0.1
"""Chance that an equal shadow is stopped as worse: little is lost by it, and a worse one costs money every day."""

GUARD_LEVEL = 0.05
"""Chance that a shadow whose intervals miss MISS_MARGIN more passes the guard."""

MISS_MARGIN = 0.02
"""Share of outcomes: 90 % intervals may cover 88 %, as the gate asks of a new version (GateSettings.least_coverage)."""

CONFIDENCE = 0.95
"""Of the confidence sequence that is shown beside the evidence."""

FUTILITY_FROM = 20
"""Days: before, scale and correlation are known too little to tell what can still come."""

FUTILITY_CHANCE = 0.05
WORTH_FINDING = 0.3
"""Standard deviations of a day: the improvement that the test is planned to find in 120 days."""

PROMOTION = Bettor(clip_gain=2.0, clip_loss=3.0, bets=(0.05, 0.1, 0.2, 0.32))
"""Bets for improvements from a twentieth to a third of a day's standard deviation; three scales of loss keep false
promotions at bay when losses are skewed, and cost a few hundredths of power against two (shadow_simulation)."""

HARM = Bettor(clip_gain=2.0, clip_loss=2.0, bets=(0.1, 0.2, 0.45))
"""Bets for harm up to half a standard deviation and more; a larger bet on `worse` than on `better` stops it sooner."""


@dataclass(frozen=True)
class Plan:
    """What is fixed before the first day."""

    days: int
    """The planned end, in days with a difference."""
    comparisons: int = 1
    """Shadows that are compared with this champion, all that were started."""
    margin: float = 0.0
    """Mean difference that a shadow must exceed, in the unit of the losses."""

    def __post_init__(self) -> None:
        if self.days < 1 or self.comparisons < 1:
            raise ValueError(f"a plan needs at least one day and one shadow, not {self.days} and {self.comparisons}")


@dataclass(frozen=True)
class Judged:
    """Deployments: the code of what was decided (a place in CHOICES) and on which day, from 0; if nothing was, the
    last day. `better` and `worse` are the evidence of each day."""

    choice: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]
    better: Evidence
    worse: Evidence
    end: EndTest | None
    """None before the planned end."""


@dataclass(frozen=True)
class Decision:
    """What was decided on one deployment, with what it was decided by; arrays have a number a day."""

    decision: Choice
    day: int
    """Day of the decision, from 1; of `continue` the number of days so far."""
    rule: str
    """The rule that fired, with its figures, in one sentence."""
    evidence_better: Floats
    """E-values: how many times the stake a bettor on the shadow has; compare with `threshold_promote`."""
    evidence_worse: Floats
    evidence_guard: Floats
    """Against intervals that miss MISS_MARGIN more; compare with 2 / GUARD_LEVEL."""
    lower: Floats
    upper: Floats
    """Confidence sequence of the mean difference, in the unit of the losses; infinite where it says nothing yet."""
    mean: Floats
    """The plain mean of the days so far."""
    threshold_promote: float
    threshold_harm: float
    end_p_value: float | None
    """None before the planned end."""


def judge(differences: Floats, excess_misses: Floats, plan: Plan, *, may_stop: bool = True) -> Judged:
    """The first decision of each deployment, from `differences` and `excess_misses` (deployments x days so far; of days
    after the planned end none counts). `may_stop`: without it rules 1 and 4 never fire, for measuring rule 2 and 3.

    Raises ValueError when the shapes differ or a number is not finite.
    """
    if differences.shape != excess_misses.shape:
        raise ValueError(f"differences are {differences.shape}, misses {excess_misses.shape}: a number a day of each")
    gains = differences[:, : plan.days] - plan.margin
    room = MISS_MARGIN - excess_misses[:, : plan.days]
    better, worse = evidence_of(gains, PROMOTION), evidence_of(-gains, HARM)
    guard = evidence_of(room, PROMOTION).log_capital >= np.log(2 / GUARD_LEVEL)
    days = np.arange(1, gains.shape[1] + 1)
    mean = np.cumsum(gains, axis=1) / days
    promoted = (better.log_capital >= np.log(plan.comparisons / EVIDENCE_LEVEL)) & (mean > 0) & guard
    fired = np.zeros(gains.shape, dtype=np.int64)
    end = None
    if may_stop:
        chance = chance_at_end(gains, better, plan.days, END_LEVEL / plan.comparisons, WORTH_FINDING)
        fired[(chance < FUTILITY_CHANCE) & (days >= FUTILITY_FROM)] = CHOICES.index("stop_futility")
    if gains.shape[1] == plan.days:
        end = end_test(gains)
        covers = guard[:, -1] | (end_test(room).p_value <= GUARD_LEVEL / 2)
        passes = (end.p_value <= END_LEVEL / plan.comparisons) & (mean[:, -1] > 0) & covers
        fired[:, -1] = np.where(passes, CHOICES.index("promote"), CHOICES.index("stop_end"))
    fired[promoted] = CHOICES.index("promote")
    if may_stop:
        fired[worse.log_capital >= -np.log(HARM_LEVEL)] = CHOICES.index("stop_harm")
    day = np.where(fired.any(axis=1), (fired > 0).argmax(axis=1), gains.shape[1] - 1)
    return Judged(fired[np.arange(len(fired)), day], day, better, worse, end)


def decide(differences: Floats, excess_misses: Floats, plan: Plan) -> Decision:
    """The decision on one deployment from its days so far, in order; equal days give an equal decision, so it may be
    computed anew on every day and stays what it was. Raises ValueError as `judge`, and without any day."""
    if not len(differences):
        raise ValueError("no day has been evaluated yet: nothing can be decided")
    judged = judge(differences[None, :], excess_misses[None, :], plan)
    until = int(judged.day[0]) + 1
    taken, room = differences[:until], MISS_MARGIN - excess_misses[:until]
    lower, upper = confidence_sequence(taken, PROMOTION, 1 - CONFIDENCE)
    choice = CHOICES[int(judged.choice[0])]
    better, worse = (np.exp(evidence.log_capital[0, :until]) for evidence in (judged.better, judged.worse))
    mean = np.cumsum(taken) / np.arange(1, until + 1)
    p_value = float(judged.end.p_value[0]) if judged.end is not None and until == plan.days else None
    threshold = plan.comparisons / EVIDENCE_LEVEL
    return Decision(
        decision=choice,
        day=until,
        rule=_rule(choice, until, plan, float(better[-1]), float(worse[-1]), p_value, float(mean[-1])),
        evidence_better=better,
        evidence_worse=worse,
        evidence_guard=np.exp(evidence_of(room[None, :], PROMOTION).log_capital[0]),
        lower=lower,
        upper=upper,
        mean=mean,
        threshold_promote=threshold,
        threshold_harm=1 / HARM_LEVEL,
        end_p_value=p_value,
    )


def _rule(choice: Choice, day: int, plan: Plan, better: float, worse: float, p_value: float | None, mean: float) -> str:
    """What decided, in one sentence."""
    threshold = plan.comparisons / EVIDENCE_LEVEL
    level = END_LEVEL / plan.comparisons
    of_family = f" among {plan.comparisons} shadows" if plan.comparisons > 1 else ""
    if choice == "stop_harm":
        return f"day {day}: the evidence that it is worse, {worse:.1f}, reached {1 / HARM_LEVEL:.0f}"
    if choice == "promote" and better >= threshold:
        return f"day {day}: the evidence that it is better, {better:.1f}, reached {threshold:.0f}{of_family}, and it covers"
    if choice == "promote":
        return f"the planned end, day {day}: p = {p_value:.4f} is at most {level:.4f}{of_family}, and it covers"
    if choice == "stop_end":
        why = "but its coverage may be worse" if p_value is not None and p_value <= level and mean > plan.margin else ""
        return f"the planned end, day {day}: p = {p_value:.4f} against {level:.4f}{of_family} {why}".rstrip()
    if choice == "stop_futility":
        return (
            f"day {day} of {plan.days}: were it better by {WORTH_FINDING} standard deviations from now on, it would "
            f"still pass at the end with a chance below {FUTILITY_CHANCE:.0%}"
        )
    return (
        f"day {day} of {plan.days}: evidence {better:.1f} of {threshold:.0f} for it{of_family}, {worse:.1f} against it"
    )
