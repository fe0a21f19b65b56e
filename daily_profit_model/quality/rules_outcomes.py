"""Rules of what the platform says about itself: outcomes, performance, calls counted, storage."""

from __future__ import annotations

from daily_profit_model.engine import Query
from daily_profit_model.quality.conditions import CENT, named
from daily_profit_model.quality.expectation import absent, adds_up_to, between, equal, in_set, unique
from daily_profit_model.quality.frame import Frame, newest, rows_of
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables.monitoring import MODEL_PERFORMANCE, MONITORING_OUTCOMES
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model.tables.segments import MEASURES, SEGMENT_PERFORMANCE, TRAILING_DAYS
from daily_profit_model.tables.storage import MONITORING_STORAGE

OUTCOME_STATUSES = ("traded", "idle", "closed")

TOLERANCE = 1e-9
"""Relative: sums and quotients of doubles are right but for their last bits."""

_OUTCOMES = rows_of(
    MONITORING_OUTCOMES,
    ("outcome_status",),
    covered="is_covered::int",
    below="is_below::int",
    above="is_above::int",
    closed_with_profit="case when outcome_status = 'closed' then net_profit end",
    half_settled=named(
        {
            name: f"({name} is null) <> (net_profit is null)"
            for name in ("error", "absolute_error", "is_covered", "is_below", "is_above")
        }
    ),
    error_gap="abs(error - (net_profit - predicted_net_profit))",
    misjudged=named(
        {
            "is_below": "is_below <> (net_profit < lower_90)",
            "is_above": "is_above <> (net_profit > upper_90)",
        }
    ),
)

_AGAINST_PREDICTIONS = Frame(
    f"{MONITORING_OUTCOMES.name} against the predictions",
    MONITORING_OUTCOMES,
    MONITORING_OUTCOMES.key,
    Query(
        """
with predicted as (
    select prediction_date, account_id
    from predictions_account_daily
    where prediction_date between $first_day and $last_day
),
settled as (
    select prediction_date, account_id
    from monitoring_outcomes
    where prediction_date between $first_day and $last_day
)
select
    prediction_date,
    account_id,
    (predicted.account_id is not null)::int as is_predicted,
    (settled.account_id is not null)::int as has_outcome
from predicted
full join settled
    using (prediction_date, account_id)
""",
        (newest(MONITORING_OUTCOMES), newest(PREDICTIONS_ACCOUNT_DAILY)),
    ),
    day="prediction_date",
)

_LOSSES = tuple(
    name
    for name in MODEL_PERFORMANCE.column_names
    if name.startswith(("pinball", "baseline", "winkler", "mean_absolute"))
)
_RATES = ("coverage_90", "miss_lower", "miss_upper", "brier_trade")

_PERFORMANCE = rows_of(
    MODEL_PERFORMANCE,
    impossible=named(
        {name: f"{name} not between 0 and 1" for name in _RATES}
        | {name: f"{name} < 0 or isinf({name}) or isnan({name})" for name in _LOSSES}
        | {"accounts": "accounts < 1"}
    ),
    rates_gap="abs(coverage_90 + miss_lower + miss_upper - 1)",
    median_gap="abs(mean_absolute_error - 2 * pinball_50) / greatest(mean_absolute_error, 1)",
)

_SEGMENTS = rows_of(
    SEGMENT_PERFORMANCE,
    impossible=named(
        {
            name: f"{name} not between 0 and 1"
            for measure, (_, unit) in MEASURES.items()
            if unit != "USD"
            for name in (measure, f"{measure}_{TRAILING_DAYS}d")
        }
        | {
            name: f"not isfinite({name}) or ({name} < 0 and '{measure}' <> 'bias')"
            for measure, (_, unit) in MEASURES.items()
            if unit == "USD"
            for name in (measure, f"{measure}_{TRAILING_DAYS}d")
        }
        | {"accounts": "accounts < 1", "days": f"days_{TRAILING_DAYS}d not between 1 and {TRAILING_DAYS}"}
    ),
    rates_gap="abs(coverage_90 + miss_lower + miss_upper - 1)",
)

_OF_ALL = Frame(
    f"{SEGMENT_PERFORMANCE.name} against {MODEL_PERFORMANCE.name}",
    SEGMENT_PERFORMANCE,
    ("prediction_date", "segment_by"),
    Query(
        """
with judged as (
    select prediction_date, sum(accounts) as accounts, sum(pinball * accounts) / sum(accounts) as loss
    from monitoring_model_performance
    where prediction_date between $first_day and $last_day
    group by all
)
select
    prediction_date,
    segment_by,
    sum(segments.accounts) as accounts_of_segments,
    any_value(judged.accounts) as accounts,
    abs(sum(segments.pinball * segments.accounts) / sum(segments.accounts) - any_value(loss))
        / greatest(any_value(loss), 1) as loss_gap
from monitoring_segment_performance as segments
left join judged using (prediction_date)
where prediction_date between $first_day and $last_day
group by all
""",
        (newest(SEGMENT_PERFORMANCE), newest(MODEL_PERFORMANCE)),
    ),
    day="prediction_date",
)

