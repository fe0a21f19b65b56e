"""The rows of a firm of four accounts, right in every respect. Storing and spoiling them: `small_firm`. No tests here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
from daily_profit_model.tables.monitoring import MODEL_PERFORMANCE
from daily_profit_model.tables.segments import MEASURES
from daily_profit_model_tests.quality.good_shadow import good_shadow_rows, served_by_shadow

ACCOUNTS = 4
COSTS = -1.5
NET_PROFIT = 100.0 + 2 * COSTS
FIRST_BALANCE = date(2026, 1, 1)
ENDED = 1
"""Row of the daily metrics that is of an account that has ended."""
IDLE = {
    "num_trades": 0,
    **dict.fromkeys(("net_profit", "gross_profit", "gross_loss", "total_lots", "total_volume"), 0.0),
    **dict.fromkeys(("prior_days_balance", "current_balance", "current_equity"), 40_000.0),
    **dict.fromkeys(("success_rate", "mean_profit", "most_traded_smb_trades", "num_traded_symbols")),
    **dict.fromkeys(("max_num_consec_wins", "max_num_consec_losses", "max_num_trades_in_dd")),
}
"""What its row says of trades."""
LOWER_90, UPPER_90 = -6.94, 43.44
"""Both reaches to the scored quantiles, and a fiftieth of the profit scale with each, stretched by 1.1."""
HASH = "0a" * 32
Record = dict[str, Any]


def _feature(kind: pa.DataType) -> object:
    return {pa.float64(): 0.5, pa.int64(): 1, pa.bool_(): True}.get(kind, "calm")


FEATURES: Record = {
    column.name: _feature(column.type)
    for column in FEATURES_ACCOUNT_DAILY.columns
    if column.name not in ("date", "account_id", "login", "plan_id")
}


def hash_of(features: Record) -> str:
    """The hash of a row of features, from how DuckDB writes their values."""
    words = {True: "true", False: "false", None: "∅"}
    texts = [words[value] if value is None or isinstance(value, bool) else str(value) for value in features.values()]
    return hashlib.sha256("|".join(texts).encode()).hexdigest()


FEATURES_HASH = hash_of(FEATURES)


def good_rows(today: date) -> dict[str, list[Record]]:
    """The rows of every table of a day, by table; predictions are those of `today`, from the day before."""
    yesterday = today - timedelta(days=1)
    accounts = [
        {"date": today, "platform": 5, "broker": 1, "login": f"{700 + place}", "account_id": f"a{place}"}
        for place in range(ACCOUNTS)
    ]
    keys = [{"prediction_date": today, "account_id": account["account_id"]} for account in accounts]
    return {
        **_raw(today, accounts),
        **_staged(today, accounts),
        **_modeled(today, yesterday, accounts, keys),
        **_monitored(today, keys),
        **good_shadow_rows(today, keys, HASH),
    }


def _raw(today: date, accounts: Sequence[Record]) -> dict[str, list[Record]]:
    noon = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    metrics = _metrics(today)
    trades = _trades(today, accounts)
    return {
        "raw/plans": [
            {
                "date": today,
                "plan_id": "7",
                "starting_balance": 50_000.0,
                "leverage": 30.0,
                "max_trailing_drawdown_pct": 10.0,
                "is_drawdown_relative": False,
                "inactivity_period": 30,
                "profit_share_pct": 80.0,
                "archived": False,
                "valid_from": noon - timedelta(days=30),
            },
            # absurd, and nobody is sold it any more
            {"date": today, "plan_id": "8", "starting_balance": 1.0, "maximum_time": 999, "archived": True},
        ],
        "raw/accounts": [{**account, **metrics, "is_live": True} for account in accounts],
        "raw/metrics_daily": [
            {**accounts[0], **metrics},
            {**accounts[0], **metrics, **IDLE, "login": "709", "account_id": "a9", "status": 3},
            *({**account, **metrics} for account in accounts[1:]),
        ],
        "raw/metrics_hourly": [{**account, **metrics, "hour": 12, "datetime": noon} for account in accounts],
        "raw/trades_closed": trades,
        "raw/trades_open": [{**trade, "position": f"open {trade['position']}"} for trade in trades[:2]],
        "raw/market_regimes": [
            {
                "date": today,
                "known_at": noon + timedelta(hours=13),
                **dict.fromkeys(("sentiment_score", "to_risk_on", "to_risk_off", "to_vol_spike"), 0.4),
                "news_count": 40,
                **dict.fromkeys(
                    ("volatility_regime", "liquidity_state", "sentiment_level", "yield_curve_shape"), "calm"
                ),
                "spx500_last_price": 5900.0,
                "eurusd_last_price": 1.101,
                "spx500_daily_return": -0.01,
                "spx500_volatility_90d": 0.2,
                "treasury_2_year": 4.0,
            }
        ],
        "raw/market_bars": [bar(today, symbol, hour) for symbol in ("EURUSD", "GBPUSD") for hour in range(24)],
        "raw/quarantine": [
            {
                "date": today,
                "table": "raw/trades_closed",
                "reason": reason_code,
                "payload": payload,
                "payload_hash": "0a" * 32,
                "occurrence": 0,
            }
            for reason_code, payload in (("unknown_side", '{"side": "Hold"}'), ("unreadable_json", "{"))
        ],
    }


def bar(day: date, symbol: str, hour: int) -> Record:
    """An hour of a symbol."""
    start = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    prices = {"open": 1.100, "high": 1.102, "low": 1.098, "close": 1.101}
    return {"date": day, "symbol": symbol, "bar_start": start, "interval": "1h", **prices, "volume": 10.0}


def _metrics(today: date) -> Record:
    """A day's, an hour's or a life's statistics of the two trades of `_trades`."""
    noon = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    balance = balance_of(today)
    return {
        "status": 1,
        "phase": 2,
        "plan_id": "7",
        "starting_balance": 50_000.0,
        "prior_days_balance": balance - NET_PROFIT,
        "current_balance": balance,
        "current_equity": balance,
        **dict.fromkeys(("approved_payouts", "pending_payouts", "todays_payouts"), 0.0),
        "first_trade_date": noon - timedelta(days=30),
        "first_trade_open": noon - timedelta(days=30),
        "last_trade_open": noon,
        "last_trade_close": noon + timedelta(hours=1),
        **dict.fromkeys(("days_since_first_trade", "days_since_initial_deposit", "life_time_in_days"), 30.0),
        "net_profit": NET_PROFIT,
        "gross_profit": 100.0,
        "gross_loss": 0.0,
        "success_rate": 50.0,
        "mean_profit": NET_PROFIT / 2,
        **dict.fromkeys(("min_profit", "profit_perc10", "profit_perc25"), COSTS),
        "median_profit": NET_PROFIT / 2,
        **dict.fromkeys(("profit_perc75", "profit_perc90", "max_profit"), 98.5),
        **dict.fromkeys(("num_trades", "most_traded_smb_trades"), 2),
        **dict.fromkeys(("max_num_consec_wins", "max_num_consec_losses", "max_num_trades_in_dd"), 1.0),
        "num_traded_symbols": 1,
        "min_duration": 0.0,
        **dict.fromkeys(("mean_duration", "median_duration"), 0.5),
        "max_duration": 1.0,
        "total_lots": 1.0,
        "total_volume": 110_000.0,
    }


