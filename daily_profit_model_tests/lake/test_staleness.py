"""Staleness: what a footer recorded against what holds now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from daily_profit_model.lake import Change, Lake, PartitionFile, changes_since_written, write, write_revision
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model_tests.lake.small_table import DAY_1, DAY_2, SMALL, small_rows

OUTPUT = replace(SMALL, name="features/small")
INPUT_NAMES = (f"{SMALL.name}@{DAY_1}", f"{SMALL.name}@{DAY_2}")


def _made(lake: Lake) -> PartitionFile:
    first = write(lake, SMALL, DAY_1, small_rows(), code_version="1")
    inputs = {INPUT_NAMES[0]: first.content_hash, INPUT_NAMES[1]: None}
    return write(lake, OUTPUT, DAY_1, small_rows(), code_version="1", inputs=inputs)


def test_nothing_changed_means_up_to_date(lake: Lake) -> None:
    made = _made(lake)
    write(lake, SMALL, DAY_1, small_rows(), code_version="another")  # the same rows: the same input
    assert changes_since_written(made, HashLookup(lake), "1") == []


def test_other_code_makes_a_partition_stale(lake: Lake) -> None:
    assert changes_since_written(_made(lake), HashLookup(lake), "2") == [Change("code", "1", "2")]


def test_a_changed_input_is_named(lake: Lake) -> None:
    made = _made(lake)
    new = write(lake, SMALL, DAY_1, small_rows(money=9.0), code_version="1")
    changes = changes_since_written(made, HashLookup(lake), "1")
    assert changes == [Change(INPUT_NAMES[0], made.inputs[INPUT_NAMES[0]], new.content_hash)]


def test_an_input_that_was_absent_and_appeared_is_named(lake: Lake) -> None:
    made = _made(lake)
    new = write(lake, SMALL, DAY_2, small_rows(DAY_2), code_version="1")
    assert changes_since_written(made, HashLookup(lake), "1") == [Change(INPUT_NAMES[1], None, new.content_hash)]


def test_an_input_that_went_away_is_named(lake: Lake) -> None:
    made = _made(lake)
    path = lake.file(SMALL.name, DAY_1)
    assert path is not None
    path.unlink()
    assert changes_since_written(made, HashLookup(lake), "1") == [
        Change(INPUT_NAMES[0], made.inputs[INPUT_NAMES[0]], None)
    ]


def test_a_late_correction_counts_only_for_who_reads_the_newest(lake: Lake) -> None:
    raw = replace(SMALL, name="raw/small", revisions=True)
    hashes = []
    for day, money in ((2, 1.0), (9, 2.0)):
        moment = datetime(2026, 3, day, 5, tzinfo=UTC)
        hashes.append(
            write_revision(lake, raw, DAY_1, small_rows(money=money), ingested_at=moment, code_version="1")[
                0
            ].content_hash
        )
    lookup = HashLookup(lake)
    assert lookup("raw/small", DAY_1) == hashes[0]
    assert lookup("raw/small#newest", DAY_1) == hashes[1]


def test_a_hash_that_was_learnt_needs_no_file(lake: Lake) -> None:
    lookup = HashLookup(lake)
    lookup.learn(SMALL.name, DAY_1, "fresh")
    assert lookup(SMALL.name, DAY_1) == "fresh"
    assert lookup(SMALL.name, DAY_2) is None
