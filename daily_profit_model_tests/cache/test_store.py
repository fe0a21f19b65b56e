"""One process with the cache: equal bits, damage found and repaired, counts that add up."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daily_profit_model.cache import Cache, NotKeepable, statistics, store
from daily_profit_model.cache.entry import Entry
from daily_profit_model.cache.lock import exclusive
from daily_profit_model.cache.statistics import Counts
from daily_profit_model.lake import content_hash
from daily_profit_model_tests.cache.small_entries import NOON, ROWS, Computation, entry_of, flip_a_byte, key, never
from daily_profit_model_tests.lake.small_table import small_rows


def test_what_was_computed_once_is_read_the_second_time(cache: Cache) -> None:
    computation = Computation()
    first = cache.get_or_compute(key(), computation)
    second = cache.get_or_compute(key(), computation)
    assert computation.runs == 1
    assert content_hash(first) == content_hash(second) == content_hash(ROWS)
    assert second.schema.equals(ROWS.schema, check_metadata=True)


def test_another_key_is_computed_by_itself(cache: Cache) -> None:
    cache.get_or_compute(key(1), Computation())
    other = Computation(small_rows())
    assert cache.get_or_compute(key(2), other).equals(small_rows())
    assert other.runs == 1


def test_every_kind_of_column_of_the_lake_comes_back_with_its_nulls(cache: Cache) -> None:
    rows = small_rows(accounts=200).replace_schema_metadata({"pandas": "{}"})
    cache.get_or_compute(key(), lambda: rows)
    found = cache.get_or_compute(key(), never)
    assert found.schema.equals(rows.schema, check_metadata=True)
    assert content_hash(found) == content_hash(rows)


EXACT = [
    pa.int8(), pa.uint64(), pa.float16(), pa.float32(), pa.bool_(), pa.large_string(), pa.binary(), pa.large_binary(),
    pa.binary(3), pa.date32(), pa.timestamp("ns", "UTC"), pa.timestamp("ms"), pa.time64("us"), pa.duration("ns"),
    pa.decimal128(20, 4), pa.null(), pa.large_list(pa.float32()), pa.list_(pa.field("own", pa.int8(), False)),
]  # fmt: skip


@pytest.mark.parametrize("kind", EXACT, ids=str)
def test_a_type_that_is_taken_comes_back_as_the_same_type(cache: Cache, kind: pa.DataType) -> None:
    field = pa.field("x", kind, metadata={"unit": "USD"})
    rows = pa.table({"x": pa.nulls(3, kind)}, schema=pa.schema([field]))
    cache.get_or_compute(key(), lambda: rows)
    found = cache.get_or_compute(key(), never)
    assert found.schema.equals(rows.schema, check_metadata=True)
    assert found.equals(rows)


@given(st.lists(st.none() | st.integers(0, 2**64 - 1), max_size=50))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_floats_come_back_bit_for_bit_even_nans_and_minus_zero(cache: Cache, patterns: list[int | None]) -> None:
    bits = [0x8000000000000000, 0x7FF8000000000001, 0x7FF8000000000002, None, *patterns]
    values = np.array([bit or 0 for bit in bits], dtype=np.uint64).view(np.float64)
    column = pa.array(values, mask=np.array([bit is None for bit in bits]))
    wanted = key(configuration=[str(bit) for bit in bits])
    cache.get_or_compute(wanted, lambda: pa.table({"x": column}))
    found = cache.get_or_compute(wanted, never)["x"].combine_chunks()
    assert found.is_null().to_pylist() == [bit is None for bit in bits]
    back = found.fill_null(0.0).to_numpy().view(np.uint64)
    assert back.tolist() == [bit or 0 for bit in bits]


@pytest.mark.parametrize(
    "rows",
    [
        pa.table({"x": pa.array(["a", "b"]).dictionary_encode()}),
        pa.table({"x": pa.array([1], pa.date64())}),
        pa.table({"x": pa.array([1], pa.timestamp("s"))}),
        pa.table({"x": pa.array([[{"y": 1}]], pa.list_(pa.struct([("y", pa.date64())])))}),
        pa.table({}),
    ],
    ids=["categories", "date64", "seconds", "nested", "no columns"],
)
def test_a_table_that_parquet_would_change_is_refused_and_leaves_nothing(
    cache: Cache, folder: Path, rows: pa.Table
) -> None:
    with pytest.raises(NotKeepable, match="x|columns"):
        cache.get_or_compute(key(), lambda: rows)
    assert entry_of(folder, key()).state() is None


@pytest.mark.parametrize("place", ["rows", "description"])
def test_a_damaged_entry_is_computed_again_with_one_line_in_the_log(
    cache: Cache, folder: Path, logged: list[Any], place: str
) -> None:
    cache.get_or_compute(key(), Computation())
    entry = entry_of(folder, key())
    flip_a_byte(entry.rows_file if place == "rows" else entry.description_file)
    again = Computation()
    assert content_hash(cache.get_or_compute(key(), again)) == content_hash(ROWS)
    assert again.runs == 1
    assert [line["event"] for line in logged] == ["cache_entry_is_damaged"]
    assert logged[0]["entry"] == key().digest
    assert content_hash(cache.get_or_compute(key(), never)) == content_hash(ROWS)
    assert statistics.total(folder) == Counts(hits=1, misses=1, recomputed=1)


def test_a_whole_file_of_other_rows_is_no_answer(cache: Cache, folder: Path) -> None:
    cache.get_or_compute(key(), Computation())
    pq.write_table(small_rows(), entry_of(folder, key()).rows_file)
    assert content_hash(cache.get_or_compute(key(), Computation())) == content_hash(ROWS)


def test_a_whole_entry_under_the_name_of_another_key_is_no_answer(cache: Cache, folder: Path) -> None:
    cache.get_or_compute(key(2), Computation(small_rows()))
    right, wrong = entry_of(folder, key(1)), entry_of(folder, key(2))
    wrong.rows_file.rename(right.rows_file)
    wrong.description_file.rename(right.description_file)
    assert content_hash(cache.get_or_compute(key(1), Computation())) == content_hash(ROWS)


@pytest.mark.parametrize("lost", ["rows", "description"])
def test_half_an_entry_is_computed_again(cache: Cache, folder: Path, lost: str) -> None:
    cache.get_or_compute(key(), Computation())
    entry = entry_of(folder, key())
    (entry.rows_file if lost == "rows" else entry.description_file).unlink()
    again = Computation()
    cache.get_or_compute(key(), again)
    assert again.runs == 1
    assert entry.check()


def test_a_computation_that_fails_keeps_nothing_and_blocks_nobody(cache: Cache, folder: Path) -> None:
    def failing() -> pa.Table:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cache.get_or_compute(key(), failing)
    assert entry_of(folder, key()).state() is None
    assert cache.get_or_compute(key(), Computation()).num_rows == 3


def test_a_full_disk_costs_the_entry_and_not_the_answer(
    cache: Cache, folder: Path, logged: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_source: object, _target: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        assert cache.get_or_compute(key(), Computation()).num_rows == 3
    assert [line["event"] for line in logged] == ["cache_entry_is_not_kept"]
    assert list(entry_of(folder, key()).rows_file.parent.iterdir()) == []
    assert content_hash(cache.get_or_compute(key(), Computation())) == content_hash(ROWS)


def test_a_folder_that_cannot_be_used_costs_no_answer_and_is_said_once(tmp_path: Path, logged: list[Any]) -> None:
    (tmp_path / "cache").write_text("no folder")
    computation = Computation()
    assert Cache(tmp_path / "cache").get_or_compute(key(), computation).num_rows == 3
    assert computation.runs == 1
    assert [line["event"] for line in logged] == ["cache_cannot_be_used"]
    assert str(tmp_path / "cache") in logged[0]["folder"]


def test_what_breaks_after_the_computation_does_not_compute_again(
    cache: Cache, logged: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def not_released(path: Path) -> Iterator[None]:
        with exclusive(path):
            yield
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(store, "exclusive", not_released)
    computation = Computation()
    assert cache.get_or_compute(key(), computation).num_rows == 3
    assert computation.runs == 1
    assert [line["event"] for line in logged] == ["cache_cannot_be_used"]


def test_an_error_of_the_disk_in_the_computation_is_its_own_and_not_the_caches(cache: Cache, logged: list[Any]) -> None:
    runs = []

    def failing() -> pa.Table:
        runs.append(1)
        raise OSError(errno.EIO, "the lake's disk")

    with pytest.raises(OSError, match="the lake's disk"):
        cache.get_or_compute(key(), failing)
    assert (len(runs), logged) == (1, [])


def test_a_computation_may_ask_for_another_key_but_not_for_its_own(cache: Cache) -> None:
    cache.get_or_compute(key(1), lambda: cache.get_or_compute(key(2), Computation()))
    with pytest.raises(RuntimeError, match="asks for itself"):
        cache.get_or_compute(key(3), lambda: cache.get_or_compute(key(3), Computation()))


def test_an_entry_that_another_stores_between_the_look_and_the_lock_is_read(
    cache: Cache, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def after_another(path: Path) -> Iterator[None]:
        monkeypatch.setattr(store, "exclusive", exclusive)
        Cache(folder).get_or_compute(key(), Computation())
        with exclusive(path):
            yield

    monkeypatch.setattr(store, "exclusive", after_another)
    assert content_hash(cache.get_or_compute(key(), never)) == content_hash(ROWS)
    assert statistics.total(folder) == Counts(hits=1, misses=1, waits=1)


def test_writing_again_never_changes_a_file_in_its_place(cache: Cache, folder: Path) -> None:
    cache.get_or_compute(key(), Computation())
    entry = entry_of(folder, key())
    flip_a_byte(entry.rows_file)
    with entry.rows_file.open("rb") as opened_before:
        damaged = entry.rows_file.read_bytes()
        cache.get_or_compute(key(), Computation())
        assert opened_before.read() == damaged
    assert entry.rows_file.read_bytes() != damaged


def test_a_file_is_on_disk_before_it_gets_its_name(cache: Cache, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (done.append("fsync"), fsync(descriptor)))
    monkeypatch.setattr(
        os, "replace", lambda source, target: (done.append(Path(target).suffix), replace(source, target))
    )
    cache.get_or_compute(key(), Computation())
    assert done == ["fsync", ".parquet", "fsync", ".json", "fsync"]  # the last is the folder's
    assert entry_of(folder, key()).check()


def test_a_read_is_an_access_and_so_is_the_computation(folder: Path) -> None:
    entry = entry_of(folder, key())
    for hours in (0, 5):
        at = NOON + timedelta(hours=hours)
        Cache(folder, clock=lambda at=at: at).get_or_compute(key(), Computation())  # type: ignore[misc]
        assert entry.last_access() == at


def test_the_counts_add_up_over_calls_and_foldings(cache: Cache, folder: Path) -> None:
    assert statistics.total(folder) == Counts()
    for seed in (1, 2, 1, 1):
        cache.get_or_compute(key(seed), Computation())
    assert statistics.total(folder) == Counts(hits=2, misses=2)
    statistics.fold(folder)
    cache.get_or_compute(key(2), Computation())
    assert statistics.total(folder) == Counts(hits=3, misses=2)
    assert len((folder / statistics.FILE).read_bytes().splitlines()) == 2


def test_a_line_of_the_counts_in_pieces_is_passed_over(cache: Cache, folder: Path) -> None:
    cache.get_or_compute(key(), Computation())
    with (folder / statistics.FILE).open("ab") as stream:
        stream.write(b'{"hits": 1\n{"surprise": 1}\n[]\n{"hits": 1}\n')
    assert statistics.total(folder) == Counts(hits=1, misses=1)


def test_any_spelling_of_the_folder_is_the_same_cache(cache: Cache, folder: Path, tmp_path: Path) -> None:
    cache.get_or_compute(key(), Computation())
    (tmp_path / "link").symlink_to(folder)
    for spelling in (folder / "entries" / "..", tmp_path / "link", Path(os.path.relpath(folder))):
        assert Cache(spelling).get_or_compute(key(), never).num_rows == 3


def test_an_entry_lies_in_the_cache_folder_under_its_digest(cache: Cache, folder: Path) -> None:
    cache.get_or_compute(key(), Computation())
    entry = Entry(folder.resolve(), key().digest)
    assert {path.name for path in (folder / "entries").iterdir()} == {f"{entry.digest}.parquet", f"{entry.digest}.json"}
    assert pq.read_table(entry.rows_file).num_rows == 3