def balance_of(day: date) -> float:
    """Of every account, at the end of the day."""
    return 60_000.0 + NET_PROFIT * (day - FIRST_BALANCE).days


def _trades(today: date, accounts: Sequence[Record]) -> list[Record]:
    """Two closed trades an account: one that made nothing, one that made 100 USD; as raw and as staged rows."""
    noon = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    return [
        {
            **account,
            "position": f"p{part}",
            "ticket": None,
            "trd_symbol": "EURUSD.x",
            "std_symbol": "EURUSD",
            "symbol_class": "forex",
            "session": "london",
            "side": ("buy", "sell")[part],
            "lots": 0.5,
            "contract_size": 100_000.0,
            "qty_in_base_crncy": 50_000.0,
            "volume_usd": 55_000.0,
            "open_time": noon - timedelta(hours=part),
            "open_price": (1.1, 1.102)[part],
            "close_time": noon,
            "close_price": 1.1,
            "duration": float(part),
            "duration_hours": float(part),
            "profit": 100.0 * part,
            "commission": COSTS,
            "costs": COSTS,
            "net_profit": 100.0 * part + COSTS,
            "is_resolved": True,
        }
        for account in accounts
        for part in range(2)
    ]


def _staged(today: date, accounts: Sequence[Record]) -> dict[str, list[Record]]:
    state = {
        "status": 1,
        "phase": 2,
        "plan_id": "7",
        "starting_balance": 50_000.0,
        **dict.fromkeys(("balance", "equity", "equity_high"), balance_of(today)),
        **dict.fromkeys(("approved_payouts", "pending_payouts"), 0.0),
        "state_source": "metrics",
        **dict.fromkeys(("state_date", "first_seen_date", "last_trade_date"), today),
        "net_profit": NET_PROFIT,
        "trades_closed": 2,
        "has_traded": True,
        "open_positions": 0,
        **dict.fromkeys(("active_trading_days", "active_days_at_last_non_win", "active_days_at_last_non_loss"), 1),
        "plan_valid_from": datetime(2026, 1, 1, tzinfo=UTC),
        "is_eligible": True,
    }
    traded = {
        **dict.fromkeys(("trades", "forex_trades", "london_trades"), 2),
        **dict.fromkeys(("winning_trades", "losing_trades", "buys", "trades_after_win", "trades_after_loss"), 1),
        **dict.fromkeys(
            (
                *("trades_with_stop_loss", "trades_with_take_profit", "weekend_trades", "metals_trades"),
                *("index_trades", "crypto_trades", "energy_trades", "asia_trades", "new_york_trades"),
            ),
            0,
        ),
        "lots": 1.0,
        "lots_max": 0.5,
        "volume_usd": 110_000.0,
        "gross_profit": 98.5,
        "gross_loss": COSTS,
        "duration_hours": 1.0,
    }
    return {
        "staging/accounts": [{**account, **state} for account in accounts],
        "staging/trades": _trades(today, accounts),
        "features/trade_daily": [{**account, **traded} for account in accounts],
    }


