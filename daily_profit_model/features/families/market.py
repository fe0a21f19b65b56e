"""Market features: the regime of D as it was known at D's cut-off, the same for every account, and what it means
for the symbols that the account trades. A day without a document leaves them null.
"""

from __future__ import annotations

from daily_profit_model.features.feature import Feature, Kind
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY
from daily_profit_model.features.windows.symbols import LONGEST
from daily_profit_model.tables.raw import RAW_MARKET_REGIMES
from daily_profit_model.tables.raw_regimes import INSTRUMENTS

_NO_DOCUMENT = "no document of D was known at the cut-off, or it does not say"


def _regime(column: str, kind: Kind = "number") -> Feature:
    """A column of the regime as it stands; its description and unit are the table's."""
    declared = RAW_MARKET_REGIMES.column(column)
    return Feature(
        column,
        "market",
        kind,
        column,
        declared.description,
        (f"{RAW_MARKET_REGIMES.name}.{column}",),
        declared.unit,
        null_means=_NO_DOCUMENT,
    )


def _own_volatility() -> Feature:
    """Volatility of the instruments that the account traded, weighted by its volume; always in the same order."""
    volumes = [(f"cents_{symbol.lower()}", f"{symbol.lower()}_volatility_90d") for symbol in INSTRUMENTS]
    weighted = " + ".join(f"coalesce({cents} * {volatility}, 0.0)" for cents, volatility in volumes)
    weights = " + ".join(f"case when {volatility} is null then 0.0 else {cents} end" for cents, volatility in volumes)
    return Feature(
        f"own_symbol_volatility_{LONGEST}d",
        "market",
        "number",
        f"({weighted}) / nullif({weights}, 0)",
        f"Volatility over 90 days of the instruments that the account traded in {LONGEST} days, by its volume",
        (
            f"{FEATURES_TRADE_DAILY.name}.symbols",
            *(f"{RAW_MARKET_REGIMES.name}.{volatility}" for _, volatility in volumes),
        ),
        window=LONGEST,
        null_means=f"no trade in an instrument of the document, or {_NO_DOCUMENT}",
    )


MARKET = (
    _regime("sentiment_score"),
    _regime("bullish_share"),
    _regime("bearish_share"),
    _regime("sentiment_level", "category"),
    _regime("volatility_regime", "category"),
    _regime("liquidity_state", "category"),
    _regime("yield_curve_shape", "category"),
    _regime("anomaly_count", "count"),
    _regime("to_risk_on"),
    _regime("to_risk_off"),
    _regime("to_vol_spike"),
    *(_regime(f"{symbol.lower()}_daily_return") for symbol in INSTRUMENTS),
    *(_regime(f"{symbol.lower()}_volatility_90d") for symbol in INSTRUMENTS),
    _regime("fed_funds_rate_effective"),
    _regime("inflation_us_consumer_prices"),
    _regime("treasury_2_year"),
    _regime("treasury_10_year"),
    _regime("unemployment_rate"),
    _regime("real_gdp"),
    _own_volatility(),
)
