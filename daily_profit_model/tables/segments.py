"""The contract of a day's performance by segment. How it is computed belongs to `monitoring.segments`."""

from __future__ import annotations

from daily_profit_model.tables.contract import DAY, FLOAT, INT, TEXT, Column, Table

TRAILING_DAYS = 28
"""Days of the rolling columns: four whole weeks, so that each weekday counts alike."""

MEASURES = {
    "bias": ("Mean of net profit − predicted mean", "USD"),
    "mean_absolute_error": ("Mean absolute error of the median", "USD"),
    "pinball": ("Mean of the pinball losses of the served 5 %, median and 95 %", "USD"),
    "winkler_90": ("Interval score", "USD"),
    "coverage_90": ("Share of outcomes in the interval", "share"),
    "miss_lower": ("Share of outcomes below it", "share"),
    "miss_upper": ("Share of outcomes above it", "share"),
    "probability_trade": ("Mean probability of trading", "share"),
    "traded": ("Share of accounts that traded", "share"),
    "brier_trade": ("Brier score of the probability of trading", None),
    "probability_profit": ("Mean probability of a profit", "share"),
    "profited": ("Share of accounts with a net profit above zero", "share"),
    "brier_profit": ("Brier score of the probability of a profit", None),
}
"""Column → what it says, and its unit."""

SEGMENT_PERFORMANCE = Table(
    name="monitoring/segment_performance",
    description="How the served predictions of a day did by segment (all, a model, a plan, a type of plans, how often accounts trade), "
    f"and over the last {TRAILING_DAYS} days, each day counting alike.",
    key=("prediction_date", "segment_by", "segment"),
    day_column="prediction_date",
    columns=(
        Column("prediction_date", DAY, "The predicted day D", required=True),
        Column("segment_by", TEXT, "`all`, `model`, `plan`, `plan_type` or `activity` (both as in calibration)", required=True),
        Column("segment", TEXT, "`all`, the version, the plan or its type (`unknown`: the service names none), or the group", required=True),
        Column("accounts", INT, "Predictions with an outcome", "accounts", required=True),
        *(Column(name, FLOAT, says, unit, required=True) for name, (says, unit) in MEASURES.items()),
        Column(f"days_{TRAILING_DAYS}d", INT, f"Days of the last {TRAILING_DAYS} on which the segment had an outcome, D included", "days", required=True),
        *(
            Column(f"{name}_{TRAILING_DAYS}d", FLOAT, f"{says}: mean over these days", unit, required=True)
            for name, (says, unit) in MEASURES.items()
        ),
    ),
)  # fmt: skip
