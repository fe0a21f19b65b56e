"""Rejected rows tried again: those that are valid by now become rows of their partition, the others stay.

What the payloads say now is read in `reread`, which of that is new is told by `among_stored`, and how a second
reading of a fetch is stored stands in `lake.reread`. A partition's rows are stored first and its rejects last, and
the rows' footer names the rejects that they were made from: a retry that was killed in between is made again from
where it began.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.lake import Lake, LakeError, PartitionFile, read
from daily_profit_model.lake.changes import revision_before
from daily_profit_model.lake.reread import write_reread
from daily_profit_model.risk_api import quarantine
from daily_profit_model.risk_api.among_stored import numbered, sorted_out
from daily_profit_model.risk_api.quarantine import DUPLICATE_KEY, Rejection
from daily_profit_model.risk_api.raw_tables import QUESTIONS
from daily_profit_model.risk_api.reread import Reread, reread
from daily_profit_model.settings import WrongUse
from daily_profit_model.tables.contract import Table
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_MARKET_REGIMES,
    RAW_PLANS,
    RAW_TEST_LOGINS,
    rejects_of,
)

RETRIED = (RAW_ACCOUNTS, *(question.table for question in QUESTIONS.values()), RAW_MARKET_REGIMES)
"""Tables whose rejected rows can be tried again."""

SETTLED = (DUPLICATE_KEY,)
"""Reasons that no reading changes: the row could be read, and another one was kept in its place."""

MADE_FROM = "retried_rejects"
"""The fact by which a footer names the revision of the rejects that its rows were made from."""

_COUNTS = ("stored", "quarantined", "test_accounts", "repeated", "late")


@dataclass(frozen=True)
class Retry:
    """What a retry finds in the rejects of a partition, before anything is stored."""

    table: Table
    partition: str
    tried: int
    """Rejected rows that were read again; those of SETTLED reasons are not."""
    new: int
    """Valid by now, and not there yet."""
    present: int
    """Valid by now, and equal to a row that is there."""
    test_accounts: int
    late: int
    rejected: int
    """In quarantine afterwards, whether tried or not."""
    read: PartitionFile
    """The revision that the rejected rows belong to."""
    rejects: PartitionFile
    rows: pa.Table
    """All rows of the partition afterwards."""
    rejected_rows: pa.Table
    test_logins: tuple[tuple[int, int, str], ...]
    facts: Mapping[str, object]
    """Of the footer afterwards."""
    is_left_over: bool
    """A retry of the same rejects was killed after its rows were stored."""
    earlier: Retry | None = None
    """The same of the fetch that was known at the cut-off, where `read` is a later one."""

    @property
    def moves_itself(self) -> bool:
        """Some row leaves the quarantine, or a killed retry has to be ended."""
        return self.is_left_over or self.new + self.present + self.test_accounts + self.late > 0

    @property
    def moves(self) -> bool:
        """The same, or it does so for the earlier fetch."""
        return self.moves_itself or (self.earlier is not None and self.earlier.moves_itself)

    @property
    def new_at_cut_off(self) -> int:
        """Rows that become known in the fetch on which the features of the day rest."""
        return self.new if self.earlier is None else self.earlier.new

    def counts(self) -> dict[str, int]:
        names = ("tried", "new", "new_at_cut_off", "present", "test_accounts", "late", "rejected")
        return {name: getattr(self, name) for name in names}


def refuse_untried(table: Table) -> None:
    """Raise WrongUse for a table whose rejected rows are not tried again."""
    if table.name == RAW_PLANS.name:
        raise WrongUse("raw/plans is read whole from its files, which are still there: dpm ingest plans --force")
    if table not in RETRIED:
        raise WrongUse(f"{table.name} rejects no rows; those that do are {', '.join(one.name for one in RETRIED)}")


def retry(lake: Lake, table: Table, partition: str, *, was_live: bool = False) -> Retry | None:
    """What the rejected rows of a partition are by now; None when there are none. Nothing is stored.

    Those of the newest fetch, and with them those of the fetch that was known at the cut-off, where a correction has
    replaced it since. `was_live`: accounts without any stored row were told at the end of their day. Raises WrongUse
    when the table is not tried again, LakeError when the partition that the rows belong to is not there.
    """
    refuse_untried(table)
    rejects = lake.describe(rejects_of(table).name, partition, "newest")
    if rejects is None or not rejects.rows:
        return None
    newest, known = (lake.describe(table.name, partition, choice) for choice in ("newest", "cut-off"))
    if newest is None or known is None:
        raise LakeError(f"{table.name} of {partition} is not there, its fetch was broken off: fetch the day first")
    found = _tried(lake, table, newest, rejects, was_live)
    of_known = lake.describe(rejects_of(table).name, partition, known.revision or "cut-off")
    is_shared = of_known is not None and of_known.path == rejects.path
    if known.path == newest.path or of_known is None or not of_known.rows or (is_shared and not found.moves):
        return found
    return replace(found, earlier=_tried(lake, table, known, of_known, was_live))


def _tried(lake: Lake, table: Table, newest: PartitionFile, rejects: PartitionFile, was_live: bool) -> Retry:
    """What `rejects` are by now, of the fetch that `newest` is the last reading of."""
    is_left_over = newest.facts.get(MADE_FROM) == _instant(rejects).isoformat()
    base = (revision_before(lake, newest) or newest) if is_left_over else newest
    partition = newest.partition
    stored = read(lake, table, [partition], as_known=_instant(base))
    listed = read(lake, rejects_of(table), [partition], as_known=_instant(rejects))
    is_settled = pc.is_in(listed["reason"], pa.array(SETTLED))
    payloads = listed.filter(pc.invert(is_settled))["payload"].to_pylist()
    day = date.fromisoformat(partition)
    is_live = bool(stored["is_live"][0].as_py()) if table is RAW_ACCOUNTS and stored.num_rows else was_live
    again = reread(table, day, payloads, is_live=is_live)
    new, present, losing = sorted_out(table, stored, again, payloads)
    conflicts = quarantine.of_rejections(
        table, day, (Rejection(DUPLICATE_KEY, "another row with this key was kept", text) for text in losing)
    )
    remaining = numbered([listed.filter(is_settled), again.rejected, conflicts])
    rows = pa.concat_tables([stored, new])
    counted = _counted(base, listed.num_rows, rows.num_rows, remaining.num_rows, again)
    return Retry(
        table=table,
        partition=partition,
        tried=len(payloads),
        new=new.num_rows,
        present=present,
        test_accounts=again.tests,
        late=again.late,
        rejected=remaining.num_rows,
        read=base,
        rejects=rejects,
        rows=rows,
        rejected_rows=remaining,
        test_logins=again.test_logins,
        facts={**counted, MADE_FROM: _instant(rejects).isoformat()},
        is_left_over=is_left_over,
    )


def store_retry(lake: Lake, found: Retry, *, code_version: str) -> PartitionFile:
    """Store what `found` says, and return the partition's newest revision; killed anywhere, it can be done again."""
    moving = [one for one in (found.earlier, found) if one is not None and one.moves_itself]
    for one in moving:
        if one.test_logins:
            _add_logins(lake, one, code_version)
        write_reread(lake, one.table, one.read, one.rows, code_version=code_version, facts=one.facts)
    # of rejects that both belong to the newest fetch decides, whose rows are those of raw/quarantine
    for one in {one.rejects.path: one for one in moving}.values():
        write_reread(lake, rejects_of(one.table), one.rejects, one.rejected_rows, code_version=code_version)
    file = lake.describe(found.table.name, found.partition, "newest")
    assert file is not None
    return file


