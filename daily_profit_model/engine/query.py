"""A lazy query: SQL texts and the partitions they read. Which days are made when is `sweep`'s, running them `run`'s."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import pyarrow as pa

from daily_profit_model.lake import LakeError
from daily_profit_model.lake.lake import AsKnown
from daily_profit_model.lake.staleness import HashLookup, input_table
from daily_profit_model.tables import Table


class MissingInput(LakeError):
    """A partition that must be there is not; the message says which and how to fill it."""


@dataclass(frozen=True)
class Source:
    """A table as an input: for the output's day D the days D+first … D+last of it."""

    table: Table
    first: int = 0
    last: int = 0
    as_known: AsKnown = "cut-off"
    optional: bool = False
    """True: a missing day is an answer of its own, not an error."""
    is_own_past: bool = False
    """True: the output's own earlier days. None at all means that its history begins here."""
    name: str = ""
    """The view's name in the SQL; by default the table's."""

    @property
    def view(self) -> str:
        return self.name or self.table.view_name

    def days(self, partition: str) -> list[str]:
        day = date.fromisoformat(partition)
        return [(day + timedelta(days=offset)).isoformat() for offset in range(self.first, self.last + 1)]

    def days_of_range(self, partitions: Sequence[str]) -> list[str]:
        return sorted({day for partition in partitions for day in self.days(partition)})

    @property
    def code(self) -> str:
        """All that decides what is read: the days, the choice of revision, and what an absent day means."""
        absent = "an answer" if self.optional else "a beginning" if self.is_own_past else "an error"
        named = input_table(self.table.name, self.as_known)
        return f"{self.view}: {named}, days {self.first} … {self.last}, absent is {absent}"

    def input_name(self, day: str) -> str:
        """How a footer records this input: `table@day`, with the choice of revision where it matters."""
        return f"{input_table(self.table.name, self.as_known)}@{day}"


Reads = Mapping[str, Sequence[int]]
"""Name of a view → how many days before its own day a statement reads it (0: the day itself)."""

OUTPUT = "output"
"""The name of a query's own statement among its stages."""

WANTED = "wanted_days"
"""The view of one column `date` that holds the days a statement is to give."""


@dataclass(frozen=True)
class Stage:
    """An intermediate table, one row or more a day, of which a query reads several days.

    `sql` gives the days of the view `wanted_days`, from sources and from stages before it. Each day of a
    stage is made once in a run and forgotten when no later day needs it.
    """

    name: str
    sql: str
    reads: Reads


@dataclass(frozen=True)
class Query:
    """SQL over views named after the sources; `$first_day`, `$last_day` and `wanted_days` are the output's days."""

    sql: str
    sources: tuple[Source, ...]
    parameters: Mapping[str, object] = field(default_factory=dict)
    fold: bool = False
    """True: a day reads the day before of its own table, so days are run one after the other."""
    frames: Mapping[str, pa.Table] = field(default_factory=dict)
    """Arrow tables visible to the SQL by name, for inputs that are no partitions."""
    stages: tuple[Stage, ...] = ()
    """Made in this order, before `sql` of the same days."""
    reads: Reads = field(default_factory=dict)
    """What `sql` reads, of stages and sources; by default each source as it is declared."""
    is_portable: bool = False
    """True: every engine gives the same rows; others run on DuckDB whatever engine is chosen."""

    @property
    def code(self) -> str:
        """All that decides what the rows are, for a code version; of `frames` the caller knows."""
        steps = [f"{stage.name} of {_written(stage.reads)}: {stage.sql}" for stage in (*self.stages, self.final)]
        parameters = [f"${name}: {value!r}" for name, value in sorted(self.parameters.items())]
        return "\n".join([*steps, *parameters, *(source.code for source in self.sources)])

    @property
    def final(self) -> Stage:
        """The output's own statement, as the last stage."""
        declared = {source.view: range(-source.last, 1 - source.first) for source in self.sources}
        return Stage(OUTPUT, self.sql, self.reads or declared)


def _written(reads: Reads) -> str:
    return ", ".join(f"{name} {sorted(lags)}" for name, lags in sorted(reads.items()))


def inputs_of(sources: Sequence[Source], partition: str, current_hash: HashLookup) -> dict[str, str | None]:
    """What a partition reads, as its footer records it: name of input → content hash, None when absent."""
    return {
        source.input_name(day): current_hash(source.input_name(day).rpartition("@")[0], day)
        for source in sources
        for day in source.days(partition)
    }
