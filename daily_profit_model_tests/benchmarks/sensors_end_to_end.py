"""From a regime change to a promotion by sensors in a real daemon, which is killed twice on the way.

Run: python -m daily_profit_model_tests.benchmarks.sensors_end_to_end [--real] [--together 1] [--folder DIR]

Planted (`sensors_planted`): from a day on every trader trades more and risks more, and the champion is a version of the
first cut-off whose median is another quantile, so that an honest version is better. Of 60 accounts the gate and the bars
of promotion and of drift are replaced (`sensors_location`), and features tell larger profits from a day on. With --real,
of 500 accounts, all is the platform as it is. In both, sensors have their own intervals.

The lake is filled up to the features of every day. Then days arrive, --together at a time: this process asks the
webserver for the runs daily_outcomes and daily_predictions, when every sensor has looked twice since the last ones and
nothing waits in the queue; all else is asked for by sensors. The daemon and its code server are killed with SIGKILL when
the retraining has been asked for, and when the promotion is written but the deployment not yet ended; they start again
five seconds later. Checked at the end: that no run key has two runs, each act is there once, each alert arrived once at a
local webhook, and no day lacks its drift, its shadow predictions or its evaluation. Times are UTC, seconds since the
sensors were switched on.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from daily_profit_model_tests.benchmarks.processes import environment, sandbox
from daily_profit_model_tests.benchmarks.sensors_planted import (
    LOWERED,
    REAL,
    SEED,
    Scenario,
    fill,
    plant_world,
)
from daily_profit_model_tests.benchmarks.sensors_platform import LONGEST_RUN, Killer, Platform, until
from daily_profit_model_tests.benchmarks.sensors_told import faults, timeline
from daily_profit_model_tests.monitoring.receivers import Inbox, web_server

if TYPE_CHECKING:
    from daily_profit_model.lake import Lake

LOOK = 65.0
"""Seconds in which every sensor has looked once."""
SETTLED = 200.0
"""Seconds without anything new after the last day, more than three intervals of the slowest sensor."""

SENSORS = (
    *("days_are_predicted", "days_are_judged", "champion_falls_behind", "challenger_is_trained"),
    *("shadows_are_decided", "champion_is_in_doubt", "run_has_failed", "alerts_are_delivered"),
)


def _outcomes(platform: Platform, lake: Lake, first: date, last: date) -> None:
    """What came of the days up to `last` that nobody has judged, once nothing waits in the queue."""
    from daily_profit_model.partitions import days_between

    for _ in range(2):  # what sensors ask for after one look may be followed by another
        until(platform.is_idle, LONGEST_RUN, "the queue does not empty")
        time.sleep(LOOK)
    until(platform.is_idle, LONGEST_RUN, "the queue does not empty")
    judged = set(lake.partitions("monitoring/outcomes"))
    if missing := [day for day in days_between(first, last) if day not in judged]:
        platform.run("daily_outcomes", date.fromisoformat(missing[0]), last)


def let_days_arrive(platform: Platform, first: date, last: date, champion: str, together: int) -> date:
    """Days, so many `together`, until another champion has predicted two; the last day that was predicted."""
    from daily_profit_model.defs.models.registry import champion_of, last_predicted
    from daily_profit_model.lake import Lake
    from daily_profit_model.partitions import days_between
    from daily_profit_model.settings import load_settings

    lake, left = Lake(load_settings().lake_root), 2
    day = max(first, (last_predicted(lake) or date.min) + timedelta(days=1))
    while day <= last and left > 0:
        _outcomes(platform, lake, first, day - timedelta(days=1))
        newest = min(last, day + timedelta(days=together - 1))
        left -= sum(champion_of(lake, date.fromisoformat(one)).version != champion for one in days_between(day, newest))
        platform.run("daily_predictions", day, newest)
        print(f"{datetime.now(UTC):%H:%M:%S}  {day} … {newest} have arrived", flush=True)
        day = newest + timedelta(days=1)
    _outcomes(platform, lake, first, day - timedelta(days=1))
    quiet_since, known = time.monotonic(), -1
    while time.monotonic() < quiet_since + SETTLED:
        count = platform.instance.get_runs_count()
        if count != known or not platform.is_idle():
            quiet_since, known = time.monotonic(), count
        time.sleep(2)
    return day - timedelta(days=1)


@contextmanager
def firm(folder: Path, scenario: Scenario) -> Iterator[tuple[date, date, Inbox]]:
    """The firm served, and this process's environment pointed at a platform of its own; first and last day, alerts."""
    end = datetime.now(UTC).date() - timedelta(days=1)
    start = end - timedelta(days=scenario.days - 1)
    plant_world(folder / "world", scenario, end)
    with (
        web_server() as inbox,
        sandbox(folder / "world", scenario.accounts, scenario.days, seed=SEED, end=end.isoformat()) as served,
        patch.dict(
            os.environ,
            environment(
                served,
                folder / "data",
                start.isoformat(),
                dpm_plans_dir=folder / "world" / "plans",
                regimes_source=f"{served.root}/regimes",
                dpm_first_training_days=scenario.first_training_days,
                dpm_retrain_cooldown_days=scenario.cooldown_days,
                dpm_auto_promote="true",
                dpm_alert_webhook_url=inbox.address,
                dpm_alert_webhook_severities="info,warn,error,critical",
                dpm_alert_cooldown_minutes=1,
            ),
            clear=True,
        ),
    ):
        yield start, end, inbox


