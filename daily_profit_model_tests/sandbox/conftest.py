"""One small world and one server for all tests of the sandbox; nothing here is changed by a test."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest

from daily_profit_model.sandbox.server import Address, running
from daily_profit_model.sandbox.world import World, WorldSettings, generate
from daily_profit_model_tests.sandbox.client import KEY


@pytest.fixture(scope="session")
def world() -> World:
    return generate(WorldSettings(accounts=200, days=70, seed=3, warmup_days=10))


@pytest.fixture(scope="session")
def account_days(world: World) -> pd.DataFrame:
    """Account days beside the plan terms and the fate of the account, by account and day."""
    register = world.accounts.to_pandas()
    register["uid"] = register.index
    plans = world.plans.to_pandas().set_index("planId")
    chosen = plans.loc[register["plan_id"].astype(str)].reset_index(drop=True)
    for name, column in (
        ("drawdown", "maxTrailingDrawdownPct"),
        ("daily_limit", "dailyLossLimitPct"),
        ("target", "profitTargetPct"),
        ("static", "makeDrawdownStatic"),
        ("by_equity", "dailyDrawdownByBalanceEquity"),
        ("inactivity", "inactivityPeriod"),
        ("max_time", "maximumTime"),
        ("min_days", "minimumRequiredActiveTradingDays"),
        ("friday", "liquidateFriday"),
    ):
        register[name] = chosen[column].astype(float)
    frame = world.account_days.to_pandas().merge(register.drop(columns="status"), on="uid")
    ordered: pd.DataFrame = frame.sort_values(["uid", "day"], ignore_index=True)
    return ordered


@pytest.fixture(scope="session")
def last_days(account_days: pd.DataFrame) -> pd.DataFrame:
    """The last day of each account that ended."""
    return account_days[account_days["status"] != 1].set_index("uid")


@pytest.fixture(scope="session")
def trades(world: World) -> pd.DataFrame:
    frame: pd.DataFrame = world.trades.to_pandas()
    frame["net"] = frame[["profit", "commission", "fee", "swap"]].sum(axis=1)
    return frame


@pytest.fixture(scope="session")
def address(world: World) -> Iterator[Address]:
    """A server without a rate limit, its clock at the end of the world."""
    with running(world, api_key=KEY, rate_limit=0.0) as where:
        yield where
