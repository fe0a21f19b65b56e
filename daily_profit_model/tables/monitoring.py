"""The contracts of outcomes and day-level performance. How they are computed belongs to `monitoring`."""

from __future__ import annotations

from daily_profit_model.tables.contract import DAY, FLAG, FLOAT, INT, TEXT, Column, Table

MONITORING_OUTCOMES = Table(
    name="monitoring/outcomes",
    description="Each served prediction against what really came of the day, as known now.",
    key=("prediction_date", "account_id"),
    day_column="prediction_date",
    columns=(
        Column("prediction_date", DAY, "The predicted day D", required=True),
        Column("account_id", TEXT, "Account", required=True),
        Column("model_version", TEXT, "Model that served the prediction", required=True),
        Column("predicted_net_profit", FLOAT, "Predicted median", "USD", required=True),
        Column("expected_net_profit", FLOAT, "Predicted mean", "USD", required=True),
        Column("lower_90", FLOAT, "Lower end of the 90 % interval", "USD", required=True),
        Column("upper_90", FLOAT, "Upper end of the 90 % interval", "USD", required=True),
        Column("probability_trade", FLOAT, "Predicted probability of trading", "share", required=True),
        Column("probability_profit", FLOAT, "Predicted probability of a profit", "share", required=True),
        Column(
            "outcome_status", TEXT, "`traded`, `idle` (a true zero) or `closed` (ended without a trade)", required=True
        ),
        Column("net_profit", FLOAT, "What the account made; null: closed, or the service does not say", "USD"),
        Column("error", FLOAT, "Net profit − predicted median; null as net_profit", "USD"),
        Column("absolute_error", FLOAT, "Its size; null as net_profit", "USD"),
        Column("is_covered", FLAG, "Net profit lies in the interval, ends included; null as net_profit"),
        Column("is_below", FLAG, "Net profit lies below the interval; null as net_profit"),
        Column("is_above", FLAG, "Net profit lies above the interval; null as net_profit"),
    ),
)

BASELINE_COLUMNS = ("zero", "last_value", "account_median", "train_median")


def _loss(name: str, description: str) -> Column:
    return Column(name, FLOAT, description, "USD", required=True)


MODEL_PERFORMANCE = Table(
    name="monitoring/model_performance",
    description="How the served predictions of a day did, beside baselines that need no model. A day is one observation.",
    key=("prediction_date", "model_version"),
    day_column="prediction_date",
    columns=(
        Column("prediction_date", DAY, "The predicted day D", required=True),
        Column("model_version", TEXT, "Model that served the predictions", required=True),
        Column("accounts", INT, "Predictions with an outcome", "accounts", required=True),
        _loss("pinball", "Mean of the pinball losses of the served 5 %, median and 95 %"),
        _loss("pinball_05", "Pinball loss of the lower end"),
        _loss("pinball_50", "Pinball loss of the median"),
        _loss("pinball_95", "Pinball loss of the upper end"),
        _loss("winkler_90", "Interval score"),
        _loss("mean_absolute_error", "Mean absolute error of the median"),
        _loss("bias", "Mean of net profit − predicted mean"),
        Column("coverage_90", FLOAT, "Share of outcomes in the interval", "share", required=True),
        Column("miss_lower", FLOAT, "Share of outcomes below it", "share", required=True),
        Column("miss_upper", FLOAT, "Share of outcomes above it", "share", required=True),
        Column("brier_trade", FLOAT, "Brier score of the probability of trading", required=True),
        Column("predicted_total", FLOAT, "Sum of predicted means", "USD", required=True),
        Column("actual_total", FLOAT, "Sum of net profits", "USD", required=True),
        *(_loss(f"baseline_{name}", f"Mean of the pinball losses of the baseline {name}") for name in BASELINE_COLUMNS),
        *(
            _loss(f"baseline_{name}_50", f"Pinball loss of the baseline {name} as a median")
            for name in BASELINE_COLUMNS
        ),
    ),
)