def measure(folder: Path, scenario: Scenario, together: int) -> bool:
    """Fill, switch on, let days arrive, print what happened; whether nothing was twice and nothing missed."""
    from daily_profit_model.defs.launch.instance import prepare_home
    from daily_profit_model.defs.launch.sandbox_process import free_port
    from daily_profit_model.settings import load_settings

    with firm(folder, scenario) as (start, end, inbox):
        champion = fill(scenario, start, end)
        prepare_home(load_settings())
        platform = Platform(folder, free_port(), scenario.graph)
        try:
            return _watched(platform, scenario, champion, start, end, inbox, together)
        finally:
            platform.stop()


def _watched(
    platform: Platform, scenario: Scenario, champion: str, start: date, end: date, inbox: Inbox, together: int
) -> bool:
    import dagster as dg

    from daily_profit_model.defs.automation.retraining import REASON_TAG
    from daily_profit_model.lake import Lake
    from daily_profit_model.modeling.acts import cutoff_of
    from daily_profit_model.settings import load_settings

    lake = Lake(load_settings().lake_root)
    for sensor in SENSORS:
        platform.switch_on(sensor)
    on = datetime.now(UTC)
    trainings = dg.RunsFilter(job_name="weekly_training")
    killer = Killer(
        platform,
        {
            "a training is asked for": lambda: any(
                REASON_TAG in run.tags for run in platform.instance.get_runs(trainings)
            ),
            "the promotion is written": lambda: lake.file("models/transitions", "000002") is not None,
        },
    )
    killer.start()
    first = cutoff_of(champion) + timedelta(days=2)
    if scenario.first_day is not None:
        first = start + timedelta(days=scenario.first_day)
    last = let_days_arrive(platform, first, end, champion, together)
    print(f"\ntraders changed on {start + timedelta(days=scenario.change)}; {first} … {last} arrived")
    if scenario.shift is not None:
        print(f"features changed on {start + timedelta(days=scenario.shift)}")
    for at, what in sorted([*timeline(platform), *((at, what) for what, at in killer.told)]):
        print(f"{at:%H:%M:%S}  {(at - on).total_seconds():7.1f} s  {what}")
    found = faults(platform, inbox)
    print()
    for name, what in found.items():
        print(f"{name:<44} {what or 'none'}")
    print(f"{'runs':<44} {platform.instance.get_runs_count()}")
    print(f"{'alerts received':<44} {len(inbox.posts)}")
    return not any(found.values()) and len(killer.told) == len(killer.moments)


def main() -> None:
    """Run it; exit code 1 when something happened twice, was missed, or no promotion came."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--real", action="store_true", help="500 accounts, and the platform's own gate and bars")
    parser.add_argument("--together", type=int, default=1, help="days that arrive at once")
    parser.add_argument(
        "--folder", type=Path, help="keep everything there, and go on with it; default a temporary folder"
    )
    given = parser.parse_args()
    scenario = REAL if given.real else LOWERED
    if given.folder:
        given.folder.mkdir(parents=True, exist_ok=True)
        sys.exit(not measure(given.folder.resolve(), scenario, given.together))
    with tempfile.TemporaryDirectory() as place:
        sys.exit(not measure(Path(place), scenario, given.together))


if __name__ == "__main__":
    main()
