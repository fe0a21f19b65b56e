"""Faults of features, models, scores, predictions and what is told of them. No tests here."""

from __future__ import annotations

from datetime import UTC, date, datetime

from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
from daily_profit_model.quality.rules_features import NEVER_NULL
from daily_profit_model_tests.quality.good_rows import FEATURES, hash_of
from daily_profit_model_tests.quality.small_firm import Day
from daily_profit_model_tests.quality.spoils import Fault, Spoil, changed, removed, repeated

FEATURED, SNAPSHOTS, SCORES = "features/account_daily", "predictions/feature_snapshots", "predictions/model_scores"
PREDICTED, PORTFOLIO = "predictions/account_daily", "predictions/portfolio_daily"
VERSIONS, CHAMPION, TRAINING = "models/net_profit", "models/champion", "training/account_daily"
CONFORMITY, CALIBRATION = "monitoring/conformity", "monitoring/interval_calibration"
OUTCOMES, PERFORMANCE = "monitoring/outcomes", "monitoring/model_performance"
SEGMENTS = "monitoring/segment_performance"
STORAGE, HEALTH = "monitoring/storage", "monitoring/feed_health"
EARLIER = date(2020, 1, 1)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
INFINITE = float("inf")


def mostly_null(day: Day) -> None:
    nullable = [name for name in FEATURES if not FEATURES_ACCOUNT_DAILY.column(name).description.endswith(NEVER_NULL)]
    for row in day.rows[FEATURED]:
        row.update(dict.fromkeys(nullable))


def other_features(day: Day) -> None:
    day.rows[SNAPSHOTS][0].update(balance=1.0, features_hash=hash_of({**FEATURES, "balance": 1.0}))


def wide(day: Day) -> None:
    day.rows[PREDICTED][0].update(upper_90=60_000.0)


def without_outcome(day: Day) -> None:
    day.rows[OUTCOMES].pop()


def closed_with_a_profit(day: Day) -> None:
    rows = day.rows[TRAINING]
    rows += [{**row, "account_id": f"b{place}"} for place, row in enumerate(rows)]
    rows[0].update(target_status="closed")


def a_segment_of_nobody(day: Day) -> None:
    day.rows[SEGMENTS].append({**day.rows[SEGMENTS][-1], "segment": "left", "accounts": 0})


def small_and_large_plans(day: Day) -> None:
    """Their losses are 50 on average only if a plan counts as one, however many accounts it has."""
    *others, plan = day.rows[SEGMENTS]
    large, small = {**plan, "accounts": 3, "pinball": 40.0}, {**plan, "segment": "b", "accounts": 1, "pinball": 60.0}
    day.rows[SEGMENTS] = [*others, large, small]


def a_desk_twice(day: Day) -> None:
    day.rows[PORTFOLIO] += 2 * [{**day.rows[PORTFOLIO][0], "level": "desk"}]


def one_tail(day: Day) -> None:
    day.rows[CALIBRATION].pop()


def third_tail(day: Day) -> None:
    lower, upper = day.rows[CALIBRATION]
    day.rows[CALIBRATION] = [{**lower, "tail": "middle"}, upper]


def _hashes(table: str, rule: str) -> tuple[tuple[str, str, Spoil], ...]:
    return tuple(
        (rule, f"{name} is a full sha256", changed(table, **{name: "0a"}))
        for name in ("features_hash", "snapshot_hash")
    )


def of(table: str, *faults: tuple[str, str, Spoil] | tuple[str, str, Spoil, str]) -> tuple[Fault, ...]:
    """A rule, what it says, what spoils it, and perhaps a rule that sees it too."""
    return tuple(Fault(table, rule, says, spoil, tuple(also)) for rule, says, spoil, *also in faults)


def all_but(table: str, column: str, value: object) -> Spoil:
    """Every row of `table` says something else, so that the day agrees with itself."""

    def spoil(day: Day) -> None:
        for row in day.rows[table]:
            row[column] = value

    return spoil


