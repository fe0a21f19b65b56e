"""Who serves a day when the gate and persons both decide: acts on the aliases, and what holds of all of them together.

Here: the rules, as functions of the rows of MODELS_CHAMPION (the gate's decisions) and MODELS_TRANSITIONS (the acts).
Where those rows lie, and that an act is created exactly once, is the graph's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal, get_args

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.contracts import MODELS_TRANSITIONS
from daily_profit_model.modeling.registry import DAYS_FROM_CUTOFF_TO_SERVICE
from daily_profit_model.settings import WrongUse
from daily_profit_model.tables.contract import DAY, INT, TEXT

Alias = Literal["champion", "challenger"]
ALIASES: tuple[Alias, ...] = get_args(Alias)

NOBODY = "none"
"""How a writer says that it expects the alias to be held by no version."""

OF_GATE: Mapping[str, Alias] = {"promoted": "champion", "challenger": "challenger"}
"""The alias that a decision of the gate gives; any other decision gives none."""

_GATE = 0
"""The number of the gate's decisions among changes: on a tie of days any act counts more."""

_CHANGES = pa.schema(
    [
        ("alias", TEXT),
        ("in_force_from", DAY),
        ("number", INT),
        ("version", TEXT),
        ("model_hash", TEXT),
        ("author", TEXT),
        ("reason", TEXT),
    ]
)


class ActRefused(Exception):
    """An act that does not hold any more, or would change nothing; the message is one line."""


@dataclass(frozen=True)
class Holder:
    """A version that holds an alias, and by which change."""

    version: str
    model_hash: str
    since: date
    """The first day on which the change counts."""
    number: int
    """Of the act; 0: the gate decided."""
    author: str
    reason: str

    @property
    def by(self) -> str:
        """Whose decision it is, in words."""
        if self.number == _GATE:
            return f"by the gate's decision, from {self.since} on"
        return f"by act {self.number} of {self.author}, from {self.since} on ({self.reason})"


@dataclass(frozen=True)
class Wish:
    """What a person wants of an alias."""

    alias: Alias
    version: str | None
    """None: nobody is to hold it (challenger only)."""
    reason: str
    author: str
    model_hash: str | None = None
    in_force_from: date | None = None
    """None: from the first day on that it can still change."""
    expected: str | None = None
    """The version that must hold the alias on that day, or NOBODY; None: whoever does."""
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.alias not in ALIASES:
            raise WrongUse(f"there is no alias {self.alias!r}: choose one of {', '.join(ALIASES)}")
        if self.version is None and self.alias == "champion":
            raise WrongUse("the champion cannot be removed, only replaced: dpm models promote, or dpm models rollback")
        for name in ("reason", "author"):
            if not getattr(self, name).strip():
                raise WrongUse(f"an act needs {'an' if name == 'author' else 'a'} {name}: --{name} is empty")


def cutoff_of(version: str) -> date:
    """The cut-off in a version's name (`YYYYMMDD-<hash8>`)."""
    return datetime.strptime(version.split("-")[0], "%Y%m%d").date()


def changes(decisions: pa.Table, acts: pa.Table) -> pa.Table:
    """All that ever changed an alias, in the order in which it counts: by day, the gate before acts, acts by number."""
    given = decisions.filter(pc.is_in(decisions["decision"], pa.array(OF_GATE)))
    aliases = [OF_GATE[decision] for decision in given["decision"].to_pylist()]
    by_gate = given.append_column("alias", pa.array(aliases, TEXT))
    by_gate = by_gate.append_column("number", pa.repeat(pa.scalar(_GATE, INT), given.num_rows))
    by_gate = by_gate.append_column("author", pa.repeat("the gate", given.num_rows))
    both = [rows.select(_CHANGES.names).cast(_CHANGES) for rows in (by_gate, acts)]
    order = [(name, "ascending") for name in ("in_force_from", "number", "version")]
    return pa.concat_tables(both).sort_by(order)


def holder(known: pa.Table, alias: Alias, day: date) -> Holder | None:
    """Who holds an alias on `day` by the `changes` known: the last of them not after the day. None: nobody.

    A past day therefore gets the version of that day, never a later one. A version that serves challenges nobody.
    """
    until = _until(known, alias, day)
    last = until.slice(max(0, until.num_rows - 1)).to_pylist()
    if not last or last[0]["version"] is None:
        return None
    found = _holder(last[0])
    if alias == "challenger":
        champion = holder(known, "champion", day)
        return None if champion is not None and champion.version == found.version else found
    return found


