"""For every expectation of every rule a fault that only it can see. No tests here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from daily_profit_model_tests.quality.small_firm import SHARES, Day, Spoil, reason

_ACCOUNTED = "received = stored + quarantined + test accounts + repeated + late"


@dataclass(frozen=True)
class Fault:
    """A spoiled day, and who must notice."""

    table: str
    rule: str
    says: str
    spoil: Spoil


def changed(table: str, **values: object) -> Spoil:
    """The first row of `table` says something else."""

    def spoil(day: Day) -> None:
        day.rows[table][0] = {**day.rows[table][0], **values}

    return spoil


def repeated(table: str) -> Spoil:
    """The first row of `table` is there twice."""

    def spoil(day: Day) -> None:
        day.rows[table].append(day.rows[table][0])
        day.facts[table] = {}

    return spoil


def counted(table: str, **facts: object) -> Spoil:
    """The footer of `table` says something else."""

    def spoil(day: Day) -> None:
        day.facts[table] = dict(facts)

    return spoil


def closed_before_opened(day: Day) -> None:
    trade = day.rows["raw/trades_closed"][0]
    day.rows["raw/trades_closed"][0] = {**trade, "close_time": trade["open_time"] - timedelta(seconds=1)}


def in_another_case(day: Day) -> None:
    day.rows["raw/trades_closed"][0] = {**day.rows["raw/trades_closed"][0], "side": "Buy"}


def unresolved(day: Day) -> None:
    for trade in day.rows["staging/trades"][:2]:
        trade["is_resolved"] = False


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


PRICES = ("open", "high", "low", "close")


def bars(first: int, last: int, **values: object) -> Spoil:
    """The bars `first` … `last` of a symbol say something else."""

    def spoil(day: Day) -> None:
        for hour in range(first, last + 1):
            day.rows["raw/market_bars"][hour] |= values

    return spoil


def start_moved(by: timedelta) -> Spoil:
    """A bar starts at another time."""

    def spoil(day: Day) -> None:
        moved = day.rows["raw/market_bars"][0]
        moved["bar_start"] += by

    return spoil


def without_an_hour(day: Day) -> None:
    del day.rows["raw/market_bars"][5]


NOT_CALLED = {"calls": 0, "failure_rate": None, "latency_p95_s": None, "staleness_s": None}
DAILY = {"is_live": False}
FROM_API = ("raw/accounts", "raw/metrics_daily", "raw/metrics_hourly", "raw/trades_closed", "raw/trades_open")

FETCHED = (*FROM_API, "raw/plans", "raw/market_regimes", "raw/market_bars")

TRAINING = "training/account_daily"

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
    Fault(
        "raw/accounts",
        "accounts_valid",
        "one row for each date, platform, broker, login, account_id",
        repeated("raw/accounts"),
    ),
    *(
        Fault(table, rule, says, changed(table, **values))
        for table, rule in (("raw/accounts", "accounts_valid"), ("raw/metrics_daily", "metrics_valid"))
        for values, says in (
            ({"status": 4}, "status is 1, 2 or 3"),
            ({"phase": 0}, "phase is 1, 2, 3 or 4"),
            ({"platform": 3, "net_profit": 0.0}, "platform is 4 or more"),  # no trades are there
        )
    ),
    Fault(
        "raw/metrics_daily",
        "metrics_valid",
        "one row for each date, platform, broker, login, account_id",
        repeated("raw/metrics_daily"),
    ),
    Fault(
        "raw/metrics_daily",
        "metrics_valid",
        "gross profit is not negative",
        changed("raw/metrics_daily", gross_profit=-0.01),
    ),
    Fault(
        "raw/metrics_daily",
        "metrics_valid",
        "gross loss is not positive",
        changed("raw/metrics_daily", gross_loss=0.01),
    ),
    Fault(
        "raw/metrics_daily",
        "net_profit_equals_trades",
        "net profit is the sum over the closed trades",
        changed("raw/metrics_daily", net_profit=97.02),
    ),
    Fault(
        "raw/metrics_hourly",
        "metrics_valid",
        "one row for each date, platform, broker, login, account_id, hour",
        repeated("raw/metrics_hourly"),
    ),
    Fault("raw/metrics_hourly", "metrics_valid", "hour is 0 to 23", changed("raw/metrics_hourly", hour=24)),
    Fault(
        "raw/trades_closed",
        "trades_valid",
        "one row for each date, platform, broker, login, position, ticket",
        repeated("raw/trades_closed"),
    ),
    Fault("raw/trades_closed", "trades_valid", "side is buy or sell", in_another_case),
    Fault("raw/trades_closed", "trades_valid", "lots are not negative", changed("raw/trades_closed", lots=-0.1)),
    Fault("raw/trades_closed", "trades_valid", "closed no earlier than opened", closed_before_opened),
    *(
        Fault("raw/market_bars", rule, says, spoil)
        for rule, says, spoil in (
            ("bars_valid", "one row for each date, symbol, bar_start", repeated("raw/market_bars")),
            ("bars_valid", "the interval is one hour", bars(0, 0, interval="1d")),
            ("bars_valid", "a bar starts on the hour", start_moved(timedelta(minutes=30))),
            ("bars_valid", "a bar starts within its day", start_moved(timedelta(days=1))),
            ("bars_valid", "high is not below open, close or low", bars(0, 0, high=1.1005)),
            ("bars_valid", "low is not above open, close or high", bars(0, 0, low=1.1005)),
            ("bars_valid", "prices are positive", bars(0, 0, **dict.fromkeys(PRICES, 0.0))),
            ("bars_valid", "volume is not negative", bars(0, 0, volume=-1.0)),
            (
                "symbols_answered",
                "the service has hourly bars of every symbol",
                counted("raw/market_bars", missing={"USOUSD": "Not Found"}),
            ),
            (
                "hours_complete",
                "no more hours are gone than have come that this weekday usually has",
                without_an_hour,
            ),
            (
                "hours_complete",
                "no more hours without values than the weekday usually has",
                bars(5, 7, **dict.fromkeys(PRICES)),
            ),
            (
                "prices_alive",
                "no longer without a move than the weekday usually is, or three hours",
                bars(5, 8, **dict.fromkeys(PRICES, 1.101)),
            ),
            (
                "moves_plausible",
                "no hour moves by ten times the range of a busy hour in the four weeks before",
                bars(5, 5, open=110.0, high=110.2, low=109.8, close=110.1),
            ),
        )
    ),
    Fault(
        "raw/market_regimes",
        "prices_near_bars",
        "the day's price is no further from the last bar than the day's range and 1 %",
        changed("raw/market_regimes", eurusd_last_price=1.117),
    ),
    Fault(
        "raw/trades_closed",
        "prices_within_bars",
        "nearly all trades close within the day's range of their symbol",
        changed("raw/trades_closed", close_price=1.104),
    ),
    Fault(
        "raw/trades_closed",
        "prices_within_bars",
        "nearly all trades of the day open within the day's range of their symbol",
        changed("raw/trades_closed", open_price=1.096),
    ),
    *(
        Fault(
            "raw/trades_closed",
            "prices_within_bars",
            "no trade opens or closes as far as five ranges from the day's own",
            changed("raw/trades_closed", **{name: 110.0}),
        )
        for name in ("open_price", "close_price")
    ),
    Fault(
        "raw/quarantine",
        "quarantine_small",
        "few of the received rows were rejected",
        counted("raw/plans", received=20, stored=1, quarantined=19),
    ),
    Fault("staging/accounts", "accounts_have_state", "one row for each date, account_id", repeated("staging/accounts")),
    *(
        Fault(
            "staging/accounts",
            "accounts_have_state",
            f"an eligible account has a {column}",
            changed("staging/accounts", **{column: None}),
        )
        for column in ("status", "starting_balance", "state_date")
    ),
    Fault("staging/trades", "trades_resolved", "nearly all trades have their account", unresolved),
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
    *(
        Fault(
            "features/account_daily",
            "features_valid",
            f"{name} is within 0 and 1",
            changed("features/account_daily", **{name: value}),
        )
        for name, value in zip(SHARES, [1.001, -0.001] * len(SHARES), strict=False)
    ),
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
        Fault("predictions/account_daily", "predictions_valid", says, changed("predictions/account_daily", **values))
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
