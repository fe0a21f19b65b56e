"""Revisions of raw partitions: which one counts, and when a fetch is stored at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from daily_profit_model.lake import Lake, LakeError, content_hash, read, write, write_revision
from daily_profit_model.lake.lake import AsKnown, cut_off
from daily_profit_model.tables import Column
from daily_profit_model.tables.contract import TEXT
from daily_profit_model_tests.lake.small_table import DAY_1, SMALL, small_rows

RAW = replace(SMALL, name="raw/small", revisions=True)
CUT_OFF = datetime(2026, 3, 2, 6, tzinfo=UTC)


def _fetch(lake: Lake, at: datetime, money: float) -> bool:
    return write_revision(lake, RAW, DAY_1, small_rows(money=money), ingested_at=at, code_version="1")[1]


def _money(lake: Lake, as_known: AsKnown) -> float:
    answered: float = read(lake, RAW, [DAY_1], as_known=as_known)["money"][0].as_py()
    return answered


def test_the_cut_off_is_six_in_the_morning_of_the_next_day() -> None:
    assert cut_off(date(2026, 3, 1)) == CUT_OFF


def test_a_correction_after_the_cut_off_is_newest_but_not_known_L6(lake: Lake) -> None:
    _fetch(lake, CUT_OFF - timedelta(hours=2), 1.0)
    _fetch(lake, CUT_OFF, 2.0)
    _fetch(lake, CUT_OFF + timedelta(milliseconds=1), 3.0)
    assert _money(lake, "cut-off") == 2.0
    assert _money(lake, "newest") == 3.0


def test_a_day_filled_later_counts_by_its_first_fetch(lake: Lake) -> None:
    _fetch(lake, CUT_OFF + timedelta(days=30), 1.0)
    _fetch(lake, CUT_OFF + timedelta(days=31), 2.0)
    assert _money(lake, "cut-off") == 1.0
    assert _money(lake, "newest") == 2.0


def test_a_fetch_of_before_its_contract_grew_reads_as_null_in_what_was_added_if_that_may_be_null(lake: Lake) -> None:
    _fetch(lake, CUT_OFF, 1.0)
    grown = replace(RAW, columns=(*RAW.columns, Column("added", TEXT, "New")))
    rows = read(lake, grown, [DAY_1])
    assert rows.schema == grown.schema()
    assert rows["added"].null_count == rows.num_rows
    needed = replace(RAW, columns=(*RAW.columns, Column("added", TEXT, "New", required=True)))
    with pytest.raises(LakeError, match="was fetched before its contract required added; keep the file") as refused:
        read(lake, needed, [DAY_1])
    assert "\n" not in str(refused.value)
    assert "delete" not in str(refused.value)
    assert read(lake, needed, [DAY_1], columns=["money"]).num_rows == rows.num_rows


def test_a_fetch_that_equals_the_newest_stores_nothing(lake: Lake) -> None:
    first = CUT_OFF - timedelta(hours=3)
    assert _fetch(lake, first, 1.0)
    kept, stored = write_revision(
        lake, RAW, DAY_1, small_rows(money=1.0).take([2, 0, 1]), ingested_at=CUT_OFF, code_version="2"
    )
    assert not stored
    assert kept.revision == first
    assert kept.content_hash == content_hash(small_rows(money=1.0))
    assert len(lake.files(RAW.name, DAY_1)) == 1


def test_a_correction_that_is_taken_back_is_a_revision_of_its_own(lake: Lake) -> None:
    stored = [_fetch(lake, CUT_OFF + timedelta(hours=hour), money) for hour, money in enumerate((1.0, 2.0, 1.0))]
    assert stored == [True, True, True]
    assert len(lake.files(RAW.name, DAY_1)) == 3


def test_a_revision_carries_when_it_was_fetched(lake: Lake) -> None:
    moment = datetime(2026, 3, 2, 5, 59, 59, 123456, tzinfo=UTC)
    _fetch(lake, moment, 1.0)
    file = lake.describe(RAW.name, DAY_1)
    assert file is not None
    assert file.revision == moment
    assert file.facts["ingested_at"] == moment.isoformat()


@given(minutes=st.lists(st.integers(-3_000, 3_000), min_size=1, max_size=5, unique=True))
@settings(max_examples=20, derandomize=True, deadline=None)
def test_as_known_is_the_newest_by_the_cut_off_or_else_the_first(
    minutes: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    lake = Lake(UPath(tmp_path_factory.mktemp("revisions")))
    for minute in minutes:
        _fetch(lake, CUT_OFF + timedelta(minutes=minute), float(minute))
    known = [minute for minute in minutes if minute <= 0]
    assert _money(lake, "cut-off") == (max(known) if known else min(minutes))
    assert _money(lake, "newest") == max(minutes)


def test_a_partition_can_be_read_as_it_was_known_at_any_instant(lake: Lake) -> None:
    for hour, money in enumerate((1.0, 2.0, 3.0)):
        _fetch(lake, CUT_OFF + timedelta(hours=hour), money)
    assert [_money(lake, CUT_OFF + timedelta(minutes=minutes)) for minutes in (0, 59, 60, 119, 120, 9_999)] == [
        1.0, 1.0, 2.0, 2.0, 3.0, 3.0,
    ]  # fmt: skip
    assert lake.file(RAW.name, DAY_1, CUT_OFF - timedelta(microseconds=1)) is None
    assert lake.describe(RAW.name, DAY_1, CUT_OFF - timedelta(hours=1)) is None


def test_an_instant_is_the_same_in_every_time_zone(lake: Lake) -> None:
    _fetch(lake, CUT_OFF, 1.0)
    _fetch(lake, CUT_OFF + timedelta(hours=1), 2.0)
    assert _money(lake, CUT_OFF.astimezone(timezone(timedelta(hours=-8)))) == 1.0


def test_a_file_that_is_no_revision_counts_at_every_instant(lake: Lake) -> None:
    made = write(lake, SMALL, DAY_1, small_rows(), code_version="1")
    assert lake.file(SMALL.name, DAY_1, CUT_OFF - timedelta(days=900)) == made.path
