"""From raw tables to features: every table on the way with its query, in the order in which they are made.

When they are made is decided by the graph; the audit walks the same list to make them once more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from daily_profit_model.engine import Query
from daily_profit_model.features.catalogue import FEATURES_ACCOUNT_DAILY
from daily_profit_model.features.compiler import account_daily_query
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY, trade_daily_query
from daily_profit_model.lake import Lake
from daily_profit_model.staging.accounts import accounts_query
from daily_profit_model.staging.trades import trades_query
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import RAW_ACCOUNTS, RAW_TEST_LOGINS
from daily_profit_model.tables.staging import STAGING_ACCOUNTS, STAGING_TRADES


@dataclass(frozen=True)
class Step:
    """A table that is made, and how: the query for a lake, since some look a value up in it."""

    table: Table
    query: Callable[[Lake], Query]


def pipeline(dormant_days: int) -> tuple[Step, ...]:
    """Every table between raw and features; a step reads raw tables, its own past and the steps before it."""
    return (
        Step(STAGING_ACCOUNTS, lambda _: accounts_query(dormant_days)),
        Step(STAGING_TRADES, trades_query),
        Step(FEATURES_TRADE_DAILY, lambda _: trade_daily_query()),
        Step(FEATURES_ACCOUNT_DAILY, lambda _: account_daily_query()),
    )


LATER_IDENTITIES: Mapping[str, tuple[str, ...]] = {
    RAW_ACCOUNTS.name: ("account_id", "login", "platform", "broker"),
    RAW_TEST_LOGINS.name: ("login", "platform", "broker"),
}
"""What of a later snapshot may be used for a past day: whose login it is, and nothing else (`staging.trades`).
Of a login that no trade of the day names not even that: who is still known later is the future (`audit.logins`)."""
