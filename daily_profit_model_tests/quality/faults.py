"""For every expectation of every rule a fault that only it can see. No tests here."""

from __future__ import annotations

from datetime import date

from daily_profit_model_tests.quality.faults_bars import BARS_FAULTS
from daily_profit_model_tests.quality.faults_drift import DRIFT_FAULTS
from daily_profit_model_tests.quality.faults_modeled import MODELED_FAULTS
from daily_profit_model_tests.quality.faults_raw import RAW_FAULTS
from daily_profit_model_tests.quality.faults_shadow import SHADOW_FAULTS
from daily_profit_model_tests.quality.faults_staging import STAGING_FAULTS
from daily_profit_model_tests.quality.good_rows import reason
from daily_profit_model_tests.quality.small_firm import Day, Spoil
from daily_profit_model_tests.quality.spoils import Fault, changed, counted, repeated

_ACCOUNTED = "received = stored + quarantined + test accounts + repeated + late"


def account_without_features(day: Day) -> None:
    del day.rows["features/account_daily"][2]


def account_without_prediction(day: Day) -> None:
    del day.rows["predictions/account_daily"][2]


def other_portfolio(level: str, **values: object) -> Spoil:
    """The sums of one level are others."""

    def spoil(day: Day) -> None:
        for row in day.rows["predictions/portfolio_daily"]:
            if row["level"] == level:
                row.update(values)

    return spoil


def prediction_of_a_stranger(day: Day) -> None:
    day.rows["predictions/account_daily"].append({**day.rows["predictions/account_daily"][0], "account_id": "b"})


def found(finding: str, severity: str) -> Spoil:
    """The reconciliation of the day has a finding, and says so in its summary."""

    def spoil(day: Day) -> None:
        summary = day.rows["monitoring/reconciliation"][0]
        summary["severity"] = severity
        day.rows["monitoring/reconciliation"].append({**summary, "finding": finding, "login": "700"})

    return spoil


NOT_CALLED = {
    **dict.fromkeys(("calls", "ok", "failures", "timeout", "retries"), 0),
    **dict.fromkeys(("failure_rate", "latency_p50_s", "latency_p95_s", "latency_p99_s", "staleness_s")),
}
DAILY = {"is_live": False}
FROM_API = ("raw/accounts", "raw/metrics_daily", "raw/metrics_hourly", "raw/trades_closed", "raw/trades_open")

FETCHED = (*FROM_API, "raw/plans", "raw/market_regimes", "raw/market_bars")

TRAINING = "training/account_daily"

NOT_A_NUMBER = {
    "raw/accounts": "cv_tp_vs_sl",
    "raw/metrics_daily": "cv_tp_vs_sl",
    "raw/metrics_hourly": "cv_tp_vs_sl",
    "raw/trades_closed": "client_margin",
    "raw/trades_open": "client_margin",
    "staging/accounts": "open_volume",
    "staging/trades": "volume_usd",
}
"""A figure of each table that nothing else is said of."""

