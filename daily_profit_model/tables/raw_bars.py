"""The contract of raw/market_bars: hourly bars of the instruments whose regime is known.

Which field of a chart each column is read from is told in `risk_api.bars`: a chart holds arrays, no records.
"""

from __future__ import annotations

from daily_profit_model.tables.contract import DAY, FLOAT, TEXT, TIMESTAMP, Column, Table

HOURLY = "1h"
"""The one interval of the table: bars of different intervals are never mixed."""

RAW_MARKET_BARS = Table(
    name="raw/market_bars",
    description="Hourly bars of the market's instruments; an hour of which the service has no values is null.",
    key=("date", "symbol", "bar_start"),
    columns=(
        Column("date", DAY, "Day (UTC) in which the bar starts", required=True),
        Column("symbol", TEXT, "Symbol standardised, as in std_symbol of the trades", required=True),
        Column("bar_start", TIMESTAMP, "Start of the bar", required=True),
        Column("interval", TEXT, "Length of the bar: `1h`", required=True),
        Column("open", FLOAT, "First price; null, with the other prices: no values of this hour", "price"),
        Column("high", FLOAT, "Highest price", "price"),
        Column("low", FLOAT, "Lowest price", "price"),
        Column("close", FLOAT, "Last price", "price"),
        Column("volume", FLOAT, "Volume as the service counts it; null: it does not say"),
    ),
    revisions=True,
)
