"""Rules of raw/plans and raw/market_regimes: terms and documents that are whole, possible, and known in time."""

from __future__ import annotations

from daily_profit_model.quality.conditions import beyond, missing, named
from daily_profit_model.quality.expectation import Expectation, absent, length_between, matches_not, unique
from daily_profit_model.quality.frame import Frame, rows_of
from daily_profit_model.quality.rule import Dimension, Rule, Severity
from daily_profit_model.quality.rules_accounts import NO_ID
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import RAW_MARKET_REGIMES, RAW_PLANS
from daily_profit_model.tables.raw_regimes import INSTRUMENTS

SMALLEST_START, LARGEST_START = 1_000.0, 2_000_000.0
"""USD. The plans sold begin with 5,000 to 600,000 (RISK_API.md); 1.0 and 5,365,656 are the absurd ones seen."""

LARGEST_LEVERAGE = 1000.0
"""30 to 200 are sold (RISK_API.md); brokers anywhere offer up to 1,000."""

LONGEST_DAYS = 730
"""Days, for limits and delays of a plan: two years. 999 is a sentinel that was seen, and no limit."""

SMALLEST_PERCENT = 0.5
"""Percent. The least that is sold is a daily loss of 3 (RISK_API.md), and 0 means none; 0.1 is 10 % written as a share."""

LARGEST_RETURN = 0.5
"""Share a day. The worst days on record of the instruments: equity indices −23 % (1987), bitcoin −39 % (2020);
oil alone fell further, on the one day with a price below zero."""

LARGEST_VOLATILITY = 5.0
"""A year. Ether had 1.5 at its worst over 90 days."""

LOWEST_RATE, HIGHEST_RATE = -5.0, 50.0
"""Percent, of interest, inflation and unemployment in the US: −3 (1949) … 25 (1933) are on record."""

LONGEST_LABEL = 100
"""Characters. A label is a word or some; a longer text is another field."""

_PERCENTAGES = (
    "profit_target_pct",
    "max_trailing_drawdown_pct",
    "daily_loss_limit_pct",
    "profit_share_pct",
    "daily_cap_profit_limit_pct",
    "daily_loss_cap_limit_pct",
)
_DAYS = (
    "minimum_required_active_trading_days",
    "maximum_time",
    "inactivity_period",
    "initial_withdrawal_delay_days",
    "subsequent_withdrawal_delay_days",
)
_NEEDED = ("leverage", "max_trailing_drawdown_pct", "is_drawdown_relative", "inactivity_period")

_SYMBOLS = tuple(symbol.lower() for symbol in INSTRUMENTS)
_RATES = (
    "fed_funds_rate_effective",
    "inflation_us_consumer_prices",
    "treasury_2_year",
    "treasury_10_year",
    "unemployment_rate",
)
_FAMILIES = {
    "sentiment": ("sentiment_score", "bullish_share", "bearish_share", "news_count"),
    "labels": ("volatility_regime", "liquidity_state", "sentiment_level", "yield_curve_shape"),
    "transitions": ("to_risk_on", "to_risk_off", "to_vol_spike"),
    "prices": tuple(f"{symbol}_last_price" for symbol in _SYMBOLS),
    "returns": tuple(f"{symbol}_daily_return" for symbol in _SYMBOLS),
    "volatilities": tuple(f"{symbol}_volatility_90d" for symbol in _SYMBOLS),
    "macro": _RATES,
}

# terms that nobody is sold any more matter to no account: absurd ones are left in the files, archived
_PLANS = rows_of(
    RAW_PLANS,
    ("type",),
    impossible_terms=f"""case when not coalesce(archived, false) then {
        named(
            {
                column: f"{beyond(column, 0, 100)} or ({column} > 0 and {column} < {SMALLEST_PERCENT})"
                for column in _PERCENTAGES
            }
            | {"leverage": beyond("leverage", 1, LARGEST_LEVERAGE)}
            | {column: beyond(column, 0, LONGEST_DAYS) for column in _DAYS}
        )
    } end""",
    absurd_start="case when not coalesce(archived, false) and "
    f"({beyond('starting_balance', SMALLEST_START, LARGEST_START)}) then starting_balance::varchar end",
    missing_terms=f"case when not coalesce(archived, false) then {missing(_NEEDED)} end",
    known_later="case when valid_from > date::timestamp + interval 30 hour then valid_from::varchar end",
)

