"""Faults of the staging tables and of features/trade_daily. No tests here."""

from __future__ import annotations

from datetime import date, timedelta

from daily_profit_model_tests.quality.small_firm import Day
from daily_profit_model_tests.quality.spoils import Fault, changed, repeated

ACCOUNTS, TRADES, TRADE_DAYS = "staging/accounts", "staging/trades", "features/trade_daily"
EARLIER, LATER = date(2020, 1, 1), date(2030, 1, 1)


def unresolved(day: Day) -> None:
    for trade in day.rows[TRADES][:2]:
        trade.update(is_resolved=False, account_id=None)


def stale(day: Day) -> None:
    row = day.rows[ACCOUNTS][0]
    old = row["date"] - timedelta(days=91)
    row.update(state_date=old, last_trade_date=old, has_traded=False, net_profit=0.0, trades_closed=0)


def one_trade_less(day: Day) -> None:
    day.rows[TRADES][0] = {**day.rows[TRADES][0], "net_profit": 0.0}
    day.rows[TRADES][1] = {**day.rows[TRADES][1], "net_profit": 97.0}
    day.rows[TRADES].append({**day.rows[TRADES][0], "position": "p2"})


STAGING_FAULTS = (
    *(
        Fault(ACCOUNTS, rule, says, spoil, tuple(also))
        for rule, says, spoil, *also in (
            ("accounts_have_state", "one row for each date, account_id", repeated(ACCOUNTS)),
            (
                "accounts_have_state",
                "an eligible account has a status",
                changed(ACCOUNTS, status=None),
                "state_as_told",
            ),
            (
                "accounts_have_state",
                "an eligible account has a starting_balance",
                changed(ACCOUNTS, starting_balance=None),
                "state_as_told",
            ),
            ("accounts_have_state", "an eligible account has a state_date", changed(ACCOUNTS, state_date=None)),
            (
                "eligibility_agrees",
                "who is not eligible has a reason, and who is has none",
                changed(ACCOUNTS, ineligible_reason="ended"),
            ),
            ("eligibility_agrees", "no eligible account has ended", changed(ACCOUNTS, status=2), "state_as_told"),
            ("eligibility_agrees", "the state comes from a source that is known", changed(ACCOUNTS, state_source="x")),
            ("state_fresh", "no eligible account is carried on for more than 90 days", stale, "state_as_told"),
            (
                "balances_positive",
                "an eligible account has balances above zero",
                changed(ACCOUNTS, balance=0.0),
                "state_as_told",
            ),
            (
                "state_as_told",
                "an account's state is what its metrics of the day say",
                changed(ACCOUNTS, net_profit=9_700.0),
            ),
            (
                "terms_known",
                "the plan's terms are known of nearly all eligible accounts",
                changed(ACCOUNTS, plan_valid_from=None),
            ),
            (
                "nothing_from_the_future",
                "no date of a row lies after its day",
                changed(ACCOUNTS, first_seen_date=LATER),
            ),
            (
                "idle_is_zero",
                "without a trade the day's profit is zero, and with one it is the last trading day",
                changed(ACCOUNTS, last_trade_date=EARLIER),
            ),
            ("high_holds", "the highest equity is not below the equity", changed(ACCOUNTS, equity_high=59_999.0)),
            (
                "counters_possible",
                "counts of positions and trading days contain one another",
                changed(ACCOUNTS, active_days_at_last_non_win=2),
            ),
        )
    ),
    *(
        Fault(TRADES, rule, says, spoil)
        for rule, says, spoil in (
            ("trades_valid", "one row for each date, platform, broker, login, position, ticket", repeated(TRADES)),
            ("trades_valid", "every trade has its class and its session", changed(TRADES, symbol_class=None)),
            ("trades_valid", "the class is one of the classes", changed(TRADES, symbol_class="bonds")),
            ("trades_valid", "the session is one of the sessions", changed(TRADES, session="sydney")),
            ("trades_valid", "no trade was held for less than no time", changed(TRADES, duration_hours=-1.0)),
            ("trades_valid", "net profit is profit and costs", changed(TRADES, net_profit=1.0)),
            (
                "trades_valid",
                "a trade is resolved when its account is known, and only then",
                changed(TRADES, account_id=None),
            ),
            (
                "symbols_classed",
                "nearly all trades are in a class that is known",
                changed(TRADES, symbol_class="other"),
            ),
            ("trades_resolved", "nearly all trades have their account", unresolved),
        )
    ),
    *(
        Fault(TRADE_DAYS, rule, says, spoil)
        for rule, says, spoil in (
            ("trade_days_valid", "one row for each date, account_id", repeated(TRADE_DAYS)),
            ("trade_days_valid", "no part of the trades is larger than all of them", changed(TRADE_DAYS, buys=3)),
            (
                "trade_days_valid",
                "lots, volumes, times and gross profit are not negative, losses not positive",
                changed(TRADE_DAYS, lots_max=2.0),
            ),
            (
                "trade_days_valid",
                "no sum is infinite or not a number",
                changed(TRADE_DAYS, volume_usd=float("inf")),
            ),
            (
                "trade_days_equal_trades",
                "every account with a resolved trade has its row, with all of them",
                one_trade_less,
            ),
            (
                "trade_days_equal_trades",
                "gross profit and gross loss add up to the net profit of the trades",
                changed(TRADE_DAYS, gross_profit=98.49),
            ),
        )
    ),
)
