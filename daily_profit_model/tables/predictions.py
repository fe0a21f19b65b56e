"""The contract of the served predictions. Uncalibrated scores and conformity are `modeling`'s own tables."""

from __future__ import annotations

import pyarrow as pa

from daily_profit_model.tables.contract import DAY, FLOAT, INT, TEXT, TIMESTAMP, Column, Table

TOP_FEATURES = pa.list_(pa.struct([("name", pa.string()), ("value", pa.string()), ("contribution", pa.float64())]))

PREDICTIONS_ACCOUNT_DAILY = Table(
    name="predictions/account_daily",
    description="What each eligible account will probably make or lose on the predicted day D, how sure that is, and why.",
    key=("prediction_date", "account_id"),
    day_column="prediction_date",
    is_served=True,
    columns=(
        Column("prediction_date", DAY, "The predicted day D", required=True),
        Column("feature_date", DAY, "D−1, the last day that was known", required=True),
        Column("account_id", TEXT, "Account", required=True),
        Column("login", TEXT, "Login", required=True),
        Column("plan_id", TEXT, "Plan"),
        Column(
            "served_by",
            TEXT,
            "`champion`, or the shadow deployment whose traffic the account is in; null: the champion, before there was "
            "traffic",
        ),
        Column("model_version", TEXT, "Who serves the row: the champion in force on D, or a shadow", required=True),
        Column("model_hash", TEXT, "sha256 of its bundle, full", required=True),
        Column(
            "forecaster",
            TEXT,
            "What the version is: a candidate with boosters by its name, or `baseline: ` and the one that serves because "
            "no model has passed the gate yet",
            required=True,
        ),
        Column("predicted_net_profit", FLOAT, "Conditional median of the day's net profit", "USD", required=True),
        Column("expected_net_profit", FLOAT, "Conditional mean; meant for sums over accounts", "USD", required=True),
        Column("lower_90", FLOAT, "Lower end of the calibrated 90 % interval", "USD", required=True),
        Column("upper_90", FLOAT, "Upper end of the calibrated 90 % interval", "USD", required=True),
        Column("probability_trade", FLOAT, "Probability that the account trades on D", "share", required=True),
        Column("probability_profit", FLOAT, "Probability of a net profit above zero", "share", required=True),
        Column(
            "top_features",
            TOP_FEATURES,
            "Features that moved the mean most (of `l1`, `huber` and `fair` the median, of a baseline none): name, value as text, contribution in USD; largest first",
            required=True,
        ),
        Column("features_hash", TEXT, "sha256 of the feature row that was scored", required=True),
        Column(
            "snapshot_hash",
            TEXT,
            "Content hash of the partition of predictions/feature_snapshots that was scored: it leads to its rows, "
            "whatever the partition holds by now",
            required=True,
        ),
        Column(
            "calibration_version",
            TEXT,
            "The levels and thresholds of the interval, as in monitoring/interval_calibration, or of a shadow in "
            "predictions/traffic",
            required=True,
        ),
        Column(
            "code_version",
            TEXT,
            "The code that served: the asset's version, and the first 16 digits of a sha256 over the sources and "
            "libraries that score, calibrate and explain",
            required=True,
        ),
        Column("as_of", TIMESTAMP, "Logical time of the prediction: the cut-off of D−1", required=True),
    ),
    version=3,
)

PORTFOLIO_DAILY = Table(
    name="predictions/portfolio_daily",
    description="What all accounts together, and those of each plan, will probably make or lose on the predicted day D: "
    "the sum of their means, with an interval from the errors of whole past days.",
    key=("prediction_date", "level", "member"),
    day_column="prediction_date",
    is_served=True,
    columns=(
        Column("prediction_date", DAY, "The predicted day D", required=True),
        Column("level", TEXT, "`firm`: all accounts; `plan`: those of one plan", required=True),
        Column("member", TEXT, "The plan, `unknown` where the service names none; of the firm `all`", required=True),
        Column("accounts", INT, "Predicted accounts", "accounts", required=True),
        Column("expected_net_profit", FLOAT, "Sum of their conditional means", "USD", required=True),
        Column("lower_90", FLOAT, "Lower end of the sum's 90 % interval; null: too few days of evidence", "USD"),
        Column("upper_90", FLOAT, "Upper end of the same", "USD"),
        Column("days_of_evidence", INT, "Past days whose errors the interval rests on", "days", required=True),
        Column("model_version", TEXT, "The champion in force on D, if it serves any account", required=True),
    ),
)
