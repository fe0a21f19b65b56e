"""Shadow deployments as acts: which version runs beside the champion, from which day to which, and on what plan.

Here: the rules, as functions of the rows of MODELS_SHADOWS. Where those rows lie, and that an act is created exactly
once, is the graph's business; what a deployment's days say is `monitoring.shadow_test`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson
import pyarrow as pa

from daily_profit_model.modeling.acts import cutoff_of
from daily_profit_model.modeling.registry import DAYS_FROM_CUTOFF_TO_SERVICE
from daily_profit_model.modeling.shadow_contracts import MODELS_SHADOWS, WHOLE
from daily_profit_model.settings import WrongUse

LEAST_DAYS = 20
"""Days: with fewer the end test knows scale and correlation of days too little (shadow_test.FUTILITY_FROM)."""

MOST_DAYS = 250
"""Days: as long as the simulations have looked (benchmarks/shadow_simulation)."""


@dataclass(frozen=True)
class Deployment:
    """A version beside the champion, by the acts so far."""

    name: str
    version: str
    model_hash: str
    from_day: date
    """The first predicted day that it scores."""
    until: date | None
    """The first day that it scores no more; None: it runs."""
    planned_days: int
    traffic: int
    reason: str
    author: str
    made_at: datetime
    ended_by: str | None = None
    """`stop` or `promote`; None: it runs."""
    number: int = 0
    """Of the act that created it."""

    def is_active(self, day: date) -> bool:
        return self.from_day <= day and (self.until is None or day < self.until)


@dataclass(frozen=True)
class ShadowWish:
    """A deployment that somebody wants."""

    version: str
    model_hash: str
    from_day: date
    planned_days: int
    traffic: int
    reason: str
    author: str

    def __post_init__(self) -> None:
        if not 0 <= self.traffic <= WHOLE:
            raise WrongUse(f"--traffic {self.traffic} is not between 0 and {WHOLE} (%)")
        if not LEAST_DAYS <= self.planned_days <= MOST_DAYS:
            raise WrongUse(f"--days {self.planned_days} is not between {LEAST_DAYS} and {MOST_DAYS}")
        if self.from_day < (earliest := first_day_of(self.version)):
            raise WrongUse(
                f"--from {self.from_day} is too early: {self.version} knows outcomes of {cutoff_of(self.version)}, so "
                f"it can be compared from {earliest} on"
            )
        require_words(self.reason, self.author)


def first_day_of(version: str) -> date:
    """The first day whose outcome a version cannot know, and that it could have served."""
    return cutoff_of(version) + timedelta(days=DAYS_FROM_CUTOFF_TO_SERVICE)


def deployments(acts: pa.Table) -> list[Deployment]:
    """Every deployment so far, by the number of the act that created it."""
    found: dict[str, Deployment] = {}
    for row in acts.sort_by("number").to_pylist():
        name = row["deployment"]
        before = found.get(name)
        ends = before is not None and row["act"] != "create"
        found[name] = Deployment(
            name=name,
            version=row["version"],
            model_hash=row["model_hash"],
            from_day=before.from_day if before else row["day"],
            until=max(row["day"], before.from_day) if ends and before else None,
            planned_days=row["planned_days"],
            traffic=row["traffic"],
            reason=before.reason if before else row["reason"],
            author=before.author if before else row["author"],
            made_at=before.made_at if before else row["made_at"],
            ended_by=row["act"] if ends else None,
            number=before.number if before else row["number"],
        )
    return list(found.values())


def comparisons(deployment: Deployment, known: Sequence[Deployment], day: date) -> int:
    """How many deployments had a chance against the same champion by `day`: those started that ran beside this one,
    itself included. It never falls, so a bar that was set is not lowered by stopping a shadow."""
    return sum(
        other.from_day <= day and (other.until is None or other.until > max(deployment.from_day, other.from_day))
        for other in known
    )


def create(acts: pa.Table, wish: ShadowWish, champion: str | None, made_at: datetime) -> pa.Table:
    """The act that creates what is wished, as the one row of MODELS_SHADOWS that comes next.

    `champion`: the version in force on its first day. Raises WrongUse when there is none to compare with, when it is
    the champion itself, when the version is deployed already, or when there is less than its traffic left.
    """
    if champion is None:
        raise WrongUse(f"no champion is in force on {wish.from_day}: there is nothing to compare {wish.version} with")
    if champion == wish.version:
        raise WrongUse(f"{wish.version} is the champion on {wish.from_day}: it cannot be its own shadow")
    for other in deployments(acts):
        if other.version == wish.version and (other.until is None or other.until > wish.from_day):
            until = f"until {other.until}" if other.until else "now"
            raise WrongUse(f"{wish.version} is deployed already, as {other.name} from {other.from_day} {until}")
    serving = [one for one in deployments(acts) if one.traffic and (one.until is None or one.until > wish.from_day)]
    if wish.traffic and wish.traffic + sum(one.traffic for one in serving) > WHOLE:
        taken = ", ".join(f"{one.name} has {one.traffic} %" for one in serving)
        raise WrongUse(f"--traffic {wish.traffic} is too much: {taken}, and there are {WHOLE} % in all")
    number = _next(acts)
    return _row(
        number=number,
        act="create",
        deployment=f"s{number}-{wish.version}",
        day=wish.from_day,
        transition=None,
        evidence="{}",
        made_at=made_at,
        **{name: getattr(wish, name) for name in ("version", "model_hash", "traffic", "planned_days")},
        reason=" ".join(wish.reason.split()),
        author=wish.author.strip(),
    )


def end(
    acts: pa.Table,
    name: str,
    act: str,
    day: date,
    *,
    reason: str,
    author: str,
    made_at: datetime,
    transition: int | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> pa.Table:
    """The act that ends the deployment `name` (`act`: stop or promote) before `day`, as the row that comes next.

    Raises WrongUse when there is no such deployment, or when it has ended.
    """
    require_words(reason, author)
    found = resolve(name, deployments(acts))
    return _row(
        number=_next(acts),
        act=act,
        deployment=found.name,
        day=max(day, found.from_day),
        transition=transition,
        evidence=orjson.dumps(evidence or {}, option=orjson.OPT_SORT_KEYS).decode(),
        made_at=made_at,
        **{name: getattr(found, name) for name in ("version", "model_hash", "traffic", "planned_days")},
        reason=" ".join(reason.split()),
        author=author.strip(),
    )


def resolve(text: str, known: Sequence[Deployment]) -> Deployment:
    """The running deployment that `text` names: in full, by its beginning, or by that of its version. Raises WrongUse."""
    named = [one for one in known if text and text in (one.name, one.name.split("-")[0])]
    named = named or [one for one in known if text and (one.name.startswith(text) or one.version.startswith(text))]
    running = [one for one in named if one.until is None]
    if len(running) == 1:
        return running[0]
    if running:
        raise WrongUse(f"{text!r} may be {', '.join(one.name for one in running)}: write more of it")
    if named:
        ended = "was promoted" if named[-1].ended_by == "promote" else "was stopped"
        raise WrongUse(f"{named[-1].name} {ended}, it ran until {named[-1].until}: nothing was changed")
    raise WrongUse(f"there is no shadow deployment {text!r}; dpm shadow list shows all of them")


def require_words(reason: str, author: str) -> None:
    """Raises WrongUse for an act without a reason or an author."""
    for name, value in (("reason", reason), ("author", author)):
        if not value.strip():
            raise WrongUse(f"an act needs {'an' if name == 'author' else 'a'} {name}: --{name} is empty")


def _next(acts: pa.Table) -> int:
    return max(acts["number"].to_pylist(), default=0) + 1


def _row(**values: object) -> pa.Table:
    return pa.Table.from_pylist([values], schema=MODELS_SHADOWS.schema())
