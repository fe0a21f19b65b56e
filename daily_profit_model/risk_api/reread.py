"""Rejected rows read again, from their payloads: by the reader of today, which may know what an earlier one did not.

Here: what the payloads say now. What becomes of the partition that they were rejected from stands in `retry`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.risk_api import quarantine
from daily_profit_model.risk_api.decoded import Decoded
from daily_profit_model.risk_api.quarantine import Rejection
from daily_profit_model.risk_api.raw_tables import stamp
from daily_profit_model.risk_api.regimes import regime_in
from daily_profit_model.risk_api.rows_sql import quoted
from daily_profit_model.risk_api.scratch import session
from daily_profit_model.risk_api.second_look import second_look
from daily_profit_model.tables.contract import Table
from daily_profit_model.tables.raw import RAW_ACCOUNTS, RAW_MARKET_REGIMES, RAW_QUARANTINE

UNREADABLE_JSON = "unreadable_json"


@dataclass(frozen=True)
class Reread:
    """What payloads say now."""

    rows: pa.Table
    """The valid ones in the contract's columns, several of one key among them."""
    places: tuple[int, ...]
    """For each of `rows` the place of its payload."""
    rejected: pa.Table
    """The others, in the schema of raw/quarantine with their present reason."""
    tests: int = 0
    """Those of test accounts."""
    late: int = 0
    """Documents that were written after the day's cut-off."""
    test_logins: tuple[tuple[int, int, str], ...] = field(default=())
    """(platform, broker, login) of the test accounts that have all three."""

    def __add__(self, other: Reread) -> Reread:
        return Reread(
            pa.concat_tables([self.rows, other.rows]),
            self.places + other.places,
            pa.concat_tables([self.rejected, other.rejected]),
            self.tests + other.tests,
            self.late + other.late,
            self.test_logins + other.test_logins,
        )


def reread(table: Table, day: date, payloads: Sequence[str], *, is_live: bool) -> Reread:
    """`payloads` as rows of `table` of `day`. `is_live`: accounts were told at the day's end (see `stamp`)."""
    places = range(len(payloads))
    if table is RAW_MARKET_REGIMES:
        return sum((_of_document(day, payloads[place], place) for place in places), _nothing(table))
    with session() as scratch:
        found = _of_records(scratch, table, day, payloads, tuple(places)) if payloads else _nothing(table)
    if table is RAW_ACCOUNTS:
        return Reread(
            stamp(Decoded(found.rows, found.rejected), day, is_live=is_live).rows,
            found.places,
            found.rejected,
            found.tests,
            found.late,
            found.test_logins,
        )
    return found


def _nothing(table: Table) -> Reread:
    return Reread(table.schema().empty_table(), (), quarantine.none())


def _of_records(
    scratch: duckdb.DuckDBPyConnection, table: Table, day: date, payloads: Sequence[str], places: tuple[int, ...]
) -> Reread:
    """Where JSON cannot be read in halves, so that one payload spoils itself alone."""
    texts = [payloads[place].encode() for place in places]
    try:
        seen = second_look(scratch, table, texts, day)
    except (duckdb.InvalidInputException, duckdb.OutOfMemoryException):
        if len(places) == 1:
            rejected = quarantine.of_rejections(table, day, [Rejection(UNREADABLE_JSON, None, payloads[places[0]])])
            return Reread(table.schema().empty_table(), (), rejected)
        middle = len(places) // 2
        halves = (places[:middle], places[middle:])
        first, second = (_of_records(scratch, table, day, payloads, half) for half in halves)
        return first + second
    columns = ", ".join(map(quoted, table.column_names))
    accepted = scratch.sql(f"select nth, {columns} from accepted order by nth").to_arrow_table()
    logins = zip(*(column.to_pylist() for column in seen.test_logins.columns), strict=True)
    return Reread(
        accepted.drop_columns(["nth"]).cast(table.schema()),
        tuple(places[nth] for nth in accepted["nth"].to_pylist()),
        seen.rejected,
        int(pc.sum(pc.equal(seen.verdicts["kind"], "test")).as_py() or 0),
        test_logins=tuple(sorted(logins)),
    )


def _of_document(day: date, payload: str, place: int) -> Reread:
    decoded = regime_in(payload.encode(), day)
    rows = decoded.rows
    assert isinstance(rows, pa.Table)
    return Reread(rows, (place,) * rows.num_rows, decoded.quarantined.cast(RAW_QUARANTINE.schema()), late=decoded.late)
