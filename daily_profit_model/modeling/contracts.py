"""The tables that this package reads and writes, as contracts.

Here: names, columns, types and units. How their values come about stands in the modules of the same names.
"""

from __future__ import annotations

from daily_profit_model.tables.contract import DAY, FLAG, FLOAT, INT, TEXT, TIMESTAMP, Column, Table

ACCOUNT_DAY = ("prediction_date", "account_id")


def _usd(name: str, description: str) -> Column:
    return Column(name, FLOAT, description, unit="USD", required=True)


def _share(name: str, description: str, required: bool = True) -> Column:
    return Column(name, FLOAT, description, unit="share", required=required)


_ROW_KEY = (
    Column("prediction_date", DAY, "The predicted day D (UTC).", required=True),
    Column("account_id", TEXT, "The trading account.", required=True),
)
_MODEL = (
    Column(
        "model_version",
        TEXT,
        "Version of the scoring model: cut-off and eight digits of its hash.",
        required=True,
    ),
    Column("model_hash", TEXT, "Full sha256 of the scoring model's bundle.", required=True),
)

_PLAN_TYPE = Column("plan_type", TEXT, "Family and stage of the account's plan; null: not known.")

MODEL_SCORES = Table(
    name="predictions/model_scores",
    description="What the champion says of a day before calibration; quantiles in order.",
    day_column="prediction_date",
    key=ACCOUNT_DAY,
    is_served=True,
    columns=(
        *_ROW_KEY,
        _usd("median", "Conditional median of the day's net profit."),
        _usd("mean", "Conditional mean; meant for sums over accounts."),
        _usd("q05", "Uncalibrated 5 % quantile."),
        _usd("q95", "Uncalibrated 95 % quantile."),
        _share("probability_trade", "Probability that the account trades on the day."),
        _share("probability_profit", "Probability of a net profit above zero."),
        _usd("profit_scale", "EWMA of the account's absolute daily profit, the unit of its conformity."),
        _PLAN_TYPE,
        *_MODEL,
    ),
    version=2,
)

MONITORING_CONFORMITY = Table(
    name="monitoring/conformity",
    description="How far each outcome lay outside the uncalibrated quantiles; the two tails apart.",
    day_column="prediction_date",
    key=ACCOUNT_DAY,
    columns=(
        *_ROW_KEY,
        Column("activity", TEXT, "Calibration group, by the predicted probability of trading.", required=True),
        _PLAN_TYPE,
        Column(
            "lower_excess",
            FLOAT,
            "(q05 - outcome) / profit_scale; positive: below the quantile.",
            unit="profit scales",
            required=True,
        ),
        Column(
            "upper_excess",
            FLOAT,
            "(outcome - q95) / profit_scale; positive: above the quantile.",
            unit="profit scales",
            required=True,
        ),
        Column(
            "lower_stretch",
            FLOAT,
            "By what factor the reach from the median down to q05 must grow to meet the outcome; 0 when the "
            "outcome is at or above the median.",
            unit="factor",
            required=True,
        ),
        Column("upper_stretch", FLOAT, "The same from the median up to q95.", unit="factor", required=True),
        *_MODEL,
    ),
)

MONITORING_INTERVAL_CALIBRATION = Table(
    name="monitoring/interval_calibration",
    description="What the served intervals of a day rest on, a row a tail, activity group and plan type: the level and "
    "the threshold that predictions/account_daily applies, and how wide and how right they are.",
    day_column="prediction_date",
    key=("prediction_date", "tail", "activity", "plan_type"),
    is_served=True,
    columns=(
        Column("prediction_date", DAY, "The predicted day D (UTC).", required=True),
        Column("tail", TEXT, "`lower` or `upper` end of the interval.", required=True),
        Column("activity", TEXT, "Calibration group, by the predicted probability of trading.", required=True),
        Column(
            "plan_type",
            TEXT,
            "Family and stage of the plan; `*`: the activity group whole, whose threshold serves plan types without a "
            "row of their own.",
            required=True,
        ),
        _share("level", "Share of the window that the threshold leaves out, adapted day by day; the tail's."),
        Column(
            "threshold",
            FLOAT,
            "Factor by which the reach from the median to the uncalibrated quantile is stretched; the group's.",
            unit="factor",
            required=True,
        ),
        Column("window_days", INT, "Days of conformity that set the threshold.", unit="days", required=True),
        Column("window_rows", INT, "The group's rows on them.", unit="rows", required=True),
        _share("window_miss_rate", "Share of these beyond the threshold; null: there are none.", required=False),
        _share("miss_rate", "The promise: share of outcomes beyond this end."),
        Column("accounts", INT, "The group's accounts on D.", unit="accounts", required=True),
        Column(
            "mean_width",
            FLOAT,
            "Mean width of their intervals, from end to end: the same in the rows of both tails; null: no accounts.",
            unit="USD",
        ),
        Column("median_width", FLOAT, "Median of the same.", unit="USD"),
        Column(
            "calibration_version",
            TEXT,
            "sha256 over levels, thresholds and settings, its first 16 digits: equal ones have it equal.",
            required=True,
        ),
        *_MODEL,
    ),
    version=2,
)

