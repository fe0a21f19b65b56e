"""The contracts of outcomes, day-level performance and feed health. How they are computed belongs to `monitoring`."""

from __future__ import annotations

from daily_profit_model.tables.contract import DAY, FLAG, FLOAT, INT, TEXT, TIMESTAMP, Column, Table

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
    description="How the served predictions of a day did, a row a version that served, beside baselines that need no model. "
    "A day is one observation.",
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

_OUTCOMES = {
    "timeout": "Calls without an answer in time",
    "connection": "Calls for which no connection could be made",
    "reset": "Calls whose connection ended before the answer did",
    "http_429": "Calls refused because of the rate limit; no failures",
    "http_5xx": "Calls answered with HTTP 5xx",
    "broken_json": "Calls answered with something that is not the JSON it should be",
    "error_envelope": "Calls answered with HTTP 200 and an error in it",
    "refused_4xx": "Calls refused as wrong: a redirect, or a 4xx other than 429",
}

FEED_HEALTH = Table(
    name="monitoring/feed_health",
    description="How the calls of a day went, a row an endpoint, be its data complete or not; a day on which nobody "
    "called has its rows too. Of the day (UTC) on which the calls were made: for a backfill that on which it ran. "
    "Days before the first call of all have no row.",
    key=("date", "endpoint"),
    is_report=True,
    columns=(
        Column("date", DAY, "Day (UTC) on which the calls were made", required=True),
        Column("endpoint", TEXT, "Endpoint of the service", required=True),
        Column("table_name", TEXT, "Raw table that it feeds; null: none"),
        Column("is_live", FLAG, "It says how things are now, not how a day was", required=True),
        Column("calls", INT, "Requests sent, retries and probes included; 0: it was not called", required=True),
        Column("ok", INT, "Calls that brought a whole, good answer", required=True),
        Column("failures", INT, "Calls that did not, without those refused because of the rate limit", required=True),
        *(Column(name, INT, description, required=True) for name, description in _OUTCOMES.items()),
        Column("failure_rate", FLOAT, "failures / calls; null: not called", "share"),
        Column("latency_p50_s", FLOAT, "Median time of a call, failed ones included; null: not called", "s"),
        Column("latency_p95_s", FLOAT, "95 % quantile of the same", "s"),
        Column("latency_p99_s", FLOAT, "99 % quantile of the same", "s"),
        Column("bytes", INT, "Received, decompressed", "bytes", required=True),
        Column("rows", INT, "Received, repeated ones included", "rows", required=True),
        Column("retries", INT, "Calls that repeat a failed or refused one", required=True),
        Column("limited_s", FLOAT, "Waited for the rate limit, summed over calls", "s", required=True),
        Column(
            "held_s", FLOAT, "Waited for Retry-After, back-off or the breaker, summed over calls", "s", required=True
        ),
        Column("breaker_openings", INT, "Calls at which the circuit breaker opened", required=True),
        Column("breaker_state", TEXT, "Circuit breaker after the day's last call to any endpoint; null: no call"),
        Column("last_success_at", TIMESTAMP, "End of the last good call; null: none"),
        Column("newest_at", TIMESTAMP, "Instant that the newest row reaches, as stored by the day's end; null: no row"),
        Column("due_at", TIMESTAMP, "Instant that it was to reach"),
        Column("staleness_s", FLOAT, "due_at − newest_at, at least 0; null: no good call, or no row", "s"),
    ),
)
