"""`dpm ingest`: one feed fetched into its raw table, as a thin launch of the same assets that `dpm run` makes."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from rich.console import Console

from daily_profit_model.defs.launch.command import check_service, checked_days, shown_progress
from daily_profit_model.defs.launch.plan import Step, unset_of
from daily_profit_model.defs.launch.runs import FailedCheck, Launched, Launcher, Stored
from daily_profit_model.settings import Settings, WrongSettings, WrongUse

FEEDS = {
    "accounts": "raw/accounts",
    "plans": "raw/plans",
    "regimes": "raw/market_regimes",
    "bars": "raw/market_bars",
    "metrics alltime": "raw/accounts",
    "metrics daily": "raw/metrics_daily",
    "metrics hourly": "raw/metrics_hourly",
    "trades closed": "raw/trades_closed",
    "trades open": "raw/trades_open",
}
"""What is called on the command line → the raw table that it fills."""

NOT_FROM_API = ("plans", "regimes", "bars")
QUARANTINE = "raw/quarantine"


@dataclass
class Summary:
    """What was stored, over the runs of one `dpm ingest`."""

    feed: str
    table: str
    first: str
    last: str
    runs: list[Launched] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failures(self) -> list[FailedCheck]:
        return [failure for run in self.runs for failure in run.failures]

    def as_dict(self) -> dict[str, Any]:
        return {
            "feed": self.feed,
            "table": self.table,
            "start_date": self.first,
            "end_date": self.last,
            **counts_of([stored for run in self.runs for stored in run.stored if stored.table == self.table]),
            "runs": [
                {"run_id": run.run_id, "start_date": run.partitions[0], "end_date": run.partitions[-1]}
                | counts_of([stored for stored in run.stored if stored.table == self.table])
                for run in self.runs
            ],
            "checks_passed": sum(run.checks_passed for run in self.runs),
            "checks_failed": [
                {"table": failure.table, "date": failure.partition, "check": failure.rule}
                | {"severity": "error" if failure.is_error else "warn", "description": failure.description}
                for failure in self.failures
            ],
            "seconds": round(self.seconds, 1),
        }


def ingest(
    settings: Settings,
    words: Sequence[str],
    start: date | None,
    end: date | None,
    *,
    force: bool = False,
    as_json: bool = False,
) -> int:
    """Fetch what is missing of a feed (with `force`: all of it) for the days `start` … `end`; print what was stored.

    Returns 0, or 1 when a check of severity error does not hold. Raises WrongUse for an unknown feed or
    days that cannot be, WrongSettings for a feed whose source is not set, RunFailed when a run fails; what was stored before it is printed all the same.
    """
    feed = feed_of(words)
    first, last = checked_days(settings, start, end)
    summary = Summary(feed, FEEDS[feed], first.isoformat(), last.isoformat())
    step = Step("raw", (summary.table, QUARANTINE), "days")
    if unset := unset_of(step):
        raise WrongSettings(f"{unset} is not set, so no {feed} can be had: set it to where they are")
    launcher = Launcher(settings)
    work = launcher.work(step, first, last, force=force)
    if work.partitions and feed not in NOT_FROM_API:
        check_service(settings)
    started = time.monotonic()
    try:
        with shown_progress(work, Console(stderr=True)):
            for run in launcher.runs(work, force=force):
                summary.runs.append(run)
    finally:
        summary.seconds = time.monotonic() - started
        if summary.runs or not work.partitions:
            _print(summary, as_json)
    return 1 if any(failure.is_error for failure in summary.failures) else 0


def feed_of(words: Sequence[str]) -> str:
    """The feed called by `words`. Raises WrongUse."""
    feed = " ".join(words).lower()
    if feed not in FEEDS:
        raise WrongUse(f"unknown feed {feed!r}; the feeds are {', '.join(FEEDS)}")
    return feed


def counts_of(stored: Sequence[Stored]) -> dict[str, int | None]:
    """What became of the partitions of one raw table; a partition that was left alone counts as kept.

    `rows` are those that the partitions read hold now. `requests` is null where nothing says how many there were.
    """
    read = [each.metadata for each in stored if "received" in each.metadata]
    new = sum(bool(metadata["revision_stored"]) for metadata in read)
    sums: Counter[str] = Counter()
    for metadata in read:
        for name in ("dagster/row_count", "quarantined", "test_accounts", "requests"):
            sums[name] += int(str(metadata.get(name, 0)))
    return {
        "partitions": len(read),
        "kept": len(stored) - len(read),
        "rows": sums["dagster/row_count"],
        "revisions_stored": new,
        "revisions_unchanged": len(read) - new,
        "quarantined": sums["quarantined"],
        "test_rows": sums["test_accounts"],
        "requests": sums["requests"] if any("requests" in metadata for metadata in read) else None,
    }


def _print(summary: Summary, as_json: bool) -> None:
    for line in [json.dumps(summary.as_dict(), indent=2)] if as_json else _lines(summary):
        print(line)


def _lines(summary: Summary) -> Iterator[str]:
    if not summary.runs:
        yield f"{summary.feed}: every day of {summary.first} … {summary.last} is complete; --force reads them again"
    for run in summary.as_dict()["runs"]:
        requests = "" if run["requests"] is None else f", {run['requests']:,} requests"
        yield (
            f"{summary.feed} {run['start_date']} … {run['end_date']}: {run['partitions']} partitions, "
            f"{run['rows']:,} rows; {run['revisions_stored']} revisions stored, {run['revisions_unchanged']} unchanged; "
            f"{run['quarantined']:,} rows quarantined, {run['test_rows']:,} of test accounts{requests}"
        )
    of_rule: dict[tuple[str, str], list[FailedCheck]] = {}
    for failure in summary.failures:
        of_rule.setdefault((failure.table, failure.rule), []).append(failure)
    for (table, rule), failures in of_rule.items():
        first = failures[0]
        more = f" and {len(failures) - 1} more days" if len(failures) > 1 else ""
        severity = "error" if first.is_error else "warning"
        yield f"{severity}: {rule} of {table} does not hold on {first.partition}{more}: {first.description}"
