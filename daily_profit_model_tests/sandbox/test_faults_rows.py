"""Rows that should not be there, and the world's rows written in odd ways: that each kind occurs and means what it says."""

from __future__ import annotations

import json
import math
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Any

import pytest

from daily_profit_model.sandbox.faults import fields
from daily_profit_model.sandbox.faults.fields import ALL_TIME, CLOSED, DAILY, HOURLY, IDENTITY, IDS, OPEN
from daily_profit_model.sandbox.faults.malformed import can_be
from daily_profit_model.sandbox.faults.plan import CHANGED, PLANTED, VARIED, FaultPlan
from daily_profit_model.sandbox.faults.spoiled import FIRST_LOGIN, GOOD_KINDS, SpoiledBlocks, spoiled
from daily_profit_model.sandbox.faults.truth import Truth
from daily_profit_model.sandbox.server import running
from daily_profit_model.sandbox.world import World
from daily_profit_model_tests.sandbox.client import DAY, KEY, NUMBER, every, get

MONDAY = date(2026, 6, 1)
ENDPOINTS = (CLOSED, OPEN, DAILY, HOURLY, ALL_TIME)
ALL_ROWS = FaultPlan(2, dict.fromkeys(PLANTED, 2.0) | dict.fromkeys([*VARIED, *CHANGED], 0.2))


def rows_of(world: World, plan: FaultPlan, endpoint: str) -> list[bytes]:
    blocks = SpoiledBlocks(world, plan)
    return {CLOSED: blocks.closed, OPEN: blocks.opened, HOURLY: blocks.hourly}[endpoint](NUMBER).rows


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_faulty_service_has_the_rows_of_the_truth_and_counts_them_all(world: World, endpoint: str) -> None:
    truth = Truth(world, ALL_ROWS).of_day(endpoint, MONDAY)
    dated = {} if endpoint == ALL_TIME else {"dates": DAY} if "metrics" in endpoint else {"trade_date": DAY}
    with running(world, api_key=KEY, rate_limit=0, faults=ALL_ROWS) as address:
        rows = every(address, endpoint, **dated)
    assert len(rows) == truth.total
    assert set(truth.bad) == {kind for kind in PLANTED if can_be(kind, endpoint) and kind not in GOOD_KINDS} - {
        "test_account"
    }
    bad = Counter(same(json.loads(row)) for rows in truth.bad.values() for row in rows)
    received = Counter(map(same, rows))
    assert not bad - received
    assert sum(any(row.get(name) is None for name in IDENTITY[endpoint]) for row in rows) == truth.tests
    good = {key_of(endpoint, row) for row in rows if same(row) not in bad and None not in key_of(endpoint, row)}
    assert good >= {key_of(endpoint, row) for row in truth.stored}


def same(record: dict[str, Any]) -> str:
    return json.dumps(record, sort_keys=True)


def key_of(endpoint: str, record: dict[str, Any]) -> tuple[str | None, ...]:
    return tuple(None if record.get(name) is None else str(record[name]) for name in fields.KEY[endpoint])


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_planted_rows_have_keys_of_their_own(world: World, endpoint: str) -> None:
    truth = Truth(world, ALL_ROWS).of_day(endpoint, MONDAY)
    assert len({key_of(endpoint, row) for row in truth.stored}) == len(truth.stored)


@pytest.mark.parametrize(
    ("kind", "is_so"),
    [
        ("null_key", lambda row: row.get("tradeDate") is None or row.get("position") is None),
        ("missing_required", lambda row: any(row.get(name) is None for name in ("side", "lots", "openTime", "profit", "openPrice", "closeTime", "closePrice"))),
        ("unreadable_date", lambda row: any(row[name][:2] != "20" or row[name] in ("20260231", "2026-13-45T00:00:00.000Z") for name in ("tradeDate", "openTime", "closeTime"))),
        ("unreadable_number", lambda row: any(not is_number(row[name]) for name in ("lots", "openPrice", "closePrice", "profit", "platform", "broker"))),
        ("unknown_side", lambda row: row["side"].lower() not in ("buy", "sell")),
        ("non_positive_lots", lambda row: float(row["lots"]) <= 0),
        ("closed_before_opened", lambda row: row["closeTime"] < row["openTime"]),
        ("not_finite", lambda row: any(isinstance(value, float) and not math.isfinite(value) for value in row.values())),
        ("not_finite_text", lambda row: any(isinstance(value, str) and value.lower().strip("-") in ("nan", "inf", "infinity") for value in row.values())),
        ("absurd_number", lambda row: any(name not in IDS and is_number(value) and abs(float(value)) > 1e15 for name, value in row.items())),
    ],
)  # fmt: skip
def test_a_planted_row_has_the_fault_that_it_is_named_after(world: World, kind: str, is_so: Any) -> None:
    plan = FaultPlan(3, {kind: 40.0})
    truth = Truth(world, plan)
    bad = [json.loads(row) for row in truth.of_day(CLOSED, MONDAY).bad[kind]]
    assert len(bad) == 40
    assert all(map(is_so, bad))
    clean = Truth(world).of_day(CLOSED, MONDAY)
    assert not any(map(is_so, clean.stored))
    assert not clean.bad


