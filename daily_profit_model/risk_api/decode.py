"""From pages of JSON to the rows of a raw table: typed, keyed, sorted, and nothing lost.

Set-based at C++ speed, twice: every row is read by its plain types at once, and only what is doubtful then
is read again field by field (`second_look`). The SQL stands in `plain_sql` and `rows_sql`; pages come from `paging`.
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

from daily_profit_model.risk_api import plain_sql, quarantine, rows_sql, sorting
from daily_profit_model.risk_api.decoded import DayRows, Decoded
from daily_profit_model.risk_api.envelope import lines_of, rows_in
from daily_profit_model.risk_api.quarantine import DUPLICATE_KEY, Rejection
from daily_profit_model.risk_api.rows_sql import quoted
from daily_profit_model.risk_api.scratch import folder, new_database, session_on
from daily_profit_model.risk_api.second_look import second_look
from daily_profit_model.risk_api.tokens import values_in
from daily_profit_model.tables.contract import Table
from daily_profit_model.tables.raw import RAW_QUARANTINE

GROUP_ROWS = 2**12
"""Rows of a row group in the files of rows under way: so few that a piece of the order reads little else."""

_numbers = itertools.count()
_Part = tuple[int, int, bytes]
"""A page's number, how many of its rows stand before, and rows, one a line."""


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
        self._is_unique = True
        self.is_divisible = True
        """False: a row belongs to none of the days, so that it is not known whose it is; ask for each day alone."""
        self._page_rows = page_rows
        self._is_dated = table.column("date").source is not None
        self._columns = ", ".join(map(quoted, table.column_names))
        self._order = ", ".join(map(quoted, table.key))
        self._received: Counter[date] = Counter()
        self._unknown: dict[date, Counter[str]] = defaultdict(Counter)
        self._unreadable: dict[date, Counter[str]] = defaultdict(Counter)
        self._test_logins: set[tuple[int, int, str]] = set()
        self._parts: list[Path] = []
        self._has_doubted = False
        self._lock = threading.Lock()
        self._name = f"question-{next(_numbers)}"
        self._database = new_database()
        self._scratch = session_on(self._database)
        self._scratch.execute("create schema question")
        self._scratch.execute(
            f"create table question.accepted (page bigint, place bigint, identity ubigint, text ubigint, {self._types()})"
        )
        self._scratch.execute("create table question.doubted (page bigint, place bigint)")
        self._scratch.execute("create table question.other (identity ubigint, text ubigint, date date, kind varchar)")
        rejected = ", ".join(f"{quoted(name)} {kind}" for name, kind in rows_sql.sql_types(RAW_QUARANTINE))
        self._scratch.execute(f"create table question.rejected ({rejected})")

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
        with session_on(self._database) as scratch:
            self._add(scratch, [(page, 0, body) for page, body in pages])

    def received(self) -> int:
        """Rows received so far, repeated ones too."""
        return self._count("select count(*) from (select 1 from {good} union all select 1 from question.other)")

    def distinct(self, expected: int) -> int:
        """Natural keys among the rows so far. Keys are compared by hash; in full where that does not give `expected`."""
        found = self._count(
            "select count(distinct identity) from "
            "(select identity from {good} union all select identity from question.other)"
        )
        if found == expected:
            return found
        key = ", ".join(map(quoted, self.table.key))
        return self._count(
            f"select (select count(*) from (select distinct {key} from {{good}}))"
            " + (select count(distinct identity) from question.other anti join {good} using (identity))"
        )

    def fingerprint(self) -> tuple[int, int]:
        """How many different rows there are so far, and what they are (a sum of hashes): whatever their keys."""
        (found,) = self._scratch.execute(f"""
select count(*), coalesce(sum(text::hugeint), 0)
from (
  select text from {self._good()}
  union
  select text from question.other
)""").fetchall()
        return int(found[0]), int(found[1])

    def settle(self) -> None:
        """All pages are there: make the rows of a key one. Of different contents the least by its hash stands."""
        for rows in (self._good(), "question.other"):
            for day, count in self._scratch.execute(f"select date, count(*) from {rows} group by date").fetchall():
                self._received[self._day_of(day)] += count
        if self._count("select count(*) - count(distinct identity) from {good}"):
            self._make_keys_unique()

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

    def _add(self, scratch: duckdb.DuckDBPyConnection, parts: Sequence[_Part]) -> None:
        """Reads `parts`; where JSON cannot be read, in halves, so that one row spoils itself alone."""
        if not parts:
            return
        path = folder() / f"{self._name}-{next(_numbers)}.parquet"
        quarantine.register(scratch, parts)
        try:
            plain = f"{plain_sql.plain(self.table, self.days)} order by {self._order}"
            scratch.execute(
                f"copy ({plain}) to '{path}' (format parquet, compression lz4, row_group_size {GROUP_ROWS})"
            )
        except duckdb.InvalidInputException:
            halves = _halved(parts)
            if len(halves) == 1:
                self._reject_unreadable(scratch, parts[0])
            else:
                for half in halves:
                    self._add(scratch, half)
            return
        with self._lock:
            self._parts.append(path)
        scratch.execute(f"create or replace temp view plain as select * from read_parquet('{path}')")
        self._doubt(scratch, parts)

    def _doubt(self, scratch: duckdb.DuckDBPyConnection, parts: Sequence[_Part]) -> None:
        """Looks again at what is doubtful; it is left out of the rows of the part."""
        seen = scratch.execute("select page, sum(present), bool_or(is_doubtful) from plain group by page").fetchall()
        present = {page: fields for page, fields, _ in seen}
        dim = [part for part in parts if values_in(part[2]) != present.get(part[0], 0)]
        if not dim and not any(is_doubtful for *_, is_doubtful in seen):
            return
        doubtful = "select page, place from plain where is_doubtful"
        if dim:
            self._look_for_fields(scratch, dim)
            scratch.execute(f"create or replace temp table unread as {plain_sql.unread(self.table)}")
            doubtful += " union select page, place from unread"
        self._look_again(scratch, parts, doubtful)

    def _look_for_fields(self, scratch: duckdb.DuckDBPyConnection, parts: Sequence[_Part]) -> None:
        """Pages that hold other values than were read: count unknown fields, and doubt what is no number."""
        quarantine.register(scratch, parts)
        known = {column.source for column in self.table.columns}
        layouts = scratch.execute(plain_sql.LAYOUTS).fetchall()
        with self._lock:
            for day, names, count in layouts:
                unknown = (name for name in names or () if name not in known)
                self._unknown[self._day_of(day)].update(dict.fromkeys(unknown, count))

    def _look_again(self, scratch: duckdb.DuckDBPyConnection, parts: Sequence[_Part], query: str) -> None:
        doubtful = scratch.sql(
            f"select page, place, identity, text, is_doubtful from plain join ({query}) using (page, place)"
        ).to_arrow_table()
        if not doubtful.num_rows:
            return
        places = list(zip(doubtful["page"].to_pylist(), doubtful["place"].to_pylist(), strict=True))
        pages = {page for page, _ in places}
        split = {page: (first, rows_in(body)) for page, first, body in parts if page in pages}
        rows = [split[page][1][place - split[page][0] - 1] for page, place in places]
        seen = second_look(scratch, self.table, rows, self.days[0] if len(self.days) == 1 else None)
        scratch.register("doubtful", doubtful.append_column("nth", pa.array(range(len(rows)), pa.int64())))
        scratch.execute("insert into question.doubted select page, place from doubtful where not is_doubtful")
        scratch.register("verdicts", seen.verdicts)
        scratch.register("rejected_now", seen.rejected)
        scratch.execute(
            f"insert into question.accepted by name select doubtful.page, place, identity, text, {self._columns} "
            "from accepted join doubtful on accepted.page = doubtful.nth"
        )
        scratch.execute(
            "insert into question.other select identity, text, verdicts.date, kind "
            "from verdicts join doubtful on verdicts.page = doubtful.nth"
        )
        scratch.execute("insert into question.rejected by name select * from rejected_now")
        with self._lock:
            self._test_logins.update(zip(*(column.to_pylist() for column in seen.test_logins.columns), strict=True))
            for (day, name), count in seen.unreadable.items():
                self._unreadable[self._day_of(day)][name] += count
        self._has_doubted = True
        if len(self.days) > 1 and self._has_stray(scratch):
            self.is_divisible = False

    def _has_stray(self, scratch: duckdb.DuckDBPyConnection) -> bool:
        asked = ", ".join(f"date '{day}'" for day in self.days)
        strays = "select date from accepted union all select date from verdicts"
        return bool(
            scratch.execute(f"select 1 from ({strays}) where date is null or date not in ({asked}) limit 1").fetchall()
        )

    def _reject_unreadable(self, scratch: duckdb.DuckDBPyConnection, part: _Part) -> None:
        """A row that the reader refuses as JSON, though it is whole: an impossible escape in a text."""
        row = part[2].removesuffix(b"\n")
        rejected = quarantine.of_rejections(
            self.table, self.days[0], [Rejection("unreadable_json", None, row.decode(errors="replace"))]
        )
        self.is_divisible = self.is_divisible and len(self.days) == 1
        scratch.register("rejected_now", rejected)
        scratch.execute("insert into question.rejected by name select * from rejected_now")
        scratch.execute(
            "insert into question.other select hash(payload), hash(payload), date, 'rejected' from rejected_now"
        )

    def _make_keys_unique(self) -> None:
        # hashes, because comparing 150 columns of every repeated row takes more memory than the rows
        self._scratch.execute(f"create view question.received as select * from {self._good()}")
        self._scratch.execute(f"""
create table question.losers as
select page, place, version, row_number() over (partition by identity, whole order by page, place) as copy
from (
  select page, place, identity, whole, dense_rank() over (partition by identity order by whole) as version
  from (
    select page, place, identity, hash({self._columns}) as whole
    from question.received
    semi join (
      select identity from question.received group by identity having count(*) > 1
    ) using (identity)
  )
)
qualify version > 1 or copy > 1""")
        self._reject_conflicts()
        self._is_unique = False

    def _reject_conflicts(self) -> None:
        """Other contents of a key that is kept; of one content in different spellings the least text stands."""
        losers = self._scratch.execute(f"""
select date, page, place, hash({self._columns}) as content
from question.losers
join question.received using (page, place)
where version > 1
order by page""").fetchall()
        texts: dict[tuple[date, int], str] = {}
        split: tuple[int, Sequence[bytes]] = (-1, ())
        for day, page, place, content in losers:
            if split[0] != page:
                split = page, rows_in(self._page_rows(page))
            text = quarantine.plain_text(split[1][place - 1])
            texts[self._day_of(day), content] = min(text, texts.get((self._day_of(day), content), text))
        by_day: dict[date, list[Rejection]] = defaultdict(list)
        for (day, _), text in texts.items():
            by_day[day].append(Rejection(DUPLICATE_KEY, "another row with this key was kept", text))
        for day, rejections in by_day.items():
            self._scratch.register("conflicts", quarantine.of_rejections(self.table, day, rejections))
            self._scratch.execute("insert into question.rejected by name select * from conflicts")

    def _day_of(self, day: date | None) -> date:
        """The partition of a row: its own day; where one day was asked for, that one."""
        return self.days[0] if day is None or len(self.days) == 1 else day

    def _good(self) -> str:
        """The good rows, as a relation (page, place, identity, the table's columns)."""
        columns = f"page, place, identity, text, {self._columns}"
        rows = f"select {columns} from question.accepted"
        if self._parts:
            files = ", ".join(f"'{part}'" for part in self._parts)
            doubted = " anti join question.doubted using (page, place)" if self._has_doubted else ""
            rows += f" union all select {columns} from read_parquet([{files}]){doubted} where not is_doubtful"
        losers = "" if self._is_unique else " anti join question.losers using (page, place)"
        return f"(select * from ({rows}){losers})"

    def _count(self, query: str) -> int:
        (found,) = self._scratch.execute(query.format(good=self._good())).fetchall()
        return int(found[0])

    def _types(self) -> str:
        return ", ".join(f"{quoted(name)} {kind}" for name, kind in rows_sql.sql_types(self.table))


def _halved(parts: Sequence[_Part]) -> list[Sequence[_Part]]:
    if len(parts) > 1:
        return [parts[: len(parts) // 2], parts[len(parts) // 2 :]]
    ((page, first, lines),) = parts
    rows = lines.splitlines(keepends=True)
    middle = len(rows) // 2
    halves = [(page, first, rows[:middle]), (page, first + middle, rows[middle:])]
    return [[(page, first, b"".join(half))] for page, first, half in halves if half]
