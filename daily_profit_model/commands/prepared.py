"""What every command takes and begins with: its common options, the settings, a day given as text."""

from __future__ import annotations

import os
import warnings
from datetime import date, datetime
from typing import Annotated

import typer

from daily_profit_model.settings import Settings, WrongUse, configure_logs, load_settings

Debug = Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def settings() -> Settings:
    """The settings, and the process prepared for a run: quiet libraries, no traceback for foreseen errors."""
    loaded = load_settings()
    configure_logs(loaded.dpm_log_format)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    warnings.simplefilter("ignore")
    return loaded


def day_or_none(text: str) -> date | None:
    """A day given as YYYY-MM-DD, None when empty. Raises WrongUse."""
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise WrongUse(f"{text!r} is not a day: write YYYY-MM-DD, for example 2026-06-30") from None
