"""How often the cache answered: counts that any number of processes add to, a line of JSON each."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from daily_profit_model.cache.lock import exclusive, shared

FILE = "statistics.jsonl"
LOCK = "statistics.lock"


@dataclass(frozen=True)
class Counts:
    """Calls by outcome (hits + misses + recomputed), and how many of them waited for another process."""

    hits: int = 0
    """Answered by an entry."""
    misses: int = 0
    """Computed, since there was no entry."""
    recomputed: int = 0
    """Computed, since the entry was damaged."""
    waits: int = 0
    """Found another process, or thread, at work on the same key."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


def add(folder: Path, counts: Counts) -> None:
    """Append a line. A line is written at once, so lines of many processes never mix."""
    line = (json.dumps({name: count for name, count in asdict(counts).items() if count}) + "\n").encode()
    with shared(folder / LOCK):
        descriptor = os.open(folder / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def total(folder: Path) -> Counts:
    """The sum of all lines; a line that a power cut left in pieces is passed over."""
    try:
        lines = (folder / FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return Counts()
    found = Counts()
    for line in lines:
        try:
            found += Counts(**json.loads(line))
        except (ValueError, TypeError):
            continue
    return found


def fold(folder: Path) -> None:
    """Put one line with the sum in the place of all, so that the file stays small."""
    if not (folder / FILE).exists():
        return
    with exclusive(folder / LOCK):
        temporary = folder / f".{FILE}.tmp"
        temporary.write_text(json.dumps(asdict(total(folder))) + "\n", encoding="utf-8")
        os.replace(temporary, folder / FILE)
