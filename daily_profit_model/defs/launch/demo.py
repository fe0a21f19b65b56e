"""`dpm demo`: a simulated firm behind HTTP, its history filled, models trained, tomorrow predicted, the past judged."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from daily_profit_model.defs.launch.sandbox_process import SANDBOX_KEY, SANDBOX_RATE, free_port, sandbox_serving
from daily_profit_model.settings import Settings, WrongSettings, load_settings

if TYPE_CHECKING:
    from daily_profit_model.defs.launch.runs import Launched

FIRST_TRAINING_DAYS = 70
"""The demo's first model learns from this many days, so that some fifty days are left to be predicted and judged."""

console = Console(highlight=False)


def run_demo(settings: Settings, *, accounts: int, days: int, seed: int, port: int) -> None:
    """Run the demo in the data folder, or go on with what an earlier demo left there.

    Raises WrongSettings when the folder holds something else than this demo.
    """
    started = time.monotonic()
    wanted = {"accounts": accounts, "days": days, "seed": seed}
    end = _last_day(settings, wanted)
    world = settings.dpm_data_dir.resolve() / "sandbox"
    port = port or free_port()
    console.print(f"simulated firm: {accounts} accounts, {days} days to {end}, seed {seed}")
    with sandbox_serving(world, port, accounts, days, seed, end.isoformat()):
        _write_settings(settings, world, port, first=end - timedelta(days=days - 1))
        made = _fill(load_settings(), end)
    from daily_profit_model.defs.launch.summary import print_summary

    print_summary(load_settings(), made, seconds=time.monotonic() - started)


def _fill(settings: Settings, end: date) -> list[Launched]:
    from daily_profit_model.defs.launch.command import run_steps
    from daily_profit_model.defs.launch.plan import STEPS
    from daily_profit_model.defs.launch.runs import Launcher

    return run_steps(Launcher(settings), STEPS, settings.dpm_start_date, end)


def _last_day(settings: Settings, wanted: dict[str, int]) -> date:
    """The last day of the world: that of the demo already in the data folder, else yesterday."""
    file = settings.dpm_data_dir / "sandbox" / "world.json"
    if file.exists():
        made = json.loads(file.read_text(encoding="utf-8"))["settings"]
        if any(made[name] != value for name, value in wanted.items()):
            words = ", ".join(f"{name} {made[name]}" for name in wanted)
            raise WrongSettings(
                f"{settings.dpm_data_dir} holds a demo with {words}: choose another DPM_DATA_DIR, or remove that one"
            )
        return date.fromisoformat(made["end"])
    if (settings.dpm_data_dir / "lake").exists() and not settings.settings_file.exists():
        raise WrongSettings(
            f"{settings.dpm_data_dir} holds a lake that is not a demo's: choose another DPM_DATA_DIR for the demo"
        )
    return datetime.now(UTC).date() - timedelta(days=1)


def _write_settings(settings: Settings, world: Path, port: int, first: date) -> None:
    """What later commands (`dpm ui`, `dpm status`, …) need to find this demo again."""
    root = f"http://127.0.0.1:{port}"
    values = {
        "DPM_START_DATE": first.isoformat(),
        "DPM_PLANS_DIR": str(world / "plans"),
        "DPM_FIRST_TRAINING_DAYS": str(FIRST_TRAINING_DAYS),
        "DPM_SANDBOX_WORLD": str(world),
        "RISK_API_BASE_URL": f"{root}/risk-analytics/tft/external/",
        "RISK_API_KEY": SANDBOX_KEY,
        "RISK_API_RATE": str(SANDBOX_RATE),
        "RISK_API_BURST": str(int(SANDBOX_RATE)),
        "REGIMES_SOURCE": f"{root}/regimes",
        "MARKET_API_BASE_URL": f"{root}/market/",
    }
    text = "# Written by dpm demo: the settings of the simulated firm in this folder.\n"
    text += "".join(f"{name}={value}\n" for name, value in values.items())
    settings.dpm_data_dir.mkdir(parents=True, exist_ok=True)
    temporary = settings.settings_file.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(settings.settings_file)
    os.environ |= values  # the demo's own run talks to its own sandbox, whatever the environment says