FAULTS = (
    Fault(TRAINING, "account_days_once", "an account is there once a day", repeated(TRAINING)),
    Fault(
        TRAINING,
        "outcomes_known_at_cut_off",
        "each outcome is of the day after its features, up to the cut-off",
        changed(TRAINING, feature_date=date(2020, 1, 1)),
    ),
    Fault(
        TRAINING,
        "outcomes_known_at_cut_off",
        "each settled row has a net profit",
        changed(TRAINING, target_net_profit=None),
    ),
    Fault(
        TRAINING,
        "few_accounts_closed",
        "few accounts end without a trade on any one day",
        changed(TRAINING, target_status="closed", target_net_profit=None),
    ),
    *(
        Fault(table, "schema_known", says, counted(table, **{fact: {"venue": 3}}))
        for table in FROM_API
        for fact, says in (
            ("unknown_fields", "the service sends no field that the contract does not know"),
            ("unreadable", "every value of an optional field can be read"),
        )
    ),
    *(
        fault
        for table in FETCHED
        for fault in (
            Fault(table, "rows_accounted_for", _ACCOUNTED, counted(table, received=9, test_accounts=0)),
            Fault(
                table,
                "rows_accounted_for",
                "the file holds as many rows as were stored",
                counted(table, received=9, stored=9),
            ),
        )
    ),
    *(
        Fault(
            table, "figures_finite", "no figure is infinite or not a number", changed(table, **{column: float("nan")})
        )
        for table, column in NOT_A_NUMBER.items()
    ),
    *RAW_FAULTS,
    *BARS_FAULTS,
    Fault(
        "raw/quarantine",
        "quarantine_small",
        "few of the received rows were rejected",
        counted("raw/plans", received=20, stored=1, quarantined=19),
    ),
    *STAGING_FAULTS,
    Fault(
        "features/account_daily",
        "population_equals_eligible",
        "exactly the eligible accounts have features",
        account_without_features,
    ),
    Fault(
        "features/account_daily",
        "features_valid",
        "one row for each date, account_id",
        repeated("features/account_daily"),
    ),
    *MODELED_FAULTS,
    *DRIFT_FAULTS,
    *SHADOW_FAULTS,
    Fault(
        "predictions/account_daily",
        "every_eligible_account_predicted",
        "exactly the accounts eligible at the end of D−1 are predicted",
        account_without_prediction,
    ),
    Fault(
        "predictions/account_daily",
        "every_eligible_account_predicted",
        "exactly the accounts eligible at the end of D−1 are predicted",
        prediction_of_a_stranger,
    ),
    Fault(
        "predictions/account_daily",
        "predictions_valid",
        "one row for each prediction_date, account_id",
        repeated("predictions/account_daily"),
    ),
    *(
        Fault(
            "predictions/account_daily",
            "predictions_valid",
            says,
            changed("predictions/account_daily", **values),
            # a figure that is another than scored
            () if {"model_hash", "top_features"} & set(values) else ("served_as_scored",),
        )
        for says, values in (
            ("every required column has a value", {"model_hash": None}),
            ("the median is not below the interval", {"lower_90": 11.0}),
            ("the median is not above the interval", {"upper_90": 9.0}),
            ("the probability of a trade is within 0 and 1", {"probability_trade": 1.01}),
            ("the probability of a profit is within 0 and 1", {"probability_profit": -0.01}),
            ("a profit is not likelier than a trade", {"probability_trade": 0.3}),
            ("the reasons are ordered by size", {"top_features": [reason(1.0), reason(-2.0)]}),
        )
    ),
    *(
        Fault("predictions/portfolio_daily", "portfolio_adds_up", says, other_portfolio(level, **values))
        for says, level, values in (
            ("the firm has every predicted account", "firm", {"accounts": 3}),
            ("the plans together have every predicted account, each once", "plan", {"accounts": 5}),
            (
                "the firm's expectation is the sum of the accounts' means to the cent",
                "firm",
                {"expected_net_profit": 1e6},
            ),
            ("the plans' expectations add up to it", "plan", {"expected_net_profit": 48.02}),
        )
    ),
    *(
        Fault("monitoring/feed_health", rule, says, changed("monitoring/feed_health", **values))
        for rule, says, values in (
            ("feeds_called", "every feed was called on the day", NOT_CALLED),
            ("failures_few", "few calls failed, or an error is raised", {"failure_rate": 0.101}),
            ("failures_few", "few calls failed, or an error is raised", {"failure_rate": 0.3}),
            ("failures_bearable", "not too many calls failed", {"failure_rate": 0.301}),
            ("calls_quick", "95 % of the calls are quick, or an error is raised", {"latency_p95_s": 2.01}),
            ("calls_quick", "95 % of the calls are quick, or an error is raised", {"latency_p95_s": 5.0}),
            ("calls_bearable", "95 % of the calls are not too slow", {"latency_p95_s": 5.01}),
            ("feeds_fresh", "live feeds are fresh, or an error is raised", {"staleness_s": 301.0}),
            ("feeds_fresh", "live feeds are fresh, or an error is raised", {"staleness_s": 600.0}),
            ("feeds_not_stale", "live feeds are not stale", {"staleness_s": 601.0}),
            ("feeds_fresh", "daily feeds are fresh, or an error is raised", {**DAILY, "staleness_s": 25 * 3600 + 1.0}),
            ("feeds_fresh", "daily feeds are fresh, or an error is raised", {**DAILY, "staleness_s": 48 * 3600.0}),
            ("feeds_not_stale", "daily feeds are not stale", {**DAILY, "staleness_s": 48 * 3600 + 1.0}),
        )
    ),
    *(
        Fault("monitoring/reconciliation", rule, says, found(finding, severity))
        for rule, finding, severity, says in (
            ("rows_complete", "missing_day", "error", "every raw table of the day is there"),
            ("rows_complete", "row_count_mismatch", "error", "a table holds as many rows as the service counts now"),
            (
                "trade_counts_agree",
                "trade_count_mismatch",
                "error",
                "trades counted by account differ by no more than one, or by a tenth",
            ),
            ("trade_counts_exact", "trade_count_mismatch", "warn", "trades counted by account agree exactly"),
            (
                "profits_agree",
                "net_profit_mismatch",
                "error",
                "net profits agree to the cent once the service corrects them no more",
            ),
            ("hours_complete", "missing_hours", "warn", "every hour with closed trades has its row"),
            (
                "hours_complete",
                "suspiciously_few_hours",
                "warn",
                "no account has fewer hours than any with as many trades in four weeks",
            ),
            (
                "logins_resolved",
                "unresolved_login",
                "warn",
                "the login of every trade belongs to an account or to a test account",
            ),
        )
    ),
)
