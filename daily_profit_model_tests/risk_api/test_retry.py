"""Rejected rows tried again: whole or not at all, nothing lost, nothing twice, and the counts still add up."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from daily_profit_model.lake import Lake, LakeError, PartitionFile, read, write_revision
from daily_profit_model.lake.lake import AsKnown
from daily_profit_model.lake.reread import write_reread
from daily_profit_model.risk_api import quarantine
from daily_profit_model.risk_api import retry as retrying
from daily_profit_model.risk_api.quarantine import Rejection
from daily_profit_model.risk_api.retry import Retry, retry, store_retry
from daily_profit_model.settings import WrongUse
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_MARKET_REGIMES,
    RAW_METRICS_DAILY,
    RAW_PLANS,
    RAW_QUARANTINE,
    RAW_TEST_LOGINS,
    RAW_TRADES_CLOSED,
    rejects_of,
)
from daily_profit_model_tests.risk_api.records import DAY, metric, trade
from daily_profit_model_tests.risk_api.rejecting import FILLED_LATER, IN_TIME, store_fetch

D = DAY.isoformat()
CHOICES: tuple[AsKnown, ...] = ("newest", "cut-off")


def tried(lake: Lake, table: Table = RAW_TRADES_CLOSED) -> Retry:
    found = retry(lake, table, D)
    assert found is not None
    return found


def tickets(lake: Lake, **options: Any) -> list[str]:
    rows: list[str] = read(lake, RAW_TRADES_CLOSED, [D], columns=["ticket"], **options)["ticket"].to_pylist()
    return rows


def kept(lake: Lake, table: Table = RAW_TRADES_CLOSED) -> list[dict[str, Any]]:
    return read(lake, rejects_of(table), [D], as_known="newest").to_pylist()


def newest(lake: Lake, table: Table = RAW_TRADES_CLOSED) -> PartitionFile:
    file = lake.describe(table.name, D, "newest")
    assert file is not None
    return file


def adds_up(file: PartitionFile) -> bool:
    counts = {name: int(str(file.facts[name])) for name in ("received", *retrying._COUNTS)}
    return counts["stored"] == file.rows and counts.pop("received") == sum(counts.values())


@pytest.mark.parametrize("at", [IN_TIME, FILLED_LATER])
def test_what_is_valid_by_now_is_stored_and_known_wherever_its_fetch_was(lake: Lake, at: Any) -> None:
    bad = trade(2, lots=0)
    store_fetch(lake, [trade()], [("unreadable_date", trade(1)), ("non_positive_lots", bad)], at=at)
    found = tried(lake)
    assert found.counts() == {
        "tried": 2, "new": 1, "new_at_cut_off": 1, "present": 0, "test_accounts": 0, "late": 0, "rejected": 1,
    }  # fmt: skip
    assert tickets(lake) == ["901"]  # nothing is stored by looking
    file = store_retry(lake, found, code_version="1")
    assert tickets(lake) == tickets(lake, as_known="newest") == ["901", "902"]
    assert file.facts["received"] == 3
    assert adds_up(file)
    (left,) = kept(lake)
    assert (left["reason"], left["detail"], orjson.loads(left["payload"])) == ("non_positive_lots", "lots=0", bad)
    assert not tried(lake).moves


def test_the_revision_before_stays_and_later_fetches_still_count_more(lake: Lake) -> None:
    store_fetch(lake, [trade()], [("unreadable_date", trade(1))])
    store_retry(lake, tried(lake), code_version="1")
    assert len(lake.files(RAW_TRADES_CLOSED.name, D)) == 2
    store_fetch(lake, [trade(7)], [], at=FILLED_LATER)
    assert tickets(lake, as_known="newest") == ["908"]
    assert tickets(lake) == ["901", "902"]


@pytest.mark.parametrize("later", [[trade(1)], [trade(1), trade(3)]], ids=["same rejects", "other rejects"])
def test_where_a_correction_came_after_the_cut_off_the_fetch_before_it_is_healed_too_L6(
    lake: Lake, later: list[Any]
) -> None:
    store_fetch(lake, [trade()], [("unreadable_date", trade(1))])
    store_fetch(lake, [trade(profit=7)], [("unreadable_date", row) for row in later], at=FILLED_LATER)
    found = tried(lake)
    assert (found.new, found.new_at_cut_off) == (len(later), 1)
    file = store_retry(lake, found, code_version="1")
    corrected = read(lake, RAW_TRADES_CLOSED, [D], as_known="newest")["profit"].to_pylist()
    assert corrected == [7.0] + [111.0] * len(later)
    assert read(lake, RAW_TRADES_CLOSED, [D])["profit"].to_pylist() == [111.0, 111.0]
    known = lake.describe(RAW_TRADES_CLOSED.name, D)
    assert known is not None
    assert adds_up(file)
    assert adds_up(known)
    assert kept(lake) == []
    assert retry(lake, RAW_TRADES_CLOSED, D) is None
    assert len(lake.files(RAW_TRADES_CLOSED.name, D)) == 4


def test_a_row_that_is_there_by_now_is_counted_and_one_that_differs_stays_as_a_conflict(lake: Lake) -> None:
    other = trade(profit=5)
    store_fetch(lake, [trade()], [("unreadable_number", trade()), ("unreadable_number", other)])
    found = tried(lake)
    assert (found.new, found.present, found.rejected) == (0, 1, 1)
    file = store_retry(lake, found, code_version="1")
    assert tickets(lake) == ["901"]
    assert adds_up(file)
    assert file.facts["repeated"] == 1
    (left,) = kept(lake)
    assert (left["reason"], orjson.loads(left["payload"])) == ("duplicate_key", other)


def test_of_rejected_rows_of_one_key_one_is_stored(lake: Lake) -> None:
    rows = [trade(profit=profit) for profit in (1, 2, "2.0")]
    store_fetch(lake, [], [("unreadable_number", row) for row in rows])
    file = store_retry(lake, tried(lake), code_version="1")
    assert tickets(lake) == ["901"]
    assert adds_up(file)
    assert {row["reason"] for row in kept(lake)} == {"duplicate_key"}


def test_reasons_that_no_reading_changes_are_not_tried(lake: Lake) -> None:
    store_fetch(lake, [trade()], [("duplicate_key", trade(1))])
    found = tried(lake)
    assert (found.tried, found.rejected, found.moves) == (0, 1, False)


def test_a_text_that_is_no_json_spoils_itself_alone(lake: Lake) -> None:
    store_fetch(lake, [trade()], [("unreadable_date", trade(1))])
    broken = quarantine.of_rejections(
        RAW_TRADES_CLOSED, DAY, [Rejection("unreadable_json", None, '{"login": "\\ud8"}')]
    )
    rejects = lake.describe(rejects_of(RAW_TRADES_CLOSED).name, D, "newest")
    assert rejects is not None
    both = pa.concat_tables([read(lake, rejects_of(RAW_TRADES_CLOSED), [D], as_known="newest"), broken])
    write_reread(lake, rejects_of(RAW_TRADES_CLOSED), rejects, both, code_version="1")
    file = store_retry(lake, tried(lake), code_version="1")
    assert tickets(lake) == ["901", "902"]
    assert adds_up(file)
    assert [row["reason"] for row in kept(lake)] == ["unreadable_json"]


@pytest.mark.parametrize(("at", "is_corrected"), [(IN_TIME, True), (FILLED_LATER, False)])
def test_a_retry_killed_between_rows_and_rejects_is_ended_by_the_next(
    lake: Lake, at: Any, is_corrected: bool, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = Lake(UPath(tmp_path_factory.mktemp("whole")))
    test_account = trade(3, login=None)
    rejected = [("unreadable_date", row) for row in (trade(1), trade(), trade(2, lots=0), test_account)]
    for one in (lake, whole):
        store_fetch(one, [trade()], rejected, at=at)
        if is_corrected:
            store_fetch(one, [trade(fee=-1)], rejected, at=FILLED_LATER + timedelta(days=1))
    store_retry(whole, tried(whole), code_version="1")

    def killed(lake: Lake, table: Table, *rest: Any, **options: Any) -> PartitionFile:
        if table.name.startswith("raw/rejects/"):
            raise KeyboardInterrupt
        return write_reread(lake, table, *rest, **options)

    with monkeypatch.context() as patch:
        patch.setattr(retrying, "write_reread", killed)
        with pytest.raises(KeyboardInterrupt):
            store_retry(lake, tried(lake), code_version="1")
    assert len(kept(lake)) == 4  # what left is there twice, not nowhere
    assert tickets(lake) == ["901", "902"]
    found = tried(lake)
    assert found.moves
    store_retry(lake, found, code_version="1")
    assert len(lake.files(RAW_TRADES_CLOSED.name, D)) == (4 if is_corrected else 2)
    for as_known in CHOICES:
        files = [one.describe(RAW_TRADES_CLOSED.name, D, as_known) for one in (lake, whole)]
        assert files[0] is not None
        assert files[1] is not None
        assert (files[0].facts, files[0].content_hash) == (files[1].facts, files[1].content_hash)
    assert kept(lake) == kept(whole)
    assert not tried(lake).moves


ROWS = st.lists(
    st.builds(
        trade,
        nth=st.integers(0, 4),
        profit=st.sampled_from([1.0, "1", 2, None, "x"]),
        login=st.sampled_from(["1", None]),
        lots=st.sampled_from([1, 0]),
    ),
    max_size=8,
    unique_by=orjson.dumps,
)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(rows=ROWS, cut=st.integers(0, 8))
def test_every_row_received_is_afterwards_in_exactly_one_place(
    rows: list[Any], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lake = Lake(UPath(tmp_path_factory.mktemp("lake")))
    good = [row for row in rows[:cut] if row["profit"] == 1.0 and row["login"] and row["lots"]]
    rejected = [("unreadable_date", row) for row in rows[cut:]]
    store_fetch(lake, good, rejected)
    if not rejected:
        assert retry(lake, RAW_TRADES_CLOSED, D) is None
        return
    found = tried(lake)
    file = store_retry(lake, found, code_version="1")
    assert adds_up(file)
    assert file.facts["received"] == len(good) + len(rejected)
    assert found.tried == found.new + found.present + found.test_accounts + found.rejected
    keys = Counter(
        tuple(row[name] for name in RAW_TRADES_CLOSED.key) for row in read(lake, RAW_TRADES_CLOSED, [D]).to_pylist()
    )
    assert set(keys.values()) <= {1}
    payloads = {row["payload"] for row in kept(lake)}
    assert payloads <= {orjson.dumps(row).decode() for _, row in rejected}


def test_metrics_are_tried_and_plans_are_not(lake: Lake) -> None:
    store_fetch(lake, [metric()], [("unreadable_date", metric(1))], table=RAW_METRICS_DAILY)
    store_retry(lake, tried(lake, RAW_METRICS_DAILY), code_version="1")
    assert newest(lake, RAW_METRICS_DAILY).rows == 2
    with pytest.raises(WrongUse, match="dpm ingest plans --force"):
        retry(lake, RAW_PLANS, D)
    with pytest.raises(WrongUse, match="rejects no rows"):
        retry(lake, RAW_QUARANTINE, D)


@pytest.mark.parametrize("was_live", [True, False])
def test_accounts_get_the_day_and_only_live_ones_their_state_L2(lake: Lake, was_live: bool) -> None:
    test_login = metric(2, login="77", accountId=None)
    store_fetch(lake, [], [("out_of_range", metric(1)), ("out_of_range", test_login)], table=RAW_ACCOUNTS)
    logins = RAW_TEST_LOGINS.schema().empty_table()
    write_revision(lake, RAW_TEST_LOGINS, D, logins, ingested_at=IN_TIME, code_version="1")
    found = retry(lake, RAW_ACCOUNTS, D, was_live=was_live)
    assert found is not None
    file = store_retry(lake, found, code_version="1")
    (row,) = read(lake, RAW_ACCOUNTS, [D]).to_pylist()
    assert (row["date"], row["account_id"], row["is_live"]) == (DAY, "953786", was_live)
    assert (row["status"] == 1) is was_live
    assert read(lake, RAW_TEST_LOGINS, [D])["login"].to_pylist() == ["77"]
    assert file.facts["test_accounts"] == 1
    assert adds_up(file)


def test_a_regime_document_is_tried_and_one_of_after_the_cut_off_is_not_used_L5(lake: Lake) -> None:
    def stored(document: Any) -> Retry:
        rejected = quarantine.of_rejections(
            RAW_MARKET_REGIMES, DAY, [Rejection("malformed_document", "x", orjson.dumps(document).decode())]
        )
        facts = {"received": 1, "stored": 0, "quarantined": 1}
        empty = RAW_MARKET_REGIMES.schema().empty_table()
        write_revision(lake, rejects_of(RAW_MARKET_REGIMES), D, rejected, ingested_at=IN_TIME, code_version="1")
        write_revision(lake, RAW_MARKET_REGIMES, D, empty, ingested_at=IN_TIME, code_version="1", facts=facts)
        return tried(lake, RAW_MARKET_REGIMES)

    late = stored({"date": D, "updated_at": "2026-06-02T06:00:01Z"})
    assert (late.new, late.late, late.rejected) == (0, 1, 0)
    found = stored({"date": D, "updated_at": "2026-06-01T21:00:00Z"})
    assert adds_up(store_retry(lake, found, code_version="1"))
    assert read(lake, RAW_MARKET_REGIMES, [D])["date"].to_pylist() == [DAY]


def test_rejects_without_their_partition_are_an_error_that_says_what_to_do(lake: Lake) -> None:
    store_fetch(lake, [], [("unreadable_date", trade(1))])
    (path,) = lake.files(RAW_TRADES_CLOSED.name, D)
    path.unlink()
    with pytest.raises(LakeError, match="fetch the day first"):
        retry(lake, RAW_TRADES_CLOSED, D)
