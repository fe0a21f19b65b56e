"""Writing and reading one partition: whole, in order, described by its footer, refused when it does not fit."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from upath import UPath

from daily_profit_model.lake import Lake, LakeError, content_hash, partition_file, read, write, write_revision
from daily_profit_model_tests.lake.small_table import DAY_1, DAY_2, SMALL, small_rows

RAW = replace(SMALL, name="raw/small", revisions=True)


def test_what_is_written_is_read_back_sorted_by_key(lake: Lake) -> None:
    rows = small_rows(accounts=5)
    write(lake, SMALL, DAY_1, rows.take([3, 1, 4, 0, 2]), code_version="1")
    assert read(lake, SMALL, [DAY_1]).equals(rows)
    assert lake.partitions(SMALL.name) == [DAY_1]


def test_reading_skips_absent_days_and_chooses_columns(lake: Lake) -> None:
    write(lake, SMALL, DAY_2, small_rows(DAY_2), code_version="1")
    picked = read(lake, SMALL, [DAY_1, DAY_2], columns=["money", "date"])
    assert picked.column_names == ["money", "date"]
    assert set(picked["date"].to_pylist()) == {datetime(2026, 3, 2).date()}
    assert read(lake, SMALL, [DAY_1]).schema == SMALL.schema()


def test_an_identical_rewrite_has_the_same_hash_and_bytes(lake: Lake) -> None:
    rows = small_rows(accounts=50)
    first = write(lake, SMALL, DAY_1, rows, code_version="1", inputs={"b@x": "1", "a@x": None})
    before = first.path.read_bytes()
    shuffled = pa.concat_tables([rows.slice(20), rows.slice(0, 20)])
    second = write(lake, SMALL, DAY_1, shuffled, code_version="1", inputs={"a@x": None, "b@x": "1"})
    assert second.content_hash == first.content_hash == content_hash(rows)
    assert second.path.read_bytes() == before


def test_the_footer_says_what_the_file_is_and_what_it_was_made_from(lake: Lake) -> None:
    rows = small_rows()
    inputs = {"raw/plans@2026-03-01": "abc", "staging/small@2026-02-28": None}
    file = write(lake, SMALL, DAY_1, rows, code_version="c7", inputs=inputs, facts={"received": 3})
    footer = json.loads(pq.read_metadata(str(file.path)).metadata[b"dpm"])
    assert footer == {
        "table": SMALL.name, "partition": DAY_1, "contract_version": SMALL.version, "code_version": "c7",
        "content_hash": content_hash(rows), "inputs": inputs, "facts": {"received": 3},
    }  # fmt: skip
    described = lake.describe(SMALL.name, DAY_1)
    assert described == file
    assert (file.rows, file.bytes) == (3, file.path.stat().st_size)
    assert (file.inputs, file.facts, file.revision) == (inputs, {"received": 3}, None)


def test_a_row_of_another_day_is_refused(lake: Lake) -> None:
    with pytest.raises(LakeError, match=r"^staging/small of 2026-03-01: 3 rows belong to another partition$"):
        write(lake, SMALL, DAY_1, small_rows(DAY_2), code_version="1")
    assert lake.partitions(SMALL.name) == []


def test_a_missing_column_is_named(lake: Lake) -> None:
    with pytest.raises(LakeError, match=r"^staging/small of 2026-03-01: columns missing: count, flag$"):
        write(lake, SMALL, DAY_1, small_rows().drop_columns(["count", "flag"]), code_version="1")


def test_a_column_of_another_type_is_refused(lake: Lake) -> None:
    rows = small_rows().drop_columns("count").append_column("count", pa.array(["x", "y", "z"]))
    with pytest.raises(LakeError, match=r"^staging/small of 2026-03-01: rows do not fit the contract"):
        write(lake, SMALL, DAY_1, rows, code_version="1")


def test_a_day_without_rows_is_a_partition_too(lake: Lake) -> None:
    file = write(lake, SMALL, DAY_1, SMALL.schema().empty_table(), code_version="1")
    assert file.rows == 0
    assert lake.partitions(SMALL.name) == [DAY_1]
    assert read(lake, SMALL, [DAY_1]).equals(SMALL.schema().empty_table())


@pytest.mark.parametrize("damage", ["truncated", "emptied", "foreign"])
def test_a_damaged_file_is_one_line_that_says_which_and_what_to_do(lake: Lake, damage: str) -> None:
    path = write(lake, SMALL, DAY_1, small_rows(accounts=100), code_version="1").path
    if damage == "foreign":
        pq.write_table(pa.table({"x": [1]}), str(path))
    else:
        path.write_bytes(path.read_bytes()[: -100 if damage == "truncated" else 0])
    expected = rf"^staging/small of {DAY_1}: .*part-0\.parquet cannot be read \(.*\); delete the file .*"
    with pytest.raises(LakeError, match=expected) as described:
        lake.describe(SMALL.name, DAY_1)
    with pytest.raises(LakeError, match=expected) as rows:
        read(lake, SMALL, [DAY_1])
    assert "\n" not in str(described.value) + str(rows.value)


def test_any_reader_of_hive_partitions_reads_a_table(lake: Lake) -> None:
    for day in (DAY_1, DAY_2):
        write(lake, SMALL, day, small_rows(day), code_version="1")
    (lake.table_folder(SMALL.name) / f"date={DAY_1}" / ".part-0.parquet.left.tmp").write_bytes(b"half a file")
    folder = str(lake.table_folder(SMALL.name))
    by_dataset = ds.dataset(folder, partitioning="hive").to_table().sort_by([("date", "ascending")])
    by_parquet = pq.read_table(folder)
    by_duckdb = duckdb.execute(
        f"select date::date as date, account_id from read_parquet('{folder}/**/*.parquet', hive_partitioning = true)"
        " order by all"
    ).fetchall()
    expected = read(lake, SMALL, [DAY_1, DAY_2])
    assert by_dataset["account_id"].to_pylist() == by_parquet["account_id"].to_pylist()
    assert by_dataset["account_id"].to_pylist() == expected["account_id"].to_pylist()
    assert by_dataset["money"].to_pylist() == expected["money"].to_pylist()
    assert {str(day) for day in by_parquet["date"].to_pylist()} == {DAY_1, DAY_2}
    assert by_duckdb == list(zip(expected["date"].to_pylist(), expected["account_id"].to_pylist()))


def test_an_object_store_holds_a_lake_too() -> None:
    lake = Lake(UPath("memory://test-an-object-store/lake"))
    rows = small_rows()
    file = write(lake, SMALL, DAY_1, rows, code_version="1")
    fetched, stored = write_revision(
        lake, SMALL, DAY_2, small_rows(DAY_2), ingested_at=datetime(2026, 3, 3, tzinfo=UTC), code_version="1"
    )
    assert stored
    assert lake.partitions(SMALL.name) == [DAY_1, DAY_2]
    assert lake.describe(SMALL.name, DAY_1) == file
    assert lake.describe(SMALL.name, DAY_2) == fetched
    assert read(lake, SMALL, [DAY_1, DAY_2]).equals(pa.concat_tables([rows, small_rows(DAY_2)]))


def test_what_a_killed_writer_left_is_removed_later_and_what_is_being_written_is_not(lake: Lake) -> None:
    folder = write(lake, SMALL, DAY_1, small_rows(), code_version="1").path.parent
    left, fresh = (folder / f".part-0.parquet.{name}.tmp" for name in ("left", "fresh"))
    for file in (left, fresh):
        file.write_bytes(b"half")
    os.utime(str(left), (0, 0))
    write(lake, SMALL, DAY_1, small_rows(), code_version="2")
    assert (left.exists(), fresh.exists()) == (False, True)


class InBatches:
    """Sorted rows that come in batches of any size, as a fetch hands them out."""

    def __init__(self, rows: pa.Table, sizes: list[int]) -> None:
        self.rows, self.sizes, self.num_rows = rows, sizes, rows.num_rows

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        first = 0
        for size in self.sizes:
            yield from self.rows.slice(first, size).combine_chunks().to_batches()
            first += size


@pytest.mark.parametrize("sizes", [[300], [1, 299], [100, 0, 100, 100], [7] * 42 + [6]])
def test_rows_that_come_in_batches_make_the_file_that_they_make_at_once(
    lake: Lake, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition_file, "ROW_GROUP", 128)
    rows, moment = small_rows(accounts=300), datetime(2026, 3, 2, tzinfo=UTC)
    at_once, _ = write_revision(lake, RAW, DAY_1, rows, ingested_at=moment, code_version="1")
    bytes_at_once = at_once.path.read_bytes()
    at_once.path.unlink()
    in_batches, stored = write_revision(lake, RAW, DAY_1, InBatches(rows, sizes), ingested_at=moment, code_version="1")
    assert stored
    assert in_batches.path.read_bytes() == bytes_at_once
    assert in_batches.content_hash == content_hash(rows)
    again, stored = write_revision(
        lake, RAW, DAY_1, InBatches(rows, sizes), ingested_at=moment + timedelta(hours=1), code_version="1"
    )
    assert (again, stored) == (in_batches, False)
    assert [path.name for path in in_batches.path.parent.iterdir()] == [in_batches.path.name]
