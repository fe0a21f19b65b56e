"""The contract of raw/market_regimes: one row a day, as known at the day's cut-off.

Where each column lies in the JSON document is its `source`, a path of keys joined by dots;
several paths joined by `|` are tried in turn.
"""

from __future__ import annotations

from daily_profit_model.tables.contract import DAY, FLOAT, INT, TEXT, TIMESTAMP, Column, Table

INSTRUMENTS = (
    "SPX500",
    "NDX100",
    "US30",
    "EURUSD",
    "GBPUSD",
    "USDJPY",
    "BTCUSD",
    "ETHUSD",
    "XAUUSD",
    "USOUSD",
)

_SENTIMENT = "news_analysis.sentiment_summary"
_METRICS = "summary.key_metrics"
_CHANCES = "summary.transition_probabilities"
_MACRO = "country_economic_indicators"


def _instrument(symbol: str) -> tuple[Column, ...]:
    low, path = symbol.lower(), f"instruments.data.{symbol}"
    return (
        Column(
            f"{low}_last_price",
            FLOAT,
            f"Last (or end-of-day) price of {symbol}",
            "price",
            source=f"{path}.last_price|{path}.eod_price",
        ),
        Column(f"{low}_daily_return", FLOAT, f"Return of {symbol} on the day", source=f"{path}.daily_return"),
        Column(f"{low}_volatility_90d", FLOAT, f"Volatility of {symbol} over 90 days", source=f"{path}.volatility_90d"),
    )


def _macro(api_name: str, meaning: str, unit: str | None = "percent") -> Column:
    return Column(api_name, FLOAT, meaning, unit, source=f"{_MACRO}.{api_name}")


RAW_MARKET_REGIMES = Table(
    name="raw/market_regimes",
    description="The market regime of the day, as it was known at the day's cut-off.",
    key=("date",),
    columns=(
        Column("date", DAY, "Day that the document describes", required=True, source="date"),
        Column(
            "known_at",
            TIMESTAMP,
            "When this version of the document was written",
            required=True,
            source="updated_at|created_at",
        ),
        Column("sentiment_score", FLOAT, "Average sentiment of the news", source=f"{_SENTIMENT}.average_score"),
        Column(
            "bullish_share",
            FLOAT,
            "Bullish part of the news, as the service gives it",
            source=f"{_SENTIMENT}.distribution.bullish",
        ),
        Column(
            "bearish_share",
            FLOAT,
            "Bearish part of the news, as the service gives it",
            source=f"{_SENTIMENT}.distribution.bearish",
        ),
        Column("news_count", INT, "News items analysed", "items", source="news_analysis.count"),
        Column("volatility_regime", TEXT, "Label of the volatility", source=f"{_METRICS}.volatility_regime"),
        Column("liquidity_state", TEXT, "Label of the liquidity", source=f"{_METRICS}.liquidity_state"),
        Column("sentiment_level", TEXT, "Label of the sentiment", source=f"{_METRICS}.sentiment_level"),
        Column("yield_curve_shape", TEXT, "Label of the yield curve", source=f"{_METRICS}.yield_curve_shape"),
        Column("anomaly_count", INT, "Anomalies found", "anomalies", source=f"{_METRICS}.anomaly_count"),
        Column("regime_fingerprint", TEXT, "The regime in one label", source="summary.regime_fingerprint"),
        Column("to_risk_on", FLOAT, "Probability of turning to risk-on", source=f"{_CHANCES}.to_risk_on"),
        Column("to_risk_off", FLOAT, "Probability of turning to risk-off", source=f"{_CHANCES}.to_risk_off"),
        Column("to_vol_spike", FLOAT, "Probability of a volatility spike", source=f"{_CHANCES}.to_vol_spike"),
        *(column for symbol in INSTRUMENTS for column in _instrument(symbol)),
        _macro("fed_funds_rate_effective", "Effective federal funds rate"),
        _macro("inflation_us_consumer_prices", "Inflation of US consumer prices"),
        _macro("treasury_2_year", "Yield of two-year treasuries"),
        _macro("treasury_10_year", "Yield of ten-year treasuries"),
        _macro("unemployment_rate", "Unemployment in the US"),
        _macro("real_gdp", "Real gross domestic product of the US", None),
    ),
    revisions=True,
)
