"""The tables of shadow deployments, as contracts: the acts, what shadows predict, and how they do beside the champion.

Here: names, columns, types and units. The acts' rules stand in `shadows`, the losses and decisions in `monitoring`.
"""

from __future__ import annotations

from daily_profit_model.modeling.contracts import MODEL_SCORES
from daily_profit_model.tables.contract import DAY, FLOAT, INT, TEXT, TIMESTAMP, Column, Table

WHOLE = 100
"""%, all accounts: what traffic is a share of."""

_DAY = Column("prediction_date", DAY, "The predicted day D (UTC).", required=True)
_DEPLOYMENT = Column("deployment", TEXT, "The shadow deployment, as `dpm shadow list` names it.", required=True)
_VERSION = Column("model_version", TEXT, "Version of the shadow.", required=True)


def _usd(name: str, description: str, required: bool = True) -> Column:
    return Column(name, FLOAT, description, unit="USD", required=required)


def _share(name: str, description: str) -> Column:
    return Column(name, FLOAT, description, unit="share", required=True)


MODELS_SHADOWS = Table(
    name="models/shadows",
    description="The shadow deployments: a row an act (created, stopped, promoted), numbered without a gap, never changed. "
    "Written by `dpm shadow` and by sensors alone.",
    key=("number",),
    partitioning="number",
    columns=(
        Column("number", INT, "Of the act, from 1; each is created exactly once.", required=True),
        Column("act", TEXT, "`create`, `stop` or `promote`.", required=True),
        Column("deployment", TEXT, "The deployment: the number of the act that created it, and its version.", required=True),
        Column("version", TEXT, "Version of the model that it runs.", required=True),
        Column("model_hash", TEXT, "Full sha256 of its bundle.", required=True),
        Column("day", DAY, "create: first predicted day; stop, promote: first day without it.", required=True),
        Column("traffic", INT, "Share of accounts that are served its number; 0: none.", unit="%", required=True),
        Column("planned_days", INT, "Days with a difference after which it is decided.", unit="days", required=True),
        Column("transition", INT, "promote: number of the act in models/transitions."),
        Column("reason", TEXT, "Why, in the author's words.", required=True),
        Column("author", TEXT, "Who decided.", required=True),
        Column("evidence", TEXT, "The evaluation that the act rests on, as JSON; `{}`: none.", required=True),
        Column("made_at", TIMESTAMP, "When it was written (UTC): an act cannot be made again.", required=True),
    ),
)  # fmt: skip

SHADOW_SCORES = Table(
    name="predictions/shadow_scores",
    description="What each active shadow says of a day before calibration, of the rows that the champion scores.",
    key=("prediction_date", "deployment", "account_id"),
    day_column="prediction_date",
    columns=(
        *MODEL_SCORES.columns[:1],
        _DEPLOYMENT,
        *MODEL_SCORES.columns[1:],
    ),
)

PREDICTIONS_SHADOW = Table(
    name="predictions/shadow",
    description="What each active shadow predicts of a day, its intervals calibrated by its own past days alone. Served "
    "to the accounts in its traffic (predictions/traffic).",
    key=("prediction_date", "deployment", "account_id"),
    day_column="prediction_date",
    columns=(
        _DAY,
        _DEPLOYMENT,
        Column("account_id", TEXT, "The trading account.", required=True),
        _usd("predicted_net_profit", "Conditional median."),
        _usd("expected_net_profit", "Conditional mean."),
        _usd("q05", "Uncalibrated 5 % quantile."),
        _usd("q95", "Uncalibrated 95 % quantile."),
        _usd("lower_90", "Lower end of the calibrated 90 % interval."),
        _usd("upper_90", "Upper end of the same."),
        _share("probability_trade", "Probability that the account trades on the day."),
        _share("probability_profit", "Probability of a net profit above zero."),
        Column("calibration_version", TEXT, "sha256 over its levels and thresholds, the first 16 digits.", required=True),
        _VERSION,
        Column("model_hash", TEXT, "Full sha256 of the shadow's bundle.", required=True),
    ),
)  # fmt: skip

