"""Why a stored partition may rightly differ from one made of what was known by its cut-off: its footer tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from daily_profit_model.lake import Lake, PartitionFile
from daily_profit_model.lake.lake import cut_off, describe_file, revision_of

Origin = Literal["stale", "later revision"]
"""`stale`: made by other code, or from inputs that are no longer what they were, so that nothing can be said of it.
`later revision`: made again, visibly, from what was stored after the cut-off."""


@dataclass(frozen=True)
class Explanation:
    """Where a stored partition comes from, and how that is known."""

    origin: Origin
    reason: str


def explanation(
    lake: Lake,
    file: PartitionFile,
    code_version: str | None,
    explained: Mapping[tuple[str, str], Explanation],
    made_tables: frozenset[str],
) -> Explanation | None:
    """Why `file` may differ from what is made now; None when by its footer it may not.

    `explained`: partitions of the pipeline that differ and are explained already. An input that the declaration
    itself takes from later revisions (`table#newest`) explains nothing: then the declaration leaks.
    """
    if code_version is not None and file.code_version != code_version:
        return Explanation("stale", f"code was {file.code_version}, is {code_version}")
    found = []
    for name, then in file.inputs.items():
        table, _, day = name.rpartition("@")
        if "#" in table:
            continue
        if table in made_tables:
            found.append(_of_made(lake, table, day, then, explained))
        else:
            found.append(_of_raw(lake, table, day, then))
    reasons = [one for one in found if one is not None]
    return next((one for one in reasons if one.origin == "stale"), reasons[0] if reasons else None)


def _of_made(
    lake: Lake, table: str, day: str, then: str | None, explained: Mapping[tuple[str, str], Explanation]
) -> Explanation | None:
    now = lake.describe(table, day)
    if (None if now is None else now.content_hash) != then:
        return Explanation("stale", f"{table} of {day} was made again since")
    return explained.get((table, day))


def _of_raw(lake: Lake, table: str, day: str, then: str | None) -> Explanation | None:
    counts = lake.describe(table, day)
    if (None if counts is None else counts.content_hash) == then:
        return None
    limit = cut_off(date.fromisoformat(day))
    for path in lake.files(table, day):
        stored_at = revision_of(path)
        if stored_at is not None and stored_at > limit and describe_file(path, table, day).content_hash == then:
            return Explanation("later revision", f"{table} of {day} as stored at {stored_at:%Y-%m-%d %H:%M:%S} UTC")
    return Explanation("stale", f"{table} of {day} is another one now")
