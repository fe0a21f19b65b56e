"""What each endpoint answers over real HTTP, and how it agrees with the world."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
import requests

from daily_profit_model.sandbox.server import Address
from daily_profit_model.sandbox.world import World
from daily_profit_model_tests.sandbox.client import DAY, NUMBER, every, get


def test_pages_of_closed_trades_are_complete_and_distinct(address: Address, trades: pd.DataFrame) -> None:
    rows = every(address, "v2/trades/closed", limit=333, trade_date=DAY)
    keys = {(row["platform"], row["broker"], row["login"], str(row["position"]), str(row["ticket"])) for row in rows}
    assert len(keys) == len(rows) == (trades["day"] == NUMBER).sum() > 1000


def test_closed_trades_say_what_the_world_says(address: Address, world: World, trades: pd.DataFrame) -> None:
    rows = {int(row["ticket"]): row for row in every(address, "v2/trades/closed", trade_date=DAY)}
    register = world.accounts.to_pandas()
    for _, trade in trades[trades["day"] == NUMBER].head(50).iterrows():
        row = rows[trade["ticket"]]
        assert row["login"] == register["login"][trade["uid"]]
        assert row["profit"] == trade["profit"]
        assert row["swap"] == trade["swap"]
        assert row["side"] == ("Buy" if trade["side"] > 0 else "Sell")
        assert row["tradeDate"] == "2026-06-01T00:00:00.000Z"
        closed = datetime.fromisoformat(row["closeTime"])
        assert closed.timestamp() * 1000 == pytest.approx(trade["close_ms"], abs=0.5)
        hours = (closed - datetime.fromisoformat(row["openTime"])).total_seconds() / 3600
        assert row["duration"] == pytest.approx(hours, abs=1e-5)
        assert row["volumeUSD"] > 0
        assert isinstance(row["contractSize"], float)


def test_tickets_are_mostly_text_and_sometimes_numbers(address: Address) -> None:
    rows = every(address, "v2/trades/closed", trade_date=DAY)
    text = np.mean([isinstance(row["ticket"], str) for row in rows])
    assert 0.7 < text < 0.97
    assert all(isinstance(row["login"], str) for row in rows)


def test_daily_metrics_equal_the_sum_over_the_trades_to_the_cent(address: Address) -> None:
    trades = pd.DataFrame(every(address, "v2/trades/closed", trade_date=DAY))
    metrics = pd.DataFrame(every(address, "v2/metrics/daily", dates=DAY))
    trades["net"] = trades[["profit", "commission", "fee", "swap"]].sum(axis=1)
    by = ["login", "platform", "broker"]
    metrics = metrics.rename(columns={"mt_version": "platform"}).set_index(by)
    groups = trades.groupby(by)
    assert (metrics["netProfit"] - groups["net"].sum().reindex(metrics.index).fillna(0)).abs().max() < 0.005
    assert (metrics["numTrades"] - groups.size().reindex(metrics.index).fillna(0)).abs().max() == 0
    assert (metrics["netProfit"] - metrics["grossProfit"] - metrics["grossLoss"]).abs().max() < 0.005
    assert (metrics["totalLots"] - groups["lots"].sum().reindex(metrics.index).fillna(0)).abs().max() < 1e-6
    assert set(groups.groups) <= set(metrics.index)


def test_hourly_metrics_add_up_to_the_day(address: Address) -> None:
    hours = pd.DataFrame(every(address, "v2/metrics/hourly", dates=DAY))
    daily = pd.DataFrame(every(address, "v2/metrics/daily", dates=DAY)).set_index(["login", "mt_version"])
    assert not hours.duplicated(["login", "mt_version", "hour"]).any()
    assert hours["hour"].between(0, 23).all()
    assert (hours["datetime"].str[11:13].astype(int) == hours["hour"]).all()
    summed = hours.groupby(["login", "mt_version"])["netProfit"].sum()
    assert (daily["netProfit"].loc[summed.index] - summed).abs().max() < 0.01


def test_all_time_metrics_sum_every_trade_so_far(address: Address, world: World, trades: pd.DataFrame) -> None:
    rows = pd.DataFrame(every(address, "v2/metrics/alltime"))
    register = world.accounts.to_pandas()
    joined = rows.merge(
        register.reset_index(names="uid")[["uid", "login", "platform"]],
        left_on=["login", "mt_version"],
        right_on=["login", "platform"],
    )
    assert len(joined) == len(rows) == len(register)
    summed = trades.groupby("uid")["net"].sum().reindex(joined["uid"]).fillna(0.0).to_numpy()
    assert (joined["netProfit"] - summed).abs().max() < 0.005
    assert joined["numTrades"].sum() == len(trades)
    assert (joined["accountId"].isna()).sum() == register["is_test"].sum()
    assert set(rows["status"]) == {1, 2, 3}


def test_accounts_answers_a_bare_list_and_the_state_at_the_clock(address: Address, world: World) -> None:
    rows = get(address, "accounts").json()["Data"]
    assert isinstance(rows, list)
    assert len(rows) == world.accounts.num_rows
    assert {"login", "accountId", "currentBalance", "status", "mt_version"} <= set(rows[0])
    assert get(address, "accounts", limit=1, include_total=1).json()["Data"]["total"] == len(rows)


def test_without_include_total_there_is_no_total(address: Address) -> None:
    body = get(address, "v2/metrics/daily", dates=DAY, limit=3).json()
    assert body["Status"] == "ok"
    assert body["Time"]
    assert sorted(body["Data"]) == ["count", "data", "limit", "skip"]


def test_order_is_not_by_key_but_the_same_each_time(address: Address) -> None:
    first, second = (every(address, "v2/metrics/daily", dates=DAY) for _ in range(2))
    logins = [row["login"] for row in first]
    assert first == second
    assert logins != sorted(logins)


def test_open_trades_without_a_date_are_the_newest_snapshot(address: Address, world: World) -> None:
    rows = every(address, "v2/trades/open")
    assert {row["tradeDate"][:10] for row in rows} == {world.settings.end.isoformat()}
    assert not {"closeTime", "closePrice"} & set(rows[0])
    earlier = every(address, "v2/trades/open", trade_date=DAY)
    assert {row["tradeDate"][:10] for row in earlier} == {"2026-06-01"}


def test_bars_come_in_the_form_of_the_chart_endpoint(address: Address, world: World) -> None:
    begin = NUMBER * 86_400
    url = f"{address.root}/market/v8/finance/chart/EURUSD"
    asked = f"{url}?interval=1h&period1={begin}&period2={begin + 5 * 86_400}"
    body = requests.get(asked, timeout=30).json()["chart"]
    assert body["error"] is None
    result, quote = body["result"][0], body["result"][0]["indicators"]["quote"][0]
    assert result["meta"]["symbol"] == "EURUSD"
    assert result["timestamp"][0] == begin
    assert len(result["timestamp"]) == 120
    assert all(len(quote[name]) == 120 for name in ("open", "high", "low", "close", "volume"))
    missing = [value is None for value in quote["close"]]
    assert 0 < sum(missing) < 10
    assert all(high >= low for high, low in zip(quote["high"], quote["low"], strict=True) if high is not None)
    unknown = requests.get(f"{address.root}/market/v8/finance/chart/NOPE", timeout=30)
    assert unknown.status_code == 404
    assert unknown.json()["chart"]["error"]["code"] == "Not Found"