PREDICTIONS_TRAFFIC = Table(
    name="predictions/traffic",
    description="The shadow deployments that serve a share of the accounts of a day, a row each: how much, and what their "
    "intervals are calibrated by. Which accounts, `modeling.traffic` says.",
    key=("prediction_date", "deployment"),
    day_column="prediction_date",
    is_served=True,
    columns=(
        _DAY,
        _DEPLOYMENT,
        Column("number", INT, "Of the act that created it: of two, the lower one comes first.", required=True),
        Column("traffic", INT, "Share of accounts in its traffic.", unit="%", required=True),
        _VERSION,
        Column("model_hash", TEXT, "Full sha256 of its bundle.", required=True),
        Column("calibration_version", TEXT, "sha256 over its levels and thresholds, the first 16 digits; null: failure."),
        Column("calibration", TEXT, "The levels and thresholds by tail and group, as JSON; null: failure."),
        Column("failure", TEXT, "The kind of error for which it serves nobody (the run's log has it); null: it serves."),
    ),
)  # fmt: skip

SHADOW_LOSSES = Table(
    name="monitoring/shadow_losses",
    description="Each shadow beside the champion on the accounts that both predicted and that have an outcome, a row a "
    "day and deployment: a day is one observation. The champion's own numbers, whoever was served.",
    key=("prediction_date", "deployment"),
    day_column="prediction_date",
    columns=(
        _DAY,
        _DEPLOYMENT,
        _VERSION,
        Column("champion_version", TEXT, "The champion in force on D.", required=True),
        Column("accounts", INT, "Accounts that both predicted and that have an outcome.", unit="accounts", required=True),
        _usd("champion_loss", "Mean of the champion's pinball losses at 5, 50 and 95 %, over accounts."),
        _usd("shadow_loss", "The same of the shadow."),
        _usd("difference", "champion_loss - shadow_loss: positive days speak for the shadow."),
        _share("champion_miss", "Share of outcomes outside the champion's interval."),
        _share("shadow_miss", "Share of outcomes outside the shadow's interval."),
        _share("excess_miss", "shadow_miss - champion_miss."),
    ),
)  # fmt: skip

SHADOW_EVALUATION = Table(
    name="monitoring/shadow_evaluation",
    description="What the days up to D say of each shadow, a row a day and deployment: evidence that may be looked at "
    "every day, and what it decides (`monitoring.shadow_test`).",
    key=("prediction_date", "deployment"),
    day_column="prediction_date",
    columns=(
        _DAY,
        _DEPLOYMENT,
        _VERSION,
        Column("decision", TEXT, "`continue`, `promote`, `stop_harm`, `stop_futility` or `stop_end`.", required=True),
        Column("decided_on", DAY, "The day whose evidence decided; null: nothing is decided."),
        Column("rule", TEXT, "The rule that fired, with its figures, in one sentence.", required=True),
        Column("days", INT, "Days with a difference, up to the deciding one.", unit="days", required=True),
        Column("planned_days", INT, "Days after which it is decided in any case.", unit="days", required=True),
        Column("comparisons", INT, "Deployments compared with the same champion so far, this one included.", required=True),
        _usd("mean_difference", "Mean over these days of the day's difference; positive: the shadow is better."),
        _usd("lower_95", "Lower end of its 95 % confidence sequence; null: it says nothing yet.", required=False),
        _usd("upper_95", "Upper end of the same.", required=False),
        Column("evidence_better", FLOAT, "E-value against `the shadow is no better`.", required=True),
        Column("threshold_better", FLOAT, "What evidence_better must reach.", required=True),
        Column("evidence_worse", FLOAT, "E-value against `the shadow is no worse`.", required=True),
        Column("threshold_worse", FLOAT, "What evidence_worse must reach.", required=True),
        Column("evidence_guard", FLOAT, "E-value against `its intervals miss too much more`.", required=True),
        Column("end_p_value", FLOAT, "Of the test at the planned end; null: before it."),
    ),
)  # fmt: skip

SHADOW_TABLES = (SHADOW_SCORES, PREDICTIONS_SHADOW, SHADOW_LOSSES, SHADOW_EVALUATION)
"""Those with a partition on each day with an active deployment, and on no other."""