MODELED_FAULTS = (
    *of(
        FEATURED,
        ("features_valid", "one row for each date, account_id", repeated(FEATURED)),
        (
            "features_valid",
            "shares, chances, counts and sizes are within what they can be",
            changed(FEATURED, stop_loss_share_5d=1.001),
        ),
        ("features_valid", "no feature is infinite or not a number", changed(FEATURED, sharpe_5d=INFINITE)),
        ("always_there", "a feature that is never null has a value", changed(FEATURED, day_of_week=None)),
        ("mostly_there", "most values of the day are there", mostly_null),
    ),
    *of(
        TRAINING,
        ("targets_valid", "an outcome is traded, idle or closed", changed(TRAINING, target_status="lost")),
        ("targets_valid", "an account that ended without a trade has no profit", closed_with_a_profit),
        ("targets_valid", "who did not trade made nothing", changed(TRAINING, target_net_profit=1.0)),
        (
            "targets_valid",
            "no target is infinite or not a number",
            changed(TRAINING, target_status="traded", target_net_profit=INFINITE),
        ),
    ),
    *of(
        VERSIONS,
        ("versions_valid", "every figure of the version is there", changed(VERSIONS, best_baseline=None)),
        ("versions_valid", "the version is cut-off and hash", changed(VERSIONS, version="latest")),
        ("versions_valid", "the bundle's hash is a full sha256", changed(VERSIONS, model_hash="0a")),
        ("versions_valid", "the manifest's hash is a full sha256", changed(VERSIONS, manifest_hash="0a")),
        (
            "figures_possible",
            "shares, losses and counts of days are possible, and the shares add up",
            changed(VERSIONS, miss_upper=0.05),
        ),
        ("figures_possible", "no figure is infinite or not a number", changed(VERSIONS, pinball_05=INFINITE)),
        ("figures_possible", "the skill's interval is in order", changed(VERSIONS, skill_lower=0.1)),
    ),
    *of(
        CHAMPION,
        ("decisions_recorded", "one row for each in_force_from, version", repeated(CHAMPION)),
        ("decisions_recorded", "a version is promoted, challenges or is refused", changed(CHAMPION, decision="maybe")),
        ("decisions_recorded", "the bundle's hash is a full sha256", changed(CHAMPION, model_hash="0a")),
        ("decisions_recorded", "the reason is said", changed(CHAMPION, reason="")),
        ("decisions_recorded", "the evidence is JSON", changed(CHAMPION, evidence="{")),
        (
            "decisions_recorded",
            "no version serves a day that it was trained on",
            changed(CHAMPION, in_force_from=EARLIER),
        ),
    ),
    *of(
        SNAPSHOTS,
        ("snapshots_valid", "one row for each prediction_date, account_id", repeated(SNAPSHOTS)),
        ("snapshots_valid", "the features are those of the day before", changed(SNAPSHOTS, feature_date=EARLIER)),
        ("snapshots_valid", "they are served as of the cut-off", changed(SNAPSHOTS, as_of=LONG_AGO)),
        ("snapshots_valid", "the hash is that of the row's own values", changed(SNAPSHOTS, balance=1.0)),
        ("snapshots_equal_features", "what is scored are the features of the day before", other_features),
    ),
    *of(
        SCORES,
        ("scores_valid", "one row for each prediction_date, account_id", repeated(SCORES)),
        ("scores_valid", "every required column has a value", changed(SCORES, median=None)),
        ("scores_valid", "no score is infinite or not a number", changed(SCORES, mean=INFINITE)),
        ("scores_valid", "the quantiles do not cross", changed(SCORES, q95=9.0)),
        ("scores_valid", "probabilities and the profit's scale are possible", changed(SCORES, profit_scale=0.0)),
        ("one_model_a_day", "all scores of a day are one model's", changed(SCORES, model_hash="0b" * 32)),
        ("one_model_a_day", "the model's hash is a full sha256", all_but(SCORES, "model_hash", "0a")),
        ("snapshot_scored", "exactly the frozen rows are scored", removed(SCORES)),
    ),
    *of(
        CONFORMITY,
        ("conformity_valid", "one row for each prediction_date, account_id", repeated(CONFORMITY)),
        ("conformity_valid", "every required column has a value", changed(CONFORMITY, activity=None)),
        (
            "conformity_valid",
            "an outcome lies on one side of the median, by a finite distance",
            changed(CONFORMITY, lower_stretch=1.0),
        ),
    ),
    *of(
        CALIBRATION,
        (
            "calibration_valid",
            "one row for each prediction_date, tail, activity, plan_type",
            all_but(CALIBRATION, "tail", "lower"),
        ),
        ("calibration_valid", "a tail is the lower or the upper one", third_tail),
        (
            "calibration_valid",
            "levels are within 0 and 1, thresholds and widths not negative",
            changed(CALIBRATION, level=1.5),
        ),
        (
            "calibration_valid",
            "the version is sixteen digits of a sha256",
            changed(CALIBRATION, calibration_version="one"),
        ),
        ("both_tails", "every group has its lower and its upper tail", one_tail),
    ),
    *of(
        PREDICTED,
        ("predictions_dated", "the features are those of the day before", changed(PREDICTED, feature_date=EARLIER)),
        ("predictions_dated", "the prediction is as of the cut-off", changed(PREDICTED, as_of=LONG_AGO)),
        (
            "one_model_a_day",
            "all predictions of a day that one serves are one model's",
            changed(PREDICTED, model_hash="0b" * 32),
            "served_as_scored",
        ),
        ("lineage_recorded", "model_hash is a full sha256", all_but(PREDICTED, "model_hash", "0a"), "served_as_scored"),
        *_hashes(PREDICTED, "lineage_recorded"),
        (
            "lineage_recorded",
            "calibration_version is sixteen digits of a sha256",
            changed(PREDICTED, calibration_version="c"),
            "served_as_scored",
        ),
        (
            "served_as_scored",
            "what is served are the day's scores, stretched by the day's calibration",
            changed(PREDICTED, upper_90=10.33),
        ),
        (
            "lineage_recorded",
            "code_version is a version and sixteen digits of a sha256",
            changed(PREDICTED, code_version="3-x"),
        ),
        (
            "figures_finite",
            "no predicted figure is infinite or not a number",
            changed(PREDICTED, expected_net_profit=float("nan")),
            "served_as_scored",
        ),
        (
            "scale_plausible",
            "no interval is wider than the account's starting balance",
            wide,
            "served_as_scored",
        ),
        (
            "scale_plausible",
            "no mean is larger than the account's starting balance",
            changed(PREDICTED, expected_net_profit=-60_000.0),
            "served_as_scored",
        ),
    ),
    *of(
        PORTFOLIO,
        ("portfolio_valid", "one row for each prediction_date, level, member", a_desk_twice),
        ("portfolio_valid", "the interval is in order", changed(PORTFOLIO, upper_90=-60.0)),
        ("portfolio_valid", "an interval has both ends or none", changed(PORTFOLIO, upper_90=None)),
        ("portfolio_valid", "accounts and days of evidence are not negative", changed(PORTFOLIO, days_of_evidence=-1)),
    ),
    *of(
        OUTCOMES,
        ("every_prediction_settled", "every prediction has one outcome, and no other has", without_outcome),
        ("outcomes_valid", "one row for each prediction_date, account_id", repeated(OUTCOMES)),
        ("outcomes_valid", "an outcome is traded, idle or closed", changed(OUTCOMES, outcome_status="lost")),
        ("outcomes_valid", "an outcome is in, below or above the interval", changed(OUTCOMES, is_covered=True)),
        (
            "outcomes_valid",
            "an account that ended without a trade has no profit",
            changed(OUTCOMES, outcome_status="closed"),
        ),
        (
            "outcomes_valid",
            "what rests on the profit is there when it is, and only then",
            changed(OUTCOMES, absolute_error=None),
        ),
        ("outcomes_valid", "the error is net profit − predicted median", changed(OUTCOMES, error=0.0)),
        (
            "outcomes_valid",
            "below and above are as the interval's ends say",
            changed(OUTCOMES, is_above=False, is_below=True),
        ),
    ),
    *of(
        PERFORMANCE,
        ("performance_possible", "one row for each prediction_date, model_version", repeated(PERFORMANCE)),
        (
            "performance_possible",
            "rates are within 0 and 1, and losses finite and not negative",
            changed(PERFORMANCE, winkler_90=-1.0),
        ),
        ("performance_possible", "covered and missed outcomes are all outcomes", changed(PERFORMANCE, miss_lower=0.05)),
        (
            "performance_possible",
            "the absolute error is twice the pinball loss of the median",
            changed(PERFORMANCE, mean_absolute_error=50.0),
        ),
    ),
    *of(
        SEGMENTS,
        (
            "segments_possible",
            "one row for each prediction_date, segment_by, segment",
            repeated(SEGMENTS),
            "segments_add_up",
        ),
        *(
            ("segments_possible", "rates are within 0 and 1, losses finite and not negative", spoil)
            for spoil in (
                changed(SEGMENTS, winkler_90_28d=-1.0),
                changed(SEGMENTS, brier_trade=1.1),
                changed(SEGMENTS, bias=-INFINITE),
                changed(SEGMENTS, days_28d=29),
                a_segment_of_nobody,
            )
        ),
        ("segments_possible", "covered and missed outcomes are all outcomes", changed(SEGMENTS, miss_lower=0.05)),
        (
            "segments_add_up",
            "every outcome belongs to one segment of each kind",
            changed(SEGMENTS, accounts=1),
        ),
        ("segments_add_up", "the loss over the segments is that over all accounts", changed(SEGMENTS, pinball=51.0)),
        ("segments_add_up", "the loss over the segments is that over all accounts", small_and_large_plans),
    ),
    *of(
        STORAGE,
        ("storage_possible", "one row for each date, table", repeated(STORAGE)),
        (
            "storage_possible",
            "no count is negative, and none larger than what it is part of",
            changed(STORAGE, superseded_files=6),
        ),
    ),
    *of(
        HEALTH,
        ("calls_add_up", "good, failed and refused calls are all calls", changed(HEALTH, ok=8)),
        ("calls_add_up", "the quantiles of the latency ascend", changed(HEALTH, latency_p50_s=2.5)),
    ),
)
