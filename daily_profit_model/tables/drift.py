"""The contracts of drift and degradation. How they are computed belongs to `monitoring`."""

from __future__ import annotations

from daily_profit_model.tables.contract import DAY, FLAG, FLOAT, INT, TEXT, Column, Table

DRIFT_KINDS = ("feature", "prediction", "target")

_DEVIATIONS = "day-level standard deviations"

MONITORING_DRIFT = Table(
    name="monitoring/drift",
    description="How far each statistic of each feature, prediction and target of a day lies from the days that the "
    "champion learnt from, and since when that is no chance any more. A day is one observation. Cumulative sums go on "
    "from the first day that the version could have served, 60 days before it did at most: of the days between there are "
    "no rows of it, and what they say is in its first day's sums.",
    key=("prediction_date", "kind", "column_name", "statistic"),
    day_column="prediction_date",
    columns=(
        Column("prediction_date", DAY, "The predicted day D", required=True),
        Column("kind", TEXT, "`feature`, `prediction`, or `target`: what came of D−1", required=True),
        Column("column_name", TEXT, "Feature, prediction or target", required=True),
        Column("statistic", TEXT, "What of the day's values: location, scale, a tail, a share", required=True),
        Column("model_version", TEXT, "Model that scored D, whose reference counts", required=True),
        Column("model_hash", TEXT, "Full sha256 of its bundle", required=True),
        Column("rows", INT, "The day's rows; 0: there is no such day yet", "rows", required=True),
        Column("known_rows", INT, "Those with a value", "rows", required=True),
        Column("value", FLOAT, "The statistic; null: nothing is known of the day"),
        Column(
            "shift",
            FLOAT,
            "Its distance from the reference's days; null: no value, a broken column, or no threshold",
            _DEVIATIONS,
        ),
        Column(
            "sum_up",
            FLOAT,
            "Cumulative sum of the days' news of being too high, weighted by memory; null: no threshold",
            _DEVIATIONS,
        ),
        Column("sum_down", FLOAT, "The same of what is too low", _DEVIATIONS),
        Column(
            "threshold",
            FLOAT,
            "Above it a sum is an alarm; null: the model has too few reference days to know it by",
            _DEVIATIONS,
        ),
        Column("rise", FLOAT, "The larger sum / threshold", "share"),
        Column("is_alarm", FLAG, "The rise is above 1", required=True),
        Column(
            "first_alarm_day",
            DAY,
            "Since when it has been so without a break, which may be before the version served; null: no alarm",
        ),
        Column(
            "hard_break",
            TEXT,
            "What is wrong with the column on the day itself: `all null`, `constant`, `unit`, `sign`, `new categories`",
        ),
        Column("distance", FLOAT, "Of the day's distribution from the reference's; to look at, no test", "share"),
        Column("importance", FLOAT, "Share in the importance of all features; null: no feature", "share"),
        Column(
            "recent_shift",
            FLOAT,
            "Median shift, while it rose and the version served, of that statistic of the column that rose most; null: no "
            "threshold",
            _DEVIATIONS,
        ),
        Column("blame_score", FLOAT, "importance × |recent shift| with an alarm, else 0; null: no feature"),
        Column("blame_rank", INT, "Place of the feature by this score, then by rise; null: no feature"),
    ),
)

MONITORING_DEGRADATION = Table(
    name="monitoring/degradation",
    description="Whether the champion does worse than on the days that it was judged on before it served: a row a "
    "measure of the newest settled day, with cumulative sums as in monitoring/drift; and the error to be expected of "
    "D, without its outcomes.",
    key=("prediction_date", "measure"),
    day_column="prediction_date",
    columns=(
        Column("prediction_date", DAY, "The predicted day D", required=True),
        Column("measure", TEXT, "Which loss of a day", required=True),
        Column("settled_date", DAY, "D−1, the day whose outcomes are judged", required=True),
        Column("model_version", TEXT, "Model that scored D; only days that it scored count", required=True),
        Column("model_hash", TEXT, "Full sha256 of its bundle", required=True),
        Column("accounts", INT, "Outcomes of D−1; 0: none are known, or another model scored it", required=True),
        Column("value", FLOAT, "The measure on D−1; null: no outcomes"),
        Column("usual_value", FLOAT, "Mean of the reference's days of its kind; null: none"),
        Column("shift", FLOAT, "Distance of the value from the reference's days; null as threshold", _DEVIATIONS),
        Column("sum_up", FLOAT, "Cumulative sum of what is worse than usual", _DEVIATIONS),
        Column(
            "threshold",
            FLOAT,
            "Above it the sum is an alarm; null: the model was judged on too few days to know it by",
            _DEVIATIONS,
        ),
        Column("is_alarm", FLAG, "The sum is above the threshold", required=True),
        Column("first_alarm_day", DAY, "D since when it has been so without a break; null: no alarm"),
        Column("expected_error", FLOAT, "Mean absolute error to be expected of D; null: too few settled days", "USD"),
        Column("expected_error_lower", FLOAT, "Lower end of about 95 % for a mean of many such days", "USD"),
        Column("expected_error_upper", FLOAT, "Upper end of the same", "USD"),
        Column("usual_error", FLOAT, "Mean absolute error of the settled days that it rests on", "USD"),
    ),
)
