"""What assets talk to besides the lake: the Risk Analytics API and the settings of this process."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator

import dagster as dg

from daily_profit_model.lake import Lake
from daily_profit_model.risk_api.client import RiskApi
from daily_profit_model.risk_api.gate import Gate, Limits
from daily_profit_model.risk_api.request_log import RequestLog
from daily_profit_model.risk_api.transport import host_of
from daily_profit_model.settings import Settings, configure_logs, load_settings


@dg.resource(description="The settings of this process (environment, .env)")
def settings_resource(_: dg.InitResourceContext) -> Settings:
    return load_settings()


_making_gates = threading.Lock()


class RiskApiService:
    """Opens the API client when an asset first asks for it, so that a graph without raw assets needs no key.

    Every request is measured and kept in the lake (raw/requests), with the run that made it.
    """

    def __init__(self, settings: Settings, run_id: str | None = None) -> None:
        self._settings = settings
        self._log = RequestLog(Lake(settings.lake_root), run_id=run_id)
        self._client: RiskApi | None = None
        self._opening = threading.Lock()

    @property
    def client(self) -> RiskApi:
        """The one client of the run, whichever of its threads asks first."""
        with self._opening:
            if self._client is None:
                settings = self._settings
                self._client = RiskApi(
                    settings.risk_api_base_url,
                    settings.required_key(),
                    timeout=settings.risk_api_timeout,
                    connections=settings.risk_api_connections,
                    gate=gate_of(settings),
                    recorder=self._log.record,
                )
            return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        self._log.close()


def gate_of(settings: Settings) -> Gate:
    """The one gate of this process to the service: the next run goes on with what the last one learnt and spent."""
    limits = Limits(
        rate=settings.risk_api_rate,
        burst=settings.risk_api_burst,
        breaker_failures=settings.risk_api_breaker_failures,
        breaker_pause=settings.risk_api_breaker_pause,
        breaker_patience=settings.risk_api_breaker_patience,
    )
    with _making_gates:
        return _gate(settings.risk_api_base_url, limits)


@functools.cache
def _gate(base_url: str, limits: Limits) -> Gate:
    return Gate(host_of(base_url), limits)


@dg.resource(description="The Risk Analytics API client; opened on first use")
def risk_api_resource(context: dg.InitResourceContext) -> Iterator[RiskApiService]:
    settings = load_settings()
    configure_logs(settings.dpm_log_format)
    service = RiskApiService(settings, context.run_id)
    try:
        yield service
    finally:
        service.close()
