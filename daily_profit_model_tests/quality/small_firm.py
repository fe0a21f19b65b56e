"""A firm of four accounts in the lake, right in every respect, and the means to spoil a day of it. No tests here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY
from daily_profit_model.lake import Lake, write, write_revision
from daily_profit_model.quality.rule import Rule
from daily_profit_model.quality.rules_bars import BARS_RULES
from daily_profit_model.quality.rules_features import features_rules, shares_of
from daily_profit_model.quality.rules_monitoring import FeedThresholds, Threshold, monitoring_rules
from daily_profit_model.quality.rules_predictions import PREDICTIONS_RULES
from daily_profit_model.quality.rules_raw import RAW_RULES
from daily_profit_model.quality.rules_reconciliation import RECONCILIATION_RULES
from daily_profit_model.quality.rules_staging import STAGING_RULES
from daily_profit_model.quality.rules_training import training_rules
from daily_profit_model.tables import Table
from daily_profit_model.tables.monitoring import FEED_HEALTH
from daily_profit_model.tables.predictions import PORTFOLIO_DAILY, PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model.tables.raw import RAW_TABLES
from daily_profit_model.tables.reconciliation import MONITORING_RECONCILIATION
from daily_profit_model.tables.staging import STAGING_ACCOUNTS, STAGING_TRADES

FEED_THRESHOLDS = FeedThresholds(
    failure_rate=Threshold(0.10, 0.30),
    latency_s=Threshold(2.0, 5.0),
    live_staleness_min=Threshold(5.0, 10.0),
    daily_staleness_h=Threshold(25.0, 48.0),
)
"""Those of the issue that asked for them; the settings' defaults."""
RULES: tuple[Rule, ...] = (
    *RAW_RULES,
    *BARS_RULES,
    *STAGING_RULES,
    *features_rules(FEATURES_ACCOUNT_DAILY),
    *training_rules(TRAINING_ACCOUNT_DAILY),
    *PREDICTIONS_RULES,
    *RECONCILIATION_RULES,
    *monitoring_rules(FEED_THRESHOLDS),
)
TABLES = {
    table.name: table
    for table in (
        *RAW_TABLES,
        STAGING_ACCOUNTS,
        STAGING_TRADES,
        FEATURES_ACCOUNT_DAILY,
        TRAINING_ACCOUNT_DAILY,
        PREDICTIONS_ACCOUNT_DAILY,
        PORTFOLIO_DAILY,
        MONITORING_RECONCILIATION,
        FEED_HEALTH,
    )
}
SHARES = shares_of(FEATURES_ACCOUNT_DAILY)
ACCOUNTS = 4
COSTS = -1.5
Record = dict[str, Any]


@dataclass
class Day:
    """What a day's files will hold: records by table, and counts for the footers that differ from the truth."""

    rows: dict[str, list[Record]]
    facts: dict[str, Record]


Spoil = Callable[[Day], None]


def nothing(day: Day) -> None:
    """Spoil nothing."""


