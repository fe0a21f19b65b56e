"""Fixtures of the client's tests: a scripted service, a time that passes by sleeping, and a client."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from daily_profit_model.risk_api import RiskApi
from daily_profit_model_tests.risk_api.scripted_service import KEY, Service, serving


class Time:
    """A clock that only `sleep` moves; remembers each sleep."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []
        self._lock = threading.Lock()

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds
            self.sleeps.append(seconds)


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service()) as running:
        yield running


@pytest.fixture
def passing_time() -> Time:
    return Time()


@pytest.fixture
def connect(service: Service, passing_time: Time) -> Iterator[Callable[..., RiskApi]]:
    """Makes a client of the scripted service; options of RiskApi may be given."""
    made: list[RiskApi] = []

    def make(api_key: str = KEY, base_url: str | None = None, **options: object) -> RiskApi:
        settings = {
            "rate": 1e6,
            "timeout": 5.0,
            "clock": passing_time.clock,
            "sleep": passing_time.sleep,
            **options,
        }
        made.append(RiskApi(base_url or service.base_url, api_key, **settings))  # type: ignore[arg-type]  # options
        return made[-1]

    yield make
    for api in made:
        api.close()
