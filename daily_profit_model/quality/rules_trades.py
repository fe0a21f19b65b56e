"""Rules of raw/trades_closed and raw/trades_open: times, prices, sizes and money of a trade fit together."""

from __future__ import annotations

from daily_profit_model.engine import Query
from daily_profit_model.quality.conditions import CENT, if_there, named
from daily_profit_model.quality.expectation import Expectation, absent, at_least, between, in_set, matches, unique
from daily_profit_model.quality.frame import Frame, newest, rows_of
from daily_profit_model.quality.rule import Dimension, Rule, Severity
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import RAW_TRADES_CLOSED, RAW_TRADES_OPEN

SIDES = ("buy", "sell")

LARGEST_LOTS = 1000.0
"""Lots. Platforms cap one order at 100 to 1,000; the largest trade of the sandbox has 120."""

DURATION_TOLERANCE = 0.01
"""Hours: what two decimals leave to rounding, twice. Minutes instead of hours are off by a factor of 60."""

LONGEST_HOLDING = 366
"""Days. Plans end an account after 30 idle days, mostly (RISK_API.md): a position of more than a year is a date
that was read wrongly. The longest of the sandbox is 25 days."""

PRODUCT_TOLERANCE = 0.001
"""Share. A product of rounded factors is right to a few hundred-thousandths (sandbox: 2e-5); a cent is allowed too."""

PROFIT_TOLERANCE = 0.01
"""Share. As PRODUCT_TOLERANCE, and a close in parts shares its profit out by rounded lots; some cents are
allowed too."""

COMMISSION_LIMIT = 0.01
"""Share of the volume. Brokers take some basis points of it; a hundredth is a unit or a sign that is wrong."""

SYMBOL_SHARE = 0.99
"""Share of the trades that name a symbol: the field is optional (RISK_API.md), its features are not."""

SYMBOL = r"^[A-Z0-9][A-Z0-9._#&/+-]{1,23}$"
"""A ticker of 2 to 24 letters, digits and the signs that platforms put into suffixes."""

DOLLAR_PAIR = "regexp_full_match(upper(trim(std_symbol)), '[A-Z]{3}USD')"
"""Quoted in USD for one unit of the base: volume and profit need no other rate."""

_MOVE = "case side when 'buy' then close_price - open_price else open_price - close_price end"
_HOURS = "(epoch_ms(close_time) - epoch_ms(open_time)) / 3600000.0"
_SYMBOL = "upper(trim(coalesce(std_symbol, trd_symbol)))"
_UNITS = "lots * contract_size"

_WRONG_SIZES = {
    "lots": f"lots > {LARGEST_LOTS}",
    "contract_size": "contract_size <= 0",
    "qty_in_base_crncy": f"abs(qty_in_base_crncy - {_UNITS}) > {PRODUCT_TOLERANCE} * abs({_UNITS}) + {CENT}",
}
_WRONG_STOPS = {name: f"{name} < 0" for name in ("stop_loss", "take_profit")}

_CLOSED = rows_of(
    RAW_TRADES_CLOSED,
    ("side", "lots", "open_time", "close_time", "profit"),
    not_positive=named({name: f"{name} <= 0" for name in ("open_price", "close_price")} | _WRONG_STOPS),
    wrong_sizes=named(_WRONG_SIZES),
    other_day="case when close_time::date <> date then close_time::varchar end",
    days_held="date_diff('day', open_time, close_time)",
    hours_off=f"abs(duration - {_HOURS})",
    symbol=_SYMBOL,
    symbol_missing=f"({_SYMBOL} is null)::int",
    lost_by_winning=f"(profit * ({_MOVE}) < 0 and abs(profit) > {CENT})::int",
    wrong_products=named(
        {
            "volume_usd": f"{DOLLAR_PAIR} and abs(volume_usd - {_UNITS} * close_price) "
            f"> {PRODUCT_TOLERANCE} * abs(volume_usd) + {CENT}",
            "profit": f"{DOLLAR_PAIR} and abs(profit - ({_MOVE}) * {_UNITS}) "
            f"> {PROFIT_TOLERANCE} * abs(profit) + {5 * CENT}",
        }
    ),
    wrong_costs=named(
        {
            "commission": f"commission > 0 or -commission > {COMMISSION_LIMIT} * volume_usd + {CENT}",
            "fee": "fee > 0",
        }
    ),
)

