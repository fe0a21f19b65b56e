"""Faults of the raw tables' rows. What a footer counts is spoiled in `faults`. No tests here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from daily_profit_model_tests.quality.good_rows import ENDED
from daily_profit_model_tests.quality.small_firm import Day
from daily_profit_model_tests.quality.spoils import Fault, added, all_changed, both, changed, removed, repeated, shifted

ACCOUNTS, DAILY, HOURLY = "raw/accounts", "raw/metrics_daily", "raw/metrics_hourly"
CLOSED, OPEN, PLANS, REGIMES = "raw/trades_closed", "raw/trades_open", "raw/plans", "raw/market_regimes"
LATER = datetime(2030, 1, 1, tzinfo=UTC)
EARLIER = datetime(2020, 1, 1, tzinfo=UTC)
NO_SUMS = {"gross_profit": None, "mean_profit": None, "todays_payouts": None}
"""A row whose net profit changes alone contradicts its other sums; here they are not told."""


UNTOLD = "standing_known"
"""Also sees that a figure is not told."""


def closed_before_opened(day: Day) -> None:
    trade = day.rows["raw/trades_closed"][0]
    earlier = trade["open_time"] - timedelta(seconds=1)
    day.rows["raw/trades_closed"][0] = {**trade, "close_time": earlier, "duration": None}


def without_row(day: Day) -> None:
    day.rows[DAILY].pop()


def revived(day: Day) -> None:
    day.rows[DAILY][ENDED]["status"] = 1


def second_account(day: Day) -> None:
    day.rows[ACCOUNTS].append({**day.rows[ACCOUNTS][0], "account_id": "a9"})


def vanished(day: Day) -> None:
    day.rows[ACCOUNTS].pop()
    day.rows[DAILY].pop()


def open_and_closed(day: Day) -> None:
    day.rows[OPEN][0]["position"] = day.rows[CLOSED][0]["position"]


def _of_metrics(table: str) -> tuple[Fault, ...]:
    """Faults of a daily and of an hourly row alike."""
    return tuple(
        Fault(table, rule, says, spoil, tuple(also))
        for rule, says, spoil, *also in (
            ("metrics_valid", "status is 1, 2 or 3", changed(table, status=4)),
            ("metrics_valid", "phase is 1, 2, 3 or 4", changed(table, phase=0)),
            ("metrics_valid", "platform is 4 or more", added(table, platform=3)),
            (
                "metrics_valid",
                "gross profit is not negative",
                changed(table, gross_profit=-0.01, gross_loss=None),
                UNTOLD,
            ),
            ("metrics_valid", "gross loss is not positive", changed(table, gross_loss=0.01, gross_profit=None), UNTOLD),
            ("standing_known", "status, phase, plan and starting balance are there", changed(table, phase=None)),
            (
                "standing_known",
                "a row with trades has the figures that any trades have",
                changed(table, success_rate=None),
            ),
            (
                "counts_possible",
                "no count is larger than the count of trades",
                changed(table, most_traded_smb_trades=3),
            ),
            (
                "success_rate_possible",
                "the success rate is within 0 and 100 percent",
                changed(table, success_rate=9999.0),
            ),
            (
                "percentiles_ordered",
                "minimum, percentiles, median and maximum ascend",
                changed(table, profit_perc90=98.52),
            ),
            (
                "durations_ordered",
                "median and mean duration lie between the shortest and the longest",
                changed(table, mean_duration=30.0),
            ),
            ("means_add_up", "mean profit times trades is the net profit", changed(table, mean_profit=48.52)),
        )
    )


RAW_FAULTS = (
    *(
        Fault(ACCOUNTS, rule, says, spoil)
        for rule, says, spoil in (
            ("accounts_valid", "one row for each date, platform, broker, login, account_id", repeated(ACCOUNTS)),
            ("accounts_valid", "status is 1, 2 or 3", changed(ACCOUNTS, status=4)),
            ("accounts_valid", "phase is 1, 2, 3 or 4", changed(ACCOUNTS, phase=0)),
            ("accounts_valid", "platform is 4 or more", added(ACCOUNTS, platform=3, is_live=None)),
            (
                "identities_written",
                "account_id is an id, no blank and no written null",
                added(ACCOUNTS, account_id="nan", is_live=None),
            ),
            (
                "identities_written",
                "login is an id, no blank and no written null",
                added(ACCOUNTS, login="123.0", is_live=None),
            ),
            ("login_has_one_account", "a login on its platform and broker belongs to one account", second_account),
            (
                "snapshot_whole",
                "starting balance, balance and equity are there together",
                changed(ACCOUNTS, current_equity=None),
            ),
            (
                "past_tells_identity_alone",
                "a snapshot that was filled later holds identities alone",
                changed(ACCOUNTS, is_live=False),
            ),
            (
                "lifetimes_possible",
                "no count is larger than the count of trades",
                changed(ACCOUNTS, max_num_consec_wins=3.0),
            ),
            (
                "lifetimes_possible",
                "minimum, percentiles, median and maximum ascend",
                changed(ACCOUNTS, min_profit=99.0),
            ),
            (
                "lifetimes_possible",
                "the first trade lies before the last, and not in the future",
                changed(ACCOUNTS, first_trade_open=LATER),
            ),
            ("accounts_stay", "every account of yesterday's snapshot is there today", vanished),
            ("plan_known", "the plan is in the plan files", changed(ACCOUNTS, plan_id="9")),
            (
                "traders_listed",
                "nearly all accounts that traded are in the snapshot",
                changed(DAILY, account_id="a7"),
            ),
        )
    ),
    Fault(DAILY, "metrics_valid", "one row for each date, platform, broker, login, account_id", repeated(DAILY)),
    *_of_metrics(DAILY),
    *(
        Fault(DAILY, rule, says, spoil, tuple(also))
        for rule, says, spoil, *also in (
            (
                "net_profit_equals_trades",
                "net profit is the sum over the closed trades",
                changed(DAILY, net_profit=97.02, **NO_SUMS),
                UNTOLD,
            ),
            ("trades_counted", "as many trades as closed", changed(DAILY, num_trades=4, mean_profit=None), UNTOLD),
            (
                "trades_counted",
                "lots and volume are about those of the closed trades",
                changed(DAILY, total_volume=1_100.0),
            ),
            (
                "profits_add_up",
                "gross profit and gross loss add up to the net profit, before or after the costs of the trades",
                changed(DAILY, gross_profit=98.5),
            ),
            ("traders_have_rows", "every account with a closed trade has its row", without_row),
            (
                "balance_carried_on",
                "balance = balance of the newest row before + net profit − payouts since",
                all_changed(DAILY, current_balance=77_000.0, prior_days_balance=None),
            ),
            (
                "balance_carried_on",
                "the prior day's balance is that of the row before",
                all_changed(DAILY, prior_days_balance=77_000.0, todays_payouts=None),
            ),
            ("ended_stay_ended", "an account that has ended does not come back", revived),
            (
                "start_is_constant",
                "the starting balance is that of the row before",
                changed(DAILY, starting_balance=51_000.0),
            ),
            ("plan_known", "the plan is in the plan files", changed(DAILY, plan_id="9")),
            (
                "day_adds_up",
                "balance = balance of the day before + net profit − payouts",
                changed(DAILY, todays_payouts=0.02),
            ),
            (
                "balances_positive",
                "starting balance, balance and equity are above zero",
                changed(DAILY, current_equity=0.0),
            ),
            ("payouts_possible", "payouts are not negative", changed(DAILY, pending_payouts=-1.0)),
            (
                "dates_possible",
                "the first trade and the deposit lie no later than the day",
                changed(DAILY, first_trade_date=LATER),
            ),
        )
    ),
    Fault(
        HOURLY, "metrics_valid", "one row for each date, platform, broker, login, account_id, hour", repeated(HOURLY)
    ),
    Fault(HOURLY, "metrics_valid", "hour is 0 to 23", changed(HOURLY, hour=24, datetime=None)),
    *_of_metrics(HOURLY),
    *(
        Fault(HOURLY, rule, says, spoil, tuple(also))
        for rule, says, spoil, *also in (
            ("instants_agree", "the instant's hour is the hour", shifted(HOURLY, "datetime", hours=1)),
            ("instants_agree", "the instant lies on the day", shifted(HOURLY, "datetime", days=1)),
            (
                "hours_add_up",
                "the trades of the hours are those of the day",
                all_changed(HOURLY, num_trades=4, mean_profit=None),
                UNTOLD,
            ),
            ("hours_add_up", "every hour with a closed trade has its row", removed(HOURLY)),
            (
                "hours_add_up",
                "the profits of the hours add up to the day's",
                all_changed(HOURLY, net_profit=97.02, mean_profit=None),
                UNTOLD,
            ),
        )
    ),
    *(
        Fault(CLOSED, rule, says, spoil, tuple(also))
        for rule, says, spoil, *also in (
            ("trades_valid", "one row for each date, platform, broker, login, position, ticket", repeated(CLOSED)),
            ("trades_valid", "side is buy or sell", changed(CLOSED, side="Buy")),
            ("trades_valid", "lots are not negative", changed(CLOSED, lots=-0.1, contract_size=None)),
            ("trades_valid", "closed no earlier than opened", closed_before_opened),
            (
                "prices_positive",
                "prices are above zero, and stops not below",
                changed(CLOSED, open_price=0.0, contract_size=None),
                "prices_within_bars",
            ),
            (
                "sizes_possible",
                "lots are what a platform takes, and the quantity is lots times contract",
                changed(CLOSED, qty_in_base_crncy=0.5),
            ),
            ("symbols_readable", "the symbol is written as a ticker", changed(CLOSED, std_symbol="1")),
            (
                "closed_on_the_day",
                "the accounting date is the day of the close",
                both(shifted(CLOSED, "close_time", days=1), changed(CLOSED, duration=None)),
            ),
            (
                "holding_possible",
                "no trade was held for more than a year",
                changed(CLOSED, open_time=EARLIER, duration=None),
            ),
            ("holding_possible", "the duration is the time from opening to close", changed(CLOSED, duration=60.0)),
            (
                "profit_follows_price",
                "who bought won when the price rose, and who sold when it fell",
                changed(CLOSED, profit=-10.0, close_price=1.2, contract_size=None),
                "prices_within_bars",
            ),
            (
                "money_equals_product",
                "of a pair quoted in USD, volume and profit are what lots and prices make",
                changed(CLOSED, volume_usd=550.0, commission=None),
            ),
            (
                "costs_possible",
                "commission and fee are no gains, and the commission is a small part of the volume",
                changed(CLOSED, commission=-1000.0),
            ),
            ("symbols_there", "nearly all trades name their symbol", changed(CLOSED, std_symbol=None, trd_symbol=None)),
        )
    ),
    *(
        Fault(OPEN, rule, says, spoil)
        for rule, says, spoil in (
            ("positions_valid", "one row for each date, platform, broker, login, position, ticket", repeated(OPEN)),
            ("positions_valid", "side is buy or sell", changed(OPEN, side="hold")),
            ("positions_valid", "lots are not negative", changed(OPEN, lots=-0.1, contract_size=None)),
            ("prices_positive", "prices are above zero, and stops not below", changed(OPEN, stop_loss=-1.0)),
            (
                "sizes_possible",
                "lots are what a platform takes, and the quantity is lots times contract",
                changed(OPEN, lots=1001.0, contract_size=None),
            ),
            ("symbols_readable", "the symbol is written as a ticker", changed(OPEN, std_symbol="one two")),
            (
                "opened_by_the_snapshot",
                "every position was opened before the end of the day",
                changed(OPEN, open_time=LATER),
            ),
            ("open_is_not_closed", "no part of a position is both open and closed on the day", open_and_closed),
        )
    ),
    *(
        Fault(PLANS, rule, says, spoil)
        for rule, says, spoil in (
            ("plans_valid", "one row for each date, plan_id", repeated(PLANS)),
            ("plans_valid", "plan_id is an id, no blank and no written null", changed(PLANS, plan_id="7.0")),
            (
                "terms_possible",
                "percentages, leverage and days of a plan that is sold are possible",
                changed(PLANS, maximum_time=999),
            ),
            (
                "start_not_absurd",
                "a plan that is sold begins with 1,000 to 2,000,000 USD",
                changed(PLANS, starting_balance=1.0),
            ),
            (
                "terms_there",
                "leverage, drawdown and inactivity of a plan that is sold are there",
                changed(PLANS, leverage=None),
            ),
            ("known_by_cut_off", "the terms were entered by the day's cut-off", changed(PLANS, valid_from=LATER)),
        )
    ),
    *(
        Fault(REGIMES, rule, says, changed(REGIMES, **values))
        for rule, says, values in (
            ("document_whole", "the document has every family of fields", {"treasury_2_year": None}),
            ("prices_positive", "every price is above zero", {"spx500_last_price": 0.0}),
            ("moves_possible", "returns and volatilities are ones that have been seen", {"spx500_daily_return": 1.2}),
            ("chances_possible", "each probability is within 0 and 1", {"to_risk_on": 40.0}),
            (
                "figures_possible",
                "rates are ones that have been seen, and counts not negative",
                {"treasury_2_year": 400.0},
            ),
            ("known_by_cut_off", "the document was written by the day's cut-off", {"known_at": LATER}),
            ("known_by_cut_off", "the document was not written before its day", {"known_at": EARLIER}),
            *(
                ("labels_short", f"{column} is a label, not a text", {column: "calm " * 30})
                for column in ("volatility_regime", "liquidity_state", "sentiment_level", "yield_curve_shape")
            ),
        )
    ),
    *(
        Fault("raw/quarantine", "rejects_readable", says, changed("raw/quarantine", **values))
        for says, values in (
            ("the row was meant for a table that is fetched", {"table": "raw/trades"}),
            ("the reason is one of the readers'", {"reason": "odd"}),
            ("the hash is as long as a sha256", {"payload_hash": "0a"}),
            ("the hash is hexadecimal", {"payload_hash": "0x" * 32}),
            ("the payload is the JSON that was received", {"payload": "{"}),
        )
    ),
)
