"""Every environment variable, typed, with its default and meaning. Nothing else reads the environment.

Order of precedence: the environment, then `.env` in the working directory, then `settings.env` in the
data folder (written by `dpm demo`, so that later commands find what the demo used).
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from datetime import date, time
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import structlog
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from upath import UPath

DEFAULT_DATA_DIR = Path("data/local")
SETTINGS_FILE = "settings.env"
ALERT_SEVERITIES = ("info", "warn", "error", "critical")


class WrongSettings(Exception):
    """A setting is missing or cannot be used; the message names the variable and says how to set it."""


class WrongUse(Exception):
    """A command was called with something that it cannot use; the message says what would do."""


class Settings(BaseSettings):
    """The settings of one process. Field names are the variables' names in lower case."""

    model_config = SettingsConfigDict(
        extra="ignore", env_file_encoding="utf-8", env_ignore_empty=True, hide_input_in_errors=True
    )

    dpm_data_dir: Path = Field(DEFAULT_DATA_DIR, description="Folder of lake/, dagster/, models/, reports/, cache/")
    dpm_lake_uri: str = Field("", description="Folder or object store of the lake; default {DPM_DATA_DIR}/lake")
    dpm_database_url: SecretStr = Field(
        SecretStr(""),
        description="PostgreSQL for the studies of `dpm train`; default files below {DPM_DATA_DIR}/tuning",
    )
    dpm_start_date: date = Field(date(2024, 1, 1), description="First day (UTC) of the daily partitions")
    dpm_plans_dir: Path = Field(Path("data/plans"), description="Folder of the plan CSV files")
    dpm_engine: Literal["duckdb", "spark"] = Field(
        "duckdb", description="What runs the SQL; spark needs the extra of that name and Java 17"
    )
    dpm_spark_master: str = Field("local[*]", description="Where Spark's cluster is, as spark-submit's --master")
    risk_api_base_url: str = Field(
        "http://127.0.0.1:8750/risk-analytics/tft/external/",
        description="Risk Analytics API; the default is the sandbox of `dpm sandbox serve`",
    )
    risk_api_key: SecretStr = Field(SecretStr(""), description="Key, sent as the header apiKey")
    risk_api_rate: float = Field(15.0, gt=0, description="Requests a second that the API allows")
    risk_api_burst: int = Field(20, gt=0, description="Requests that may be sent at once after a rest")
    risk_api_timeout: float = Field(120.0, gt=0, description="Seconds before a request counts as timed out")
    risk_api_connections: int = Field(4, gt=0, description="Pages in flight at once")
    risk_api_breaker_failures: int = Field(10, gt=0, description="Failures in a row after which the API is left alone")
    risk_api_breaker_pause: float = Field(3.0, gt=0, description="Seconds between probes of an API that is left alone")
    risk_api_breaker_patience: float = Field(
        30.0, ge=0, description="Seconds that the API may be failing before a run that waits for it fails"
    )
    regimes_source: str = Field("", description="Folder or URL of one regime document a day (YYYY-MM-DD.json)")
    market_api_base_url: str = Field("", description="Chart endpoint of hourly market bars; empty: none are read")
    dpm_correction_days: int = Field(
        3, ge=0, description="Days before yesterday that are read again every day, for the service's corrections"
    )
    dpm_training_days: int = Field(365, ge=30, description="Feature days before a cut-off that training reads")
    dpm_dormant_days: int = Field(
        60, ge=1, description="Days without a trade or a row after which an account without plan terms counts as ended"
    )
    dpm_first_training_days: int = Field(
        60, ge=44, description="Days with outcomes that must be there before the first cut-off is trained"
    )
    dpm_feed_failure_rate_warn: float = Field(
        0.1, ge=0, le=1, description="Share of a feed's calls that fail above which a check of feed health warns"
    )
    dpm_feed_failure_rate_error: float = Field(
        0.3,
        ge=0,
        le=1,
        validate_default=True,
        description="Share of a feed's calls that fail above which a check of feed health is an error",
    )
    dpm_feed_latency_warn: float = Field(
        2.0, gt=0, description="Seconds of a feed's slow calls (95 % quantile) above which a check of feed health warns"
    )
    dpm_feed_latency_error: float = Field(
        5.0,
        gt=0,
        validate_default=True,
        description="Seconds of a feed's slow calls (95 % quantile) above which a check of feed health is an error",
    )
    dpm_feed_live_staleness_warn: float = Field(
        5.0, ge=0, description="Minutes by which a live feed lags above which a check of feed health warns"
    )
    dpm_feed_live_staleness_error: float = Field(
        10.0,
        ge=0,
        validate_default=True,
        description="Minutes by which a live feed lags above which a check of feed health is an error",
    )
    dpm_feed_daily_staleness_warn: float = Field(
        25.0, ge=0, description="Hours by which a daily feed lags above which a check of feed health warns"
    )
    dpm_feed_daily_staleness_error: float = Field(
        48.0,
        ge=0,
        validate_default=True,
        description="Hours by which a daily feed lags above which a check of feed health is an error",
    )
    dpm_raw_retention_days: int = Field(
        400,
        ge=1,
        le=36_500,
        description="Days that a replaced revision of a raw partition stays: so far back it can be read as it was known",
    )
    dpm_cache_retention_weeks: int = Field(
        4, ge=0, le=5_200, description="Weeks since its last access that an entry of the cache stays"
    )
    dpm_cache_max_gb: float = Field(
        20.0, gt=0, allow_inf_nan=False, description="GB (10^9 bytes) that the cache may hold after a collection"
    )
    dpm_health_grace_minutes: int = Field(
        60, ge=0, le=1_080, description="Minutes after 06:00 UTC by which `dpm health` wants the morning's partitions"
    )
    dpm_health_model_age_warn: int = Field(
        16, ge=9, description="Days since the champion's cut-off above which `dpm health` warns"
    )
    dpm_health_model_age_error: int = Field(
        37,
        ge=9,
        validate_default=True,
        description="Days since the champion's cut-off above which `dpm health` fails",
    )
    dpm_health_disk_warn_gb: float = Field(
        10.0, ge=0, allow_inf_nan=False, description="GB (10^9 bytes) free on disk below which `dpm health` warns"
    )
    dpm_health_disk_error_gb: float = Field(
        2.0,
        ge=0,
        allow_inf_nan=False,
        validate_default=True,
        description="GB (10^9 bytes) free on disk below which `dpm health` fails",
    )
    dpm_health_memory_warn_gb: float = Field(
        1.0, ge=0, allow_inf_nan=False, description="GB (10^9 bytes) of memory left below which `dpm health` warns"
    )
    dpm_health_memory_error_gb: float = Field(
        0.3,
        ge=0,
        allow_inf_nan=False,
        validate_default=True,
        description="GB (10^9 bytes) of memory left below which `dpm health` fails",
    )
    dpm_alert_webhook_url: SecretStr = Field(
        SecretStr(""), description="Where alerts are posted as Slack's JSON (https://…); empty: nowhere"
    )
    dpm_alert_webhook_severities: str = Field(
        "warn,error,critical", description="Severities (info, warn, error, critical) that go to the webhook"
    )
    dpm_alert_email_from: str = Field("", description="Sender of alerts by e-mail")
    dpm_alert_email_to: str = Field("", description="Recipients of alerts by e-mail, separated by commas")
    dpm_alert_email_severities: str = Field(
        "error,critical", description="Severities (info, warn, error, critical) that go out by e-mail"
    )
    dpm_alert_smtp_url: SecretStr = Field(
        SecretStr(""),
        description="Mail server for alerts: smtp://user:password@host:587 (STARTTLS where offered) or smtps://…:465",
    )
    dpm_alert_cooldown_minutes: int = Field(
        240, ge=1, le=10_080, description="Minutes in which the same event is alerted once; then comes a reminder"
    )
    dpm_sla_raw_by: time = Field(time(6, 30), description="When (UTC) yesterday's raw tables must be there, HH:MM")
    dpm_sla_predictions_by: time = Field(time(7), description="When (UTC) today's predictions must be there, HH:MM")
    dpm_sla_failure_rate: float = Field(
        0.1, ge=0, le=1, description="Share of the runs of the last DPM_SLA_DAYS days that may fail"
    )
    dpm_sla_days: int = Field(7, ge=1, le=90, description="Days over which `dpm sla` looks at runs")
    dpm_retrain_cooldown_days: int = Field(
        28, ge=0, le=366, description="Days between two cut-offs that are trained because of an alarm; 0: none is"
    )
    dpm_auto_promote: bool = Field(
        False, description="Whether a shadow whose evaluation has decided so becomes champion without a person"
    )
    dpm_sandbox_world: str = Field("", description="Folder of the simulated firm behind this lake; set by `dpm demo`")
    dpm_log_format: Literal["console", "json"] = Field("console", description="Form of the log lines")

    @field_validator("dpm_data_dir")
    @classmethod
    def _is_no_file(cls, value: Path) -> Path:
        for path in (value, *value.parents):
            if path.exists() and not path.is_dir():
                raise ValueError(f"must be a folder, and {path} is a file")
        return value

    @field_validator("dpm_lake_uri")
    @classmethod
    def _has_a_filesystem(cls, value: str) -> str:
        try:
            root = UPath(value)
            _ = root.fs
        except ImportError as error:  # of a store whose package is not installed
            raise ValueError(f"{error}") from error
        if value and root.protocol in ("", "file") and root.is_file():
            raise ValueError("must be a folder or an object store, and it is a file")
        return value

    @field_validator("dpm_start_date")
    @classmethod
    def _not_absurd(cls, value: date) -> date:
        if value.year < 2000:
            raise ValueError("must be 2000-01-01 or later")
        return value

    @field_validator(
        "dpm_feed_failure_rate_error",
        "dpm_feed_latency_error",
        "dpm_feed_live_staleness_error",
        "dpm_feed_daily_staleness_error",
        "dpm_health_model_age_error",
    )
    @classmethod
    def _not_below_the_warning(cls, value: float, info: ValidationInfo) -> float:
        name = str(info.field_name).removesuffix("_error") + "_warn"
        if name in info.data and value < info.data[name]:
            raise ValueError(f"must not be below {name.upper()}={info.data[name]:g}")
        return value

    @field_validator("dpm_health_disk_error_gb", "dpm_health_memory_error_gb")
    @classmethod
    def _not_above_the_warning(cls, value: float, info: ValidationInfo) -> float:
        name = str(info.field_name).replace("_error_", "_warn_")
        if name in info.data and value > info.data[name]:
            raise ValueError(f"must not be above {name.upper()}={info.data[name]:g}")
        return value

    @field_validator("dpm_alert_webhook_severities", "dpm_alert_email_severities")
    @classmethod
    def _are_severities(cls, value: str) -> str:
        if wrong := [name for name in _listed(value) if name not in ALERT_SEVERITIES]:
            raise ValueError(f"{wrong[0]!r} is none of {', '.join(ALERT_SEVERITIES)}")
        return value

    @field_validator("dpm_alert_webhook_url")
    @classmethod
    def _is_a_web_address(cls, value: SecretStr) -> SecretStr:
        _check_address(value.get_secret_value(), ("http", "https"), "https://hooks.example.com/services/…")
        return value

    @field_validator("dpm_alert_smtp_url")
    @classmethod
    def _is_a_mail_server_with_sender_and_recipients(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        _check_address(value.get_secret_value(), ("smtp", "smtps"), "smtp://user:password@mail.example.com:587")
        for name in ("dpm_alert_email_from", "dpm_alert_email_to"):
            if value.get_secret_value() and not _listed(info.data.get(name, "")):
                raise ValueError(f"needs {name.upper()} as well")
        return value

    @field_validator("dpm_sla_raw_by", "dpm_sla_predictions_by")
    @classmethod
    def _is_a_minute_of_utc(cls, value: time) -> time:
        if value.tzinfo is not None or value.second or value.microsecond:
            raise ValueError("must be HH:MM, without a zone: it is UTC")
        return value

    @field_validator("risk_api_base_url")
    @classmethod
    def _has_scheme_and_host(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an address such as http://127.0.0.1:8750/risk-analytics/tft/external/")
        return value

    @cached_property
    def lake_root(self) -> UPath:
        return UPath(self.dpm_lake_uri) if self.dpm_lake_uri else UPath(self.dpm_data_dir / "lake")

    @property
    def settings_file(self) -> Path:
        return self.dpm_data_dir / SETTINGS_FILE

    @property
    def dagster_home(self) -> Path:
        return self.dpm_data_dir.resolve() / "dagster"

    @property
    def spool_dir(self) -> Path:
        """Pages of fetches under way."""
        return self.dpm_data_dir / "spool"

    @property
    def models_dir(self) -> Path:
        return self.dpm_data_dir / "models"

    @property
    def tuning_dir(self) -> Path:
        """Studies of hyperparameters, a file each."""
        return self.dpm_data_dir / "tuning"

    @property
    def cache_dir(self) -> Path:
        """Computed tables; everything in it may be deleted while nothing runs."""
        return self.dpm_data_dir / "cache"

    @property
    def cache_max_bytes(self) -> int:
        return int(self.dpm_cache_max_gb * 10**9)

    @property
    def reports_dir(self) -> Path:
        return self.dpm_data_dir / "reports"

    @property
    def alert_webhook_severities(self) -> list[str]:
        return _listed(self.dpm_alert_webhook_severities)

    @property
    def alert_email_severities(self) -> list[str]:
        return _listed(self.dpm_alert_email_severities)

    @property
    def alert_recipients(self) -> list[str]:
        return _listed(self.dpm_alert_email_to)

    def required_key(self) -> str:
        """The API key. Raises WrongSettings when it is not set."""
        key = self.risk_api_key.get_secret_value()
        if not key:
            raise WrongSettings(
                "RISK_API_KEY is not set: export RISK_API_KEY=<key>, or write it into .env (the sandbox prints its own)"
            )
        return key


def load_settings() -> Settings:
    """Read the settings. Raises WrongSettings with one line that names the first wrong variable."""
    data_dir = Path(os.environ.get("DPM_DATA_DIR") or _from_file(Path(".env"), "DPM_DATA_DIR") or DEFAULT_DATA_DIR)
    try:
        return Settings(_env_file=(data_dir / SETTINGS_FILE, ".env"))  # type: ignore[call-arg]  # pydantic-settings' own keyword
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper()
        field = Settings.model_fields[name.lower()]
        meaning, given = field.description, "(a secret)" if field.annotation is SecretStr else repr(first["input"])
        raise WrongSettings(f"{name}={given} cannot be used: {first['msg']}. {name} is: {meaning}") from error


def configure_logs(form: str) -> None:
    """Log lines to standard error, warnings and worse, as text for people or as JSON for machines."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        # Asked for with each line: a standard error that was replaced since, and closed, must not fail a fetch.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _check_address(text: str, schemes: Sequence[str], example: str) -> None:
    """Raises ValueError, which says nothing of the address, when it cannot be one."""
    try:
        parts = urlsplit(text)
        wrong = parts.scheme not in schemes or not parts.hostname or parts.port == 0
    except ValueError:
        wrong = True
    if text and wrong:
        raise ValueError(f"must be an address such as {example}")


def _from_file(path: Path, name: str) -> str:
    if not path.is_file():
        return ""
    for line in path.read_text(encoding="utf-8").splitlines():
        key, _, value = line.removeprefix("export ").partition("=")
        if key.strip() == name:
            return value.strip().strip("\"'")
    return ""
