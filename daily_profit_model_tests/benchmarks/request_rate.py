"""Does the client use the rate that the service allows, and never more?

Run: python -m daily_profit_model_tests.benchmarks.request_rate [--seconds 240] [--json]

Sandboxes in processes of their own, each with its strict token bucket; a client a sandbox, set to 15 requests/s and
a burst of 20, all at the same time. Once the server allows just that: the rate after the first SETTLING_S, answers
of HTTP 429, and from the server's own record whether any window of any length held more requests than burst +
rate × length. Once it allows 5/s: the rate over the second half and the share of HTTP 429 after the first minute,
with and without Retry-After, with a burst of 20 and of 5. Exit code 1 when a promise does not hold.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daily_profit_model.risk_api import RiskApi
from daily_profit_model.settings import configure_logs
from daily_profit_model_tests.benchmarks import processes
from daily_profit_model_tests.benchmarks.processes import Served

CLIENT_RATE, CLIENT_BURST = 15.0, 20
SETTLING_S = 10.0
LEARNING_S = 60.0
THREADS = 8
#: What the client promises: of the configured rate, of a lower one, and of refusals under a lower one.
LEAST_OF_RATE, WITHIN_OF_LOWER, MOST_REFUSED = 0.95, 0.10, 0.03


@dataclass(frozen=True)
class Case:
    """A limit that a server holds."""

    rate: float
    burst: int
    tells_wait: bool

    @property
    def is_configured(self) -> bool:
        """Whether the server allows what the client is set to."""
        return self.rate == CLIENT_RATE


CASES = (Case(15.0, 20, True), Case(5.0, 20, True), Case(5.0, 20, False), Case(5.0, 5, True), Case(5.0, 5, False))


def ask_for(served: Served, seconds: float) -> None:
    """Ask as fast as the client lets its threads."""
    until = time.monotonic() + seconds

    def ask(_: int) -> None:
        while time.monotonic() < until:
            api.get("v2/metrics/alltime", {"limit": 1, "include-total": 1})

    with (
        RiskApi(served.base_url, processes.KEY, rate=CLIENT_RATE, burst=CLIENT_BURST, connections=THREADS) as api,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        list(pool.map(ask, range(THREADS)))


def measure(case: Case, seconds: float, ready: threading.Barrier) -> dict[str, Any]:
    """One server and its client."""
    with tempfile.TemporaryDirectory() as place:
        options: dict[str, Any] = {"burst": case.burst, "end": "2026-06-30"}
        flag = "retry-after" if case.tells_wait else "no-retry-after"
        with processes.sandbox(Path(place) / "world", 30, 5, case.rate, [flag], **options) as served:
            # the first answer takes the time that the world takes to be read
            ready.wait()
            ask_for(served, seconds)
            log = [(instant, status) for instant, target, status in served.told("requests") if "external" in target]
    return {
        "allowed/s": case.rate,
        "burst": case.burst,
        "Retry-After": case.tells_wait,
        **figures(case, log, seconds),
    }


def figures(case: Case, log: Sequence[tuple[float, int]], seconds: float) -> dict[str, Any]:
    """What the server's record of (instant, status) says, and whether the promises hold."""
    began = log[0][0]
    start = SETTLING_S if case.is_configured else max(LEARNING_S, seconds / 2)
    asked = [status for instant, status in log if start <= instant - began < seconds]
    answered = sum(status == 200 for status in asked) / (seconds - start)
    later = [status for instant, status in log if instant - began >= LEARNING_S]
    refused = sum(status == 429 for status in later) / max(1, len(later))
    excess = most_in_a_window([instant for instant, _ in log], case.rate) - case.burst
    all_refused = sum(status == 429 for _, status in log)
    if case.is_configured:
        holds = answered >= LEAST_OF_RATE * case.rate and all_refused == 0 and excess <= 0
    else:
        holds = abs(answered - case.rate) <= WITHIN_OF_LOWER * case.rate and refused < MOST_REFUSED
    return {
        "requests": len(log),
        "answered/s": round(answered, 2),
        "of allowed": round(answered / case.rate, 3),
        "429": all_refused,
        "429 after a minute": f"{refused:.1%}",
        "asked over the limit": round(excess, 2),
        "holds": holds,
    }


def most_in_a_window(instants: Sequence[float], rate: float) -> float:
    """The largest, over all windows from one request to another, of requests − rate × seconds."""
    most, least = 0.0, float("inf")
    for number, instant in enumerate(sorted(instants)):
        least = min(least, number - rate * instant)
        most = max(most, number - rate * instant - least + 1)
    return most


def main() -> None:
    """Print a line a case, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    configure_logs("console")
    ready = threading.Barrier(len(CASES))
    with ThreadPoolExecutor(len(CASES)) as pool:
        found = list(pool.map(lambda case: measure(case, asked.seconds, ready), CASES))
    print(json.dumps(found, indent=2)) if asked.json else processes.print_table(found)
    sys.exit(not all(each["holds"] for each in found))


if __name__ == "__main__":
    main()
