"""Rules of the daily and hourly metrics: what one row says of itself. Against other rows: `rules_balances`."""

from __future__ import annotations

from daily_profit_model.quality.conditions import CENT, disordered, missing, named
from daily_profit_model.quality.expectation import Expectation, absent, between, in_set, unique
from daily_profit_model.quality.frame import Frame, rows_of
from daily_profit_model.quality.rule import Dimension, Rule, Severity
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import RAW_METRICS_DAILY, RAW_METRICS_HOURLY

STATUSES = (1, 2, 3)
PHASES = (1, 2, 3, 4)
LOWEST_PLATFORM = 4

STANDING_SHARE = 0.95
"""Share of rows whose standing, and whose figures of trades, are there. Every field but the key may be null (RISK_API.md), yet an account
without status or starting balance is not predicted: one in twenty means that the service leaves a field out."""

RATE_SHARE = 0.99
"""Share of rows whose success rate is a percentage; single rows above 999 have been seen (RISK_API.md)."""

RATE_TOLERANCE = 0.05
"""Trades. A rate rounded to two digits is off by 0.005 %, which is 0.05 of a thousand trades."""
MOST_TRADES_OF_A_RATE = 1000
"""Trades, beyond which a rate of two digits no longer tells the count."""

RATIO_TOLERANCE = 1e-6
"""Hours. Statistics are rounded to eight digits."""

_STANDING = ("status", "phase", "plan_id", "starting_balance")
_OF_TRADES = (
    "gross_profit",
    "gross_loss",
    "success_rate",
    "mean_profit",
    "median_profit",
    "min_profit",
    "max_profit",
    "total_lots",
    "total_volume",
    "mean_duration",
    "num_traded_symbols",
)
"""What any number of trades has, be it one: not ratios of wins to losses, nor spreads, which take more."""
DISTRIBUTION = (
    "min_profit",
    "profit_perc10",
    "profit_perc25",
    "median_profit",
    "profit_perc75",
    "profit_perc90",
    "max_profit",
)
_WINS = "success_rate / 100 * num_trades"

IMPOSSIBLE_COUNTS = {
    "num_trades": "num_trades < 0",
    "num_traded_symbols": "num_traded_symbols not between 0 and num_trades",
    "most_traded_smb_trades": "most_traded_smb_trades not between 0 and num_trades",
    "max_num_consec_wins": "max_num_consec_wins not between 0 and num_trades",
    "max_num_consec_losses": "max_num_consec_losses not between 0 and num_trades",
    "wins and losses in a row": "max_num_consec_wins + max_num_consec_losses > num_trades",
    "max_num_trades_in_dd": "max_num_trades_in_dd not between 0 and num_trades",
    "success_rate": f"num_trades <= {MOST_TRADES_OF_A_RATE} and success_rate between 0 and 100 "
    f"and abs({_WINS} - round({_WINS})) > {RATE_TOLERANCE}",
}
_IMPOSSIBLE_DURATIONS = {
    "min_duration": "min_duration < 0",
    "median_duration": f"median_duration < min_duration - {RATIO_TOLERANCE} "
    f"or median_duration > max_duration + {RATIO_TOLERANCE}",
    "mean_duration": f"mean_duration < min_duration - {RATIO_TOLERANCE} "
    f"or mean_duration > max_duration + {RATIO_TOLERANCE}",
}

ENUMS = (
    in_set("status", STATUSES, says="status is 1, 2 or 3"),
    in_set("phase", PHASES, says="phase is 1, 2, 3 or 4"),
    between("platform", LOWEST_PLATFORM, says="platform is 4 or more"),
)
_SIGNS = (
    between("gross_profit", low=0, says="gross profit is not negative"),
    between("gross_loss", high=0, says="gross loss is not positive"),
)


def _rows(table: Table, **derived: str) -> Frame:
    """The table's rows with what contradicts itself in them."""
    return rows_of(
        table,
        ("status", "phase", "gross_profit", "gross_loss", "success_rate"),
        not_standing=missing(_STANDING),
        untold=named({name: f"num_trades > 0 and {name} is null" for name in _OF_TRADES}),
        impossible_counts=named(IMPOSSIBLE_COUNTS),
        disordered_profits=disordered(DISTRIBUTION, CENT),
        impossible_durations=named(_IMPOSSIBLE_DURATIONS),
        mean_gap_in_cents=f"abs(mean_profit * num_trades - net_profit) / (nullif(num_trades, 0) * {CENT})",
        **derived,
    )