_REGIMES = rows_of(
    RAW_MARKET_REGIMES,
    ("volatility_regime", "liquidity_state", "sentiment_level", "yield_curve_shape"),
    missing_families=named(
        {family: f"coalesce({', '.join(columns)}) is null" for family, columns in _FAMILIES.items()}
    ),
    impossible_prices=named({column: f"{column} <= 0" for column in _FAMILIES["prices"]}),
    impossible_moves=named(
        {column: beyond(column, -LARGEST_RETURN, LARGEST_RETURN) for column in _FAMILIES["returns"]}
        | {column: beyond(column, 0, LARGEST_VOLATILITY) for column in _FAMILIES["volatilities"]}
    ),
    impossible_chances=named({column: beyond(column, 0, 1) for column in _FAMILIES["transitions"]}),
    impossible_rates=named(
        {column: beyond(column, LOWEST_RATE, HIGHEST_RATE) for column in _RATES}
        | {column: f"{column} < 0" for column in ("news_count", "anomaly_count", "bullish_share", "bearish_share")}
    ),
    known_later="case when known_at > date::timestamp + interval 30 hour then known_at::varchar end",
    known_earlier="case when known_at < date::timestamp then known_at::varchar end",
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


PLANS_RULES = (
    _rule(
        RAW_PLANS,
        _PLANS,
        "plans_valid",
        "uniqueness",
        "error",
        (
            unique(RAW_PLANS.key),
            matches_not("plan_id", NO_ID, says="plan_id is an id, no blank and no written null"),
        ),
        "Accounts are joined to plans by the id: two rows of a plan double its accounts.",
        "Two files give a plan two revisions of one instant: remove the wrong one, load the day again.",
    ),
    _rule(
        RAW_PLANS,
        _PLANS,
        "terms_possible",
        "validity",
        "warn",
        (absent("impossible_terms", says="percentages, leverage and days of a plan that is sold are possible"),),
        "Distances to limits are made from these terms; 0.1 for 10 % or 999 for none moves all of them.",
        "Correct the plan where it is kept, export the file again, load the day's plans again.",
    ),
    _rule(
        RAW_PLANS,
        _PLANS,
        "start_not_absurd",
        "validity",
        "warn",
        (absent("absurd_start", says="a plan that is sold begins with 1,000 to 2,000,000 USD"),),
        "Balances of 1.0 and of 5,365,656 have been seen: placeholders that were never put right.",
        "Correct the plan where it is kept, or archive it; accounts keep their own starting balance.",
    ),
    _rule(
        RAW_PLANS,
        _PLANS,
        "terms_there",
        "completeness",
        "warn",
        (absent("missing_terms", says="leverage, drawdown and inactivity of a plan that is sold are there"),),
        "A plan without its limits gives its accounts no distance to them.",
        "Fill the fields where the plans are kept, export the file again, load the day's plans again.",
    ),
    _rule(
        RAW_PLANS,
        _PLANS,
        "known_by_cut_off",
        "timeliness",
        "error",
        (absent("known_later", says="the terms were entered by the day's cut-off"),),
        "Terms entered later are today's terms in the past (L4).",
        "Load the day's plans again; if it stays, the reader does not look at when terms were entered.",
    ),
)

REGIMES_RULES = (
    _rule(
        RAW_MARKET_REGIMES,
        _REGIMES,
        "document_whole",
        "completeness",
        "warn",
        (absent("missing_families", says="the document has every family of fields"),),
        "A family that is gone is null in every account's features of the day.",
        "Look at the document of the day in the regimes' source; a renamed key is a new path in the contract.",
    ),
    _rule(
        RAW_MARKET_REGIMES,
        _REGIMES,
        "prices_positive",
        "validity",
        "error",
        (absent("impossible_prices", says="every price is above zero"),),
        "A price of zero is one that was not filled; oil alone was once below, on a day that nobody models.",
        "Look at the instrument in the document; wait for its correction, and read the day again.",
    ),
    _rule(
        RAW_MARKET_REGIMES,
        _REGIMES,
        "moves_possible",
        "validity",
        "warn",
        (absent("impossible_moves", says="returns and volatilities are ones that have been seen"),),
        "A return of 1.2 is 1.2 % in another unit, or a price that was wrong the day before.",
        "Compare the return with the prices of both days; a factor of 100 in all is a change of unit.",
    ),
    _rule(
        RAW_MARKET_REGIMES,
        _REGIMES,
        "chances_possible",
        "validity",
        "error",
        (absent("impossible_chances", says="each probability is within 0 and 1"),),
        "The three chances are of events that do not exclude one another, so each is judged by itself.",
        "Percent instead of shares: correct the reader, and read the day again.",
    ),
    _rule(
        RAW_MARKET_REGIMES,
        _REGIMES,
        "figures_possible",
        "validity",
        "warn",
        (absent("impossible_rates", says="rates are ones that have been seen, and counts not negative"),),
        "Rates are percent; a share instead, or a swapped figure, moves a feature of all accounts at once.",
        "Compare with the figure's publisher, and with the document of the day before.",
    ),
    _rule(
        RAW_MARKET_REGIMES,
        _REGIMES,
        "labels_short",
        "validity",
        "warn",
        tuple(
            length_between(column, 1, LONGEST_LABEL, says=f"{column} is a label, not a text")
            for column in _FAMILIES["labels"]
        ),
        "A label is a category of the model; a sentence is a category of its own every day.",
        "Look which field of the document holds the label now.",
    ),
    _rule(
        RAW_MARKET_REGIMES,
        _REGIMES,
        "known_by_cut_off",
        "timeliness",
        "error",
        (
            absent("known_later", says="the document was written by the day's cut-off"),
            absent("known_earlier", says="the document was not written before its day"),
        ),
        "A document written after the cut-off knows what came next (L5); one before its day is another day's.",
        "Read the day again; where only a later version can be had, the day has no regime.",
    ),
)
