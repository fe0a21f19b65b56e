"""What became of received rows: the good ones by day, the rejected ones, and the counts that must add up.

How rows are read belongs to `decode` (of the API), `plans` and `regimes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from daily_profit_model.lake.scratch import session_on
from daily_profit_model.tables.contract import Table

BATCH_ROWS = 2**15
"""Rows that are handed out at a time."""


@dataclass(frozen=True)
class Decoded:
    """What became of the rows received.

    received = rows + quarantined + test_accounts + repeated + late, always.
    """

    rows: pa.Table | DayRows
    """In the contract's schema, sorted by its key, one row a key."""
    quarantined: pa.Table
    """In the schema of raw/quarantine."""
    test_accounts: int = 0
    """Rows of test accounts, left out."""
    received: int = 0
    repeated: int = 0
    """Rows equal to another one received, as paging over changing rows brings them; of plans also
    the revisions that a newer one replaced."""
    late: int = 0
    """Records not used because they were written after the day's cut-off (plans, regimes)."""
    absent: int = 0
    """Plans of which only late revisions exist."""
    unknown_fields: dict[str, int] = field(default_factory=dict)
    """Rows with a value in a field that the contract does not know, by field."""
    unreadable: dict[str, int] = field(default_factory=dict)
    """Values of optional fields that could not be read and became null, by field."""
    missing: dict[str, str] = field(default_factory=dict)
    """Symbols of which the service has no bars, each with what it said instead."""
    test_logins: tuple[tuple[int, int, str], ...] = ()
    """(platform, broker, login) of the test accounts that have all three, ascending."""
    requests: int = 0
    """Requests that the answer took, told with the first of its days."""


@dataclass(frozen=True)
class DayRows:
    """The rows of one day, which stay in the scratch database and are handed out in order."""

    table: Table
    num_rows: int
    database: duckdb.DuckDBPyConnection
    queries: Sequence[str]
    """Together all rows: those of each query come before those of the next."""

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        """The rows by key, batch by batch, in the contract's schema."""
        with session_on(self.database) as scratch:
            for query in self.queries:
                for batch in scratch.sql(query).to_arrow_reader(BATCH_ROWS):
                    yield from pa.Table.from_batches([batch]).cast(self.table.schema()).to_batches()

    def to_table(self) -> pa.Table:
        """All rows at once."""
        return pa.Table.from_batches(self.to_batches(), self.table.schema())
