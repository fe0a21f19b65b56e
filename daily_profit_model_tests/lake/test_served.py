"""What was served stays what it was; another content lies beside it, and each is found by its hash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from daily_profit_model.lake import Lake, LakeError, PartitionFile, collect, read, write
from daily_profit_model.lake.served import ServedWrite, is_over, read_version, reopened, versions, write_served
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model.lake.storage import measure_table
from daily_profit_model.tables import Column
from daily_profit_model.tables.contract import FLOAT
from daily_profit_model_tests.lake.small_table import DAY_1, DAY_2, SMALL, small_rows

DAY_COLUMN = replace(SMALL.columns[0], name="prediction_date")
TABLE = replace(
    SMALL,
    name="predictions/small",
    key=("prediction_date", "account_id"),
    day_column="prediction_date",
    columns=(DAY_COLUMN, *SMALL.columns[1:]),
    is_served=True,
)
ROWS, OTHERS = (small_rows(money=money).rename_columns(TABLE.column_names) for money in (1.5, 9.0))


def yes(_: PartitionFile) -> bool:
    return True


def no(_: PartitionFile) -> bool:
    return False


def put(lake: Lake, rows: pa.Table, may_replace: Callable[[PartitionFile], bool] = no, code: str = "1") -> ServedWrite:
    return write_served(lake, TABLE, DAY_1, rows, code_version=code, inputs={}, may_replace=may_replace)


def test_what_was_served_stays_and_what_was_made_later_lies_beside_it(lake: Lake) -> None:
    first = put(lake, ROWS)
    before = first.file.path.read_bytes()
    later = put(lake, OTHERS)
    assert later.file == first.file
    assert not later.is_replaced
    assert later.other is not None
    assert read(lake, TABLE, [DAY_1]).equals(ROWS)
    assert first.file.path.read_bytes() == before
    assert [file.content_hash for file in versions(lake, TABLE.name, DAY_1)] == [
        first.file.content_hash,
        later.other.content_hash,
    ]


def test_a_replaced_version_is_kept_and_found_by_its_hash(lake: Lake) -> None:
    first = put(lake, ROWS)
    later = put(lake, OTHERS, yes)
    assert later.is_replaced
    assert later.other is not None
    assert later.other.content_hash == first.file.content_hash
    assert read(lake, TABLE, [DAY_1]).equals(OTHERS)
    for made, rows in ((first.file, ROWS), (later.file, OTHERS)):
        stored = read_version(lake, TABLE.name, DAY_1, made.content_hash)
        assert stored.equals(rows)


def test_the_same_rows_again_are_no_other_version_and_only_their_footer_is_new(lake: Lake) -> None:
    put(lake, ROWS)
    again = put(lake, ROWS, code="2")
    assert again.other is None
    assert again.file.code_version == "2"
    assert len(list(versions(lake, TABLE.name, DAY_1))) == 1


def test_a_version_that_is_not_there_or_was_changed_is_refused_in_one_line(lake: Lake) -> None:
    first = put(lake, ROWS).file
    with pytest.raises(
        LakeError, match=r"^predictions/small of 2026-03-01: the version ffff.{12}… is not in the lake$"
    ):
        read_version(lake, TABLE.name, DAY_1, "f" * 64)
    with pytest.raises(LakeError, match="is not in the lake"):
        read_version(lake, TABLE.name, DAY_2, first.content_hash)
    file = pq.ParquetFile(str(first.path))
    footer = {b"dpm": file.metadata.metadata[b"dpm"]}
    rows = file.read()
    money = rows.column_names.index("money")
    spoiled = rows.set_column(money, "money", pa.array([1.5, 2.5000001, None])).replace_schema_metadata(footer)
    pq.write_table(spoiled, str(first.path))
    with pytest.raises(LakeError, match="was changed: its rows are not those of its hash"):
        read_version(lake, TABLE.name, DAY_1, first.content_hash)


def test_no_reader_of_folders_takes_a_kept_version_for_a_part_of_the_table(lake: Lake) -> None:
    put(lake, ROWS)
    put(lake, OTHERS)
    folder = Path(str(lake.table_folder(TABLE.name)))
    assert pq.read_table(folder).num_rows == ROWS.num_rows
    for glob in ("*/*.parquet", "**/*.parquet"):
        assert duckdb.sql(f"select count(*) from read_parquet('{folder}/{glob}')").fetchall() == [(ROWS.num_rows,)]
    assert lake.files(TABLE.name, DAY_1) == [lake.file(TABLE.name, DAY_1)]


def test_a_damaged_partition_is_written_anew(lake: Lake) -> None:
    Path(str(put(lake, ROWS).file.path)).write_bytes(b"PAR1 torn")
    assert put(lake, OTHERS).other is None
    assert read(lake, TABLE, [DAY_1]).equals(OTHERS)


def test_a_killed_replacement_loses_nothing(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    from daily_profit_model.lake import served

    first = put(lake, ROWS).file

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(served, "write", killed)
        put(lake, OTHERS, yes)
    assert read(lake, TABLE, [DAY_1]).equals(ROWS)
    put(lake, OTHERS, yes)
    assert read_version(lake, TABLE.name, DAY_1, first.content_hash).num_rows == ROWS.num_rows


def test_inputs_that_were_absent_or_were_served_anew_reopen_a_day_and_corrections_do_not(lake: Lake) -> None:
    upstream = replace(SMALL, name="predictions/upstream")
    for table in (SMALL, upstream):
        write(lake, table, DAY_1, small_rows(), code_version="1")
    hashes = HashLookup(lake)
    inputs = {f"{name}@{DAY_1}": hashes(name, DAY_1) for name in (SMALL.name, upstream.name)}
    inputs[f"{SMALL.name}@{DAY_2}"] = None
    file = write(lake, TABLE, DAY_1, ROWS, code_version="1", inputs=inputs)

    def reasons() -> list[str]:
        return [change.what for change in reopened(file, HashLookup(lake), {upstream.name})]

    assert reasons() == []
    write(lake, SMALL, DAY_1, small_rows(money=7.0), code_version="1")
    assert reasons() == []
    write(lake, SMALL, DAY_2, small_rows(DAY_2), code_version="1")
    assert reasons() == [f"{SMALL.name}@{DAY_2}"]
    write(lake, upstream, DAY_1, small_rows(money=7.0), code_version="1")
    assert reasons() == [f"{upstream.name}@{DAY_1}", f"{SMALL.name}@{DAY_2}"]


def test_kept_versions_are_counted_as_superseded_and_never_collected(lake: Lake) -> None:
    put(lake, ROWS)
    put(lake, OTHERS, yes)
    put(lake, ROWS.slice(1))
    taken = measure_table(lake, TABLE.name)
    assert (taken.files, taken.superseded_files, taken.rows, taken.partitions) == (3, 2, ROWS.num_rows, 1)
    late = datetime.now(UTC) + timedelta(days=4000)
    assert collect(lake, [TABLE], now=late, retention=timedelta(0)).files_removed == 0
    assert len(list(versions(lake, TABLE.name, DAY_1))) == 3


def test_a_day_is_over_at_its_midnight() -> None:
    assert not is_over("2026-03-01", date(2026, 3, 1))
    assert is_over("2026-03-01", date(2026, 3, 2))


def test_rows_served_before_their_contract_grew_are_read_with_nulls(lake: Lake) -> None:
    put(lake, ROWS)
    grown = replace(TABLE, columns=(*TABLE.columns, Column("later", FLOAT, "New")))
    rows = read(lake, grown, [DAY_1])
    assert rows.schema == grown.schema()
    assert rows["later"].null_count == ROWS.num_rows
    with pytest.raises(LakeError, match="cannot be read"):
        read(lake, replace(grown, is_served=False), [DAY_1])


def test_a_served_table_keeps_its_day_within_the_file() -> None:
    with pytest.raises(ValueError, match="a served file must hold all its columns, date stands in a name"):
        replace(SMALL, is_served=True)
