"""The fields of the service's metrics records, by family, and the Arrow column each becomes.

Declared once here and shared by the all-time, daily and hourly tables in `raw_metrics`. How a
record is read belongs to `risk_api.decode`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from daily_profit_model.tables.contract import FLOAT, INT, TEXT, TIMESTAMP, Column, snake_case

ALL = "adh"
"""Scopes of a field: a all-time, d daily, h hourly."""

_STATISTICS = {
    "mean": "Mean",
    "median": "Median",
    "std": "Standard deviation",
    "min": "Smallest",
    "max": "Largest",
    "cv": "Coefficient of variation",
    "net": "Net",
    "gross": "Gross",
    "distance": "Difference",
    "multiple": "Quotient",
}
_UNITLESS = {"cv", "multiple"}

# scope, unit, upstream name, meaning; None as the unit means a plain number or ratio
_PLAIN: tuple[tuple[str, str | None, str, str], ...] = (
    (ALL, "USD", "approved_payouts", "Payouts approved so far"),
    (ALL, "USD", "pending_payouts", "Payouts asked for and not yet approved"),
    (ALL, "USD", "startingBalance", "Balance with which the account began"),
    (ALL, "USD", "priorDaysBalance", "Balance at the end of the day before"),
    (ALL, "USD", "priorDaysEquity", "Equity at the end of the day before"),
    (ALL, "USD", "currentBalance", "Balance at the end of the record's period"),
    (ALL, "USD", "currentEquity", "Equity at the end of the record's period"),
    ("dh", "days", "days_to_next_payout", "Days until the next payout may be asked for"),
    ("dh", "USD", "todays_payouts", "Payouts made on the day"),
    (ALL, "days", "daysSinceInitialDeposit", "Days since the account was funded"),
    (ALL, "days", "daysSinceFirstTrade", "Days since the first trade"),
    ("a", "days", "lifeTimeInDays", "Days from the first trade to the last"),
    (ALL, "USD", "netProfit", "Profit, commission, fee and swap of the trades closed; the target"),
    (ALL, "USD", "grossProfit", "Sum of the winning trades, not negative"),
    (ALL, "USD", "grossLoss", "Sum of the losing trades, not positive"),
    (ALL, None, "gainToPain", "Net profit over the size of the gross loss"),
    (ALL, None, "profitFactor", "Gross profit over the size of the gross loss"),
    (ALL, "percent", "successRate", "Share of winning trades; beyond 100 has been seen"),
    (ALL, "USD", "meanProfit", "Mean profit of a trade"),
    (ALL, "USD", "medianProfit", "Median profit of a trade"),
    (ALL, "USD", "stdProfits", "Standard deviation of the profits of trades"),
    (ALL, None, "riskAdjProfit", "Mean profit over its standard deviation"),
    (ALL, "USD", "expectancy", "Expected profit of a trade"),
    (ALL, "USD", "minProfit", "Smallest profit of a trade"),
    (ALL, "USD", "maxProfit", "Largest profit of a trade"),
    (ALL, "USD", "profitPerc10", "10th percentile of the profits of trades"),
    (ALL, "USD", "profitPerc25", "25th percentile of the profits of trades"),
    (ALL, "USD", "profitPerc75", "75th percentile of the profits of trades"),
    (ALL, "USD", "profitPerc90", "90th percentile of the profits of trades"),
    (ALL, "USD", "profitTop10PrcntTrades", "Profit of the best tenth of the trades"),
    (ALL, "USD", "profitBottom10PrcntTrades", "Profit of the worst tenth of the trades"),
    (ALL, None, "top10PrcntProfitContrib", "The best tenth's part of the gross profit"),
    (ALL, None, "bottom10PrcntLossContrib", "The worst tenth's part of the gross loss"),
    (ALL, "USD", "oneStdOutlierProfit", "Profit of trades beyond one standard deviation"),
    (ALL, None, "oneStdOutlierProfitContrib", "Their part of the net profit, one deviation"),
    (ALL, "USD", "twoStdOutlierProfit", "Profit of trades beyond two standard deviations"),
    (ALL, None, "twoStdOutlierProfitContrib", "Their part of the net profit, two deviations"),
    (ALL, "USD per USD", "grossLossPerUSDVolume", "Gross loss per USD of volume"),
    (ALL, "USD per lot", "grossProfitPerLot", "Gross profit per lot"),
    (ALL, "USD per lot", "grossLossPerLot", "Gross loss per lot"),
    (ALL, "USD per hour", "grossLossPerDuration", "Gross loss per hour held"),
    (ALL, None, "meanRet", "Mean return of a trade"),
    (ALL, None, "stdRets", "Standard deviation of the returns of trades"),
    (ALL, None, "riskAdjRet", "Mean return over its standard deviation"),
    (ALL, None, "downsideStdRets", "Downside deviation of the returns of trades"),
    (ALL, None, "downsideRiskAdjRet", "Mean return over its downside deviation"),
    ("a", None, "totalRet", "Return since the beginning"),
    ("a", None, "dailyMeanRet", "Mean daily return"),
    ("a", None, "dailyStdRet", "Standard deviation of daily returns"),
    ("a", None, "dailySharpe", "Mean daily return over its standard deviation"),
    ("a", None, "dailyDownsideStdRet", "Downside deviation of daily returns"),
    ("a", None, "dailySortino", "Mean daily return over its downside deviation"),
    (ALL, None, "relMeanDrawDown", "Mean drawdown relative to the starting balance"),
    (ALL, None, "relMedianDrawDown", "Median drawdown relative to the starting balance"),
    (ALL, None, "relMaxDrawDown", "Largest drawdown relative to the starting balance"),
    (ALL, "lots", "totalLots", "Lots traded"),
    (ALL, "USD", "totalVolume", "Volume traded"),
    (ALL, "USD", "stdVolumes", "Standard deviation of the volumes of trades"),
    (ALL, "lots", "meanWinningLot", "Mean lots of winning trades"),
    (ALL, "lots", "meanLosingLot", "Mean lots of losing trades"),
    (ALL, "USD", "meanWinningVolume", "Mean volume of winning trades"),
    (ALL, "USD", "meanLosingVolume", "Mean volume of losing trades"),
    (ALL, "hours", "stdDurations", "Standard deviation of the holding times"),
    (ALL, None, "cvDurations", "Coefficient of variation of the holding times"),
    (ALL, "USD", "meanAccountMargin", "Mean margin of the account"),
    (ALL, "USD", "meanFirmMargin", "Mean margin of the firm"),
)

# scope, statistics, unit, upstream suffix, meaning: one field for each statistic
_BY_STATISTIC: tuple[tuple[str, str, str | None, str, str], ...] = (
    (ALL, "net gross", "USD per USD", "ProfitPerUSDVolume", "profit per USD of volume"),
    (
        ALL,
        "distance multiple",
        "USD per USD",
        "GrossProfitLossPerUSDVolume",
        "of gross profit and gross loss per USD of volume",
    ),
    (ALL, "distance multiple", "USD per lot", "GrossProfitLossPerLot", "of gross profit and gross loss per lot"),
    (ALL, "net gross", "USD per hour", "ProfitPerDuration", "profit per hour held"),
    (ALL, "mean median max", "USD", "DrawDown", "drawdown"),
    (ALL, "mean median max", "trades", "NumTradesInDD", "number of trades in a drawdown"),
    (ALL, "distance multiple", "lots", "WinLossLots", "of mean winning and mean losing lots"),
    (ALL, "distance multiple", "USD", "WinLossVolume", "of mean winning and mean losing volume"),
    (ALL, "mean median min max", "hours", "Duration", "holding time"),
    (ALL, "mean median std min max cv", "price", "TP", "distance of the take-profit"),
    (ALL, "mean median std min max cv", "price", "SL", "distance of the stop-loss"),
    (ALL, "mean median min max cv", None, "TPvsSL", "quotient of take-profit and stop-loss"),
    (ALL, "mean median max", "trades", "NumConsecWins", "number of consecutive wins"),
    (ALL, "mean median max", "trades", "NumConsecLosses", "number of consecutive losses"),
    (ALL, "mean median max", "USD", "ValConsecWins", "value of consecutive wins"),
    (ALL, "mean median max", "USD", "ValConsecLosses", "value of consecutive losses"),
    (ALL, "mean median max", "positions", "NumOpenPos", "number of open positions"),
    (ALL, "mean median max", "USD", "ValOpenPos", "value of open positions"),
    (ALL, "mean median max", None, "ValtoEqtyOpenPos", "value of open positions over equity"),
    ("a", "mean median min max cv", "trades per day", "TradesPerDay", "number of trades on a day"),
    ("a", "mean median min max", "days", "IdleDays", "number of days between trading days"),
)

# what has a twin relative to the starting balance (performance and distribution)
_RELATIVE = (
    "netProfit",
    "grossProfit",
    "grossLoss",
    "gainToPain",
    "profitFactor",
    "successRate",
    "meanProfit",
    "medianProfit",
    "stdProfits",
    "riskAdjProfit",
    "expectancy",
    "minProfit",
    "maxProfit",
    "profitPerc10",
    "profitPerc25",
    "profitPerc75",
    "profitPerc90",
)

# scope, type, unit, upstream name, meaning
_OTHER_TYPES: tuple[tuple[str, pa.DataType, str | None, str, str], ...] = (
    (ALL, TIMESTAMP, None, "firstTradeDate", "Day of the first trade"),
    ("a", TIMESTAMP, None, "firstTradeOpen", "When the first trade was opened"),
    ("a", TIMESTAMP, None, "lastTradeOpen", "When the last trade was opened"),
    ("a", TIMESTAMP, None, "lastTradeClose", "When the last trade was closed"),
    ("a", TIMESTAMP, None, "updatedDate", "When the service last changed the record"),
    (ALL, INT, "trades", "numTrades", "Trades closed"),
    (ALL, INT, "symbols", "numTradedSymbols", "Different symbols traded"),
    (ALL, TEXT, None, "mostTradedSymbol", "The symbol traded most often"),
    (ALL, INT, "trades", "mostTradedSmbTrades", "Trades in that symbol"),
)

IDENTITY: tuple[Column, ...] = (
    Column("account_id", TEXT, "Account, unique in the firm", required=True, source="accountId"),
    Column("login", TEXT, "Login, unique with platform and broker", required=True, source="login"),
    Column("platform", INT, "Trading platform (4 and up)", required=True, source="mt_version"),
    Column("broker", INT, "Broker", required=True, source="broker"),
)
STANDING: tuple[Column, ...] = (
    Column("plan_id", TEXT, "Plan of the account", source="planId"),
    Column("trader_id", TEXT, "Person who trades the account", source="trader"),
    Column("status", INT, "1 active; 2 and 3 ended (passed or breached)", source="status"),
    Column("type", INT, "Type of the account; not documented upstream", source="type"),
    Column("phase", INT, "Phase of the plan, 1 to 4", source="phase"),
    Column("price_stream", INT, "Price stream; not documented upstream", source="price_stream"),
    Column("country", TEXT, "Country of the trader", source="country"),
)


def metric_columns(scope: str) -> tuple[Column, ...]:
    """The columns of every metric field of one scope (`a`, `d` or `h`), in a fixed order."""
    return tuple(column for scopes, column in _metrics() if scope in scopes)


def _metrics() -> Iterator[tuple[str, Column]]:
    for scopes, kind, unit, api_name, meaning in _OTHER_TYPES:
        yield scopes, Column(snake_case(api_name), kind, meaning, unit, source=api_name)
    meanings = {api_name: meaning for _, _, api_name, meaning in _PLAIN}
    for scopes, unit, api_name, meaning in _PLAIN:
        yield scopes, _number(api_name, unit, meaning)
    for api_name in _RELATIVE:
        yield ALL, _number(f"rel{api_name[0].upper()}{api_name[1:]}", None, _relative(meanings[api_name]))
    for scopes, statistics, unit, suffix, meaning in _BY_STATISTIC:
        for statistic in statistics.split():
            own_unit = None if statistic in _UNITLESS else unit
            yield scopes, _number(f"{statistic}{suffix}", own_unit, f"{_STATISTICS[statistic]} {meaning}")


def _number(api_name: str, unit: str | None, meaning: str) -> Column:
    return Column(snake_case(api_name), FLOAT, meaning, unit, source=api_name)


def _relative(meaning: str) -> str:
    return f"{meaning.split(';')[0]}, relative to the starting balance"
