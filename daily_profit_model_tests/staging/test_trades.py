"""staging/trades: whose trade it is, what kind of symbol, in which session, at what cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from daily_profit_model.lake import Lake
from daily_profit_model.tables.raw import RAW_ACCOUNTS
from daily_profit_model_tests.staging.firm_days import (
    day,
    metrics,
    snapshot,
    stage,
    stage_trades,
    store,
    store_day,
    trade,
)


def test_a_trade_finds_its_account_by_login_platform_and_broker(lake: Lake) -> None:
    other = {**metrics("b"), "login": "login-a", "broker": 2}
    closed = [trade("a", "1"), trade("a", "2", broker=2), trade("a", "3", broker=3), trade("a", "4", platform=5)]
    store_day(lake, day(0), rows=[metrics("a"), other], closed=closed)
    stage(lake, day(0))
    found = {row["position"]: (row["account_id"], row["is_resolved"]) for row in stage_trades(lake, day(0))}
    assert found == {"1": ("a", True), "2": ("b", True), "3": (None, False), "4": (None, False)}


def test_an_unresolved_trade_is_kept_and_resolved_when_the_account_appears(lake: Lake) -> None:
    store_day(lake, day(0), closed=[trade("late")])
    stage(lake, day(0))
    assert [row["is_resolved"] for row in stage_trades(lake, day(0))] == [False]
    # the day had not been fetched in time for the account's row: the next run of the same day knows it
    store(lake, RAW_ACCOUNTS, day(0), [snapshot("late")], datetime(2026, 3, 3, 5, 30, tzinfo=UTC))
    stage(lake, day(0))
    assert [row["account_id"] for row in stage_trades(lake, day(0))] == ["late"]


@pytest.mark.parametrize(
    ("symbol", "symbol_class"),
    [
        ("EURUSD", "forex"), ("GBPJPY", "forex"), ("usdcad ", "forex"), ("XAUUSD", "metals"), ("XAGEUR", "metals"),
        ("SPX500", "index"), ("NDX100", "index"), ("US30", "index"), ("DE40", "index"), ("BTCUSD", "crypto"),
        ("ETHUSD", "crypto"), ("USOUSD", "energy"), ("UKOIL", "energy"), ("AAPL", "other"),
    ],
)  # fmt: skip
def test_a_symbol_has_its_class(lake: Lake, symbol: str, symbol_class: str) -> None:
    store_day(lake, day(0), rows=[metrics("a")], closed=[trade("a", trd_symbol=f"{symbol}.x", std_symbol=symbol)])
    stage(lake, day(0))
    (row,) = stage_trades(lake, day(0))
    assert (row["symbol"], row["symbol_class"]) == (symbol.strip().upper(), symbol_class)


def test_the_traded_symbol_stands_in_for_a_missing_standard_one(lake: Lake) -> None:
    store_day(lake, day(0), closed=[trade("a", trd_symbol="xauusd", std_symbol=None)])
    stage(lake, day(0))
    (row,) = stage_trades(lake, day(0))
    assert (row["symbol"], row["symbol_class"]) == ("XAUUSD", "metals")


def test_the_session_is_that_of_the_opening_hour(lake: Lake) -> None:
    closed = [
        trade("a", f"{hour:02d}", open_time=datetime(2026, 3, 2, hour, 59, tzinfo=UTC),
              close_time=datetime(2026, 3, 3, tzinfo=UTC))
        for hour in range(24)
    ]  # fmt: skip
    store_day(lake, day(0), rows=[metrics("a")], closed=closed)
    stage(lake, day(0))
    sessions = [row["session"] for row in stage_trades(lake, day(0))]
    assert sessions == ["asia"] * 8 + ["london"] * 5 + ["new_york"] * 9 + ["asia"] * 2


def test_profit_costs_stops_and_duration_are_told_apart(lake: Lake) -> None:
    opened = datetime(2026, 3, 2, 23, 45, tzinfo=UTC)
    closed = [
        trade("a", "1", profit=10.0, commission=-1.5, fee=None, swap=-0.25, stop_loss=0.0, take_profit=1.3,
              open_time=opened, close_time=opened + timedelta(hours=50)),
        trade("a", "2", profit=-4.0, stop_loss=1.0, take_profit=None),
    ]  # fmt: skip
    store_day(lake, day(0), rows=[metrics("a")], closed=closed)
    stage(lake, day(0))
    first, second = stage_trades(lake, day(0))
    assert (first["costs"], first["net_profit"], first["duration_hours"]) == (-1.75, 8.25, 50.0)
    assert (first["has_stop_loss"], first["has_take_profit"]) == (False, True)
    assert (second["costs"], second["net_profit"], second["duration_hours"]) == (0.0, -4.0, 1.5)
    assert (second["has_stop_loss"], second["has_take_profit"]) == (True, False)


def test_parts_of_a_position_are_rows_of_their_own(lake: Lake) -> None:
    store_day(lake, day(0), rows=[metrics("a")], closed=[trade("a", "7", ticket="1"), trade("a", "7", ticket="2")])
    stage(lake, day(0))
    assert [row["ticket"] for row in stage_trades(lake, day(0))] == ["1", "2"]
