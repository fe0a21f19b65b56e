"""A process that asks a cache for one key: it says where it is, and goes on when told to. No tests here.

Called with the folder and where to stop: `computing`, `writing`, `reading` or `nowhere`.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import structlog

from daily_profit_model.cache import Cache, entry
from daily_profit_model.lake import content_hash
from daily_profit_model_tests.cache.small_entries import ROWS, key

AT = datetime(2026, 3, 1, 13, tzinfo=UTC)


def main(folder: Path, stop: str) -> None:
    structlog.configure(processors=[lambda _logger, _level, line: line["event"]])
    load, replace = entry.Entry.load, os.replace

    def slow_load(self: entry.Entry) -> pa.Table | None:
        rows = load(self)
        pause("reading", stop)
        return rows

    def slow_replace(source: Any, target: Any) -> None:
        pause("writing", stop)
        replace(source, target)

    def compute() -> pa.Table:
        say("computed")
        pause("computing", stop)
        return ROWS

    if stop == "reading":
        entry.Entry.load = slow_load  # type: ignore[method-assign]
    if stop == "writing":
        os.replace = slow_replace
    pause("ready", "ready")
    rows = Cache(folder, clock=lambda: AT).get_or_compute(key(), compute)
    say(f"rows {content_hash(rows)}")


def pause(place: str, stop: str) -> None:
    if place == stop:
        say(place)
        sys.stdin.readline()


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