def _instant(file: PartitionFile) -> datetime:
    if file.revision is None:
        raise LakeError(f"{file.table} of {file.partition}: {file.path} is no revision, so it cannot be read again")
    return file.revision


def _counted(base: PartitionFile, listed: int, stored: int, remaining: int, again: Reread) -> dict[str, object]:
    """The counts afterwards. Rows received = stored + quarantined + test accounts + repeated + late, always.

    A fetch that brought the rows that were there already, and other rejects, has left no footer of its own: what was
    received is counted with the rejects that are there.
    """
    before = {name: int(str(base.facts.get(name, 0))) for name in _COUNTS} | {"stored": base.rows}
    received = sum(before.values()) - before["quarantined"] + listed
    after = {
        "stored": stored,
        "quarantined": remaining,
        "test_accounts": before["test_accounts"] + again.tests,
        "late": before["late"] + again.late,
    }
    repeated = received - sum(after.values())
    if repeated < before["repeated"]:
        raise RuntimeError(f"{base.table} of {base.partition}: rows were lost on the way out of the quarantine")
    return {"received": received, **after, "repeated": repeated}


def _add_logins(lake: Lake, found: Retry, code_version: str) -> None:
    """Trades carry no account: that a login is a test account's must be known where its trades are read."""
    file = lake.describe(RAW_TEST_LOGINS.name, found.partition, "newest")
    if file is None:
        return
    known = read(lake, RAW_TEST_LOGINS, [found.partition], as_known="newest")
    logins = {tuple(row[name] for name in RAW_TEST_LOGINS.key[1:]) for row in known.to_pylist()}
    more = [login for login in found.test_logins if login not in logins]
    if more:
        day = date.fromisoformat(found.partition)
        added = pa.Table.from_pylist(
            [dict(zip(RAW_TEST_LOGINS.key, (day, *login), strict=True)) for login in more],
            schema=RAW_TEST_LOGINS.schema(),
        )
        write_reread(lake, RAW_TEST_LOGINS, file, pa.concat_tables([known, added]), code_version=code_version)
