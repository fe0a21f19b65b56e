"""The partitions that a query reads, as views over their files. Which days a statement needs is `sweep`'s."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb
from upath import UPath

from daily_profit_model.engine.query import MissingInput, Source
from daily_profit_model.lake import Lake, LakeError
from daily_profit_model.lake.grown import absent_columns, columns_in
from daily_profit_model.lake.lake import describe_file
from daily_profit_model.tables import Table


class Inputs:
    """The files of the sources of one run. Raises MissingInput when a source lacks a day that it must have."""

    def __init__(self, lake: Lake, sources: Sequence[Source], partitions: Sequence[str]) -> None:
        self._lake = lake
        self._sources = {source.view: source for source in sources}
        self._files = {source.view: _files_of(lake, source, partitions) for source in sources}
        # by name costs a look into every file for every statement, so it is done where it must be
        self._by_name = {source.view for source in sources if source.table.is_served}

    def days_of(self, rows: int) -> int:
        """How many days of the first source that there is have so many rows, by its largest file; at least one.

        Not by the newest: a Sunday with three trades would put all days of a range into memory.
        """
        for view, files in self._files.items():
            if files:
                largest = max(files, key=lambda day: (files[day].stat().st_size, day))
                day = date.fromordinal(largest).isoformat()
                found = describe_file(files[largest], self._sources[view].table.name, day)
                return max(1, rows // max(1, found.rows))
        return rows

    def files(self, view: str) -> list[str]:
        """The files of all days of a source, ascending."""
        return [str(path) for _, path in sorted(self._files[view].items())]

    def folder(self, table: Table) -> UPath:
        """Below which the partitions of a table lie."""
        return self._lake.table_folder(table.name)

    def show(self, session: duckdb.DuckDBPyConnection, name: str, days: Sequence[int]) -> None:
        """Create the view of a source over the given days; a name that is no source is left alone."""
        if name not in self._sources:
            return
        table = self._sources[name].table
        files = [str(self._files[name][day]) for day in days if day in self._files[name]]
        if not files:
            session.register(name, table.schema().empty_table())
            return
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        hive = table.partitioning
        typed = f", hive_partitioning = true, hive_types = {{'{hive}': date}}" if hive != "none" else ""
        columns = ", ".join(f'"{column}"' for column in table.column_names)
        try:
            rows = f"read_parquet([{listed}]{typed})"
            if name in self._by_name:  # files of days before its contract grew lack what was added
                session.register(f"{name}_contract", table.schema().empty_table())
                rows = f"(from read_parquet([{listed}]{typed}, union_by_name = true) union all by name from {name}_contract)"
            session.execute(f"create or replace temp view {name} as select {columns} from {rows}")
        except duckdb.Error as error:
            if self.read_by_name(name):
                self.show(session, name, days)
                return
            reason = " ".join(str(error).split())
            raise LakeError(
                f"{table.name} cannot be read ({reason}); delete the file and fill the day again"
            ) from error

    def read_by_name(self, *names: str) -> bool:
        """Whether files of these sources lack columns of their contract; from now on those are shown as null there.

        False as well when that is done already. Raises LakeError where a lacking column must not be null.
        """
        grown = [name for name in names if name in self._sources and self.absent_columns(name)]
        found = not self._by_name.issuperset(grown)
        self._by_name.update(grown)
        return found

    def absent_columns(self, name: str) -> set[str]:
        """Columns of its contract that some file of a source lacks. Raises LakeError where they must not be null."""
        table = self._sources[name].table
        absent: set[str] = set()
        for ordinal, path in self._files[name].items():
            day = date.fromordinal(ordinal).isoformat()
            there = columns_in(path, table.name, day)
            absent.update(absent_columns(path, table, day, table.stored_names, there))
        return absent


def _files_of(lake: Lake, source: Source, partitions: Sequence[str]) -> dict[int, UPath]:
    """The file of each day (ordinal) of a source that there is."""
    files = {}
    present: list[str] | None = None
    for day in source.days_of_range(partitions):
        path = lake.file(source.table.name, day, source.as_known)
        if path is not None:
            files[date.fromisoformat(day).toordinal()] = path
        elif not source.optional:
            present = lake.partitions(source.table.name) if present is None else present
            if _must_be_there(source, day, present, partitions):
                raise MissingInput(
                    f"{source.table.name} of {day} is missing, and {partitions[0]} … {partitions[-1]} needs it; "
                    f"fill it first: dpm run --start-date {day} --end-date {day}"
                )
    return files


def _must_be_there(source: Source, day: str, present: Sequence[str], partitions: Sequence[str]) -> bool:
    """A history may begin late, but it has no gap; an output's own day is no history."""
    if not present:
        return not source.is_own_past
    return day >= present[0] or (day in partitions and not source.is_own_past)
