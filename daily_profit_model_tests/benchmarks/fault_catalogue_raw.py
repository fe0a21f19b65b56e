"""Faults of the raw tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from daily_profit_model_tests.benchmarks.fault_catalogue import ALL, FIFTH, HALF, ONE, PART, Fault, of
from daily_profit_model_tests.benchmarks.fault_kinds import (
    NEARLY_ALL,
    PAGE,
    added,
    changed,
    constant,
    counted,
    frozen,
    lost,
    new_row,
    nulled,
    page_lost,
    respelt,
    said,
    scaled,
    swapped,
    swollen,
    twice,
    uncounted,
)

DAILY, HOURLY, CLOSED, OPEN = "raw/metrics_daily", "raw/metrics_hourly", "raw/trades_closed", "raw/trades_open"
ACCOUNTS, PLANS, REGIMES, BARS = "raw/accounts", "raw/plans", "raw/market_regimes", "raw/market_bars"
QUARANTINE = "raw/quarantine"
FETCHED = (ACCOUNTS, DAILY, HOURLY, CLOSED, OPEN, PLANS, REGIMES, BARS)
FROM_API = FETCHED[:5]
FUTURE = datetime(2030, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
REJECTED = {
    "table": CLOSED, "reason": "unreadable_date", "detail": "closeTime", "payload": "{}", "payload_hash": "a" * 64,
    "occurrence": 1,
}  # fmt: skip


def _footers() -> list[Fault]:
    return [
        *(
            fault
            for table, size in ((table, ALL if table == REGIMES else ONE) for table in FETCHED)
            for fault in of(table, "rows lost uncounted", ("", size, uncounted(size)))
        ),
        *(
            fault
            for table in (DAILY, CLOSED, ACCOUNTS)
            for fault in of(table, "unknown field", ("", "field", counted(unknown_fields={"riskFlag": 10})))
        ),
        *(
            fault
            for table in (HOURLY, OPEN)
            for fault in of(table, "unreadable values", ("", "field", counted(unreadable={"swap": 10})))
        ),
        *(
            fault
            for table in (DAILY, HOURLY, CLOSED, ACCOUNTS)
            for fault in of(table, "quarantine swollen", ("", "10%", swollen(0.1)))
        ),
    ]


def _daily() -> list[Fault]:
    profits = ("net profit", "profit")
    balances = ("balance",)
    return [
        *of(DAILY, "rows lost", ("", ONE, lost(ONE)), ("", PAGE, page_lost("login")), ("", NEARLY_ALL, lost(NEARLY_ALL))),
        *of(DAILY, "rows twice", ("", ONE, twice(ONE)), ("", PAGE, twice(PAGE)), ("", ALL, twice(ALL))),
        *of(DAILY, "day frozen", ("", ALL, frozen("date"))),
        *of(
            DAILY,
            "column null",
            *((name, ALL, nulled(name, ALL)) for name in ("net_profit", "starting_balance", "gross_profit", "total_lots")),
            *((name, PART, nulled(name, PART)) for name in ("status", "plan_id", "current_equity", "success_rate")),
        ),
        *of(DAILY, "×100", *((name, ALL, scaled(name, 100, ALL)) for name in ("net_profit", "gross_profit"))),
        *of(DAILY, "×100", ("current_balance", ALL, scaled("current_balance", 100, ALL)), names=balances),
        *of(DAILY, "×100", ("total_lots", HALF, scaled("total_lots", 100, HALF))),
        *of(
            DAILY,
            "÷100",
            *((name, ALL, scaled(name, 0.01, ALL)) for name in ("net_profit", "starting_balance", "total_volume")),
        ),
        *of(DAILY, "hours in minutes", ("mean_duration", ALL, scaled("mean_duration", 60, ALL))),
        *of(
            DAILY,
            "sign flipped",
            ("net_profit", ALL, scaled("net_profit", -1, ALL)),
            ("gross_loss", ALL, scaled("gross_loss", -1, ALL)),
            ("gross_profit", ONE, scaled("gross_profit", -1, ONE)),
        ),
        *of(
            DAILY,
            "columns swapped",
            ("gross_profit", ALL, swapped("gross_profit", "gross_loss", ALL)),
            ("profit_perc10", ALL, swapped("profit_perc10", "profit_perc90", ALL)),
            ("min_duration", ONE, swapped("min_duration", "max_duration", ONE)), names=("duration",),
        ),
        *of(DAILY, "columns swapped", ("current_balance", ALL, swapped("current_balance", "prior_days_balance", ALL)), names=balances),
        *of(DAILY, "unknown code", ("status", ONE, said("status", 7, ONE)), ("phase", PART, said("phase", 9, PART))),
        *of(DAILY, "label respelt", ("country", ALL, respelt("country", ALL)), ("most_traded_symbol", ALL, respelt("most_traded_symbol", ALL))),
        *of(DAILY, "new label", ("country", PART, said("country", "XX", PART))),
        *of(DAILY, "plan unknown", ("plan_id", ONE, said("plan_id", "999999", ONE)), ("plan_id", PART, said("plan_id", "999999", PART))),
        *of(DAILY, "balance off", ("current_balance", ONE, added("current_balance", 0.02, ONE)), ("current_balance", PART, added("current_balance", 137.5, PART)), names=balances),
        *of(DAILY, "count off", ("num_trades", PART, added("num_trades", 1, PART)), names=("trades",)),
        *of(DAILY, "profit off", ("net_profit", PART, added("net_profit", 0.02, PART)), ("net_profit", FIFTH, added("net_profit", 55.0, FIFTH)), names=profits),
        *of(DAILY, "dates of another day", ("first_trade_date", ONE, said("first_trade_date", FUTURE, ONE))),
        *of(DAILY, "column constant", ("mean_duration", ALL, constant("mean_duration")), ("net_profit", ALL, said("net_profit", 0.0, ALL))),
        *of(DAILY, "count off", ("most_traded_smb_trades", ONE, said("most_traded_smb_trades", 10**6, ONE)), ("success_rate", HALF, said("success_rate", 7777.0, HALF))),
        *of(DAILY, "sign flipped", ("approved_payouts", ONE, said("approved_payouts", -1.0, ONE))),
        *of(DAILY, "zero for nothing", ("current_equity", ONE, said("current_equity", 0.0, ONE))),
    ]  # fmt: skip


def _hourly() -> list[Fault]:
    return [
        *of(HOURLY, "rows lost", ("", PAGE, page_lost("login")), ("", NEARLY_ALL, lost(NEARLY_ALL))),
        *of(HOURLY, "rows twice", ("", ONE, twice(ONE)), ("", ALL, twice(ALL))),
        *of(HOURLY, "day frozen", ("", ALL, frozen("date")), ("", "instants too", frozen("date", ("datetime",)))),
        *of(HOURLY, "hour missing", *((f"hour {hour}", "an hour", lost(ALL, lambda row, hour=hour: row["hour"] == hour)) for hour in (9, 14)), names=("hour",)),
        *of(HOURLY, "hour twice", ("hour", ONE, twice(ONE, hour=25)), ("hour", HALF, twice(HALF))),
        *of(HOURLY, "dates of another day", ("datetime", ALL, added("datetime", -DAY, ALL)), ("datetime", "3 hours", added("datetime", timedelta(hours=3), ALL)), names=("instant", "hours off")),
        *of(HOURLY, "column null", ("net_profit", ALL, nulled("net_profit", ALL)), ("success_rate", PART, nulled("success_rate", PART)), ("plan_id", ALL, nulled("plan_id", ALL))),
        *of(HOURLY, "×100", ("net_profit", ALL, scaled("net_profit", 100, ALL)), ("total_lots", ALL, scaled("total_lots", 100, ALL)), names=("profit",)),
        *of(HOURLY, "÷100", ("total_volume", ALL, scaled("total_volume", 0.01, ALL)), ("starting_balance", ALL, scaled("starting_balance", 0.01, ALL))),
        *of(HOURLY, "sign flipped", ("gross_profit", ONE, scaled("gross_profit", -1, ONE)), ("net_profit", ALL, scaled("net_profit", -1, ALL)), names=("profit",)),
        *of(HOURLY, "unknown code", ("status", ONE, said("status", 9, ONE)), ("platform", ONE, new_row(platform=1))),
        *of(HOURLY, "label respelt", ("country", ALL, respelt("country", ALL))),
        *of(HOURLY, "columns swapped", ("profit_perc25", ALL, swapped("profit_perc25", "profit_perc75", ALL))),
        *of(HOURLY, "count off", ("max_num_consec_wins", ONE, said("max_num_consec_wins", 10.0**6, ONE)), ("num_trades", PART, added("num_trades", 1, PART)), names=("trades",)),
        *of(HOURLY, "hours in minutes", ("mean_duration", ALL, scaled("mean_duration", 60, ALL))),
    ]  # fmt: skip


def _closed() -> list[Fault]:
    prices, symbols = ("price", "profit"), ("symbol",)
    return [
        *of(CLOSED, "rows lost", ("", PAGE, page_lost("login")), ("", HALF, lost(HALF)), ("", NEARLY_ALL, lost(NEARLY_ALL))),
        *of(CLOSED, "rows twice", ("", ONE, twice(ONE)), ("", PAGE, twice(PAGE)), ("", ALL, twice(ALL))),
        *of(CLOSED, "day frozen", ("", ALL, frozen("date"))),
        *of(CLOSED, "dates of another day", ("close_time", "3 hours", added("close_time", timedelta(hours=3), ALL)), ("close_time", ALL, added("close_time", -DAY, ALL)), names=("closed", "close", "duration")),
        *of(CLOSED, "dates of another day", ("open_time", ONE, said("open_time", EPOCH, ONE)), names=("held", "opening")),
        *of(CLOSED, "closes before it opens", ("close_time", ONE, changed(ONE, lambda row: {"open_time": row["close_time"], "close_time": row["open_time"]}, lambda row: row["open_time"].date() == row["date"])), names=("closed",)),
        *of(CLOSED, "column null", ("commission", ALL, nulled("commission", ALL)), ("close_price", PART, nulled("close_price", PART)), ("volume_usd", PART, nulled("volume_usd", PART))),
        *of(CLOSED, "column null", ("std_symbol", FIFTH, changed(FIFTH, lambda _: {"std_symbol": None, "trd_symbol": None})), names=symbols),
        *of(CLOSED, "×100", *((name, ALL, scaled(name, 100, ALL)) for name in ("profit", "lots", "volume_usd", "commission"))),
        *of(CLOSED, "×100", ("profit", ONE, changed(ONE, lambda row: {"profit": row["profit"] * 100}, lambda row: row["std_symbol"] == "EURUSD" and abs(row["profit"]) > 10))),
        *of(CLOSED, "÷100", *((name, ALL, scaled(name, 0.01, ALL)) for name in ("profit", "contract_size", "lots")), names=("contract",)),
        *of(CLOSED, "hours in minutes", ("duration", ALL, scaled("duration", 60, ALL))),
        *of(CLOSED, "sign flipped", ("profit", ALL, scaled("profit", -1, ALL)), ("profit", ONE, changed(ONE, lambda row: {"profit": -row["profit"]}, lambda row: abs(row["profit"]) > 1)), ("commission", ALL, scaled("commission", -1, ALL)), ("lots", ONE, scaled("lots", -1, ONE))),
        *of(CLOSED, "columns swapped", ("open_price", ALL, swapped("open_price", "close_price", ALL)), names=prices),
        *of(CLOSED, "columns swapped", ("commission", ALL, swapped("commission", "volume_usd", ALL))),
        *of(CLOSED, "unknown code", ("side", ONE, said("side", "hold", ONE))),
        *of(CLOSED, "label respelt", ("side", ALL, respelt("side", ALL, str.upper)), ("std_symbol", ALL, respelt("std_symbol", ALL)), names=symbols),
        *of(CLOSED, "new label", ("std_symbol", PART, said("std_symbol", "NEWCOIN", PART)), names=symbols),
        *of(CLOSED, "symbol unknown", ("std_symbol", ONE, said("std_symbol", "price stream 4", ONE)), names=symbols),
        *of(CLOSED, "login of nobody", ("login", FIFTH, said("login", "999999", FIFTH))),
        *of(CLOSED, "price far away", ("close_price", ONE, scaled("close_price", 1.5, ONE)), ("open_price", ALL, changed(ALL, lambda row: {"open_price": row["open_price"] * 1.1, "close_price": row["close_price"] * 1.1})), names=prices),
        *of(CLOSED, "zero for nothing", ("open_price", ONE, said("open_price", 0.0, ONE)), names=prices),
        *of(CLOSED, "profit off", ("profit", PART, added("profit", 5.0, PART))),
        *of(CLOSED, "size impossible", ("lots", ONE, said("lots", 5000.0, ONE))),
    ]  # fmt: skip


def _open() -> list[Fault]:
    symbols = ("symbol",)
    return [
        *of(OPEN, "rows lost", ("", NEARLY_ALL, lost(NEARLY_ALL))),
        *of(OPEN, "rows twice", ("", ONE, twice(ONE)), ("", ALL, twice(ALL))),
        *of(OPEN, "day frozen", ("", ALL, frozen("date"))),
        *of(OPEN, "column null", ("unrealized_profit", ALL, nulled("unrealized_profit", ALL)), ("volume_usd", PART, nulled("volume_usd", PART))),
        *of(OPEN, "×100", ("unrealized_profit", ALL, scaled("unrealized_profit", 100, ALL)), ("lots", ALL, scaled("lots", 100, ALL))),
        *of(OPEN, "÷100", ("volume_usd", ALL, scaled("volume_usd", 0.01, ALL)), ("contract_size", ALL, scaled("contract_size", 0.01, ALL))),
        *of(OPEN, "unknown code", ("side", ONE, said("side", "hold", ONE))),
        *of(OPEN, "label respelt", ("std_symbol", ALL, respelt("std_symbol", ALL)), ("side", ALL, respelt("side", ALL, str.upper)), names=symbols),
        *of(OPEN, "dates of another day", ("open_time", ONE, said("open_time", FUTURE, ONE)), names=("opened",)),
        *of(OPEN, "zero for nothing", ("open_price", ONE, said("open_price", 0.0, ONE))),
        *of(OPEN, "sign flipped", ("lots", ONE, scaled("lots", -1, ONE)), ("stop_loss", ONE, said("stop_loss", -1.0, ONE))),
        *of(OPEN, "symbol unknown", ("std_symbol", ONE, said("std_symbol", "price stream 4", ONE)), names=symbols),
    ]  # fmt: skip


def _rest() -> list[Fault]:
    instruments = ("spx500", "eurusd", "btcusd", "xauusd")
    families = {
        "sentiment": ("sentiment_score", "bullish_share", "bearish_share", "news_count"),
        "labels": ("volatility_regime", "liquidity_state", "sentiment_level", "yield_curve_shape"),
        "transitions": ("to_risk_on", "to_risk_off", "to_vol_spike"),
    }
    return [
        *of(ACCOUNTS, "rows lost", ("", PAGE, page_lost("login")), ("", NEARLY_ALL, lost(NEARLY_ALL))),
        *of(ACCOUNTS, "rows twice", ("", ONE, twice(ONE)), ("", ALL, twice(ALL))),
        *of(ACCOUNTS, "id misread", ("account_id", ONE, said("account_id", "nan", ONE)), ("login", ALL, respelt("login", ALL, lambda text: text + ".0"))),
        *of(ACCOUNTS, "login of two", ("login", ONE, twice(ONE, account_id="77")), names=("other_account",)),
        *of(ACCOUNTS, "told of now", ("status", PART, said("status", 1, PART)), ("net_profit", ONE, said("net_profit", 5.0, ONE))),
        *of(ACCOUNTS, "unknown code", ("platform", ONE, said("platform", 1, ONE)), ("status", ONE, said("status", 8, ONE))),
        *of(ACCOUNTS, "columns swapped", ("login", ALL, swapped("login", "account_id", ALL))),
        *of(PLANS, "rows lost", ("", HALF, lost(HALF)), ("", NEARLY_ALL, lost(NEARLY_ALL))),
        *of(PLANS, "rows twice", ("", ONE, twice(ONE)), ("", ALL, twice(ALL))),
        *of(PLANS, "column null", ("leverage", ALL, nulled("leverage", ALL)), ("inactivity_period", HALF, nulled("inactivity_period", HALF))),
        *of(PLANS, "×100", ("max_trailing_drawdown_pct", ALL, scaled("max_trailing_drawdown_pct", 100, ALL)), ("starting_balance", ALL, scaled("starting_balance", 100, ALL)), names=("start",)),
        *of(PLANS, "÷100", ("daily_loss_limit_pct", ALL, scaled("daily_loss_limit_pct", 0.01, ALL)), ("starting_balance", ALL, scaled("starting_balance", 0.01, ALL)), names=("start",)),
        *of(PLANS, "known too late", ("valid_from", ONE, said("valid_from", FUTURE, ONE)), names=("known",)),
        *of(PLANS, "id misread", ("plan_id", ONE, new_row(plan_id="nan"))),
        *of(PLANS, "sign flipped", ("leverage", ALL, scaled("leverage", -1, ALL))),
        *(
            fault
            for family, columns in families.items()
            for fault in of(REGIMES, "document incomplete", (family, "family", changed(ALL, lambda _, columns=columns: dict.fromkeys(columns))))
        ),
        *of(REGIMES, "document incomplete", ("prices", "family", changed(ALL, lambda row: {name: None for name in row if name.endswith("last_price")}))),
        *of(REGIMES, "document incomplete", ("returns", "family", changed(ALL, lambda row: {name: None for name in row if name.endswith("daily_return")}))),
        *of(REGIMES, "day frozen", ("", ALL, frozen("date")), ("", "instants too", frozen("date", ("known_at",)))),
        *of(REGIMES, "known too late", ("known_at", ALL, added("known_at", DAY, ALL)), names=("known", "written")),
        *of(REGIMES, "dates of another day", ("known_at", ALL, added("known_at", -2 * DAY, ALL)), names=("known", "written")),
        *of(REGIMES, "×100", *((f"{name}_daily_return", ALL, said(f"{name}_daily_return", 1.3, ALL)) for name in instruments), ("to_risk_on", ALL, scaled("to_risk_on", 100, ALL)), ("fed_funds_rate_effective", ALL, scaled("fed_funds_rate_effective", 100, ALL)), ("btcusd_volatility_90d", ALL, scaled("btcusd_volatility_90d", 100, ALL))),
        *of(REGIMES, "price far away", *((f"{name}_last_price", ALL, scaled(f"{name}_last_price", 1.5, ALL)) for name in instruments), names=("price",)),
        *of(REGIMES, "zero for nothing", ("eurusd_last_price", ALL, said("eurusd_last_price", 0.0, ALL))),
        *of(REGIMES, "label too long", ("volatility_regime", ALL, said("volatility_regime", "The market was calm. " * 9, ALL))),
        *of(BARS, "bar impossible", ("high", ONE, swapped("high", "low", ONE)), ("volume", ONE, said("volume", -1.0, ONE)), ("close", ONE, said("close", 0.0, ONE)), names=("prices",)),
        *of(BARS, "bars missing", ("", "3 hours of a symbol", lost(ALL, lambda row: row["symbol"] == "EURUSD" and row["bar_start"].hour in (9, 10, 11))), ("", HALF, lost(HALF)), ("", "a symbol", lost(ALL, lambda row: row["symbol"] == "XAUUSD"))),
        *of(BARS, "column null", ("close", "8 hours", changed(ALL, lambda _: dict.fromkeys(("open", "high", "low", "close", "volume")), lambda row: row["symbol"] == "EURUSD" and 8 <= row["bar_start"].hour < 16)), names=("values",)),
        *of(BARS, "bars stale", ("close", "10 hours", changed(ALL, lambda _: dict.fromkeys(("open", "high", "low", "close"), 1.1), lambda row: row["symbol"] == "EURUSD" and row["bar_start"].hour >= 8)), names=("stale",)),
        *of(BARS, "×100", ("close", "a symbol", changed(ALL, lambda row: {name: row[name] * 100 for name in ("open", "high", "low", "close")}, lambda row: row["symbol"] == "EURUSD")), ("high", ONE, changed(ONE, lambda row: {"high": row["high"] * 2})), names=("move",)),
        *of(BARS, "rows twice", ("", ONE, twice(ONE)), ("", ALL, twice(ALL))),
        *of(BARS, "dates of another day", ("bar_start", "30 min", added("bar_start", timedelta(minutes=30), ALL)), ("bar_start", ALL, added("bar_start", -DAY, ALL)), names=("bar starts",)),
        *of(BARS, "day frozen", ("", "instants too", frozen("date", ("bar_start",)))),
        *of(BARS, "unknown code", ("interval", ONE, said("interval", "1d", ONE))),
        *(
            fault
            for column, value in {"reason": "no reason", "table": "raw/other", "payload_hash": "b" * 63, "payload": "{'a'"}.items()
            for fault in of(QUARANTINE, "reject misread", (column, ONE, lambda spoiled, column=column, value=value: spoiled.rows.append({"date": spoiled.day, **REJECTED, column: value})))
        ),
    ]  # fmt: skip


RAW_FAULTS = (*_footers(), *_daily(), *_hourly(), *_closed(), *_open(), *_rest())
