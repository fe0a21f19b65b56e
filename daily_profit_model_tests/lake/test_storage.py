"""What the tables of the lake take: each file counted once, as what it is."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from upath import UPath

from daily_profit_model.lake import Lake, write, write_revision
from daily_profit_model.lake.storage import TableStorage, measure, tables_in
from daily_profit_model_tests.lake.small_table import DAY_1, DAY_2, SMALL, small_rows

RAW = replace(SMALL, name="raw/small", revisions=True)
REJECTS = replace(SMALL, name="raw/rejects/small", revisions=True)
WEEKLY = replace(SMALL, name="models/small", partitioning="cutoff", day_column="date")
AT = datetime(2026, 3, 2, 6, tzinfo=UTC)


def measured(lake: Lake, table: str) -> TableStorage:
    return next(taken for taken in measure(lake) if taken.table == table)


def test_tables_are_found_wherever_they_lie_and_folders_of_tables_are_none(lake: Lake) -> None:
    for table in (SMALL, WEEKLY):
        write(lake, table, DAY_1, small_rows(), code_version="1")
    for table in (RAW, REJECTS):
        write_revision(lake, table, DAY_1, small_rows(), ingested_at=AT, code_version="1")
    assert tables_in(lake) == ["models/small", "raw/rejects/small", "raw/small", "staging/small"]
    assert measured(lake, WEEKLY.name).partitions == 1


def test_an_empty_lake_has_no_tables(lake: Lake) -> None:
    assert measure(lake) == []


def test_revisions_count_by_their_newest_and_replaced_ones_apart(lake: Lake) -> None:
    files = [
        write_revision(
            lake, RAW, day, small_rows(day, accounts), ingested_at=AT + timedelta(hours=accounts), code_version="1"
        )[0]
        for day, accounts in ((DAY_1, 2), (DAY_1, 3), (DAY_1, 7), (DAY_2, 5))
    ]
    assert measured(lake, RAW.name) == TableStorage(
        table=RAW.name,
        partitions=2,
        files=4,
        rows=12,
        bytes=sum(file.bytes for file in files),
        superseded_files=2,
        superseded_bytes=files[0].bytes + files[1].bytes,
        temporary_files=0,
        damaged_files=0,
    )


def test_rows_of_all_files_count_where_a_partition_has_many_that_are_no_revisions(lake: Lake) -> None:
    path = write(lake, SMALL, DAY_1, small_rows(accounts=4), code_version="1").path
    shutil.copyfile(str(path), str(path.parent / "part-1.parquet"))
    taken = measured(lake, SMALL.name)
    assert (taken.partitions, taken.files, taken.rows, taken.superseded_files) == (1, 2, 8, 0)


def test_temporary_damaged_and_unreadable_files_are_told_apart(lake: Lake) -> None:
    whole = write(lake, SMALL, DAY_1, small_rows(accounts=4), code_version="1").path
    write(lake, SMALL, DAY_2, small_rows(DAY_2), code_version="1").path.write_bytes(b"PAR1 half")
    (whole.parent / ".part-0.parquet.0123.tmp").write_bytes(b"half")
    (whole.parent / ".damaged-part-0.parquet").write_bytes(b"bad")
    (lake.table_folder(SMALL.name) / "notes.txt").write_text("somebody's")
    taken = measured(lake, SMALL.name)
    assert (taken.partitions, taken.files, taken.rows) == (2, 5, 4)
    assert (taken.temporary_files, taken.damaged_files) == (1, 2)
    assert taken.bytes == whole.stat().st_size + len(b"PAR1 half") + len(b"half") + len(b"bad") + len("somebody's")


def test_an_object_store_is_measured_too() -> None:
    lake = Lake(UPath("memory://test-storage/lake"))
    file = write(lake, SMALL, DAY_1, small_rows(accounts=4), code_version="1")
    taken = measured(lake, SMALL.name)
    assert (taken.partitions, taken.rows, taken.bytes) == (1, 4, file.bytes)
