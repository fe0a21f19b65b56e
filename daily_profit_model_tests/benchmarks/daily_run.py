"""One morning: from the API to checked predictions through Dagster, seconds by layer.

Run: python -m daily_profit_model_tests.benchmarks.daily_run [--accounts 3000] [--history 70] [--json]

A simulated firm is served in a process of its own at the real service's limit of 15 requests a second. The
history before the day is filled first and not timed (without the limit). Floor of the raw layer: the same
day's requests alone, bodies read and thrown away, at the same limit. Wall seconds of one run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

KEY = "benchmark"


@contextmanager
def served(folder: Path, accounts: int, days: int, end: date, rate: float) -> Iterator[str]:
    """The world of `folder` behind HTTP; gives the server's root."""
    command = [
        sys.executable, "-m", "daily_profit_model.cli", "sandbox", "serve", "--folder", str(folder), "--port", "0",
        "--key", KEY, "--rate-limit", str(rate), "--burst", "20" if rate else "1000", "--accounts", str(accounts),
        "--days", str(days), "--end", end.isoformat(),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        base = process.stdout.readline().strip().partition("=")[2]
        yield base.split("/risk-analytics")[0]
    finally:
        process.terminate()
        process.wait()


def point_at(root: str, folder: Path, rate: float) -> None:
    """The environment of a platform that talks to the server at `root`."""
    os.environ |= {
        "RISK_API_BASE_URL": f"{root}/risk-analytics/tft/external/",
        "RISK_API_KEY": KEY,
        "RISK_API_RATE": str(rate),
        "RISK_API_BURST": "20",
        "REGIMES_SOURCE": f"{root}/regimes",
        "DPM_PLANS_DIR": str(folder / "plans"),
    }


def floor_of(day: date) -> tuple[float, int]:
    """Seconds and requests of asking for everything of `day` and throwing it away."""
    from daily_profit_model.risk_api.client import RiskApi
    from daily_profit_model.risk_api.envelope import cut
    from daily_profit_model.risk_api.raw_tables import ALL_TIME, PAGE_LIMIT, QUESTIONS
    from daily_profit_model.settings import load_settings

    settings = load_settings()
    requests = 0
    started = time.monotonic()
    with (
        RiskApi(settings.risk_api_base_url, settings.required_key(), rate=settings.risk_api_rate) as api,
        ThreadPoolExecutor(api.connections) as pool,
    ):
        for question in (ALL_TIME, *QUESTIONS.values()):
            asked = {**question.params([day]), "limit": PAGE_LIMIT, "skip": 0}
            first, _ = api.read(question.endpoint, {**asked, "include-total": 1}, cut)
            skips = range(PAGE_LIMIT, first.total or 0, PAGE_LIMIT)
            pages = [pool.submit(api.get, question.endpoint, {**asked, "skip": skip}) for skip in skips]
            requests += 1 + len([page.result() for page in pages])
    return time.monotonic() - started, requests


def measure(accounts: int, history: int) -> dict[str, object]:
    """Fill `history` days, then time the next one."""
    end = datetime.now(UTC).date() - timedelta(days=1)
    start = end - timedelta(days=history)
    with tempfile.TemporaryDirectory() as place:
        world = Path(place) / "world"
        os.environ |= {
            "DPM_DATA_DIR": f"{place}/data",
            "DPM_START_DATE": start.isoformat(),
            "DPM_FIRST_TRAINING_DAYS": "44",
        }
        from daily_profit_model.defs.launch.command import run_steps
        from daily_profit_model.defs.launch.plan import STEPS
        from daily_profit_model.defs.launch.runs import Launcher
        from daily_profit_model.settings import load_settings

        with served(world, accounts, history + 1, end, 0) as root:
            point_at(root, world, 10_000)
            run_steps(Launcher(load_settings()), STEPS, start, end - timedelta(days=1))
        with served(world, accounts, history + 1, end, 15) as root:
            point_at(root, world, 15)
            floor, requests = floor_of(end)
        with served(world, accounts, history + 1, end, 15) as root:
            point_at(root, world, 15)
            launcher = Launcher(load_settings())
            seconds: dict[str, float] = {}
            checks = 0
            for step in STEPS:
                began = time.monotonic()
                work = launcher.work(step, end, end)
                made = launcher.run(work) if work.partitions else []
                checks += sum(run.checks_passed + run.checks_failed for run in made)
                seconds[step.stage] = seconds.get(step.stage, 0.0) + time.monotonic() - began
            rows = {
                name: _rows(launcher, name, end)
                for name in ("raw/metrics_daily", "raw/metrics_hourly", "raw/trades_closed")
            }
            predicted = launcher.lake.describe("predictions/account_daily", (end + timedelta(days=1)).isoformat())
    return {
        "accounts predicted": predicted.rows if predicted else 0,
        "rows": rows,
        "checks": checks,
        "requests": requests,
        "floor of raw": round(floor, 1),
        **{f"{stage} (s)": round(value, 1) for stage, value in seconds.items()},
        "all (s)": round(sum(seconds.values()), 1),
        "raw / floor": round(seconds["raw"] / floor, 2),
    }


def _rows(launcher: object, table: str, day: date) -> int:
    file = launcher.lake.describe(table, day.isoformat(), "newest")  # type: ignore[attr-defined]  # a Launcher
    return file.rows if file else 0


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--accounts", type=int, default=3000)
    parser.add_argument("--history", type=int, default=55)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = measure(arguments.accounts, arguments.history)
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name:<24} {value}")


if __name__ == "__main__":
    main()
