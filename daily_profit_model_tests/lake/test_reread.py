"""A fetch read again counts wherever the fetch counted, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from daily_profit_model.lake import Lake, LakeError, PartitionFile, read, write, write_revision
from daily_profit_model.lake.lake import AsKnown
from daily_profit_model.lake.reread import write_reread
from daily_profit_model_tests.lake.small_table import DAY_1, SMALL, small_rows

RAW = replace(SMALL, name="raw/small", revisions=True)
LATE = datetime(2026, 4, 2, tzinfo=UTC)


def fetch(lake: Lake, at: datetime, money: float) -> PartitionFile:
    return write_revision(
        lake, RAW, DAY_1, small_rows(money=money), ingested_at=at, code_version="1", facts={"received": 3}
    )[0]


def money(lake: Lake, as_known: AsKnown) -> float:
    answered: float = read(lake, RAW, [DAY_1], as_known=as_known)["money"][0].as_py()
    return answered


def test_of_a_day_filled_later_the_first_fetch_counts_as_it_was_last_read(lake: Lake) -> None:
    first = fetch(lake, LATE, 1.0)
    fetch(lake, LATE + timedelta(seconds=1), 2.0)
    write_reread(lake, RAW, first, small_rows(money=3.0), code_version="1")
    assert (money(lake, "cut-off"), money(lake, "newest"), money(lake, LATE)) == (3.0, 2.0, 1.0)


def test_a_rereading_keeps_the_facts_of_its_fetch_and_made_again_it_is_one(lake: Lake) -> None:
    first = fetch(lake, LATE, 1.0)
    for reading in (2.0, 3.0):
        again = write_reread(lake, RAW, first, small_rows(money=reading), code_version="1", facts={"stored": 3})
    assert len(lake.files(RAW.name, DAY_1)) == 2
    assert again.facts == {"ingested_at": LATE.isoformat(), "received": 3, "stored": 3}
    assert money(lake, "cut-off") == 3.0


def test_a_file_that_is_no_revision_cannot_be_read_again(lake: Lake) -> None:
    file = write(lake, SMALL, DAY_1, small_rows(), code_version="1")
    with pytest.raises(LakeError, match="is no revision"):
        write_reread(lake, SMALL, file, small_rows(), code_version="1")