def _modeled(
    today: date, yesterday: date, accounts: Sequence[Record], keys: Sequence[Record]
) -> dict[str, list[Record]]:
    cut_off = datetime(today.year, today.month, today.day, 6, tzinfo=UTC)
    served = {"feature_date": yesterday, "as_of": cut_off}
    model = {"model_version": "20260201-0a0a0a0a", "model_hash": HASH}
    predicted = {
        **served,
        **model,
        "plan_id": "7",
        "forecaster": "l1",
        "predicted_net_profit": 10.0,
        "expected_net_profit": 12.0,
        "lower_90": LOWER_90,
        "upper_90": UPPER_90,
        "probability_trade": 0.7,
        "probability_profit": 0.4,
        "features_hash": HASH,
        "snapshot_hash": HASH,
        "calibration_version": HASH[:16],
        "code_version": f"5-{HASH[:16]}",
        "served_by": "champion",
        "top_features": [reason(-3.0), reason(2.0), reason(0.5)],
    }
    scores = {**model, "median": 10.0, "mean": 12.0, "q05": -5.0, "q95": 40.0, "profit_scale": 20.0}
    return {
        "features/account_daily": [{**account, **FEATURES} for account in accounts],
        "training/account_daily": [
            {
                "cutoff": today,
                "account_id": account["account_id"],
                "login": account["login"],
                "feature_date": yesterday,
                "target_date": today,
                "target_status": "idle",
                "target_net_profit": 0.0,
            }
            for account in accounts
        ],
        "models/net_profit": [
            {
                "cutoff": today,
                "version": "20260201-0a0a0a0a",
                "model_hash": HASH,
                "manifest_hash": HASH,
                "skill": 0.06,
                "skill_lower": 0.03,
                "skill_upper": 0.09,
                "coverage_90": 0.9,
                "miss_lower": 0.06,
                "miss_upper": 0.04,
                **dict.fromkeys(("pinball_05", "pinball_50", "pinball_95", "mean_absolute_error"), 50.0),
                **dict.fromkeys(("folder", "best_baseline"), "zero"),
                **dict.fromkeys(("rows", "train_days", "validation_days", "calibration_days", "test_days"), 8),
            }
        ],
        "models/champion": [
            {
                "cutoff": today,
                "in_force_from": today + timedelta(days=2),
                "version": "20260201-0a0a0a0a",
                "model_hash": HASH,
                "decision": "promoted",
                "reason": "skill excludes zero",
                "evidence": "{}",
            }
        ],
        "predictions/feature_snapshots": [
            {**key, **served, **FEATURES, "features_hash": FEATURES_HASH} for key in keys
        ],
        "predictions/model_scores": [
            {**key, **scores, "probability_trade": 0.7, "probability_profit": 0.4} for key in keys
        ],
        "predictions/account_daily": [
            row if account is not accounts[-1] else served_by_shadow(row)
            for key, account in zip(keys, accounts, strict=True)
            for row in [{**key, **predicted, "login": account["login"]}]
        ],
        "predictions/portfolio_daily": [
            {
                "prediction_date": today,
                "level": level,
                "member": level,
                "accounts": len(accounts),
                "expected_net_profit": 12.0 * len(accounts),
                "lower_90": -50.0,
                "upper_90": 90.0,
                "days_of_evidence": 30,
                "model_version": "v",
            }
            for level in ("firm", "plan")
        ],
    }


