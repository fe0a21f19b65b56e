"""Whether the platform is well, as findings: each a measured value, its limit, and what to do.

Here: verdicts on values that are handed in, the clock too. How they are measured stands in `probes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from daily_profit_model.lake.lake import CUT_OFF_HOUR

State = Literal["ok", "warn", "fail"]

GB = 10**9
NAMED = 3
"""Things that a finding names; the others are counted."""


@dataclass(frozen=True)
class Finding:
    """One aspect of health."""

    name: str
    state: State
    value: str
    limit: str = ""
    advice: str = ""
    """What to do; empty: nothing."""


@dataclass(frozen=True)
class Limits:
    """Beyond `warn` a warning, beyond `error` unhealthy."""

    warn: float
    error: float


def is_healthy(findings: Sequence[Finding]) -> bool:
    """No finding fails; warnings are no illness."""
    return all(finding.state != "fail" for finding in findings)


def newest_due_day(now: datetime, grace: timedelta) -> date:
    """The newest day whose data must be there at `now` (UTC): from its cut-off on, and `grace` for the run."""
    return (now.astimezone(UTC) - timedelta(hours=CUT_OFF_HOUR) - grace).date() - timedelta(days=1)


def freshness(present: Mapping[str, Sequence[str]], due: date, *, first_day: date, serves: bool) -> Finding:
    """Whether raw tables of the day `due` and predictions of the day after are there.

    `present` are partitions by table, of `raw/…` and `predictions/…`; `first_day` is the first day of data. `serves`:
    a champion is in force on the day after.
    """
    predicted = due + timedelta(days=1)
    limit = f"raw of {due}, predictions of {predicted}"
    if due < first_day:
        return Finding("freshness", "ok", f"the history begins on {first_day}", limit)
    wanted = {
        table: (predicted if table.startswith("predictions/") else due).isoformat()
        for table in present
        if serves or not table.startswith("predictions/")
    }
    missing = [f"{table} of {day}" for table, day in wanted.items() if day not in present[table]]
    if missing:
        advice = "dpm run; dpm ui shows why the morning's run did not make them"
        return Finding("freshness", "fail", f"missing: {_few(missing)}", limit, advice)
    if not serves:
        advice = "dpm run --stages training,models, once there is history enough"
        return Finding("freshness", "warn", f"data of {due} are there, no champion serves {predicted}", limit, advice)
    return Finding("freshness", "ok", f"data of {due}, predictions of {predicted}", limit)


def checks(newest: Mapping[str, str], failed: Sequence[tuple[str, str]]) -> Finding:
    """Whether every rule of severity error holds on the newest judged day of each table.

    `newest`: table → that day; `failed`: (table, rule).
    """
    limit = "no error"
    if not newest:
        return Finding("checks", "warn", "no rule has been judged yet", limit, "dpm run judges them with the data")
    if failed:
        told = _few([f"{rule} of {table} on {newest[table]}" for table, rule in failed])
        return Finding(
            "checks", "fail", f"{len(failed)} do not hold: {told}", limit, "the check in dpm ui says what to do"
        )
    return Finding("checks", "ok", f"{len(newest)} tables, the newest of {max(newest.values())}", limit)


def model_age(cutoff: date | None, today: date, limits: Limits) -> Finding:
    """How old the champion in force is, in days since its cut-off; None: there is none."""
    limit = f"warn {limits.warn:g} d, fail {limits.error:g} d"
    if cutoff is None:
        return Finding("model age", "warn", "no champion is in force", limit, "dpm run --stages training,models")
    days = (today - cutoff).days
    state = _above(days, limits)
    advice = "" if state == "ok" else "dpm models list: was no week trained, or did the gate refuse it?"
    return Finding("model age", state, f"{days} d since {cutoff}", limit, advice)


def room(name: str, free_bytes: float | None, limits: Limits, advice: str) -> Finding:
    """Whether enough bytes of something are left; `limits` in GB (10^9 bytes). None: nothing tells."""
    limit = f"warn {limits.warn:g} GB, fail {limits.error:g} GB"
    if free_bytes is None:
        return Finding(name, "ok", "this system does not tell", limit)
    free = free_bytes / GB
    state: State = "fail" if free < limits.error else "warn" if free < limits.warn else "ok"
    return Finding(name, state, f"{free:,.1f} GB left", limit, "" if state == "ok" else advice)


def answered(name: str, problem: str | None, value: str, advice: str) -> Finding:
    """Whether something answered: `value` if it did, else the `problem` and what to do. None: no problem."""
    return Finding(name, "fail" if problem else "ok", problem or value, "answers", advice if problem else "")


def whole(name: str, looked_at: int, problems: Sequence[str], advice: str) -> Finding:
    """Whether all that was `looked_at` is what its hash says."""
    limit = "every hash is the stored one"
    if problems:
        return Finding(name, "fail", f"{len(problems)} of {looked_at}: {_few(problems)}", limit, advice)
    return Finding(name, "ok", f"{looked_at} are whole", limit)


def _above(value: float, limits: Limits) -> State:
    return "fail" if value > limits.error else "warn" if value > limits.warn else "ok"


def _few(things: Sequence[str]) -> str:
    more = len(things) - NAMED
    return ", ".join(things[:NAMED]) + (f" and {more} more" if more > 0 else "")