_DAILY = _rows(
    RAW_METRICS_DAILY,
    day_gap="round(prior_days_balance + net_profit - todays_payouts - current_balance, 2)",
    not_positive=named({name: f"{name} <= 0" for name in ("starting_balance", "current_balance", "current_equity")}),
    impossible_dates=named(
        {
            "first_trade_date": "first_trade_date::date > date",
            "days_since_first_trade": "days_since_first_trade < 0",
            "days_since_initial_deposit": "days_since_initial_deposit < 0",
        }
    ),
    impossible_payouts=named(
        {name: f"{name} < 0" for name in ("approved_payouts", "pending_payouts", "todays_payouts")}
    ),
)
_HOURLY = _rows(
    RAW_METRICS_HOURLY,
    hours_off="hour(datetime) - hour",
    other_day="case when datetime::date <> date then datetime::varchar end",
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


def _of_itself(table: Table, frame: Frame) -> tuple[Rule, ...]:
    """What holds of a daily and of an hourly row alike."""
    return (
        _rule(
            table,
            frame,
            "standing_known",
            "completeness",
            "warn",
            (
                absent(
                    "not_standing", says="status, phase, plan and starting balance are there", mostly=STANDING_SHARE
                ),
                absent("untold", says="a row with trades has the figures that any trades have", mostly=STANDING_SHARE),
            ),
            "Who is alive, what money is relative to, and how an account traded is read from these columns.",
            "Which column: the samples name it. If the service has stopped sending it, ask its operators.",
        ),
        _rule(
            table,
            frame,
            "counts_possible",
            "consistency",
            "error",
            (absent("impossible_counts", says="no count is larger than the count of trades"),),
            "Trades in one symbol, in a row or won are some of the trades: more than all of them cannot be.",
            "The samples name the count; compare it with raw/trades_closed of the account.",
        ),
        _rule(
            table,
            frame,
            "success_rate_possible",
            "validity",
            "warn",
            (between("success_rate", 0, 100, says="the success rate is within 0 and 100 percent", mostly=RATE_SHARE),),
            "A rate beyond 100 has been seen in single rows; in many it means another unit, or another formula.",
            "Compare with the trades of the accounts shown; a factor of 100 in all of them is a change of unit.",
        ),
        _rule(
            table,
            frame,
            "percentiles_ordered",
            "consistency",
            "error",
            (absent("disordered_profits", says="minimum, percentiles, median and maximum ascend"),),
            "Percentiles of one set of trades ascend, whatever the trades are; a cent is left to rounding.",
            "The samples name the neighbours; swapped columns are a change of the service's export.",
        ),
        _rule(
            table,
            frame,
            "durations_ordered",
            "consistency",
            "error",
            (absent("impossible_durations", says="median and mean duration lie between the shortest and the longest"),),
            "A mean outside its own range is a mean of other trades, or in another unit.",
            "Compare with the durations in raw/trades_closed of the account, in hours.",
        ),
        _rule(
            table,
            frame,
            "means_add_up",
            "consistency",
            "warn",
            (between("mean_gap_in_cents", high=1, says="mean profit times trades is the net profit"),),
            "The mean is of the same trades as the sum; a cent a trade is left to rounding.",
            "Mean before costs, sum after them: then the service has changed what one of them means. Ask it.",
        ),
    )


DAILY_ROWS_RULES = (
    Rule(
        id="metrics_valid",
        table=RAW_METRICS_DAILY.name,
        dimension="validity",
        severity="error",
        frame=_DAILY,
        expectations=(unique(RAW_METRICS_DAILY.key), *ENUMS, *_SIGNS),
        reason="The target and the state of every account come from these rows.",
        advice="Look at the samples in the service's own screens; a flipped sign is a changed export.",
    ),
    *_of_itself(RAW_METRICS_DAILY, _DAILY),
    _rule(
        RAW_METRICS_DAILY,
        _DAILY,
        "day_adds_up",
        "consistency",
        "warn",
        (between("day_gap", -CENT, CENT, says="balance = balance of the day before + net profit − payouts"),),
        "A row that does not add up has lost a payout, a correction, or a sign; the balance is a feature.",
        "Compare with the trades and payouts of the account; many rows at once: the service has changed a field.",
    ),
    _rule(
        RAW_METRICS_DAILY,
        _DAILY,
        "balances_positive",
        "validity",
        "warn",
        (absent("not_positive", says="starting balance, balance and equity are above zero"),),
        "The firm closes an account long before its balance is gone; zero is a field that was not filled.",
        "Look at the account in the service's own screens; if it is right, ask the risk desk about the account.",
    ),
    _rule(
        RAW_METRICS_DAILY,
        _DAILY,
        "payouts_possible",
        "validity",
        "error",
        (absent("impossible_payouts", says="payouts are not negative"),),
        "Payouts are sums of money that left the account; a negative one turns the balance's identity around.",
        "A flipped sign in all rows is a changed export: correct the reader, and fetch the day again.",
    ),
    _rule(
        RAW_METRICS_DAILY,
        _DAILY,
        "dates_possible",
        "timeliness",
        "error",
        (absent("impossible_dates", says="the first trade and the deposit lie no later than the day"),),
        "What lies after the day is not known on it (L2); ages count up from it.",
        "The service answers with today's row for a past day: fetch the day again, and ask its operators.",
    ),
)

HOURLY_ROWS_RULES = (
    Rule(
        id="metrics_valid",
        table=RAW_METRICS_HOURLY.name,
        dimension="validity",
        severity="error",
        frame=_HOURLY,
        expectations=(
            unique(RAW_METRICS_HOURLY.key),
            between("hour", 0, 23, says="hour is 0 to 23"),
            *ENUMS,
            *_SIGNS,
        ),
        reason="An hour that is there twice counts twice in every sum over the day.",
        advice="Fetch the day again.",
    ),
    *_of_itself(RAW_METRICS_HOURLY, _HOURLY),
    _rule(
        RAW_METRICS_HOURLY,
        _HOURLY,
        "instants_agree",
        "timeliness",
        "error",
        (
            between("hours_off", 0, 0, says="the instant's hour is the hour"),
            absent("other_day", says="the instant lies on the day"),
        ),
        "An instant of another hour is one of another time zone, and so are then the trades of that hour.",
        "Compare with the closing times in raw/trades_closed; a constant offset is a time zone.",
    ),
)
