"""`dpm quarantine`: what was rejected and why, the rows themselves, and trying them again after a fix.

A retry is a run of the same assets that `dpm ingest` makes, told to read payloads instead of the service.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date

from rich.console import Console
from rich.table import Table as Grid

from daily_profit_model.defs.calendars import calendar_of
from daily_profit_model.defs.launch.command import shown_progress
from daily_profit_model.defs.launch.plan import Step, Work
from daily_profit_model.defs.launch.runs import FailedCheck, Launcher
from daily_profit_model.defs.raw.assets import FETCHED, RETRY_TAG, retry_of
from daily_profit_model.lake import Lake, LakeError, read
from daily_profit_model.risk_api.rejected import days_with_rejects, rejects
from daily_profit_model.risk_api.retry import Retry, refuse_untried
from daily_profit_model.settings import Settings, WrongUse
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import RAW_QUARANTINE, rejects_of

SHOWN_CHARACTERS = 160
"""Of a payload in the lines for people; --json has all of it."""


def list_rejects(settings: Settings, table: str, day: date | None, since: date | None, *, as_json: bool) -> None:
    """Print how many rows lie in quarantine, by table, day and reason. Raises WrongUse."""
    if day and since:
        raise WrongUse("--date and --since exclude each other: --date is one day, --since that day and all later ones")
    tables = [table_of(table)] if table else list(FETCHED)
    first = day or since
    found = list(
        rejects(
            Lake(settings.lake_root),
            tables,
            since=first.isoformat() if first else "",
            until=day.isoformat() if day else "",
        )
    )
    if as_json:
        print(json.dumps([asdict(each) for each in found], indent=2))
        return
    if not found:
        print("nothing lies in quarantine")
        return
    total = sum(each.rows for each in found)
    grid = Grid(title=f"{total:,} rows in quarantine", title_justify="left")
    for name in ("table", "day", "reason", "rows"):
        grid.add_column(name, justify="right" if name == "rows" else "left", no_wrap=True)
    for each in found:
        grid.add_row(each.table, each.date, each.reason, f"{each.rows:,}")
    Console(highlight=False, width=max(Console().width, 100)).print(grid)


def show_rejects(settings: Settings, table: str, day: date, reason: str, limit: int, *, as_json: bool) -> None:
    """Print the rejected rows of a table's day: reason, detail, payload. Raises WrongUse, LakeError."""
    chosen, lake, partition = table_of(table), Lake(settings.lake_root), day.isoformat()
    if lake.file(rejects_of(chosen).name, partition, "newest") is None:
        raise LakeError(f"{chosen.name} of {partition} was not fetched: dpm ingest, or another --date")
    columns = ["reason", "detail", "payload", "occurrence"]
    rows = read(lake, rejects_of(chosen), [partition], as_known="newest", columns=columns).to_pylist()
    wanted = [row for row in rows if reason in ("", row["reason"])]
    if reason and not wanted:
        reasons = sorted({row["reason"] for row in rows})
        raise WrongUse(f"no row has the reason {reason!r}; there are: {', '.join(reasons) or 'no rows at all'}")
    if as_json:
        print(
            json.dumps(
                {"table": chosen.name, "date": partition, "rows": len(wanted), "shown": wanted[:limit]}, indent=2
            )
        )
        return
    print(f"{chosen.name} of {partition}: {len(wanted):,} rows in quarantine")
    for row in wanted[:limit]:
        more = "…" if len(row["payload"]) > SHOWN_CHARACTERS else ""
        print(f"{row['reason']:<20} {row['detail'] or '–':<30} {row['payload'][:SHOWN_CHARACTERS]}{more}")
    if len(wanted) > limit:
        print(f"… and {len(wanted) - limit:,} more: --limit")


def retry_rejects(
    settings: Settings, table: str, days: Sequence[date], *, all_days: bool, dry_run: bool, as_json: bool
) -> int:
    """Read the rejected rows of days again and store those that are valid by now; print what became of them.

    Returns 0, or 1 when a check of severity error does not hold afterwards. Raises WrongUse, LakeError, RunFailed.
    """
    chosen, lake = table_of(table), Lake(settings.lake_root)
    if all_days == bool(days):
        raise WrongUse("say which days: --date YYYY-MM-DD (several times), or --all")
    refuse_untried(chosen)
    exist = set(calendar_of(chosen).get_partition_keys())
    wanted = days_with_rejects(lake, chosen) if all_days else sorted({day.isoformat() for day in days})
    if foreign := [day for day in wanted if day not in exist]:
        raise WrongUse(
            f"{foreign[0]} is no day of {chosen.name}: it begins at DPM_START_DATE {settings.dpm_start_date}"
        )
    found = [retry for day in wanted if (retry := retry_of(lake, chosen, day)) is not None]
    failures = [] if dry_run else _run(settings, chosen, [retry.partition for retry in found if retry.moves])
    if as_json:
        print(json.dumps(_as_dict(chosen, found, failures, dry_run), indent=2))
    else:
        for line in _lines(chosen, found, failures, dry_run):
            print(line)
    return 1 if any(failure.is_error for failure in failures) else 0


def table_of(name: str) -> Table:
    """The raw table called `name`, with or without `raw/`. Raises WrongUse."""
    for table in FETCHED:
        if name in (table.name, table.name.removeprefix("raw/")):
            return table
    raise WrongUse(f"{name!r} is no table with a quarantine; those are {', '.join(table.name for table in FETCHED)}")


def _run(settings: Settings, table: Table, days: list[str]) -> list[FailedCheck]:
    if not days:
        return []
    work = Work(Step("raw", (table.name, RAW_QUARANTINE.name), "days"), days)
    failures: list[FailedCheck] = []
    launcher = Launcher(settings)
    with shown_progress(work, Console(stderr=True)):
        for run in launcher.runs(work, tags={RETRY_TAG: "true"}):
            failures += run.failures
    return failures


def _as_dict(table: Table, found: Sequence[Retry], failures: Sequence[FailedCheck], dry_run: bool) -> dict[str, object]:
    return {
        "table": table.name,
        "dry_run": dry_run,
        "days": [{"date": retry.partition, **retry.counts()} for retry in found],
        "checks_failed": [
            {"table": failure.table, "date": failure.partition, "check": failure.rule}
            | {"severity": "error" if failure.is_error else "warn", "description": failure.description}
            for failure in failures
        ],
    }


def _at_cut_off(retry: Retry) -> str:
    """What becomes known in another fetch than the newest."""
    return f" ({retry.new_at_cut_off:,} in the fetch known at the cut-off)" if retry.earlier is not None else ""


def _lines(table: Table, found: Sequence[Retry], failures: Sequence[FailedCheck], dry_run: bool) -> Iterator[str]:
    if not found:
        yield f"{table.name}: nothing lies in quarantine there"
    will = "would be " if dry_run else ""
    for retry in found:
        yield (
            f"{table.name} {retry.partition}: {retry.tried:,} rows read again: {retry.new:,} {will}stored"
            f"{_at_cut_off(retry)}, "
            f"{retry.present:,} there already, {retry.test_accounts:,} of test accounts, {retry.late:,} too late; "
            f"{retry.rejected:,} stay in quarantine"
        )
    for failure in failures:
        severity = "error" if failure.is_error else "warning"
        yield f"{severity}: {failure.rule} of {failure.table} does not hold on {failure.partition}: {failure.description}"
