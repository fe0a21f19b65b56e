"""How many rows the service holds: one small request a table and day, against the real sandbox and a scripted one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from daily_profit_model.risk_api import RequestRefused, RiskApi, ServiceFailing
from daily_profit_model.risk_api.counts import count, counts
from daily_profit_model.risk_api.raw_tables import QUESTIONS
from daily_profit_model.sandbox.server import running
from daily_profit_model.sandbox.world import WorldSettings, generate
from daily_profit_model_tests.risk_api.scripted_service import Service, body

DAY = date(2026, 3, 9)


def test_the_counts_of_a_firm_are_the_rows_that_it_has() -> None:
    world = generate(WorldSettings(accounts=40, days=4, seed=2, end=DAY, warmup_days=3))
    wanted = [(table, day) for table in QUESTIONS for day in (date(2026, 3, 8), DAY)]
    with (
        running(world, api_key="key", rate_limit=0) as address,
        RiskApi(address.base_url, "key", rate=1e6) as api,
    ):
        found = counts(api, wanted)
    number = (DAY - date(1970, 1, 1)).days
    assert found["raw/trades_closed", DAY] == world.trades["day"].to_pylist().count(number)
    assert found["raw/trades_open", DAY] == world.open_trades["day"].to_pylist().count(number)
    assert list(found) == wanted
    assert all(found.values())


def test_a_count_asks_for_one_row_and_the_total(service: Service, connect: Callable[..., RiskApi]) -> None:
    service.rows["v2/metrics/hourly"] = [{"hour": hour} for hour in range(7)]
    assert count(connect(), QUESTIONS["raw/metrics_hourly"], DAY) == 7
    ((_, params, _),) = service.asked
    assert params == {"dates": "20260309", "limit": "1", "include-total": "1"}


def test_no_day_is_no_request(service: Service, connect: Callable[..., RiskApi]) -> None:
    assert counts(connect(), []) == {}
    assert service.asked == []


def test_an_answer_without_a_total_is_a_failing_service(service: Service, connect: Callable[..., RiskApi]) -> None:
    service.faults = [body(b'{"Status":"ok","Data":{"data":[]}}')] * 9
    with pytest.raises(ServiceFailing, match="no total"):
        count(connect(attempts=2), QUESTIONS["raw/trades_open"], DAY)


def test_a_refusal_ends_all_counting(service: Service, connect: Callable[..., RiskApi]) -> None:
    with pytest.raises(RequestRefused, match="RISK_API_KEY"):
        counts(connect(api_key="wrong"), [("raw/trades_open", DAY)] * 40)
