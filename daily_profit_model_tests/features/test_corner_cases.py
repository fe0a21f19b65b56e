"""The corner cases of an account's life, by hand: its rows, its trades, and the numbers that must come of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daily_profit_model_tests.features.corner_firm import Firm
from daily_profit_model_tests.features.histories import LAST

FIRM = Firm()
MIDNIGHT = datetime(LAST.year, LAST.month, LAST.day, tzinfo=UTC)
Features = Mapping[tuple[str, int], Mapping[str, Any]]


@pytest.fixture(scope="module")
def made() -> Features:
    return FIRM.features(first_ago=3)


def _values(row: Mapping[str, Any], names: str) -> list[Any]:
    return [row[name] for name in names.split()]


FIRST_DAY = FIRM.account("first day", 1, net_profit=25.0)
FIRM.trade(FIRST_DAY, 0, profit=25.0)
FIRM.trade(FIRST_DAY, 1, profit=-900.0)


def test_on_its_first_day_an_account_has_no_deviation_and_no_past_L9(made: Features) -> None:
    row = made[FIRST_DAY, 0]
    assert _values(row, "pnl_std_5d sharpe_5d pnl_downside_std_5d pnl_lag_1d same_weekday_pnl_mean_4w") == [None] * 5
    assert _values(row, "days_observed_60d pnl_mean_5d pnl_sum_20d pnl_median_20d") == [1, 25.0, 25.0, 25.0]
    assert _values(row, "winning_streak losing_streak idle_streak days_since_first_trade") == [1, 0, 0, 0]


def test_a_trade_before_the_first_day_counts_for_nothing(made: Features) -> None:
    row = made[FIRST_DAY, 0]
    assert _values(row, "trades_count_20d trading_days_20d trade_win_rate_20d volume_sum_20d") == [1, 1, 1.0, 100_000.0]


def test_an_account_without_peers_has_no_rank(made: Features) -> None:
    names = "peer_rank_pnl_sum_5d peer_rank_equity_to_start peer_pnl_mean_1d peer_trading_share_1d peer_accounts"
    assert _values(made[FIRST_DAY, 0], names) == [None, None, 25.0, 1.0, 1]


ONE_TRADE = FIRM.account("one trade", 30, net_profit=[0.0] * 26 + [-40.0] + [0.0] * 3)
FIRM.trade(ONE_TRADE, 3, profit=-38.0, costs=-2.0, commission=-1.5, lots=0.25, symbol="XAUUSD", side="sell",
           has_stop_loss=True, open_time=MIDNIGHT - timedelta(days=4, hours=2))  # fmt: skip


def test_one_trade_has_a_mean_and_no_deviation(made: Features) -> None:
    row = made[ONE_TRADE, 0]
    assert _values(row, "duration_mean_5d duration_std_5d lots_mean_5d lots_max_5d") == [1.0, None, 0.25, 0.25]
    assert _values(row, "trades_count_5d trading_days_5d trades_per_active_day_5d") == [1, 1, 1.0]
    assert _values(row, "volume_sum_5d rel_volume_sum_5d commission_sum_5d") == [100_000.0, 10.0, -1.5]
    assert _values(row, "symbols_count_5d top_symbol_share_5d symbol_hhi_5d metals_share_5d") == [1, 1.0, 1.0, 1.0]
    assert _values(row, "buy_share_5d stop_loss_share_5d take_profit_share_5d forex_share_5d") == [0.0, 1.0, 0.0, 0.0]
    assert _values(row, "asia_session_share_5d london_session_share_5d weekend_share_5d") == [1.0, 0.0, 0.0]
    assert _values(row, "trade_win_rate_5d payoff_ratio_5d") == [0.0, None]
    assert _values(row, "lots_after_loss_ratio_5d holding_asymmetry_5d") == [None, None]


def test_one_trading_day_is_one_of_the_known_days(made: Features) -> None:
    row = made[ONE_TRADE, 0]
    assert _values(row, "pnl_sum_5d pnl_min_5d pnl_max_5d pnl_max_drawdown_5d") == [-40.0, -40.0, 0.0, 40.0]
    assert _values(row, "trading_day_share_5d win_day_share_5d profit_factor_5d") == [0.2, 0.0, 0.0]
    assert _values(row, "winning_streak losing_streak idle_streak pnl_lag_3d") == [0, 1, 3, -40.0]


MONTH_AWAY = FIRM.account("month away", 60, net_profit=[7.0] * 29 + [0.0] * 31)
FIRM.trade(MONTH_AWAY, 31, profit=7.0)


def test_a_month_without_trades_is_zeros_and_no_shares_L9(made: Features) -> None:
    row = made[MONTH_AWAY, 0]
    assert _values(row, "trades_count_20d trading_days_20d symbols_count_20d") == [0, 0, 0]
    assert _values(row, "volume_sum_20d rel_volume_sum_20d commission_sum_20d") == [0.0, 0.0, 0.0]
    nothing = "trades_per_active_day duration_mean duration_std lots_mean lots_max stop_loss_share weekend_share"
    nothing += " forex_share asia_session_share top_symbol_share symbol_hhi trade_win_rate payoff_ratio"
    nothing += " lots_after_loss_ratio holding_asymmetry own_symbol_volatility"
    assert [row[f"{name}_20d"] for name in nothing.split()] == [None] * 16
    assert _values(row, "pnl_sum_20d pnl_std_20d sharpe_20d profit_factor_20d") == [0.0, 0.0, None, None]
    assert _values(row, "idle_streak winning_streak days_since_last_trade pnl_sum_60d") == [31, 29, 31, 203.0]
    assert row["days_to_inactivity_breach"] == -1


BREAK_EVEN = FIRM.account("break-even", 3, has_traded=True)
FIRM.trade(BREAK_EVEN, 1, profit=0.3, costs=-0.1 - 0.2)
FIRM.trade(BREAK_EVEN, 0)


def test_what_breaks_even_is_neither_won_nor_lost(made: Features) -> None:
    row = made[BREAK_EVEN, 0]
    assert _values(row, "trades_count_5d trade_win_rate_5d payoff_ratio_5d holding_asymmetry_5d") == [
        2,
        0.0,
        None,
        None,
    ]
    assert _values(row, "pnl_mean_3d win_day_share_3d trading_day_share_3d profit_factor_3d") == [0.0, 0.0, 1.0, None]
    assert _values(row, "winning_streak losing_streak idle_streak") == [0, 0, 0]


NO_LOSSES = FIRM.account("no losses", 25, net_profit=10.0)
for hour in (1, 5):
    opened = MIDNIGHT + timedelta(hours=hour)
    FIRM.trade(NO_LOSSES, 0, profit=5.0, lots=float(hour), open_time=opened, close_time=opened + timedelta(hours=2))


def test_without_a_loss_there_is_no_profit_factor_and_without_deviation_no_sharpe_L9(made: Features) -> None:
    row = made[NO_LOSSES, 0]
    assert [row[f"profit_factor_{w}d"] for w in (3, 5, 10, 20)] == [None] * 4
    assert [row[f"sharpe_{w}d"] for w in (3, 5, 10, 20)] == [None] * 4
    assert [row[f"pnl_std_{w}d"] for w in (3, 5, 10, 20)] == [0.0] * 4
    assert _values(row, "pnl_downside_std_5d pnl_max_drawdown_5d win_day_share_5d") == [0.0, 0.0, 1.0]


def test_without_a_losing_trade_nothing_is_compared_with_one_L9(made: Features) -> None:
    row = made[NO_LOSSES, 0]
    assert _values(row, "trade_win_rate_5d payoff_ratio_5d") == [1.0, None]
    assert _values(row, "lots_after_loss_ratio_5d holding_asymmetry_5d") == [None, None]


AT_PEAK = FIRM.account("at its peak", 2, is_drawdown_relative=True, equity=[11_000.0, 12_000.0],
                       equity_high=[11_000.0, 12_000.0], equity_high_date=LAST)  # fmt: skip
BELOW_PEAK = FIRM.account("below its peak", 2, is_drawdown_relative=True, equity=11_400.0, equity_high=12_000.0,
                          equity_high_date=LAST - timedelta(days=1))  # fmt: skip


def test_at_its_peak_a_trailing_drawdown_leaves_all_of_its_room(made: Features) -> None:
    names = "distance_to_max_drawdown drawdown_from_peak days_since_equity_high equity_high_water_mark"
    assert _values(made[AT_PEAK, 0], names) == [1_000.0, 0.0, 0, 12_000.0]
    assert _values(made[BELOW_PEAK, 0], names) == [400.0, 0.05, 1, 12_000.0]


UNLIMITED = FIRM.account("unlimited", 2, profit_target_pct=None, max_trading_days=None, daily_loss_limit_pct=None,
                         inactivity_period_days=None, max_drawdown_pct=None)  # fmt: skip


def test_a_plan_without_limits_has_no_distances_to_them_L9(made: Features) -> None:
    row = made[UNLIMITED, 0]
    terms = "profit_target_pct max_trading_days daily_loss_limit_pct inactivity_period_days max_drawdown_pct"
    assert _values(row, terms) == [None] * 5
    distances = "distance_to_profit_target progress_to_profit_target distance_to_max_drawdown daily_loss_room"
    assert _values(row, f"{distances} days_to_time_limit days_to_inactivity_breach") == [None] * 6
    assert _values(row, "balance_to_start equity_to_start drawdown_from_peak") == [1.0, 1.0, 0.0]


WEEKEND = FIRM.account("weekend", 10, has_traded=True)  # the last day is a Monday
FIRM.trade(WEEKEND, 2, symbol="BTCUSD", open_time=MIDNIGHT - timedelta(days=2, minutes=1))  # Friday, closed on Saturday
FIRM.trade(WEEKEND, 1, symbol="BTCUSD", open_time=MIDNIGHT - timedelta(days=2))  # Saturday
FIRM.trade(WEEKEND, 0, symbol="EURUSD", open_time=MIDNIGHT - timedelta(minutes=1))  # Sunday, closed on Monday
FIRM.trade(WEEKEND, 0, symbol="EURUSD", open_time=MIDNIGHT)
FIRM.trade(WEEKEND, 5, symbol="XAUUSD")


def test_a_weekend_is_two_days_of_every_window_and_of_the_calendar(made: Features) -> None:
    by_day = [_values(made[WEEKEND, ago], "day_of_week is_weekend days_observed_5d") for ago in (3, 2, 1, 0)]
    assert by_day == [[6, True, 5], [7, True, 5], [1, False, 5], [2, False, 5]]
    assert [made[WEEKEND, ago]["weekend_share_5d"] for ago in (3, 2, 1, 0)] == [0.0, 0.0, 1 / 3, 0.5]
    assert _values(made[WEEKEND, 0], "trades_count_5d crypto_share_5d metals_share_5d") == [4, 0.5, 0.0]
    assert _values(made[WEEKEND, 0], "trades_count_20d trading_days_20d symbols_count_20d") == [5, 4, 3]


ENDED = FIRM.account("ended", 3, plan_type="ending", net_profit=[5.0, 10.0, -999.0], is_eligible=[True, True, False],
                     equity=[10_005.0, 10_015.0, 9_016.0])  # fmt: skip
SURVIVOR = FIRM.account("survivor", 3, plan_type="ending", net_profit=[1.0, 2.0, 4.0], equity=10_007.0)
NEXT_LIFE = FIRM.account("next life", 8, until=6, net_profit=-50.0)
FIRM.account(NEXT_LIFE, 2, net_profit=[3.0, 4.0])
for ago in (7, 6, 4, 1):
    FIRM.trade(NEXT_LIFE, ago, profit=-50.0 if ago > 1 else 3.0)


def test_an_account_that_has_ended_has_no_row_and_is_nobodys_peer(made: Features) -> None:
    assert (ENDED, 0) not in made
    names = "peer_rank_pnl_sum_5d peer_rank_equity_to_start peer_pnl_mean_1d peer_accounts"
    assert _values(made[ENDED, 1], names) == [1.0, 1.0, 6.0, 2]
    assert _values(made[SURVIVOR, 1], names) == [0.0, 0.0, 6.0, 2]
    assert _values(made[SURVIVOR, 0], names) == [None, None, 4.0, 1]


def test_a_new_life_remembers_nothing_of_the_former_one(made: Features) -> None:
    row = made[NEXT_LIFE, 0]
    assert _values(row, "days_observed_60d pnl_sum_20d pnl_lag_1d pnl_lag_2d") == [2, 7.0, 3.0, None]
    assert _values(row, "trades_count_20d trade_win_rate_20d trading_days_20d") == [1, 1.0, 1]


CHANGED = FIRM.account("plan changed", 30, net_profit=2.0, plan_id=["p1"] * 29 + ["p2"], leverage=[100.0] * 29 + [30.0],
                       max_drawdown_pct=[10.0] * 29 + [6.0], plan_type=["before"] * 29 + ["after"],
                       equity=10_060.0)  # fmt: skip
FIRM.account("of the old plan", 30, plan_type="before")
for name in ("of the new plan", "of the new plan too"):
    FIRM.account(name, 30, plan_type="after", net_profit=8.0)


def test_each_day_has_the_plan_of_the_day_L4(made: Features) -> None:
    names = "plan_id leverage max_drawdown_pct plan_type distance_to_max_drawdown"
    assert _values(made[CHANGED, 1], names) == ["p1", 100.0, 10.0, "before", 1_060.0]
    assert _values(made[CHANGED, 0], names) == ["p2", 30.0, 6.0, "after", 660.0]


def test_a_new_plan_means_other_peers_and_the_same_past(made: Features) -> None:
    names = "peer_rank_pnl_sum_5d peer_pnl_mean_1d peer_accounts pnl_sum_20d"
    assert _values(made[CHANGED, 1], names) == [1.0, 1.0, 2, 40.0]
    assert _values(made[CHANGED, 0], names) == [0.0, 6.0, 3, 40.0]
    assert made["of the new plan", 0]["peer_rank_pnl_sum_5d"] == 0.5


UNKNOWN = FIRM.account("unknown", 3, net_profit=None, has_traded=False, plan_type=None)
HALF_KNOWN = FIRM.account("half known", 3, net_profit=[None, 5.0, None], has_traded=[True, True, False])
IDLE = FIRM.account("idle", 3, net_profit=[0.0, 0.0, 6.0])


def test_days_whose_profit_is_not_known_stay_unknown_L9(made: Features) -> None:
    row = made[UNKNOWN, 0]
    assert _values(row, "pnl_sum_3d pnl_mean_3d pnl_min_3d win_day_share_3d days_observed_3d") == [None] * 4 + [0]
    assert _values(row, "ewm_pnl_3d abs_pnl_mean_3d pnl_median_20d") == [None] * 3
    assert made[HALF_KNOWN, 0]["trading_day_share_3d"] == 1.0


def test_without_terms_there_are_no_peers_L9(made: Features) -> None:
    names = "peer_rank_pnl_sum_5d peer_rank_equity_to_start peer_pnl_mean_1d peer_trading_share_1d peer_accounts"
    assert _values(made[UNKNOWN, 0], names) == [None] * 5


def test_a_day_that_did_not_trade_is_a_known_zero_L9(made: Features) -> None:
    assert _values(made[IDLE, 0], "pnl_mean_3d days_observed_3d trading_day_share_3d") == [2.0, 3, 1 / 3]