def champion_before(known: pa.Table, day: date) -> Holder | None:
    """The champion that the present one of `day` has replaced. None: there was none."""
    until = _until(known, "champion", day).to_pylist()
    others = [row for row in until if row["version"] != until[-1]["version"]]
    return _holder(others[-1]) if others else None


def later_changes(known: pa.Table, alias: Alias, day: date) -> list[Holder | None]:
    """What changes the alias after `day`, by what is known now, in order; None: it is removed."""
    after = pc.and_(pc.equal(known["alias"], alias), pc.greater(known["in_force_from"], pa.scalar(day, DAY)))
    return [None if row["version"] is None else _holder(row) for row in known.filter(after).to_pylist()]


def first_day_open(last_predicted: date | None, version: str | None) -> date | None:
    """The first day of which an act on `version` can still say who serves: it has no predictions yet.

    A version cannot serve before the second day after its cut-off. None: nothing was ever predicted, and there is no
    version whose cut-off would tell.
    """
    unpredicted = last_predicted + timedelta(days=1) if last_predicted else None
    servable = cutoff_of(version) + timedelta(days=DAYS_FROM_CUTOFF_TO_SERVICE) if version else None
    return max((day for day in (unpredicted, servable) if day is not None), default=None)


def day_of(wish: Wish, last_predicted: date | None, today: date) -> date:
    """The first day on which the act is to count. Raises WrongUse when a day is wanted that it cannot change.

    `today` is what counts where neither predictions nor a version tell.
    """
    earliest = first_day_open(last_predicted, wish.version) or today
    wanted = wish.in_force_from or earliest
    if last_predicted is not None and wanted <= last_predicted:
        raise WrongUse(
            f"--from {wanted} is too early: {last_predicted} has been predicted, and what was served stays; "
            f"the first day that can still change is {earliest}"
        )
    if wish.version is not None and wanted < earliest:
        raise WrongUse(
            f"--from {wanted} is too early: {wish.version} knows outcomes of {cutoff_of(wish.version)}, so it can serve "
            f"from {earliest} on"
        )
    return wanted


def next_act(decisions: pa.Table, acts: pa.Table, wish: Wish, day: date, made_at: datetime) -> pa.Table:
    """The act that carries out `wish` from `day` on, as the one row of MODELS_TRANSITIONS that comes next.

    Raises ActRefused when another than the expected version holds the alias, or when nothing would change.
    """
    known = changes(decisions, acts)
    present = holder(known, wish.alias, day)
    _check(wish, day, present, holder(known, "champion", day))
    numbers = acts["number"].to_pylist()
    row = {
        "number": max(numbers, default=0) + 1,
        "alias": wish.alias,
        "version": wish.version,
        "model_hash": wish.model_hash,
        "previous_version": present.version if present else None,
        "in_force_from": day,
        "reason": " ".join(wish.reason.split()),
        "author": wish.author.strip(),
        "evidence": orjson.dumps(wish.evidence, option=orjson.OPT_SORT_KEYS).decode(),
        "made_at": made_at,
    }
    return pa.Table.from_pylist([row], schema=MODELS_TRANSITIONS.schema())


def _check(wish: Wish, day: date, present: Holder | None, champion: Holder | None) -> None:
    held = present.version if present else NOBODY
    now = f"{present.version} is, {present.by}" if present else "nobody is"
    if wish.expected is not None and wish.expected != held:
        raise ActRefused(
            f"{wish.expected} was expected to be the {wish.alias} on {day}, but {now}; nothing was changed"
        )
    if (wish.version or NOBODY) == held:
        who = f"{held} is the {wish.alias} on {day} already, {present.by}" if present else f"{day} has no {wish.alias}"
        raise ActRefused(f"{who}; nothing was changed")
    if wish.alias == "challenger" and champion is not None and wish.version == champion.version:
        raise ActRefused(
            f"{wish.version} is the champion on {day}, {champion.by}: it cannot challenge itself; nothing was changed"
        )


def _until(known: pa.Table, alias: Alias, day: date) -> pa.Table:
    counts = pc.and_(pc.equal(known["alias"], alias), pc.less_equal(known["in_force_from"], pa.scalar(day, DAY)))
    return known.filter(counts)


def _holder(row: Mapping[str, Any]) -> Holder:
    return Holder(row["version"], row["model_hash"], row["in_force_from"], row["number"], row["author"], row["reason"])
