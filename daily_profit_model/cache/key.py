"""What a computed table depends on, and the one name made of it. Where the table lies belongs to `entry`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from daily_profit_model.lake import Lake
from daily_profit_model.lake.staleness import HashLookup

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

FORMAT = 1
"""Of the entries and of this key: another number makes every entry a miss."""


@dataclass(frozen=True)
class CacheKey:
    """All that decides what a computation returns; a change of any part alone is another key."""

    inputs: Mapping[str, str | None]
    """`table@partition` of everything that is read → its content hash (None: it is absent)."""
    code: str
    """Version of the computation's code."""
    catalogue: str
    """Hash of the declared features (`features.catalogue_hash`)."""
    configuration: Json
    """Whatever else the computation is told."""

    @property
    def parts(self) -> dict[str, Any]:
        """The parts by name, in JSON's types."""
        return {
            "format": FORMAT,
            "inputs": dict(self.inputs),
            "code": self.code,
            "catalogue": self.catalogue,
            "configuration": self.configuration,
        }

    @property
    def digest(self) -> str:
        """sha256 (hex) over the parts in a canonical form.

        Raises ValueError when the code or the catalogue has no version, or when the configuration holds
        what JSON cannot say in one way only: NaN, infinity, names that are no text.
        """
        for name in ("code", "catalogue"):
            if not getattr(self, name):
                raise ValueError(f"a cache key needs the version of its {name}: without it a change would go unseen")
        return digest_of(self.parts)


def digest_of(parts: Mapping[str, Any]) -> str:
    """sha256 (hex) over JSON with sorted names and no blanks. Raises ValueError for what is not JSON."""
    _check_names(parts)
    try:
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except TypeError as error:
        raise ValueError(f"a part of a cache key is not JSON: {error}") from error
    return hashlib.sha256(text.encode()).hexdigest()


def input_hashes(lake: Lake, wanted: Iterable[tuple[str, str]]) -> dict[str, str | None]:
    """The content hashes of (table, partition) as their footers tell them: the `inputs` of a key.

    No row is read. A table may be named as in a footer (`raw/metrics_daily#newest`). Raises LakeError
    when a file is damaged.
    """
    known = HashLookup(lake)
    return {f"{table}@{partition}": known(table, partition) for table, partition in wanted}


def _check_names(value: Any) -> None:
    """json.dumps would write the names 1 and "1" alike, and two configurations would share an entry."""
    if isinstance(value, Mapping):
        for name, below in value.items():
            if not isinstance(name, str):
                raise ValueError(f"a part of a cache key is not JSON: the name {name!r} is no text")
            _check_names(below)
    elif isinstance(value, list | tuple):
        for below in value:
            _check_names(below)
