"""The platform's client against every fault at once: what it reads is the truth, what it rejects was planted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from daily_profit_model.risk_api import RiskApi, fetch, fetch_accounts, fetch_days, stamp
from daily_profit_model.risk_api.decoded import Decoded
from daily_profit_model.sandbox.faults.plan import PAGING, PLANTED, FaultPlan
from daily_profit_model.sandbox.faults.truth import Truth
from daily_profit_model.sandbox.server import running
from daily_profit_model.sandbox.world import World, WorldSettings, generate
from daily_profit_model.tables.contract import Table
from daily_profit_model.tables.raw import RAW_ACCOUNTS
from daily_profit_model_tests.sandbox.client import KEY
from daily_profit_model_tests.sandbox.expected import (
    ENDPOINTS,
    differing_rows,
    expected_rejects,
    expected_rows,
    stored_rejects,
)

DATED = [table for table in ENDPOINTS if table is not RAW_ACCOUNTS]
TIME_OUT_S = 0.6


@pytest.fixture(scope="module")
def firm() -> World:
    return generate(WorldSettings(accounts=40, days=4, seed=5, warmup_days=4))


def everything(seed: int) -> FaultPlan:
    """All kinds, the planted ones and paging more often than in a random plan, since this world is small."""
    rates = FaultPlan.random(seed).rates | dict.fromkeys(PLANTED, 1.5) | dict.fromkeys(PAGING, 0.7)
    return FaultPlan(seed, rates, slow_seconds=TIME_OUT_S + 0.4)


@contextmanager
def client(firm: World, plan: FaultPlan) -> Iterator[RiskApi]:
    with (
        running(firm, api_key=KEY, rate_limit=0, faults=plan) as address,
        RiskApi(
            address.base_url,
            KEY,
            rate=1e4,
            burst=1000,
            timeout=TIME_OUT_S,
            sleep=lambda seconds: time.sleep(min(seconds, 0.02)),
        ) as api,
    ):
        yield api


def agree(table: Table, decoded: Decoded, truth: Truth, firm: World, day_offset: int = 0) -> bool:
    day = firm.settings.calendar()[-1 - day_offset]
    of_day = truth.of_day(ENDPOINTS[table], day)
    rows = decoded.rows if table is RAW_ACCOUNTS else decoded.rows.to_table()  # type: ignore[union-attr]  # DayRows
    return (
        differing_rows(rows, expected_rows(table, of_day, day, is_live=True)) == 0
        and stored_rejects(decoded.quarantined, table) == expected_rejects(of_day)
        and decoded.test_accounts == of_day.tests
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_days_read_through_all_faults_at_once_are_the_truth(firm: World, seed: int) -> None:
    plan = everything(seed)
    truth = Truth(firm, plan)
    days = firm.settings.calendar()[-3:]
    with client(firm, plan) as api:
        for table in DATED:
            for offset, (_, decoded) in zip((2, 1, 0), fetch_days(api, table.name, days), strict=True):
                assert decoded is not None
                is_true = agree(table, decoded, truth, firm, offset)
                assert is_true, (table.name, offset)


def test_accounts_read_through_all_faults_at_once_are_the_truth(firm: World) -> None:
    plan = everything(3)
    with client(firm, plan) as api:
        found = stamp(fetch_accounts(api, firm.settings.end), firm.settings.end, is_live=True)
    assert agree(RAW_ACCOUNTS, found, Truth(firm, plan), firm)


def test_what_differs_from_the_truth_is_seen(firm: World) -> None:
    plan = FaultPlan(1, dict.fromkeys(PLANTED, 1.5))
    day = firm.settings.end
    with client(firm, FaultPlan(1, {**plan.rates, "extreme": 0.05})) as api:
        decoded = fetch(api, DATED[0].name, day)
        of_day = Truth(firm, plan).of_day(ENDPOINTS[DATED[0]], day)
        assert differing_rows(decoded.rows, expected_rows(DATED[0], of_day, day)) > 0
        assert stored_rejects(decoded.quarantined, DATED[0]) == expected_rejects(of_day)
