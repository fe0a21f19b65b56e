"""What a newer revision says differently: rows under their keys, columns by name, nulls as values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from daily_profit_model.lake import Lake, LakeError, PartitionFile, write_revision
from daily_profit_model.lake.changes import RevisionChanges, changes_of, corrections_since, revision_before
from daily_profit_model.tables import Column, Table
from daily_profit_model.tables.contract import DAY, FLOAT, TEXT
from daily_profit_model_tests.lake.small_table import DAY_1, DAY_2, SMALL, small_rows

RAW = replace(SMALL, name="raw/small", revisions=True)
NARROW = Table(
    name="raw/narrow",
    description="For tests.",
    key=("date", "login", "ticket"),
    columns=(
        Column("date", DAY, "Day"),
        Column("login", TEXT, "Login"),
        Column("ticket", TEXT, "Ticket, may be null"),
        Column("profit", FLOAT, "Profit", "USD"),
        Column("swap", FLOAT, "Swap", "USD"),
    ),
    revisions=True,
)
FIRST = datetime(2026, 3, 2, 5, tzinfo=UTC)
Row = tuple[float | None, float | None]


def revision(lake: Lake, table: Table, rows: pa.Table, hour: int, day: str = DAY_1) -> PartitionFile:
    at = FIRST + timedelta(hours=hour)
    return write_revision(lake, table, day, rows, ingested_at=at, code_version="1")[0]


def narrow(rows: dict[tuple[str, str | None], Row]) -> pa.Table:
    records = [
        {"date": date.fromisoformat(DAY_1), "login": login, "ticket": ticket, "profit": profit, "swap": swap}
        for (login, ticket), (profit, swap) in rows.items()
    ]
    return pa.Table.from_pylist(records, schema=NARROW.schema())


def compared(
    lake: Lake, older: dict[tuple[str, str | None], Row], newer: dict[tuple[str, str | None], Row]
) -> RevisionChanges:
    files = [revision(lake, NARROW, narrow(rows), hour) for hour, rows in enumerate((older, newer))]
    return changes_of(lake, NARROW, files[0], files[1])


def test_added_removed_and_changed_rows_are_told_apart(lake: Lake) -> None:
    found = compared(
        lake,
        {("a", "1"): (1.0, 0.0), ("b", "1"): (2.0, 0.0), ("c", "1"): (3.0, None)},
        {("a", "1"): (1.0, 0.0), ("b", "1"): (2.5, 0.0), ("c", "1"): (3.5, 0.25), ("d", "1"): (4.0, 0.0)},
    )
    assert (found.added, found.removed, found.changed) == (1, 0, 2)
    assert list(found.columns.items()) == [("profit", 2), ("swap", 1)]
    assert (found.older, found.newer) == (FIRST, FIRST + timedelta(hours=1))


def test_a_null_is_a_value_in_keys_and_in_columns(lake: Lake) -> None:
    same_null = {("a", None): (None, 1.0), ("a", "1"): (1.0, 1.0)}
    found = compared(lake, same_null, {**same_null, ("a", "1"): (None, 1.0)})
    assert (found.added, found.removed, found.changed, dict(found.columns)) == (0, 0, 1, {"profit": 1})


def test_every_kind_of_column_is_compared(lake: Lake) -> None:
    older = revision(lake, RAW, small_rows(), 0)
    spoiled = small_rows(accounts=4).to_pylist()
    for name, value in (("reasons", [{"name": "y", "value": "1", "contribution": 2.0}]), ("flag", None),
                        ("instant", datetime(2026, 1, 1, tzinfo=UTC)), ("seen", None)):  # fmt: skip
        spoiled[0][name] = value
    newer = revision(lake, RAW, pa.Table.from_pylist(spoiled, schema=RAW.schema()), 1)
    found = changes_of(lake, RAW, older, newer)
    assert (found.added, found.changed) == (1, 1)
    assert dict(found.columns) == dict.fromkeys(("flag", "instant", "seen", "reasons"), 1)


def test_a_column_that_the_older_contract_did_not_have_was_null_there(lake: Lake) -> None:
    before = replace(NARROW, columns=tuple(column for column in NARROW.columns if column.name != "swap"))
    rows = narrow({("a", "1"): (1.0, 0.5), ("b", "1"): (1.0, None)})
    older = revision(lake, before, rows, 0)
    found = changes_of(lake, NARROW, older, revision(lake, NARROW, rows, 1))
    assert (found.changed, dict(found.columns)) == (1, {"swap": 1})


def test_a_damaged_revision_is_named(lake: Lake) -> None:
    files = [revision(lake, NARROW, narrow({("a", "1"): (float(hour), 0.0)}), hour) for hour in range(2)]
    UPath(files[0].path).write_bytes(b"PAR1 torn")
    with pytest.raises(LakeError, match=r"raw/narrow of 2026-03-01: .*revision=.* cannot be read"):
        changes_of(lake, NARROW, files[0], files[1])


def test_revisions_in_an_object_store_are_compared_too() -> None:
    found = compared(
        Lake(UPath("memory://test-changes/lake")),
        {("a", "1"): (1.0, 0.0)},
        {("a", "1"): (1.0, 2.0), ("b", "1"): (1.0, 0.0)},
    )
    assert (found.added, found.changed) == (1, 1)


def test_the_changes_are_metadata_of_plain_values(lake: Lake) -> None:
    found = compared(lake, {("a", "1"): (1.0, 0.0)}, {("a", "1"): (2.0, 0.0)})
    assert found.metadata() == {
        "rows_added": 0, "rows_removed": 0, "rows_changed": 1, "changed_columns": {"profit": 1},
    }  # fmt: skip


def test_the_revision_before_is_the_one_that_was_replaced(lake: Lake) -> None:
    files = [revision(lake, NARROW, narrow({("a", "1"): (float(hour), 0.0)}), hour) for hour in range(3)]
    assert revision_before(lake, files[0]) is None
    assert [revision_before(lake, file) for file in files[1:]] == files[:2]


def test_corrections_are_the_revisions_that_replaced_another_since_an_instant(lake: Lake) -> None:
    files = [revision(lake, RAW, small_rows(money=float(hour)), hour) for hour in range(3)]
    revision(lake, RAW, small_rows(DAY_2), 1, DAY_2)  # the only one of its day replaced nothing
    assert list(corrections_since(lake, RAW, FIRST)) == [(files[0], files[1]), (files[1], files[2])]
    assert list(corrections_since(lake, RAW, FIRST + timedelta(hours=2))) == [(files[1], files[2])]
    assert list(corrections_since(lake, RAW, FIRST + timedelta(hours=3))) == []


ROWS = st.dictionaries(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from([None, "1", "2"])),
    st.tuples(st.sampled_from([None, 0.0, 1.5]), st.sampled_from([None, 2.0])),
    max_size=8,
)


@given(older=ROWS, newer=ROWS)
@settings(max_examples=40, derandomize=True, deadline=None)
def test_the_counts_are_those_of_a_plain_comparison(
    older: dict[tuple[str, str | None], Row],
    newer: dict[tuple[str, str | None], Row],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    if older == newer:
        return
    found = compared(Lake(UPath(tmp_path_factory.mktemp("changes"))), older, newer)
    changed = [key for key in older.keys() & newer.keys() if older[key] != newer[key]]
    assert (found.added, found.removed) == (len(newer.keys() - older.keys()), len(older.keys() - newer.keys()))
    assert found.changed == len(changed)
    for place, name in enumerate(("profit", "swap")):
        assert found.columns.get(name, 0) == sum(older[key][place] != newer[key][place] for key in changed)
