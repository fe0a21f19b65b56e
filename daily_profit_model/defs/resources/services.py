"""What assets talk to besides the lake: the Risk Analytics API and the settings of this process."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from daily_profit_model.risk_api.client import RiskApi
from daily_profit_model.settings import Settings, configure_logs, load_settings


@dg.resource(description="The settings of this process (environment, .env)")
def settings_resource(_: dg.InitResourceContext) -> Settings:
    return load_settings()


class RiskApiService:
    """Opens the API client when an asset first asks for it, so that a graph without raw assets needs no key."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: RiskApi | None = None

    @property
    def client(self) -> RiskApi:
        if self._client is None:
            settings = self._settings
            self._client = RiskApi(
                settings.risk_api_base_url,
                settings.required_key(),
                rate=settings.risk_api_rate,
                burst=settings.risk_api_burst,
                timeout=settings.risk_api_timeout,
                connections=settings.risk_api_connections,
            )
        return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.close()


@dg.resource(description="The Risk Analytics API client; opened on first use")
def risk_api_resource(_: dg.InitResourceContext) -> Iterator[RiskApiService]:
    settings = load_settings()
    configure_logs(settings.dpm_log_format)
    service = RiskApiService(settings)
    try:
        yield service
    finally:
        service.close()