def _monitored(today: date, keys: Sequence[Record]) -> dict[str, list[Record]]:
    health = {"date": today, "calls": 10, "ok": 9, "failures": 1, "timeout": 1, "http_429": 0, "retries": 1}
    health |= dict.fromkeys(("connection", "reset", "http_5xx", "broken_json", "error_envelope", "refused_4xx"), 0)
    health |= {"failure_rate": 0.1, "latency_p50_s": 1.0, "latency_p95_s": 2.0, "latency_p99_s": 9.0}
    group = {"prediction_date": today, "activity": "usual", "plan_type": "*", "calibration_version": HASH[:16]}
    losses = [name for name in MODEL_PERFORMANCE.column_names if name.startswith(("pinball", "baseline"))]
    measures = {name: 50.0 if unit == "USD" else 0.1 for name, (_, unit) in MEASURES.items()}
    measures |= {"bias": -50.0, "coverage_90": 0.9, "miss_lower": 0.06, "miss_upper": 0.04}
    outcome = {
        "predicted_net_profit": 10.0,
        "lower_90": LOWER_90,
        "upper_90": UPPER_90,
        "outcome_status": "traded",
        "net_profit": NET_PROFIT,
        **dict.fromkeys(("error", "absolute_error"), NET_PROFIT - 10.0),
        "is_covered": False,
        "is_below": False,
        "is_above": True,
    }
    return {
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
        "monitoring/conformity": [
            {
                **key,
                "activity": "often",
                "lower_excess": -5.1,
                "upper_excess": 2.85,
                "lower_stretch": 0.0,
                "upper_stretch": 2.9,
                "model_version": "v",
                "model_hash": HASH,
            }
            for key in keys
        ],
        "monitoring/interval_calibration": [
            {**group, "tail": tail, "level": 0.05, "threshold": 1.1, "window_miss_rate": 0.05, "miss_rate": 0.05}
            for tail in ("lower", "upper")
        ],
        "monitoring/outcomes": [{**key, **outcome} for key in keys],
        "monitoring/model_performance": [
            {
                "prediction_date": today,
                "model_version": "v",
                "accounts": ACCOUNTS,
                **dict.fromkeys((*losses, "winkler_90"), 50.0),
                "mean_absolute_error": 100.0,
                "coverage_90": 0.9,
                "miss_lower": 0.06,
                "miss_upper": 0.04,
                "brier_trade": 0.1,
            }
        ],
        "monitoring/segment_performance": [
            {
                "prediction_date": today,
                "segment_by": segment_by,
                "segment": "all",
                "accounts": ACCOUNTS,
                "days_28d": 5,
                **{f"{name}{days}": value for name, value in measures.items() for days in ("", "_28d")},
            }
            for segment_by in ("all", "plan")
        ],
        "monitoring/drift": [
            {
                "prediction_date": today,
                "kind": kind,
                "column_name": name,
                "statistic": "location",
                "model_version": "v",
                "model_hash": HASH,
                "rows": ACCOUNTS,
                "known_rows": ACCOUNTS,
                "value": 0.1,
                **dict.fromkeys(("shift", "sum_up", "recent_shift", "rise"), 0.5),
                "sum_down": 0.0,
                "threshold": 1.0,
                "is_alarm": False,
                "blame_rank": 1 if kind == "feature" else None,
            }
            for kind, name in (("feature", "balance"), ("prediction", "predicted_median"))
        ],
        "monitoring/degradation": [
            {
                "prediction_date": today,
                "measure": measure,
                "settled_date": today - timedelta(days=1),
                "model_version": "v",
                "model_hash": HASH,
                "accounts": ACCOUNTS,
                **dict.fromkeys(("value", "usual_value", "shift", "sum_up"), 0.5),
                "threshold": 1.0,
                "is_alarm": False,
                "expected_error": 20.0,
                "expected_error_lower": 15.0,
                "expected_error_upper": 25.0,
                "usual_error": 19.0,
            }
            for measure in ("pinball", "relative_pinball")
        ],
        "monitoring/storage": [
            {"date": today, "table": "raw/plans", "partitions": 3, "files": 5, "superseded_files": 2, "bytes": 900}
        ],
    }


def reason(contribution: float) -> Record:
    return {"name": "balance", "value": "1", "contribution": contribution}
