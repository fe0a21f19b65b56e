"""From the catalogue to one query, the same for one day and for any range of days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from daily_profit_model.engine import WANTED, Query, Source
from daily_profit_model.engine.query import Reads
from daily_profit_model.features.catalogue import CATALOGUE, IDENTITY
from daily_profit_model.features.feature import Feature
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY
from daily_profit_model.features.windows import LIFE, STAGES
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import RAW_MARKET_REGIMES
from daily_profit_model.tables.staging import STAGING_ACCOUNTS

_TABLES: tuple[Table, ...] = (STAGING_ACCOUNTS, FEATURES_TRADE_DAILY, RAW_MARKET_REGIMES)

_PROFIT = ("profit_lags", "profit_3", "profit_5", "profit_10", "profit_20", "profit_60")
_REGIMES = RAW_MARKET_REGIMES.view_name
_READ_BY: Mapping[str, tuple[str, ...]] = {
    "static": (),
    "state": (),
    "performance": _PROFIT,
    "memory": _PROFIT,
    "behaviour": ("trades_5", "trades_20", "symbol_windows"),
    "market": ("symbol_windows", _REGIMES),
    "calendar": (),
    "peers": ("peers",),
}
"""Family → the stages and tables, beside the account's own row of the day, that its expressions name."""
_SPARSE = ("symbol_windows", "peers", _REGIMES)
"""Those without a row where there is nothing to tell."""


def account_daily_query(catalogue: Sequence[Feature] = CATALOGUE) -> Query:
    """features/account_daily: one row per eligible account and day, from its look-back.

    With a part of the `catalogue`, only what these features need is read and made.
    """
    read = list(dict.fromkeys(name for feature in catalogue for name in _READ_BY[feature.family]))
    days = _days_read(read)
    stages = tuple(stage for stage in STAGES if stage.name in days)
    sources = tuple(Source(table, first=1 - days[table.view_name]) for table in _TABLES if table.view_name in days)
    reads: Reads = dict.fromkeys((STAGING_ACCOUNTS.view_name, *read), (0,))
    return Query(_sql(catalogue, read), sources, stages=stages, reads=reads, is_portable=True)


def look_back_days() -> Mapping[Table, int]:
    """Each table that is read → how many days of it a day needs, its own counted."""
    return {source.table: 1 - source.first for source in account_daily_query().sources}


def _days_read(read: Sequence[str]) -> Mapping[str, int]:
    """Each stage and table on which `read` rests → how many days of it a day needs, its own counted."""
    days = dict.fromkeys((STAGING_ACCOUNTS.view_name, *read), 1)
    for stage in reversed(STAGES):
        if stage.name in days:
            for name, lags in stage.reads.items():
                days[name] = max(days.get(name, 1), days[stage.name] + max(lags))
    return days


def _sql(catalogue: Sequence[Feature], read: Sequence[str]) -> str:
    expressions = ",\n    ".join(
        [*(column.name for column in IDENTITY), *(f"{feature.sql} as {feature.name}" for feature in catalogue)]
    )
    joins = "\n".join(
        f"{'left join' if name in _SPARSE else 'join'} (\n    select *\n    from {name}\n"
        f"    where date in (select date from {WANTED})\n) as {name}\n"
        f"    using ({'date' if name == _REGIMES else ', '.join(LIFE)})"
        for name in read
    )
    return f"""select
    {expressions}
from (
    select *
    from staging_accounts
    where date in (select date from {WANTED})
        and is_eligible
) as account_days
{joins}"""