MODELS_NET_PROFIT = Table(
    name="models/net_profit",
    description="One row a trained version: what it was trained on and how it did on its test days.",
    key=("version",),
    partitioning="cutoff",
    columns=(
        Column("version", TEXT, "Cut-off and eight digits of the hash.", required=True),
        Column("model_hash", TEXT, "Full sha256 of the bundle.", required=True),
        Column("manifest_hash", TEXT, "sha256 of manifest.json as stored.", required=True),
        Column("folder", TEXT, "The bundle's folder below the models' root.", required=True),
        Column("cutoff", DAY, "Last day whose outcome training may have seen.", required=True),
        _share("skill", "1 - pinball loss / that of the best baseline, on the test days."),
        _share("skill_lower", "Lower end of its 95 % interval, bootstrapped over whole days."),
        _share("skill_upper", "Upper end of the same."),
        Column("best_baseline", TEXT, "The baseline with the lowest loss on the test days.", required=True),
        _share("coverage_90", "Share of test outcomes inside the calibrated 90 % interval."),
        _share("miss_lower", "Share of test outcomes below it."),
        _share("miss_upper", "Share of test outcomes above it."),
        _usd("pinball_05", "Pinball loss of the calibrated lower end, mean of days."),
        _usd("pinball_50", "Pinball loss of the median (half the mean absolute error)."),
        _usd("pinball_95", "Pinball loss of the calibrated upper end."),
        _usd("mean_absolute_error", "Mean absolute error of the median."),
        Column("rows", INT, "Rows with a target, all parts together.", unit="rows", required=True),
        Column("train_days", INT, "Days in training.", unit="days", required=True),
        Column("validation_days", INT, "Days in validation.", unit="days", required=True),
        Column("calibration_days", INT, "Days in calibration.", unit="days", required=True),
        Column("test_days", INT, "Days in the test.", unit="days", required=True),
    ),
)

MODELS_TUNING = Table(
    name="models/tuning",
    description="Parameters of the boosters that were tried on folds of the training and validation days, a row a "
    "trial; the chosen ones of a cut-off's objective serve its version and later ones, until they are tuned again.",
    key=("objective", "trial"),
    partitioning="cutoff",
    columns=(
        Column("cutoff", DAY, "Cut-off of the training set that was tried on.", required=True),
        Column("objective", TEXT, "The candidate that was tuned: `l1`, `huber`, `fair` or `two_part`.", required=True),
        Column("trial", INT, "Number of the trial; 0 are the defaults.", required=True),
        Column("state", TEXT, "`complete`, or `pruned`: worse than the median of those before it.", required=True),
        _usd("value", "Mean over days of the mean pinball loss at 5, 50 and 95 %, uncalibrated, of the folds done."),
        Column("folds_done", INT, "Folds that were tried.", unit="folds", required=True),
        Column("folds", INT, "Folds of a complete trial.", unit="folds", required=True),
        Column("parameters", TEXT, "What was tried, by name, as JSON.", required=True),
        _share("gain", "1 - value / that of the defaults on the same days; null: pruned.", required=False),
        _share("gain_lower", "Lower end of its 99 % interval over days; null: pruned.", required=False),
        Column("is_best", FLAG, "Whether it is the objective's complete trial of least loss.", required=True),
        Column(
            "is_chosen",
            FLAG,
            "Whether versions take its parameters: the best one's if gain_lower is above zero, else the defaults.",
            required=True,
        ),
        Column("seed", INT, "Seed of the draw.", required=True),
        Column("study", TEXT, "The study that it belongs to.", required=True),
    ),
)

MODELS_CHAMPION = Table(
    name="models/champion",
    description="Every decision on a version: promoted, challenging or refused, in force from which day, and why.",
    key=("in_force_from", "version"),
    partitioning="cutoff",
    columns=(
        Column("in_force_from", DAY, "First predicted day that the version may serve.", required=True),
        Column("version", TEXT, "The version decided on.", required=True),
        Column("model_hash", TEXT, "Full sha256 of its bundle.", required=True),
        Column("cutoff", DAY, "Its cut-off.", required=True),
        Column("decision", TEXT, "`promoted` or `refused`.", required=True),
        Column("reason", TEXT, "The decision in one line.", required=True),
        Column("evidence", TEXT, "The figures it rests on, as JSON.", required=True),
    ),
)

MODELS_TRANSITIONS = Table(
    name="models/transitions",
    description="What persons have decided about the aliases `champion` and `challenger`: a row an act, numbered without "
    "a gap, never changed. Acts and the gate's decisions (models/champion) together say who serves a day: the latest "
    "in_force_from wins, on a tie the act, of two acts the later one. Written by `dpm models promote` and its like alone.",
    key=("number",),
    partitioning="number",
    columns=(
        Column("number", INT, "Of the act, from 1; each is created exactly once.", required=True),
        Column("alias", TEXT, "`champion` or `challenger`.", required=True),
        Column("version", TEXT, "Who holds the alias from then on; null: nobody (challenger only)."),
        Column("model_hash", TEXT, "Full sha256 of its bundle; null: as before."),
        Column("previous_version", TEXT, "Who held it on that day when the act was written; null: nobody."),
        Column("in_force_from", DAY, "First predicted day on which the act counts.", required=True),
        Column("reason", TEXT, "Why, in the author's words.", required=True),
        Column("author", TEXT, "Who decided.", required=True),
        Column("evidence", TEXT, "The version's figures and the gate's decision on it, as JSON.", required=True),
        Column("made_at", TIMESTAMP, "When it was written (UTC): an act cannot be made again.", required=True),
    ),
)
