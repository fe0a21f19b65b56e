"""Does an ingestion that is killed again and again store the truth, and fetch no page twice?

Run: python -m daily_profit_model_tests.benchmarks.killed_ingestion [--kills 100] [--rows 300000] [--days 30]
     [--seed 1] [--json]

A server of closed trades in a process of its own; `dpm ingest trades closed` is started and ended by kill -9 at
moments that the seed draws: while it starts, between pages, while it stores. The next start goes on, the last one
to the end. Then every row is compared with the truth, and the server's record says how often each page was asked
for: once, and once more for each kill at which it was under way (not sent, or sent less than GRACE_S before, so
that it may not have been stored); the most that were asked for again after one kill is told too. When an ingestion is complete before all kills have happened, another one is begun
for the rest of them. Exit code 1 when rows differ,
pages were fetched without need, spooled pages are left, or a start failed by itself.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from upath import UPath

from daily_profit_model.lake import Lake, read
from daily_profit_model.sandbox.faults.truth import DayTruth
from daily_profit_model.tables.raw import RAW_TRADES_CLOSED
from daily_profit_model_tests.benchmarks import processes
from daily_profit_model_tests.benchmarks.processes import Served
from daily_profit_model_tests.benchmarks.trade_pages import BLOCK_ROWS, TradePages
from daily_profit_model_tests.sandbox.expected import differing_rows, expected_rows

#: Seconds that a page is held back, so that a kill falls between pages and not behind all of them.
PACE_S = 0.05
#: A page sent shorter before a kill may have been received and not yet stored.
GRACE_S = 0.2
#: Seconds in which a process starts, and in which it stores what it has, to draw moments from.
START_S, STORE_S = 6.0, 4.0
#: Share of the kills that come while the process starts.
EARLY = 0.1
LOOK_EVERY_S = 0.005
MOST_FAILURES = 10


@dataclass
class Ingestion:
    """One ingestion over several lives of the process."""

    served: Served
    variables: dict[str, str]
    words: Sequence[str]
    kills: list[float] = field(default_factory=list)
    """Instants of the monotonic clock."""
    failures: list[str] = field(default_factory=list)
    """What lives said that ended by an error of their own."""

    def live(self, dice: random.Random | None, pages: float) -> bool:
        """Start the process once and kill it at a moment that `dice` draws; true when it came to its end before.

        It is let about `pages` further pages. Raises RuntimeError when it fails again and again.
        """
        process = subprocess.Popen(
            processes.dpm_command(*self.words),
            env=self.variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if dice is not None and self._wait(process, dice, pages):
            process.kill()
            self.kills.append(time.monotonic())
        _, said = process.communicate()
        if process.returncode == -9:
            return False
        if process.returncode != 0:
            self.failures.append(processes.last_line(said))
            if len(self.failures) == MOST_FAILURES:
                raise RuntimeError(f"dpm fails again and again: {self.failures[-1]}")
            return False
        return True

    def _wait(self, process: subprocess.Popen[str], dice: random.Random, pages: float) -> bool:
        """Wait for the moment; false when the process ended before it."""
        if dice.random() < EARLY:
            return self._outlives(process, dice.uniform(0, START_S))
        count = before = self._count()
        wanted, idle = before + dice.randint(1, max(1, round(2 * pages))), dice.uniform(0, STORE_S)
        deadline = time.monotonic() + START_S + idle
        while count < wanted and time.monotonic() < deadline:
            if process.poll() is not None:
                return False
            time.sleep(LOOK_EVERY_S)
            if (found := self._count()) > count:  # as long as pages come, what is stored comes later
                count, deadline = found, time.monotonic() + idle + GRACE_S
        return self._outlives(process, dice.uniform(0, 2 * PACE_S))

    def _outlives(self, process: subprocess.Popen[str], seconds: float) -> bool:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def _count(self) -> int:
        found: int = requests.get(f"{self.served.root}/sandbox/count", timeout=30).json()
        return found


def measure(kills: int, rows: int, days: int, seed: int, say: Any) -> list[dict[str, Any]]:
    """Ingestions until `kills` have happened."""
    dice = random.Random(seed)
    found = []
    while (left := kills - sum(each["kills"] for each in found)) > 0:
        found.append(one(left, rows, days, dice, say))
    return found


def one(kills: int, rows: int, days: int, dice: random.Random, say: Any) -> dict[str, Any]:
    """One ingestion, killed `kills` times unless it is complete before."""
    end = datetime.now(UTC).date() - timedelta(days=1)
    start = end - timedelta(days=days - 1)
    a_day = rows // days
    module = "daily_profit_model_tests.benchmarks.trade_server"
    options = ("--first", start, "--days", days, "--rows-a-day", a_day, "--pace", PACE_S)
    with tempfile.TemporaryDirectory() as place, processes.serving(module, *options) as served:
        variables = processes.environment(served, Path(place) / "data", start.isoformat())
        words = ("ingest", "trades", "closed", "--start-date", start.isoformat(), "--end-date", end.isoformat())
        ingestion = Ingestion(served, variables, words)
        began = time.monotonic()
        pages = -(-a_day // BLOCK_ROWS) * days
        is_complete = False
        while not is_complete and len(ingestion.kills) < kills:
            asked = len({page_of(target) for _, target, *_ in served.told("requests")})
            is_complete = ingestion.live(dice, (pages - asked) / (kills - len(ingestion.kills)))
            say(f"{len(ingestion.kills)} kills, {asked} of about {pages} pages")
        while not is_complete:
            is_complete = ingestion.live(None, 0)
        return {
            "kills": len(ingestion.kills),
            "seconds": round(time.monotonic() - began),
            **compared(Lake(UPath(place) / "data" / "lake"), start, days, a_day),
            **asked_pages(served.told("requests"), ingestion.kills),
            "spools left": len(list((Path(place) / "data" / "spool").rglob("*.sqlite"))),
            "failed by itself": len(ingestion.failures),
            "said": sorted(set(ingestion.failures)),
        }


def compared(lake: Lake, start: date, days: int, a_day: int) -> dict[str, int]:
    """Rows stored, and those that differ from the truth."""
    trades, table = TradePages(start, a_day), RAW_TRADES_CLOSED
    stored_rows = differing = revisions = 0
    for number in range(days):
        day = start + timedelta(days=number)
        truth = DayTruth(trades.records(number * a_day, (number + 1) * a_day))
        stored = read(lake, table, [day.isoformat()], as_known="newest")
        stored_rows += stored.num_rows
        differing += differing_rows(stored, expected_rows(table, truth, day))
        revisions += len(lake.files(table.name, day.isoformat()))
    return {
        "rows": stored_rows,
        "differing": differing,
        "partitions": len(lake.partitions(table.name)),
        "revisions": revisions,
    }


def asked_pages(log: Sequence[Sequence[Any]], kills: Sequence[float]) -> dict[str, int]:
    """How often pages were asked for, and how many of these requests no kill accounts for."""
    times: Counter[str] = Counter()
    excused: Counter[str] = Counter()
    after_kill: Counter[float] = Counter()
    for arrived, target, _, _, sent in log:
        page = page_of(target)
        times[page] += 1
        if times[page] > 1:
            after_kill[max((kill for kill in kills if kill < arrived), default=0.0)] += 1
        killed = next((kill for kill in kills if kill >= arrived), None)
        if killed is not None and (sent is None or sent > killed - GRACE_S):
            excused[page] += 1
    return {
        "pages": len(times),
        "requests": len(log),
        "most again after a kill": max(after_kill.values(), default=0),
        "without need": sum(max(0, count - 1 - excused[page]) for page, count in times.items()),
    }


def page_of(target: str) -> str:
    """Which rows a request asks for, whether or not it wants to know the total."""
    return target.replace("&include-total=1", "").replace("include-total=1&", "")


def main() -> None:
    """Print a line an ingestion, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()

    def say(progress: str) -> None:
        if sys.stderr.isatty():
            print(f"\r{progress}   ", end="", file=sys.stderr, flush=True)

    found = measure(asked.kills, asked.rows, asked.days, asked.seed, say)
    if asked.json:
        print(json.dumps(found, indent=2))
    else:
        processes.print_table([{name: value for name, value in each.items() if name != "said"} for each in found])
        for said in {said for each in found for said in each["said"]}:
            print(said)
    wrong = ("differing", "without need", "spools left", "failed by itself")
    sys.exit(any(each[name] for each in found for name in wrong))


if __name__ == "__main__":
    main()