def is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def test_an_hour_out_of_range_is_none_of_0_to_23(world: World) -> None:
    bad = Truth(world, FaultPlan(3, {"hour_out_of_range": 9.0})).of_day(HOURLY, MONDAY).bad["hour_out_of_range"]
    assert len(bad) == 9
    assert all(int(json.loads(row)["hour"]) not in range(24) for row in bad)


def test_an_unresolved_login_is_in_no_account_and_its_trades_are_good(world: World) -> None:
    plan = FaultPlan(3, {"unresolved_login": 5.0})
    truth = Truth(world, plan)
    known = {row["login"] for row in truth.of_day(ALL_TIME, MONDAY).stored}
    unknown = [row for row in truth.of_day(CLOSED, MONDAY).stored if row["login"] not in known]
    tests = set(world.accounts.to_pandas().query("is_test")["login"])
    assert len([row for row in unknown if row["login"] not in tests]) == 5


def test_equal_seeds_plant_and_vary_equally_whoever_asks_first(world: World) -> None:
    first = rows_of(world, ALL_ROWS, CLOSED)
    blocks = SpoiledBlocks(world, FaultPlan(2, ALL_ROWS.rates))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(blocks.hourly, range(NUMBER - 3, NUMBER + 3)))
    assert blocks.closed(NUMBER).rows == first
    assert rows_of(world, FaultPlan(9, ALL_ROWS.rates), CLOSED) != first


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("kind", VARIED)
def test_a_row_written_in_another_way_says_the_same(world: World, kind: str, endpoint: str) -> None:
    plain, odd = FaultPlan(4), FaultPlan(4, {kind: 1.0})
    rows = clean_rows(world, endpoint)
    differing = 0
    for before, after in zip(spoiled(plain, endpoint, NUMBER, rows), spoiled(odd, endpoint, NUMBER, rows), strict=True):
        record = json.loads(after.sent)
        assert after.meant == before.meant
        if after.meant is not None:
            assert {name: meaning(name, record.get(name)) for name in after.meant} == {
                name: meaning(name, value) for name, value in after.meant.items()
            }
        differing += after.sent != before.sent
    assert differing > 0 or (kind == "side_case" and "metrics" in endpoint)


def clean_rows(world: World, endpoint: str) -> list[bytes]:
    truth = Truth(world)
    return truth._rows(endpoint, NUMBER)[:60]


INSTANTS = {"tradeDate", "openTime", "closeTime", "date", "datetime", "firstTradeDate", "updatedDate"} | {
    "firstTradeOpen",
    "lastTradeOpen",
    "lastTradeClose",
}


def meaning(name: str, value: Any) -> Any:
    """What a value says, whatever its form: read by means of Python alone."""
    if value is None or name in ("comment", "mostTradedSymbol", "trdSymbol", "stdSymbol", "country", "trader"):
        return value
    if name in IDS:
        return str(value)
    if name == "side":
        return value.lower()
    if name in INSTANTS:
        text = str(value)
        for form in ("%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%d %H:%M:%S", "%Y%m%d", "%Y%m%d%H%M%S"):
            if len(text) == {"%Y%m%d": 8, "%Y%m%d%H%M%S": 14}.get(form, len(text)):
                try:
                    return datetime.strptime(text, form)
                except ValueError:
                    continue
        raise AssertionError(text)
    return float(value)


@pytest.mark.parametrize("kind", CHANGED)
def test_a_changed_value_is_optional_and_the_truth_knows_it(world: World, kind: str) -> None:
    before = Truth(world).of_day(CLOSED, MONDAY).stored
    after = Truth(world, FaultPlan(5, {kind: 1.0})).of_day(CLOSED, MONDAY).stored
    changes = Counter(name for old, new in zip(before, after, strict=True) for name in old if old[name] != new[name])
    assert changes
    assert set(changes) <= {"comment", "contractSize", "qtyInBaseCrncy", "mngr", "client_margin", "firm_margin"}
    if kind != "extreme":
        assert all(
            new[name] is None for old, new in zip(before, after, strict=True) for name in old if old[name] != new[name]
        )


def test_filters_find_planted_rows_and_leave_out_others(world: World) -> None:
    plan = FaultPlan(3, {"unresolved_login": 5.0})
    with running(world, api_key=KEY, rate_limit=0, faults=plan) as address:
        rows = every(address, CLOSED, trade_date=DAY, logins=str(FIRST_LOGIN + 1))
        nothing = get(address, CLOSED, trade_date=DAY, logins=str(FIRST_LOGIN + 99)).json()["Data"]["data"]
    assert [str(row["login"]) for row in rows] == [str(FIRST_LOGIN + 1)]
    assert nothing == []
