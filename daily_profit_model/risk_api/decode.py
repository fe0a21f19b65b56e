"""From pages of JSON to the rows of a raw table: typed, keyed, sorted, and nothing lost.

Every row is read column by column at first (`first_look`), and only what is doubtful then is read again field by
field (`second_look`). Rows that came more than once are made one in `conflicts`; pages come from `paging`.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from daily_profit_model.lake.scratch import folder, session_on
from daily_profit_model.risk_api import quarantine, rows_sql, sorting
from daily_profit_model.risk_api.conflicts import conflicts, find_losers
from daily_profit_model.risk_api.decoded import DayRows, Decoded
from daily_profit_model.risk_api.envelope import lines_of
from daily_profit_model.risk_api.first_look import FirstLook, Part, Unusual
from daily_profit_model.risk_api.portions import Doubtful, divided, portions, rows_of
from daily_profit_model.risk_api.quarantine import Rejection
from daily_profit_model.risk_api.received import register
from daily_profit_model.risk_api.rows_sql import identity, quoted
from daily_profit_model.risk_api.scratch import new_database
from daily_profit_model.risk_api.second_look import second_look
from daily_profit_model.tables.contract import TIMESTAMP, Table
from daily_profit_model.tables.raw import RAW_QUARANTINE

GROUP_ROWS = 2**12
"""Rows of a row group in the files of rows under way: so few that a piece of the order reads little else."""
PAGES_COUNTED = 100
"""Pages whose rows are compared as texts at once."""

_numbers = itertools.count()


def decode(table: Table, bodies: Sequence[bytes], *, day: date) -> Decoded:
    """The rows of `table` (as one Arrow table) for `day` from JSON arrays of records.

    Deterministic: the result depends on the set of rows received, not on their order or pages.
    """
    pages = [lines_of(body) for body in bodies]
    with Decoding(table, [day], pages.__getitem__) as decoding:
        decoding.add(enumerate(pages))
        decoding.settle()
        return decoding.day(day, at_once=True)


class Decoding:
    """The rows of one question while they arrive: `add` pages from any thread, `settle`, then take the days.

    Rows lie in files of the scratch folder until `close`, so that a question of any size fits in memory.
    """

    def __init__(self, table: Table, days: Sequence[date], page_rows: Callable[[int], bytes]) -> None:
        self.table, self.days = table, tuple(days)
        self.is_divisible = True
        """False: a row belongs to none of the days, so that it is not known whose it is; ask for each day alone."""
        self._page_rows = page_rows
        self._first_look = FirstLook(table, self.days)
        self._is_dated = table.column("date").source is not None
        self._columns = ", ".join(map(quoted, table.column_names))
        self._order = ", ".join(map(quoted, table.key))
        self._received: Counter[date] = Counter()
        self._unknown: dict[date, Counter[str]] = defaultdict(Counter)
        self._unreadable: dict[date, Counter[str]] = defaultdict(Counter)
        self._test_logins: set[tuple[int, int, str]] = set()
        self._pages: list[int] = []
        self._parts: list[Path] = []
        self._is_unique = True
        self._lock, self._looking_again = threading.Lock(), threading.Lock()
        self._name = f"question-{next(_numbers)}"
        self._database = new_database()
        self._scratch = session_on(self._database)
        self._scratch.execute("create schema question")
        self._scratch.execute(f"create table question.accepted (page bigint, place bigint, {_types(table)})")
        self._scratch.execute("create table question.other (date date, kind varchar, identity ubigint)")
        self._scratch.execute(f"create table question.rejected ({_types(RAW_QUARANTINE)})")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the rows go."""
        self._scratch.close()
        self._database.close()
        for part in self._parts:
            part.unlink(missing_ok=True)

    def add(self, pages: Iterable[tuple[int, bytes]]) -> None:
        """Read some pages: (number, rows, one a line)."""
        parts = [(number, 0, rows) for number, rows in pages if rows]
        doubtful: list[Doubtful] = []
        good = self._good_of(parts, doubtful) if parts else []
        if sum(rows.count(b"\n") for _, _, rows in parts) != sum(table.num_rows for table in good) + len(doubtful):
            raise RuntimeError(f"{self.table.name}: rows were lost on the way from page to table")
        path = self._stored(pa.concat_tables(good)) if good else None
        with self._lock:
            self._pages += [number for number, _, _ in parts]
            self._parts += [path] if path else []
        # one thread at a time, as each needs many times the memory of its rows
        with self._looking_again, session_on(self._database) as scratch:
            for portion in portions(doubtful):
                self._look_again(scratch, portion)

    def distinct(self, expected: int) -> int:
        """Natural keys among the rows so far. Keys are compared by hash; in full where that does not give `expected`."""
        found = self._count(
            f"select count(distinct identity) from "
            f"(select identity from {self._good()} union all select identity from question.other)"
        )
        if found == expected:
            return found
        return self._count(
            f"select (select count(*) from (select distinct {self._order} from {self._good()}))"
            f" + (select count(distinct identity) from question.other anti join {self._good()} using (identity))"
        )

    def fingerprint(self) -> tuple[int, int]:
        """How many different rows there are so far, and what they are (a sum of hashes): whatever their keys."""
        self._scratch.execute("create or replace table question.texts (text ubigint)")
        for first in range(0, len(self._pages), PAGES_COUNTED):
            register(self._scratch, b"".join(map(self._page_rows, self._pages[first : first + PAGES_COUNTED])))
            # white space between the parts of a record may differ from page to page; a text that is no JSON stays
            self._scratch.execute(
                "insert into question.texts select distinct hash(coalesce(try(json(row)::varchar), row)) from received"
            )
        (found,) = self._scratch.execute(
            "select count(*), coalesce(sum(text::hugeint), 0) from (select distinct text from question.texts)"
        ).fetchall()
        return int(found[0]), int(found[1])

    def settle(self) -> None:
        """All pages are there: make the rows of a key one. Of different contents the least by its hash stands."""
        for rows in (self._good(), "question.other"):
            for day, count in self._scratch.execute(f"select date, count(*) from {rows} group by date").fetchall():
                self._received[self._day_of(day)] += count
        if self._count(f"select count(*) - count(distinct identity) from {self._good()}"):
            good = self._good()
            find_losers(self._scratch, self.table, good)
            for rejected in conflicts(self._scratch, self.table, good, self._page_rows, self._day_of):
                self._reject(self._scratch, rejected)
            self._is_unique = False

    def day(self, day: date, *, at_once: bool = False) -> Decoded:
        """What became of the rows of `day`, after `settle`; `at_once` as a table, else handed out in order."""
        of_day = f"date = date '{day}'" if len(self.days) > 1 else "true"
        own = f"from {self._good()} where {of_day}"
        count = self._count(f"select count(*) {own}")
        pieces = sorting.pieces(self._scratch, self.table, own, count)
        queries = [f"select {self._columns} {own} and {piece} order by {self._order}" for piece in pieces]
        rows = DayRows(self.table, count, self._database, queries)
        rejected = self._scratch.sql(
            f"select distinct * from question.rejected where {of_day} order by {', '.join(map(quoted, RAW_QUARANTINE.key))}"
        ).to_arrow_table()
        tests = self._count(f"select count(distinct identity) from question.other where kind = 'test' and {of_day}")
        received = self._received[day]
        return Decoded(
            rows.to_table() if at_once else rows,
            rejected.cast(RAW_QUARANTINE.schema()),
            tests,
            received,
            received - count - rejected.num_rows - tests,
            unknown_fields=dict(sorted(self._unknown[day].items())),
            unreadable=dict(sorted(self._unreadable[day].items())),
            test_logins=() if self._is_dated else tuple(sorted(self._test_logins)),
        )

    def _good_of(self, parts: Sequence[Part], doubtful: list[Doubtful]) -> list[pa.Table]:
        """Reads parts of pages at once; where that cannot be done page by page, and then in smaller parts.

        So a row that cannot be read takes few others along when it becomes doubtful.
        """
        is_page = len(parts) == 1 and parts[0][1] == 0  # or its first part
        try:
            looked = self._first_look.look(parts, learns=is_page)
        except Unusual:
            smaller = parts if len(parts) > 1 else divided(parts[0]) if is_page else ()
            if not smaller:
                doubtful += rows_of(parts[0])
            return [good for part in smaller for good in self._good_of([part], doubtful)]
        self._count_fields(looked.unknown, self._unknown)
        if looked.doubtful:
            rows = {place: row for part in parts for place, row in rows_of(part)}
            doubtful += [(place, rows[place]) for place in looked.doubtful]
        return [looked.good] if looked.good.num_rows else []

    def _stored(self, rows: pa.Table) -> Path:
        """A file of `rows` by key, so that a piece of the order is a part of the file."""
        ordered = rows.sort_by([(name, "ascending") for name in self.table.key])
        plain = pa.schema(
            pa.field(field.name, pa.timestamp("ms") if field.type == TIMESTAMP else field.type)
            for field in ordered.schema
        )
        path = folder() / f"{self._name}-{next(_numbers)}.parquet"
        pq.write_table(
            ordered.cast(plain),
            path,
            compression="lz4",
            use_dictionary=False,
            write_statistics=list(self.table.key),
            row_group_size=GROUP_ROWS,
        )
        return path

    def _look_again(self, scratch: duckdb.DuckDBPyConnection, doubtful: Sequence[Doubtful]) -> None:
        """Reads rows field by field; where JSON cannot be read, in halves, so that one row spoils itself alone."""
        places, rows = zip(*doubtful, strict=True)
        try:
            seen = second_look(scratch, self.table, rows, self.days[0] if len(self.days) == 1 else None)
        except (duckdb.InvalidInputException, duckdb.OutOfMemoryException):
            middle = len(rows) // 2
            if not middle:
                self._reject_unreadable(scratch, rows[0])
                return
            self._look_again(scratch, doubtful[:middle])
            self._look_again(scratch, doubtful[middle:])
            return
        pages, nths = zip(*places, strict=True)
        scratch.register("places", pa.table({"page": pages, "place": nths, "nth": range(len(places))}))
        scratch.execute(
            f"insert into question.accepted select page, places.place, {self._columns} from accepted join places using (nth)"
        )
        scratch.register("verdicts", seen.verdicts)
        scratch.execute("insert into question.other by name select * from verdicts")
        self._reject(scratch, seen.rejected)
        with self._lock:
            self._test_logins.update(zip(*(column.to_pylist() for column in seen.test_logins.columns), strict=True))
        self._count_fields(seen.unreadable, self._unreadable)
        self._count_fields(seen.unknown, self._unknown)
        if len(self.days) > 1 and self._has_stray(scratch):
            self.is_divisible = False

    def _count_fields(self, found: Counter[tuple[date | None, str]], counts: dict[date, Counter[str]]) -> None:
        with self._lock:
            for (day, name), count in found.items():
                counts[self._day_of(day)][name] += count

    def _has_stray(self, scratch: duckdb.DuckDBPyConnection) -> bool:
        asked = ", ".join(f"date '{day}'" for day in self.days)
        strays = "select date from accepted union all select date from verdicts"
        return bool(
            scratch.execute(f"select 1 from ({strays}) where date is null or date not in ({asked}) limit 1").fetchall()
        )

    def _reject_unreadable(self, scratch: duckdb.DuckDBPyConnection, row: bytes) -> None:
        """A row that the reader refuses as JSON, though it is whole: an impossible escape, or a text beyond all memory."""
        rejected = quarantine.of_rejections(
            self.table, self.days[0], [Rejection("unreadable_json", None, row.decode(errors="replace"))]
        )
        self.is_divisible = self.is_divisible and len(self.days) == 1
        self._reject(scratch, rejected)
        scratch.execute("insert into question.other select date, 'rejected', hash(payload) from rejected_now")

    def _reject(self, scratch: duckdb.DuckDBPyConnection, rejected: pa.Table) -> None:
        scratch.register("rejected_now", rejected)
        scratch.execute("insert into question.rejected by name select * from rejected_now")

    def _day_of(self, day: date | None) -> date:
        """The partition of a row: its own day; where one day was asked for, that one."""
        return self.days[0] if day is None or len(self.days) == 1 else day

    def _good(self) -> str:
        """The good rows, as a relation (page, place, identity, the table's columns)."""
        rows = "from question.accepted"
        if self._parts:
            files = ", ".join(f"'{part}'" for part in self._parts)
            rows = f"from ({rows} union all by name from read_parquet([{files}]))"
        losers = "" if self._is_unique else " anti join question.losers using (page, place)"
        return f"(select *, {identity(self.table)} as identity {rows}{losers})"

    def _count(self, query: str) -> int:
        (found,) = self._scratch.execute(query).fetchall()
        return int(found[0])


def _types(table: Table) -> str:
    return ", ".join(f"{quoted(name)} {kind}" for name, kind in rows_sql.sql_types(table))