def good_day(day: str) -> Day:
    """All tables of `day`; predictions are those of `day`, from the day before."""
    today = date.fromisoformat(day)
    accounts = [
        {"date": today, "platform": 5, "broker": 1, "login": f"{700 + place}", "account_id": f"a{place}"}
        for place in range(ACCOUNTS)
    ]
    state = {"status": 1, "phase": 2, "starting_balance": 50_000.0, "is_live": True}
    noon = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    trades = [
        {
            **without(account, "account_id"),
            "position": f"p{part}",
            "ticket": None,
            "side": ("buy", "sell")[part],
            "lots": 0.5,
            "open_time": noon,
            "close_time": noon + timedelta(hours=part),
            "profit": 100.0 * part,
            "commission": COSTS,
            "std_symbol": "EURUSD",
            "open_price": 1.100,
            "close_price": 1.101,
            "is_resolved": True,
        }
        for account in accounts
        for part in range(2)
    ]
    eligible = {**state, "state_date": today, "is_eligible": True}
    predicted = {
        "prediction_date": today,
        "feature_date": today - timedelta(days=1),
        "plan_id": "7",
        "model_version": "v",
        "model_hash": "h",
        "forecaster": "l1",
        "predicted_net_profit": 10.0,
        "expected_net_profit": 12.0,
        "lower_90": -5.0,
        "upper_90": 40.0,
        "probability_trade": 0.7,
        "probability_profit": 0.4,
        "features_hash": "f",
        "snapshot_hash": "s",
        "calibration_version": "c",
        "code_version": "3-x",
        "top_features": [reason(-3.0), reason(2.0), reason(0.5)],
        "as_of": noon,
    }
    health = {"date": today, "calls": 10, "failure_rate": 0.1, "latency_p95_s": 2.0}
    metrics = {**state, "net_profit": 100.0 + 2 * COSTS, "gross_profit": 100.0, "gross_loss": 0.0}
    return Day(
        rows={
            "raw/plans": [{"date": today, "plan_id": "7"}],
            "raw/accounts": [{**account, **state} for account in accounts],
            "raw/metrics_daily": [{**account, **metrics} for account in accounts],
            "raw/metrics_hourly": [{**account, **metrics, "hour": 12} for account in accounts],
            "raw/trades_closed": trades,
            "raw/trades_open": trades[:2],
            "raw/market_regimes": [{"date": today, "eurusd_last_price": 1.101}],
            "raw/market_bars": [bar(today, symbol, hour) for symbol in ("EURUSD", "GBPUSD") for hour in range(24)],
            "raw/quarantine": [],
            "staging/accounts": [{**account, **eligible} for account in accounts],
            "staging/trades": trades,
            "features/account_daily": [
                {**without(account, "platform", "broker"), **dict.fromkeys(SHARES, 0.5)} for account in accounts
            ],
            "training/account_daily": [
                {
                    **without(account, "date", "platform", "broker"),
                    "cutoff": today,
                    "feature_date": today - timedelta(days=1),
                    "target_date": today,
                    "target_status": "idle",
                    "target_net_profit": 0.0,
                }
                for account in accounts
            ],
            "predictions/account_daily": [{**account, **predicted} for account in accounts],
            "predictions/portfolio_daily": [
                {
                    "prediction_date": today,
                    "level": level,
                    "member": level,
                    "accounts": len(accounts),
                    "expected_net_profit": 12.0 * len(accounts),
                    "days_of_evidence": 0,
                    "model_version": "v",
                }
                for level in ("firm", "plan")
            ],
            "monitoring/feed_health": [
                {**health, "endpoint": "v2/metrics/alltime", "is_live": True, "staleness_s": 300.0},
                {**health, "endpoint": "v2/trades/closed", "is_live": False, "staleness_s": 25 * 3600.0},
            ],
            "monitoring/reconciliation": [
                {
                    "date": today,
                    "table_name": table,
                    "finding": "summary",
                    "severity": "ok",
                    "measure": "rows",
                    "compared_with": "service",
                }
                for table in ("raw/trades_closed", "raw/trades_open")
            ],
        },
        facts={},
    )


def bar(day: date, symbol: str, hour: int) -> Record:
    start = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    prices = {"open": 1.100, "high": 1.102, "low": 1.098, "close": 1.101}
    return {"date": day, "symbol": symbol, "bar_start": start, "interval": "1h", **prices, "volume": 10.0}


def store(lake: Lake, day: str, tables: Sequence[str], spoil: Spoil = nothing) -> None:
    """Write `tables` of a day, spoiled; footers count what a truthful fetch would have counted."""
    made = good_day(day)
    spoil(made)
    for name in tables:
        table, records = TABLES[name], made.rows[name]
        rows = pa.Table.from_pylist([complete(table, record) for record in records], schema=table.schema())
        if not table.revisions:
            write(lake, table, day, rows, code_version="1")
            continue
        facts = {"received": len(records), "stored": len(records), "quarantined": 0, "test_accounts": 0, "repeated": 0}
        ingested_at = datetime.fromisoformat(f"{day}T06:00:00+00:00") + timedelta(days=1)
        facts |= made.facts.get(name, {})
        write_revision(lake, table, day, rows, ingested_at=ingested_at, code_version="1", facts=facts)


def day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def tables_of(rule: Rule) -> list[tuple[str, int]]:
    """The tables that a rule reads, each with how many days earlier."""
    if rule.frame.query is None:
        return [(table.name, 0) for table in (rule.frame.table, *rule.frame.footers)]
    return [(source.table.name, -source.first) for source in rule.frame.query.sources]


def reason(contribution: float) -> Record:
    return {"name": "balance", "value": "1", "contribution": contribution}


def complete(table: Table, record: Record) -> Record:
    return {name: record.get(name) for name in table.column_names}


def without(record: Record, *names: str) -> Record:
    return {name: value for name, value in record.items() if name not in names}
