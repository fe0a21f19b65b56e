"""Every rule judged on a good day first and last and, between them, on a day for each fault. No tests here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from upath import UPath

from daily_profit_model.lake import Lake
from daily_profit_model.partitions import days_between
from daily_profit_model.quality.evaluate import Load, evaluate
from daily_profit_model.quality.frame import Frame
from daily_profit_model.quality.load import load
from daily_profit_model.quality.outcome import Outcome
from daily_profit_model_tests.quality.faults import FAULTS
from daily_profit_model_tests.quality.small_firm import RULES, Spoil, made_in_memory, nothing, store, tables_of

FIRST = date(2026, 3, 2)


@dataclass(frozen=True)
class Judged:
    """What became of a table's rules, and of what."""

    spoiled: Mapping[str, Spoil]
    """By day, in order: a good one, one for each of FAULTS of the table, a good one."""
    days: Sequence[str]
    """These days and those between them, which are good."""
    in_memory: Load
    outcomes: Sequence[Outcome]


def judge(table: str, folder: Path) -> Judged:
    """The rules of `table`. Frames of footers are read from a lake in `folder`, frames of SQL from memory: writing
    days is what takes time here."""
    lake = Lake(UPath(folder))
    rules = [rule for rule in RULES if rule.table == table]
    spoils = [nothing, *(fault.spoil for fault in FAULTS if fault.table == table), nothing]
    # where a rule looks back, every other day is good, so that no fault is the past of another
    step = 2 if any(earlier and name == table for rule in rules for name, earlier in tables_of(rule)) else 1
    days = days_between(FIRST, FIRST + timedelta(days=step * (len(spoils) - 1)))
    spoiled = dict(zip(days[::step], spoils, strict=True))
    in_memory = made_in_memory({day: spoiled.get(day, nothing) for day in days})
    counted = dict.fromkeys(name for rule in rules if rule.frame.query is None for name, _ in tables_of(rule))
    for day, spoil in spoiled.items() if counted else ():
        store(lake, day, list(counted), spoil)

    def reads(frame: Frame, wanted: Sequence[str]) -> pa.Table:
        if frame.query is not None:
            return in_memory(frame, wanted)
        return load(lake, frame, [day for day in wanted if lake.file(frame.table.name, day, "newest")])

    with pytest.MonkeyPatch.context() as patch:  # the library's cost is by validation
        patch.setattr("daily_profit_model.quality.evaluate.DAYS_A_VALIDATION", len(days))
        outcomes = evaluate(rules, reads, days)
    return Judged(spoiled, days, in_memory, [outcome for outcome in outcomes if outcome.partition in spoiled])
