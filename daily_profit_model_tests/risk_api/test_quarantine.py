"""Nothing is dropped: what is not stored is quarantined with its reason, or counted."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daily_profit_model.risk_api.decode import decode
from daily_profit_model.risk_api.decoded import Decoded
from daily_profit_model.tables.raw import (
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_QUARANTINE,
    RAW_TRADES_CLOSED,
)
from daily_profit_model_tests.risk_api.records import DAY, body, metric, trade

BAD_TRADES: list[tuple[Any, str, str | None]] = [
    (trade(tradeDate="01/06/2026"), "unreadable_date", "tradeDate=01/06/2026"),
    (trade(tradeDate=None), "missing_required", "tradeDate=null"),
    (trade(tradeDate="20260531"), "wrong_day", "tradeDate=20260531"),
    (trade(openTime="infinity"), "unreadable_date", "openTime=infinity"),
    (trade(closeTime="2026-02-30T00:00:00Z"), "unreadable_date", "closeTime=2026-02-30T00:00:00Z"),
    (trade(closeTime="2026-05-01T00:00:00Z"), "closed_before_opened", "closeTime=2026-05-01T00:00:00Z"),
    (trade(side="Hold"), "unknown_side", "side=Hold"),
    (trade(side=None), "missing_required", "side=null"),
    (trade(lots=0), "non_positive_lots", "lots=0"),
    (trade(lots=-0.5), "non_positive_lots", "lots=-0.5"),
    (trade(lots="many"), "unreadable_number", "lots=many"),
    (trade(profit=...), "missing_required", "profit=null"),
    (trade(profit=""), "missing_required", "profit="),
    (trade(profit="NaN"), "out_of_range", "profit=NaN"),
    (trade(fee="-Infinity"), "out_of_range", "fee=-Infinity"),
    (trade(swap="1e400"), "out_of_range", "swap=1e400"),
    (trade(volumeUSD=1.1e15), "out_of_range", "volumeUSD=1100000000000000.0"),
    (trade(position=None), "missing_required", "position=null"),
    (trade(platform="five"), "unreadable_number", "platform=five"),
    (trade(lots="1_0"), "unreadable_number", "lots=1_0"),
    (trade(openTime="2026061"), "unreadable_date", "openTime=2026061"),
    (trade(position="\t"), "missing_required", "position=\t"),
    (trade(broker=1.5), "unreadable_number", "broker=1.5"),
    ({}, "not_a_record", None),
    (5, "not_a_record", None),
    (None, "not_a_record", None),
    ({"other": 1}, "not_a_record", None),
]


def trades(*rows: Any) -> Decoded:
    return decode(RAW_TRADES_CLOSED, [body(*rows)], day=DAY)


@pytest.mark.parametrize(("row", "reason", "detail"), BAD_TRADES, ids=[str(bad[1:]) for bad in BAD_TRADES])
def test_a_bad_trade_is_quarantined_with_its_reason_and_its_text(row: Any, reason: str, detail: str | None) -> None:
    decoded = trades(row, trade(77))
    assert decoded.rows["ticket"].to_pylist() == ["978"]
    assert decoded.quarantined.schema == RAW_QUARANTINE.schema()
    (found,) = decoded.quarantined.to_pylist()
    assert (found["reason"], found["detail"]) == (reason, detail)
    assert (found["date"], found["table"], found["occurrence"]) == (DAY, "raw/trades_closed", 0)
    assert orjson.loads(found["payload"]) == row
    assert found["payload_hash"] == hashlib.sha256(found["payload"].encode()).hexdigest()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (metric(netProfit=1e16), "out_of_range"),
        (metric(date=None), "missing_required"),
        (metric(date="yesterday"), "unreadable_date"),
        (metric(date="20260602"), "wrong_day"),
        (metric(mt_version="x"), "unreadable_number"),
    ],
)
def test_a_bad_metrics_row_is_quarantined(row: dict[str, Any], reason: str) -> None:
    decoded = decode(RAW_METRICS_DAILY, [body(row)], day=DAY)
    assert decoded.quarantined["reason"].to_pylist() == [reason]


@pytest.mark.parametrize(
    ("hour", "reason"), [(24, "hour_out_of_range"), (-1, "hour_out_of_range"), (None, "missing_required")]
)
def test_an_hour_that_no_day_has_is_quarantined(hour: int | None, reason: str) -> None:
    decoded = decode(RAW_METRICS_HOURLY, [body(metric(hour=hour))], day=DAY)
    assert decoded.quarantined["reason"].to_pylist() == [reason]


def test_a_number_that_json_cannot_write_makes_its_row_bad_and_not_its_page() -> None:
    page = body(trade(), trade(1)).replace(b'"profit":111.0', b'"profit":NaN', 1)
    decoded = decode(RAW_TRADES_CLOSED, [page], day=DAY)
    assert decoded.rows.num_rows == 1
    assert decoded.quarantined["detail"].to_pylist() == ["profit=NaN"]


def test_the_payload_keeps_numbers_as_they_were_received() -> None:
    page = body(trade(lots=0)).replace(b'"profit":111.0', b'"profit":12345678901234567890.123')
    decoded = decode(RAW_TRADES_CLOSED, [page], day=DAY)
    assert "12345678901234567" in decoded.quarantined["payload"].to_pylist()[0]


def test_of_two_contents_of_one_key_one_is_kept_and_the_other_quarantined() -> None:
    decoded = trades(trade(), trade(profit=5), trade(profit="5.0"), trade(profit=999))
    assert decoded.rows.num_rows == 1
    assert decoded.quarantined["reason"].to_pylist() == ["duplicate_key"] * 2
    assert decoded.repeated == 1


def test_a_bad_row_that_came_twice_is_quarantined_once() -> None:
    decoded = trades(trade(lots=0), trade(lots=0))
    assert (decoded.quarantined.num_rows, decoded.repeated) == (1, 1)


def test_forty_percent_of_bad_rows_are_all_seen() -> None:
    rows = [trade(nth, tradeDate="06.01.2026" if nth % 5 < 2 else trade()["tradeDate"]) for nth in range(1000)]
    decoded = trades(*rows)
    assert (decoded.rows.num_rows, decoded.quarantined.num_rows) == (600, 400)
    assert set(decoded.quarantined["reason"].to_pylist()) == {"unreadable_date"}


SENT = st.lists(
    st.builds(
        trade,
        nth=st.integers(0, 5),
        profit=st.sampled_from([1.0, "1", 2, None, "x", 1e16]),
        login=st.sampled_from(["1", 1, None]),
        side=st.sampled_from(["Buy", "sell", "?"]),
        lots=st.sampled_from([1, 0]),
        fee=st.sampled_from([None, "?"]),
        tradeDate=st.sampled_from(["20260601", "2026-06-01 00:00:00", "20260602"]),
    )
    | st.sampled_from([None, 5, {}]),
    max_size=12,
)


@settings(max_examples=20, deadline=None)
@given(rows=SENT, seed=st.integers(0, 9), cut=st.integers(0, 12))
def test_rows_received_are_stored_or_quarantined_or_test_accounts_or_repeated_and_arrival_decides_nothing(
    rows: list[Any], seed: int, cut: int
) -> None:
    decoded = trades(*rows)
    assert decoded.received == len(rows)
    assert decoded.repeated >= 0
    parts = (decoded.rows.num_rows, decoded.quarantined.num_rows, decoded.test_accounts, decoded.repeated)
    assert sum(parts) == len(rows)
    distinct = {orjson.dumps(row) for row in rows}
    assert sum(parts[:3]) <= len(distinct)
    keys = [tuple(row[name] for name in RAW_TRADES_CLOSED.key) for row in decoded.rows.to_pylist()]
    assert len(set(keys)) == len(keys)

    shuffled = random.Random(seed).sample(rows, len(rows))
    again = decode(RAW_TRADES_CLOSED, [body(*shuffled[:cut]), body(*shuffled[cut:])], day=DAY)
    assert again == decoded


@settings(max_examples=12, deadline=None)
@given(
    kinds=st.lists(st.sampled_from(["good", "bad", "test", "again"]), max_size=15),
)
def test_distinct_keys_received_are_stored_or_quarantined_or_test_accounts(kinds: list[str]) -> None:
    made = {
        "good": lambda nth: metric(nth),
        "bad": lambda nth: metric(nth, netProfit="Infinity"),
        "test": lambda nth: metric(login=str(nth), accountId=None),
        "again": lambda nth: metric(-1),
    }
    rows = [made[kind](nth) for nth, kind in enumerate(kinds)]
    decoded = decode(RAW_METRICS_DAILY, [body(*rows)], day=DAY)
    keys = {(row["login"], row["accountId"]) for row in rows}
    assert len(keys) == decoded.rows.num_rows + decoded.quarantined.num_rows + decoded.test_accounts