_OPEN = rows_of(
    RAW_TRADES_OPEN,
    ("side", "lots", "open_time"),
    not_positive=named({"open_price": "open_price <= 0"} | _WRONG_STOPS),
    wrong_sizes=named(_WRONG_SIZES),
    opened_later="case when open_time >= date + interval 1 day then open_time::varchar end",
    symbol=_SYMBOL,
)

_OPEN_AND_CLOSED = Frame(
    f"{RAW_TRADES_OPEN.name} against {RAW_TRADES_CLOSED.name}",
    RAW_TRADES_OPEN,
    RAW_TRADES_OPEN.key,
    Query(
        """
with closed as (
    select distinct date, platform, broker, login, position, coalesce(ticket, '') as ticket
    from raw_trades_closed
    where date between $first_day and $last_day
)
select
    opened.date, opened.platform, opened.broker, opened.login, opened.position, opened.ticket,
    (closed.date is not null)::int as is_closed
from raw_trades_open as opened
left join closed
    on opened.date = closed.date
    and opened.platform = closed.platform
    and opened.broker = closed.broker
    and opened.login = closed.login
    and opened.position = closed.position
    and coalesce(opened.ticket, '') = closed.ticket
where opened.date between $first_day and $last_day
""",
        (newest(RAW_TRADES_OPEN), if_there(RAW_TRADES_CLOSED)),
    ),
)


def _rule(
    table: Table,
    frame: Frame,
    rule_id: str,
    dimension: Dimension,
    severity: Severity,
    expectations: tuple[Expectation, ...],
    reason: str,
    advice: str,
) -> Rule:
    return Rule(rule_id, table.name, dimension, severity, frame, expectations, reason, advice)


def _alike(table: Table, frame: Frame) -> tuple[Rule, ...]:
    """What holds of a closed and of an open trade alike."""
    return (
        _rule(
            table,
            frame,
            "prices_positive",
            "validity",
            "warn",
            (absent("not_positive", says="prices are above zero, and stops not below"),),
            "No instrument of the firm has a price of zero; oil alone was once below (April 2020).",
            "Look at the trades in the trading platform; zero prices are a field that was not filled.",
        ),
        _rule(
            table,
            frame,
            "sizes_possible",
            "validity",
            "warn",
            (absent("wrong_sizes", says="lots are what a platform takes, and the quantity is lots times contract"),),
            "A size in units instead of lots is a hundred thousand times too large, and so is the volume.",
            "Compare lots, contract size and quantity of the samples; the one that changed has another unit.",
        ),
        _rule(
            table,
            frame,
            "symbols_readable",
            "validity",
            "warn",
            (matches("symbol", SYMBOL, says="the symbol is written as a ticker"),),
            "Classes and concentration are read from the symbol; a number or a sentence is another field.",
            "Look whether the service has moved its fields; a new suffix belongs into the pattern.",
        ),
    )


