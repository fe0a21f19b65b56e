"""The server answers as the service would at the instant of its clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest
import requests

from daily_profit_model.sandbox.server import running
from daily_profit_model.sandbox.world import World
from daily_profit_model_tests.sandbox.client import DAY, KEY, NUMBER, every, set_clock


def test_the_clock_hides_what_is_not_over_yet(world: World) -> None:
    evening = datetime(2026, 6, 1, 23, 59, tzinfo=UTC)
    with running(world, api_key=KEY, rate_limit=0.0, as_of=evening) as address:
        assert every(address, "v2/metrics/daily", dates=DAY) == []
        assert every(address, "v2/trades/closed", trade_date=DAY) == []
        before = every(address, "v2/metrics/alltime")
        set_clock(address, "2026-06-02T00:00:00Z")
        assert len(every(address, "v2/metrics/daily", dates=DAY)) > 50
        assert every(address, "v2/metrics/daily", dates="20260602") == []
        after = every(address, "v2/metrics/alltime")
    trades = [sum(row["numTrades"] for row in rows) for rows in (before, after)]
    assert trades[1] - trades[0] == (world.trades["day"].to_numpy() == NUMBER).sum()
    assert max(row["updatedDate"] for row in after) == "2026-06-01T00:00:00.000Z"


def test_an_ended_account_is_alive_before_its_end(world: World) -> None:
    register = world.accounts.to_pandas()
    lived = pd.to_datetime(register["ended"]) - pd.to_datetime(register["opened"]) > pd.Timedelta(days=5)
    account = register[lived & ~register["is_test"]].iloc[-1]
    morning = pd.Timestamp(account["ended"]) + pd.Timedelta(hours=6)
    seen = []
    with running(world, api_key=KEY, rate_limit=0.0) as address:
        for moment in (morning, morning + pd.Timedelta(days=1)):
            set_clock(address, moment.isoformat())
            rows = every(address, "v2/metrics/alltime", accountIds=account["account_id"])
            seen.append(rows[0]["status"])
    assert seen == [1, account["status"]]


def test_a_correction_appears_at_its_time_and_makes_the_row_equal_its_trades(
    world: World, account_days: pd.DataFrame
) -> None:
    late = account_days[(account_days["lag"] == 2) & account_days["account_id"].notna()].iloc[0]
    day = pd.Timestamp(late["day"], unit="D")
    seen = []
    with running(world, api_key=KEY, rate_limit=0.0) as address:
        for moment in (day + pd.Timedelta(days=2, hours=11), day + pd.Timedelta(days=2, hours=12)):
            set_clock(address, moment.isoformat())
            date, account = f"{day:%Y%m%d}", late["account_id"]
            rows = every(address, "v2/metrics/daily", dates=date, accountIds=account)
            seen.append((rows[0]["netProfit"], rows[0]["currentBalance"]))
    assert seen[1] == (late["net"], late["balance"])
    assert seen[0] == pytest.approx((late["net"] - late["fee"], late["balance"] - late["fee"]), abs=0.005)
    assert late["fee"] < 0


def test_the_clock_needs_the_key_and_a_time(world: World) -> None:
    with running(world, api_key=KEY) as address:
        assert set_clock(address, "2026-06-02T00:00:00Z", key="wrong").status_code == 401
        assert set_clock(address, "soon").status_code == 400
        assert set_clock(address, "2026-06-02T00:00:00Z").json() == {"as_of": "2026-06-02T00:00:00+00:00"}


def test_regime_documents_are_served_once_written_and_in_the_version_of_the_clock(world: World) -> None:
    table = world.regimes.to_pandas()
    rewritten = table[table["updated"].notna()].iloc[0]
    path = f"/regimes/{rewritten['day'].isoformat()}.json"
    seen = []
    with running(world, api_key=KEY) as address:
        created, updated = rewritten["created"], rewritten["updated"]
        for moment in (created - pd.Timedelta(minutes=1), created, updated):
            set_clock(address, moment.isoformat())
            seen.append(requests.get(address.root + path, timeout=30))
        listed = requests.get(address.root + "/regimes/", timeout=30).json()
    assert [answer.status_code for answer in seen] == [404, 200, 200]
    first, second = seen[1].json(), seen[2].json()
    assert first["updated_at"] == first["created_at"] < second["updated_at"]
    assert first["news_analysis"] != second["news_analysis"]
    assert rewritten["day"].isoformat() in listed
    assert set(first["instruments"]["data"]["SPX500"]) == {"last_price", "daily_return", "volatility_90d"}
    assert first["summary"]["key_metrics"]["volatility_regime"] in ("low", "normal", "high")
