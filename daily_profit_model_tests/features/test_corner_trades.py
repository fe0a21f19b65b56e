"""Trades and regimes by hand: whose volatility an account bears, and how its wins compare with its losses."""

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


ALIASES = FIRM.account("aliases", 25)
for symbol, volume in (("EURUSD", 100.0), ("GOLD", 300.0), ("AAPL", 9e9), ("BTCUSD", 9e9), ("USDJPY", None)):
    FIRM.trade(ALIASES, 1, symbol=symbol, volume_usd=volume)
FIRM.regime(0, eurusd_volatility_90d=0.1, xauusd_volatility_90d=0.2, usdjpy_volatility_90d=9.0, anomaly_count=4)
FIRM.regime(3, eurusd_volatility_90d=0.7)


def test_own_volatility_weighs_the_instruments_by_volume_whatever_their_names(made: Features) -> None:
    assert made[ALIASES, 0]["own_symbol_volatility_20d"] == pytest.approx(0.175, rel=1e-12)
    assert made[ALIASES, 3]["own_symbol_volatility_20d"] is None


def test_a_day_without_a_regime_has_none_of_another_day_L9(made: Features) -> None:
    names = "eurusd_volatility_90d anomaly_count sentiment_score own_symbol_volatility_20d"
    assert _values(made[ALIASES, 1], names) == [None] * 4
    assert _values(made[ALIASES, 0], names)[:3] == [0.1, 4, None]
    assert _values(made[ALIASES, 3], names)[:3] == [0.7, None, None]


TRADER = FIRM.account("trader", 5, has_traded=True)
for hour, held, profit, lots in ((1, 4, -10.0, 1.0), (6, 2, 30.0, 3.0), (9, 1, 20.0, 2.0), (10, 6, -20.0, 8.0)):
    opened = MIDNIGHT + timedelta(hours=hour)
    FIRM.trade(TRADER, 0, profit=profit, lots=lots, open_time=opened, close_time=opened + timedelta(hours=held))


def test_wins_and_losses_are_compared_by_size_lots_and_holding_time(made: Features) -> None:
    """The second trade follows a loss (3 lots), the last two a win (2 and 8 lots)."""
    row = made[TRADER, 0]
    assert _values(row, "trade_win_rate_5d payoff_ratio_5d holding_asymmetry_5d") == [0.5, 25 / 15, 5 / 1.5]
    assert row["lots_after_loss_ratio_5d"] == 3.0 / 5.0
    assert (row["duration_mean_5d"], row["lots_max_5d"], row["lots_mean_5d"]) == (3.25, 8.0, 3.5)
    assert row["duration_std_5d"] == pytest.approx((14.75 / 3) ** 0.5, rel=1e-12)


NAMELESS = FIRM.account("nameless", 2)
for symbol in (None, None, "XAUUSD"):
    FIRM.trade(NAMELESS, 0, symbol=symbol)


def test_a_symbol_that_is_not_known_is_no_symbol_L9(made: Features) -> None:
    row = made[NAMELESS, 0]
    assert _values(row, "trades_count_5d symbols_count_5d top_symbol_share_5d symbol_hhi_5d") == [3, 1, 1.0, 1.0]


INSTANT = FIRM.account("instant", 2)
for minutes, held, profit in ((0, 10, -5.0), (30, 0, 7.0), (60, 5, 1.0)):
    opened = MIDNIGHT + timedelta(minutes=minutes)
    FIRM.trade(INSTANT, 0, profit=profit, lots=minutes / 10, open_time=opened,
               close_time=opened + timedelta(minutes=held))  # fmt: skip


def test_a_trade_closed_at_the_instant_of_its_opening_follows_the_one_before_it(made: Features) -> None:
    """3 lots after the loss, 6 lots after the win."""
    assert made[INSTANT, 0]["lots_after_loss_ratio_5d"] == 0.5
