"""A shadow beside the champion, day by day: losses paired by account, and what the days so far decide.

Here: the rows of monitoring/shadow_losses and monitoring/shadow_evaluation, and the picture of the evidence. The rules
of deciding are `shadow_test`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.evaluation import pinball
from daily_profit_model.modeling.matrix import floats
from daily_profit_model.modeling.shadow_contracts import SHADOW_EVALUATION, SHADOW_LOSSES
from daily_profit_model.modeling.shadows import Deployment, comparisons
from daily_profit_model.monitoring.betting import Floats
from daily_profit_model.monitoring.shadow_test import Decision, Plan, decide
from daily_profit_model.pictures import BLUE, GREY, RED, new_figure, png_of

ENDS = (("lower_90", 0.05), ("predicted_net_profit", 0.5), ("upper_90", 0.95))
"""What a loss is the mean of: each column with the level that it stands for, as in monitoring/model_performance."""

DRAWN_DATES = 5
"""Dates below a panel: more of them run into one another."""


def paired_losses(champion: pa.Table, shadow: pa.Table, outcomes: pa.Table) -> pa.Table:
    """SHADOW_LOSSES of one day, a row a deployment in `shadow` (PREDICTIONS_SHADOW).

    `champion`: the champion's own account_id, model_version and ENDS in USD, whoever was served. `outcomes`: account_id
    and net_profit in USD (null: none). A deployment without an account that both predicted has no row.
    """
    settled = outcomes.filter(pc.is_valid(outcomes["net_profit"])).select(["account_id", "net_profit"])
    own = champion.select(["account_id", "model_version", *(name for name, _ in ENDS)])
    own = own.rename_columns(["account_id", "champion_version", *(f"champion_{name}" for name, _ in ENDS)])
    # in one order, whatever order the rows came in: sums of doubles depend on it
    joined = shadow.join(own, "account_id", join_type="inner").join(settled, "account_id", join_type="inner")
    joined = joined.sort_by([("deployment", "ascending"), ("account_id", "ascending")])
    rows = []
    for name in pc.unique(joined["deployment"]).to_pylist():
        of_one = joined.filter(pc.equal(joined["deployment"], name))
        champion_loss, champion_miss = _loss_and_misses(of_one, "champion_")
        shadow_loss, shadow_miss = _loss_and_misses(of_one, "")
        first = of_one.select(["prediction_date", "deployment", "model_version", "champion_version"]).slice(0, 1)
        rows.append(
            {
                **first.to_pylist()[0],
                "accounts": of_one.num_rows,
                "champion_loss": champion_loss,
                "shadow_loss": shadow_loss,
                "difference": champion_loss - shadow_loss,
                "champion_miss": champion_miss,
                "shadow_miss": shadow_miss,
                "excess_miss": shadow_miss - champion_miss,
            }
        )
    return pa.Table.from_pylist(rows, schema=SHADOW_LOSSES.schema())


def _loss_and_misses(rows: pa.Table, prefix: str) -> tuple[float, float]:
    actual = floats(rows["net_profit"])
    ends = [floats(rows[prefix + name]) for name, _ in ENDS]
    losses = [pinball(actual, end, level).mean() for end, (_, level) in zip(ends, ENDS, strict=True)]
    return float(np.mean(losses)), float(((actual < ends[0]) | (actual > ends[-1])).mean())


def decision_of(losses: pa.Table, deployment: Deployment, known: Sequence[Deployment]) -> Decision:
    """What the days of `losses` (SHADOW_LOSSES of one deployment, ascending) decide.

    Each day is judged among the comparisons of that day: a shadow that starts later raises the bar for what is still
    open, and takes nothing back. Raises ValueError without any day.
    """
    difference, excess = floats(losses["difference"]), floats(losses["excess_miss"])
    counts = [comparisons(deployment, known, day) for day in losses["prediction_date"].to_pylist()]
    raised = [place for place in range(1, len(counts)) if counts[place] > counts[place - 1]]
    for judged in (*raised, len(counts)):
        plan = Plan(deployment.planned_days, counts[judged - 1] if counts else 1)
        found = decide(difference[:judged], excess[:judged], plan)
        if found.decision != "continue":
            break
    return found


def evaluation_row(losses: pa.Table, deployment: Deployment, known: Sequence[Deployment], day: date) -> pa.Table:
    """The row of SHADOW_EVALUATION of one deployment on `day`; none without any day of `losses` up to it."""
    upto = losses.filter(pc.less_equal(losses["prediction_date"], pa.scalar(day, pa.date32())))
    upto = upto.sort_by("prediction_date")
    if not upto.num_rows:
        return SHADOW_EVALUATION.schema().empty_table()
    found = decision_of(upto, deployment, known)
    decided = None if found.decision == "continue" else upto["prediction_date"][found.day - 1].as_py()
    row = {
        "prediction_date": day,
        "deployment": deployment.name,
        "model_version": deployment.version,
        "decision": found.decision,
        "decided_on": decided,
        "rule": found.rule,
        "days": found.day,
        "planned_days": deployment.planned_days,
        "comparisons": comparisons(deployment, known, decided or day),
        "mean_difference": float(found.mean[-1]),
        "lower_95": _finite(found.lower),
        "upper_95": _finite(found.upper),
        "evidence_better": float(found.evidence_better[-1]),
        "threshold_better": found.threshold_promote,
        "evidence_worse": float(found.evidence_worse[-1]),
        "threshold_worse": found.threshold_harm,
        "evidence_guard": float(found.evidence_guard[-1]),
        "end_p_value": found.end_p_value,
    }
    return pa.Table.from_pylist([row], schema=SHADOW_EVALUATION.schema())


def _finite(bounds: Floats) -> float | None:
    return float(bounds[-1]) if np.isfinite(bounds[-1]) else None


def plot_evidence(losses: pa.Table, deployment: Deployment, known: Sequence[Deployment]) -> bytes:
    """The evidence over time against its thresholds, and the mean difference with its confidence sequence, as PNG.

    `losses`: SHADOW_LOSSES of one deployment, at least one day.
    """
    ordered = losses.sort_by("prediction_date")
    found = decision_of(ordered, deployment, known)
    days = ordered["prediction_date"].to_pylist()[: found.day]
    figure, (left, right) = new_figure(2)
    left.semilogy(days, found.evidence_better, color=BLUE, label="better")
    left.semilogy(days, found.evidence_worse, color=RED, label="worse")
    left.axhline(found.threshold_promote, color=BLUE, linestyle="--", linewidth=1)
    left.axhline(found.threshold_harm, color=RED, linestyle="--", linewidth=1)
    left.set_title(f"evidence (dashed: decides), {found.decision}")
    left.legend()
    right.plot(days, found.mean, color=BLUE)
    seen = np.isfinite(found.lower) & np.isfinite(found.upper)
    right.fill_between(days, found.lower, found.upper, where=seen, color=BLUE, alpha=0.15)
    right.axhline(0, color=GREY, linestyle="--", linewidth=1)
    right.set_title("loss of champion - shadow, USD, 95 %")
    for axes in (left, right):
        axes.set_xticks(days[:: 1 + len(days) // DRAWN_DATES])
        axes.tick_params(axis="x", labelrotation=30, labelsize=7)
    return png_of(figure)
