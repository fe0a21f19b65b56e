"""A numbered partition is created by exactly one of many writers, whole, and is never replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from upath import UPath

from daily_profit_model.lake import Lake, LakeError, collect, content_hash, create_once, read
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model.lake.storage import measure_table
from daily_profit_model.tables import Column, Table
from daily_profit_model.tables.contract import INT, TEXT

LOG = Table(
    name="models/log",
    description="For tests.",
    key=("number",),
    partitioning="number",
    columns=(Column("number", INT, "Number", required=True), Column("who", TEXT, "Who")),
)


def row(number: int, who: str) -> pa.Table:
    return pa.Table.from_pylist([{"number": number, "who": who}], schema=LOG.schema())


def create(lake: Lake, number: int, who: str) -> bool:
    return create_once(lake, LOG, f"{number:06d}", row(number, who), code_version="1") is not None


def test_the_first_creates_and_the_second_changes_nothing(lake: Lake) -> None:
    assert create(lake, 1, "ana")
    assert not create(lake, 1, "bo")
    assert create(lake, 2, "bo")
    assert lake.partitions(LOG.name) == ["000001", "000002"]
    assert read(lake, LOG, lake.partitions(LOG.name)).to_pylist() == [
        {"number": 1, "who": "ana"},
        {"number": 2, "who": "bo"},
    ]
    assert [entry.name for entry in lake.partition_folder(LOG.name, "000001", "number").iterdir()] == ["part-0.parquet"]


def test_a_created_file_is_one_of_the_lake_with_its_hash_and_its_storage(lake: Lake) -> None:
    file = create_once(lake, LOG, "000001", row(1, "ana"), code_version="7", facts={"by": "hand"})
    assert file is not None
    assert (file.content_hash, file.code_version, file.facts) == (content_hash(row(1, "ana")), "7", {"by": "hand"})
    assert lake.describe(LOG.name, "000001") == file
    assert HashLookup(lake)(LOG.name, "000001") == file.content_hash
    assert HashLookup(lake)(LOG.name, "000002") is None
    measured = measure_table(lake, LOG.name)
    assert (measured.partitions, measured.files, measured.rows) == (1, 1, 1)
    hive = ds.dataset(str(lake.table_folder(LOG.name)), partitioning="hive").to_table()
    assert hive["number"].to_pylist() == [1]


def test_rows_of_another_number_are_refused(lake: Lake) -> None:
    with pytest.raises(LakeError, match="1 rows belong to another partition"):
        create_once(lake, LOG, "000002", row(1, "ana"), code_version="1")
    assert lake.partitions(LOG.name) == []


def test_of_many_writers_at_once_exactly_one_creates(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    together, link = Barrier(8), os.link

    def link_together(*paths: Any) -> None:
        together.wait(30)
        link(*paths)

    monkeypatch.setattr(os, "link", link_together)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda who: create(lake, 1, who), map(str, range(8))))
    assert made.count(True) == 1
    assert read(lake, LOG, ["000001"])["who"].to_pylist() == [str(made.index(True))]
    assert len(list(lake.partition_folder(LOG.name, "000001", "number").iterdir())) == 1


def test_a_writer_killed_before_its_file_has_a_name_blocks_nobody_and_is_collected(lake: Lake) -> None:
    code = (
        "import os, signal, sys; from daily_profit_model_tests.lake import test_create_once as t; from upath import UPath; "
        "os.link = lambda *_: os.kill(os.getpid(), signal.SIGKILL); t.create(t.Lake(UPath(sys.argv[1])), 1, 'dead')"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(lake.root)], check=False)
    assert killed.returncode == -signal.SIGKILL
    folder = lake.partition_folder(LOG.name, "000001", "number")
    (left,) = folder.iterdir()
    assert lake.partitions(LOG.name) == []
    assert create(lake, 1, "ana")
    os.utime(Path(str(left)), (1, 1))
    done = collect(lake, [LOG], now=datetime.now(UTC), retention=timedelta(days=1))
    assert done.files_removed == 1
    assert [entry.name for entry in folder.iterdir()] == ["part-0.parquet"]


def test_a_failed_write_leaves_nothing(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        create(lake, 1, "ana")
    assert list(lake.partition_folder(LOG.name, "000001", "number").iterdir()) == []


def test_a_disk_without_hard_links_is_named_and_nothing_is_left(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(LakeError, match="makes no hard links"):
        create(lake, 1, "ana")
    assert list(lake.partition_folder(LOG.name, "000001", "number").iterdir()) == []


def test_in_an_object_store_the_second_is_refused_too() -> None:
    lake = Lake(UPath("memory://create-once/lake"))
    assert create(lake, 1, "ana")
    assert not create(lake, 1, "bo")
    assert read(lake, LOG, lake.partitions(LOG.name))["who"].to_pylist() == ["ana"]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_store_that_refuses_by_another_name_is_asked_whether_the_file_is_there(
    is_there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(UPath(f"memory://create-once/{is_there}"))
    if is_there:
        create(lake, 1, "ana")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(22, "At least one of the pre-conditions you specified did not hold")

    monkeypatch.setattr(type(lake.root), "open", refuse)
    if is_there:
        assert not create(lake, 1, "bo")
    else:
        with pytest.raises(OSError, match="pre-conditions"):
            create(lake, 1, "bo")