_STORAGE = rows_of(
    MONITORING_STORAGE,
    impossible=named(
        {
            name: f"{name} < 0"
            for name in MONITORING_STORAGE.column_names
            if name not in ("date", "table", "has_contract")
        }
        | {
            "more superseded than all": "superseded_files > files or superseded_bytes > bytes",
            "more partitions than files": "partitions > files",
        }
    ),
)

OUTCOMES_RULES = (
    Rule(
        id="every_prediction_settled",
        table=MONITORING_OUTCOMES.name,
        dimension="completeness",
        severity="error",
        frame=_AGAINST_PREDICTIONS,
        expectations=(equal("has_outcome", "is_predicted", says="every prediction has one outcome, and no other has"),),
        reason="Judged by some outcomes alone, a model looks as good as those that were chosen.",
        advice="Make the day's outcomes again: its predictions were made after them.",
    ),
    Rule(
        id="outcomes_valid",
        table=MONITORING_OUTCOMES.name,
        dimension="consistency",
        severity="error",
        frame=_OUTCOMES,
        expectations=(
            unique(MONITORING_OUTCOMES.key),
            in_set("outcome_status", OUTCOME_STATUSES, says="an outcome is traded, idle or closed"),
            adds_up_to(("covered", "below", "above"), 1, says="an outcome is in, below or above the interval"),
            absent("closed_with_profit", says="an account that ended without a trade has no profit"),
            absent("half_settled", says="what rests on the profit is there when it is, and only then"),
            between("error_gap", high=CENT, says="the error is net profit − predicted median"),
            absent("misjudged", says="below and above are as the interval's ends say"),
        ),
        reason="Coverage and loss of the served model are read from these flags.",
        advice="Make the day's outcomes again; if it stays, their query is wrong.",
    ),
    Rule(
        id="performance_possible",
        table=MODEL_PERFORMANCE.name,
        dimension="consistency",
        severity="error",
        frame=_PERFORMANCE,
        expectations=(
            unique(MODEL_PERFORMANCE.key),
            absent("impossible", says="rates are within 0 and 1, and losses finite and not negative"),
            between("rates_gap", high=TOLERANCE, says="covered and missed outcomes are all outcomes"),
            between("median_gap", high=TOLERANCE, says="the absolute error is twice the pinball loss of the median"),
        ),
        reason="Alarms and the comparison with shadows are tests over these rows.",
        advice="Make the day again from monitoring/outcomes; if it stays, its computation is wrong.",
    ),
    Rule(
        id="segments_possible",
        table=SEGMENT_PERFORMANCE.name,
        dimension="consistency",
        severity="error",
        frame=_SEGMENTS,
        expectations=(
            unique(SEGMENT_PERFORMANCE.key),
            absent("impossible", says="rates are within 0 and 1, losses finite and not negative"),
            between("rates_gap", high=TOLERANCE, says="covered and missed outcomes are all outcomes"),
        ),
        reason="Who looks for the plan or the group that is badly predicted goes by these rows.",
        advice="Make the day again from monitoring/outcomes; if it stays, its computation is wrong.",
    ),
    Rule(
        id="segments_add_up",
        table=SEGMENT_PERFORMANCE.name,
        dimension="consistency",
        severity="error",
        frame=_OF_ALL,
        expectations=(
            equal("accounts_of_segments", "accounts", says="every outcome belongs to one segment of each kind"),
            between("loss_gap", high=TOLERANCE, says="the loss over the segments is that over all accounts"),
        ),
        reason="An account that is in no segment, or in two, makes another segment look better than it is.",
        advice="Make the day of both tables again: one was made before the outcomes were corrected.",
    ),
    Rule(
        id="storage_possible",
        table=MONITORING_STORAGE.name,
        dimension="volume",
        severity="error",
        frame=_STORAGE,
        expectations=(
            unique(MONITORING_STORAGE.key),
            absent("impossible", says="no count is negative, and none larger than what it is part of"),
        ),
        reason="Whoever plans disks and collections plans by these counts.",
        advice="Measure again: materialise monitoring/storage. If it stays, files changed while it was counted.",
    ),
)