CLOSED_RULES = (
    Rule(
        id="trades_valid",
        table=RAW_TRADES_CLOSED.name,
        dimension="validity",
        severity="error",
        frame=_CLOSED,
        expectations=(
            unique(RAW_TRADES_CLOSED.key),
            in_set("side", SIDES, says="side is buy or sell"),
            between("lots", low=0, says="lots are not negative"),
            at_least("close_time", "open_time", says="closed no earlier than opened"),
        ),
        reason="A trade that is there twice, or closes before it opens, spoils all statistics of its account.",
        advice="Look at the samples in the trading platform; many of one account point to a clock or an export.",
    ),
    *_alike(RAW_TRADES_CLOSED, _CLOSED),
    _rule(
        RAW_TRADES_CLOSED,
        _CLOSED,
        "closed_on_the_day",
        "timeliness",
        "error",
        (absent("other_day", says="the accounting date is the day of the close"),),
        "A trade of another day belongs to that day's target; the accounting date is the day of the close.",
        "A constant shift of some hours is a time zone; ask the service, and fetch both days again.",
    ),
    _rule(
        RAW_TRADES_CLOSED,
        _CLOSED,
        "holding_possible",
        "timeliness",
        "warn",
        (
            between("days_held", high=LONGEST_HOLDING, says="no trade was held for more than a year"),
            between("hours_off", high=DURATION_TOLERANCE, says="the duration is the time from opening to close"),
        ),
        "Holding times are features, in hours: another unit or a wrong opening date shows here.",
        "A factor of 60 is minutes; an opening in 1970 is a date that was not filled.",
    ),
    _rule(
        RAW_TRADES_CLOSED,
        _CLOSED,
        "profit_follows_price",
        "consistency",
        "warn",
        (between("lost_by_winning", high=0, says="who bought won when the price rose, and who sold when it fell"),),
        "Conversion between currencies and rounding keep the sign; a swapped side or price does not.",
        "Compare side, prices and profit of the samples in the trading platform.",
    ),
    _rule(
        RAW_TRADES_CLOSED,
        _CLOSED,
        "money_equals_product",
        "consistency",
        "warn",
        (absent("wrong_products", says="of a pair quoted in USD, volume and profit are what lots and prices make"),),
        "Where no other rate comes in, volume is quantity times close price, and profit quantity times move.",
        "A constant factor in all samples is a unit (cents, thousands) or a contract size that has changed.",
    ),
    _rule(
        RAW_TRADES_CLOSED,
        _CLOSED,
        "costs_possible",
        "validity",
        "warn",
        (
            absent(
                "wrong_costs", says="commission and fee are no gains, and the commission is a small part of the volume"
            ),
        ),
        "A cost is negative; one with the other sign is counted twice in the net profit.",
        "In all rows: the service has turned the sign. In few: a rebate, which the broker can explain.",
    ),
    _rule(
        RAW_TRADES_CLOSED,
        _CLOSED,
        "symbols_there",
        "completeness",
        "warn",
        (between("symbol_missing", high=0, says="nearly all trades name their symbol", mostly=SYMBOL_SHARE),),
        "Without a symbol a trade has no class, and the account's concentration is not known.",
        "Ask the service which symbols its standardisation does not know.",
    ),
)

OPEN_RULES = (
    _rule(
        RAW_TRADES_OPEN,
        _OPEN,
        "positions_valid",
        "validity",
        "error",
        (
            unique(RAW_TRADES_OPEN.key),
            in_set("side", SIDES, says="side is buy or sell"),
            between("lots", low=0, says="lots are not negative"),
        ),
        "A position that is there twice doubles the open profit and the exposure of its account.",
        "Fetch the snapshot of the day again.",
    ),
    *_alike(RAW_TRADES_OPEN, _OPEN),
    _rule(
        RAW_TRADES_OPEN,
        _OPEN,
        "opened_by_the_snapshot",
        "timeliness",
        "error",
        (absent("opened_later", says="every position was opened before the end of the day"),),
        "A position opened after the day is the future (L12): the snapshot is one of a later moment.",
        "The service answered with its newest snapshot; a past day's open positions cannot be fetched again.",
    ),
    _rule(
        RAW_TRADES_OPEN,
        _OPEN_AND_CLOSED,
        "open_is_not_closed",
        "consistency",
        "warn",
        (between("is_closed", high=0, says="no part of a position is both open and closed on the day"),),
        "A ticket is one part of a position: once it is closed, its profit is no longer open.",
        "Fetch both tables of the day again, closed trades last: the snapshot was taken too early.",
    ),
)
