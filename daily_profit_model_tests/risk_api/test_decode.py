"""Reading good rows: types, forms, nulls, names, order, repetition."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pyarrow as pa
import pytest

from daily_profit_model.risk_api import sorting
from daily_profit_model.risk_api.decode import Decoding, decode
from daily_profit_model.risk_api.decoded import Decoded
from daily_profit_model.risk_api.envelope import lines_of
from daily_profit_model.tables.contract import Table
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
)
from daily_profit_model_tests.risk_api.records import DAY, METRIC, body, metric, trade


def trades(*rows: dict[str, Any]) -> Decoded:
    return decode(RAW_TRADES_CLOSED, [body(*rows)], day=DAY)


def only(decoded: Decoded) -> dict[str, Any]:
    assert decoded.quarantined.num_rows == 0, decoded.quarantined.to_pylist()
    assert decoded.rows.num_rows == 1
    row: dict[str, Any] = decoded.rows.to_pylist()[0]
    return row


def test_a_trade_becomes_a_row_of_the_contract() -> None:
    decoded = trades(trade())
    assert decoded.rows.schema == RAW_TRADES_CLOSED.schema()
    row = only(decoded)
    assert row["date"] == DAY
    assert (row["platform"], row["broker"], row["manager"]) == (8, 5, 3)
    assert (row["login"], row["position"], row["ticket"], row["side"]) == ("70001", "801", "901", "buy")
    assert row["open_time"] == datetime(2026, 5, 31, 22, 15, 0, 250_000, UTC)
    assert row["close_time"] == datetime(2026, 6, 1, 3, 4, 5, 678_000, UTC)
    assert (row["profit"], row["volume_usd"], row["swap"]) == (111.0, 115123.5, -1.25)
    assert (row["stop_loss"], row["take_profit"], row["comment"]) == (None, 0.0, None)
    assert (decoded.received, decoded.repeated, decoded.test_accounts) == (1, 0, 0)
    assert decoded.unknown_fields == decoded.unreadable == {}


def test_an_open_trade_has_no_close_and_its_profit_is_unrealised() -> None:
    row = only(decode(RAW_TRADES_OPEN, [body(trade(closeTime=..., closePrice=...))], day=DAY))
    assert row["unrealized_profit"] == 111.0
    assert "close_time" not in row


def test_a_metrics_record_becomes_a_row_under_the_lake_s_names() -> None:
    decoded = decode(RAW_METRICS_DAILY, [body(metric())], day=DAY)
    assert decoded.rows.schema == RAW_METRICS_DAILY.schema()
    row = only(decoded)
    assert (row["account_id"], row["plan_id"], row["trader_id"]) == ("953785", "5036", "C521030")
    assert (row["platform"], row["status"], row["type"], row["phase"]) == (8, 1, 7, 4)
    assert (row["net_profit"], row["num_trades"], row["success_rate"]) == (1933.82, 15, 1200.5)
    assert (row["mean_tp_vs_sl"], row["max_val_to_eqty_open_pos"]) == (194.443, 87315.2)
    assert row["first_trade_date"] == datetime(2026, 2, 13, tzinfo=UTC)
    assert row["gross_profit"] is None


def test_an_hourly_record_has_its_hour_and_instant() -> None:
    rows = [metric(hour=hour, datetime=f"2026-06-01T{hour:02}:00:00.000Z") for hour in (23, 0)]
    decoded = decode(RAW_METRICS_HOURLY, [body(*rows)], day=DAY)
    assert decoded.rows["hour"].to_pylist() == [0, 23]
    assert decoded.rows["datetime"].to_pylist()[1] == datetime(2026, 6, 1, 23, tzinfo=UTC)


def test_an_all_time_record_needs_no_date() -> None:
    row = only(decode(RAW_ACCOUNTS, [body(metric(date=..., updatedDate="20260601"))], day=DAY))
    assert row["date"] is None
    assert row["updated_date"] == datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "instant"),
    [
        ("2026-06-01T03:04:05.678Z", datetime(2026, 6, 1, 3, 4, 5, 678_000, UTC)),
        ("2026-06-01T03:04:05Z", datetime(2026, 6, 1, 3, 4, 5, 0, UTC)),
        ("2026-06-01 03:04:05", datetime(2026, 6, 1, 3, 4, 5, 0, UTC)),
        ("20260601030405", datetime(2026, 6, 1, 3, 4, 5, 0, UTC)),
        ("20260601", datetime(2026, 6, 1, tzinfo=UTC)),
        (20260601, datetime(2026, 6, 1, tzinfo=UTC)),
        ("2026-06-01", datetime(2026, 6, 1, tzinfo=UTC)),
        (" 2026-06-01T03:04:05.678Z ", datetime(2026, 6, 1, 3, 4, 5, 678_000, UTC)),
        ("2026-06-01T05:04:05.000+02:00", datetime(2026, 6, 1, 3, 4, 5, 0, UTC)),
    ],
)
def test_every_form_of_a_date_is_read_so_that_none_is_rejected_for_its_form(form: str | int, instant: datetime) -> None:
    assert only(trades(trade(closeTime=form)))["close_time"] == instant
    assert only(trades(trade(tradeDate=form)))["date"] == date(2026, 6, 1)


@pytest.mark.parametrize(("sent", "read"), [("111", 111.0), (" 1.5e2 ", 150.0), ("-0.01", -0.01), (7, 7.0)])
def test_numbers_written_as_text_are_numbers(sent: object, read: float) -> None:
    assert only(trades(trade(profit=sent)))["profit"] == read


@pytest.mark.parametrize("sent", [901, "901", "901.0", 901.0, " 901 "])
def test_ids_are_text_however_they_are_sent(sent: object) -> None:
    row = only(trades(trade(ticket=sent, position=sent, login=sent)))
    assert (row["ticket"], row["position"], row["login"]) == ("901", "901", "901")
    account = only(decode(RAW_METRICS_DAILY, [body(metric(accountId=sent, planId=sent))], day=DAY))
    assert (account["account_id"], account["plan_id"]) == ("901", "901")


@pytest.mark.parametrize("side", ["Buy", "BUY", "buy", " Buy"])
def test_the_side_is_compared_without_case(side: str) -> None:
    assert only(trades(trade(side=side)))["side"] == "buy"


def test_extreme_values_up_to_the_limit_stay() -> None:
    assert only(trades(trade(volumeUSD=1e15)))["volume_usd"] == 1e15


def test_an_optional_field_that_cannot_be_read_is_null_and_counted() -> None:
    decoded = trades(trade(fee="none", mngr=1.5, duration=None, swap=""), trade(1, fee="?"))
    assert decoded.rows["fee"].to_pylist() == [None, None]
    assert decoded.rows["manager"].to_pylist() == [None, 3]
    assert decoded.unreadable == {"fee": 2, "mngr": 1}


def test_unknown_fields_are_counted_and_left_out() -> None:
    decoded = trades(trade(venue="x"), trade(1, venue=None, legs=[{"side": 1}]), trade(2))
    assert decoded.unknown_fields == {"legs": 1, "venue": 1}
    assert decoded.rows.num_rows == 3


def test_missing_optional_fields_are_null() -> None:
    assert only(trades(trade(fee=..., comment=..., mngr=...)))["fee"] is None


@pytest.mark.parametrize("missing", ["login", "platform", "broker"])
@pytest.mark.parametrize("value", [None, ..., ""])
def test_trades_of_test_accounts_are_left_out_and_counted(missing: str, value: object) -> None:
    decoded = trades(trade(), trade(1, **{missing: value}))
    assert (decoded.rows.num_rows, decoded.test_accounts, decoded.quarantined.num_rows) == (1, 1, 0)


@pytest.mark.parametrize("missing", ["accountId", "login", "mt_version", "broker"])
def test_test_accounts_are_left_out_and_counted(missing: str) -> None:
    decoded = decode(RAW_METRICS_DAILY, [body(metric(), metric(1, **{missing: None}))], day=DAY)
    assert (decoded.rows.num_rows, decoded.test_accounts, decoded.quarantined.num_rows) == (1, 1, 0)


@pytest.mark.parametrize("table", [RAW_METRICS_DAILY, RAW_TRADES_CLOSED, RAW_TRADES_OPEN, RAW_ACCOUNTS])
def test_no_rows_are_an_empty_table_of_the_contract(table: Table) -> None:
    for bodies in ([], [b"[]"]):
        decoded = decode(table, bodies, day=DAY)
        assert decoded.rows == table.schema().empty_table()
        assert decoded.received == 0


def test_rows_are_sorted_by_key_whatever_page_they_came_on() -> None:
    rows = [trade(nth, login=str(login)) for login in (3, 1, 2) for nth in (5, 4)]
    decoded = decode(RAW_TRADES_CLOSED, [body(*rows[:2]), body(*rows[2:])], day=DAY)
    keys = list(zip(decoded.rows["login"].to_pylist(), decoded.rows["ticket"].to_pylist(), strict=True))
    assert keys == sorted(keys)


def test_parts_of_a_position_are_rows_of_their_own() -> None:
    assert trades(trade(0, position="1"), trade(1, position="1")).rows.num_rows == 2


def test_a_row_that_came_twice_is_one_row() -> None:
    decoded = trades(trade(), trade(ticket=901, profit="111.0"), trade())
    assert (decoded.rows.num_rows, decoded.repeated, decoded.quarantined.num_rows) == (1, 2, 0)


def test_a_null_ticket_counts_as_a_value_of_the_key() -> None:
    decoded = trades(trade(ticket=None), trade(ticket=None), trade())
    assert (decoded.rows.num_rows, decoded.repeated) == (2, 1)


def test_strings_with_escapes_and_other_scripts_are_kept() -> None:
    said = 'said "hi": {[,]}\n\t\\ 日本 é'
    decoded = trades(trade(comment=said))
    assert only(decoded)["comment"] == said
    assert decoded.unknown_fields == {}


def test_every_field_of_the_contract_is_read_from_its_upstream_name() -> None:
    kinds = {pa.float64(): 1.25, pa.int64(): 3, pa.string(): "t"}
    for table in (RAW_METRICS_DAILY, RAW_METRICS_HOURLY, RAW_ACCOUNTS):
        sent = {c.source: kinds.get(c.type, METRIC["date"]) for c in table.columns if c.source}
        row = only(decode(table, [body(sent)], day=DAY))
        assert [name for name, value in row.items() if value is None] == [
            column.name for column in table.columns if column.source is None
        ]


def test_pages_read_in_parts_give_what_pages_read_at_once_give() -> None:
    bodies = [
        body(trade(nth), trade(nth + 3, fee="?"), trade(nth, lots=0), trade(nth, login=None), trade(5, venue=1))
        for nth in range(6)
    ]
    at_once = decode(RAW_TRADES_CLOSED, bodies, day=DAY)
    pages = [lines_of(page) for page in bodies]
    with Decoding(RAW_TRADES_CLOSED, [DAY], pages.__getitem__) as decoding:
        for part in ([3], [5, 1], [], [0, 2, 4]):
            decoding.add((page, pages[page]) for page in part)
        decoding.settle()
        assert decoding.day(DAY, at_once=True) == at_once
    assert at_once.unknown_fields == {"venue": 6}
    assert at_once.unreadable == {"fee": 6}
    assert (at_once.received, at_once.quarantined.num_rows) == (30, 9)


def test_numbers_and_texts_of_one_key_are_the_same_key() -> None:
    sent = body(trade(), {**trade(), "login": 70001, "platform": "8", "position": 801, "tradeDate": "20260601"})
    with Decoding(RAW_TRADES_CLOSED, [DAY], lambda _: lines_of(sent)) as decoding:
        decoding.add([(0, lines_of(sent))])
        assert decoding.distinct(2) == 1


def test_a_null_in_a_key_counts_as_a_value_and_differing_rows_are_told_by_their_fingerprint() -> None:
    sent = body(*(trade(position=None, profit=profit) for profit in (1, 2, 2)), trade(login=None))
    with Decoding(RAW_TRADES_CLOSED, [DAY], lambda _: lines_of(sent)) as decoding:
        decoding.add([(0, lines_of(sent))])
        assert decoding.distinct(4) == 2
        assert decoding.fingerprint()[0] == 3


def test_rows_are_known_by_what_they_say_whatever_page_and_white_space_they_come_with() -> None:
    odd = body(trade(comment="@"))[1:-1].replace(b'"@"', b'"\\ud800"')
    plain, spaced = body(trade(1))[1:-1], orjson.dumps(trade(1)).replace(b'":', b'" : ').replace(b',"', b' , "')
    assert spaced != plain
    fingerprints = set()
    for sent in (odd + b"\n" + plain + b"\n", spaced + b"\n" + odd + b"\n"):
        with Decoding(RAW_TRADES_CLOSED, [DAY], [sent].__getitem__) as decoding:
            decoding.add([(0, sent)])
            fingerprints.add(decoding.fingerprint())
    assert len(fingerprints) == 1


def test_a_key_that_came_once_good_and_once_bad_is_one_key() -> None:
    sent = body(trade(), trade(lots=0), trade(1))
    with Decoding(RAW_TRADES_CLOSED, [DAY], lambda _: lines_of(sent)) as decoding:
        decoding.add([(0, lines_of(sent))])
        assert decoding.distinct(3) == 2


@pytest.mark.parametrize(
    "odd", ['"fee":true', '"comment":"a \\"b\\":null"', '"fee" : "?"', '"fee":"null"', '"fee":[1]']
)
def test_what_counting_tokens_cannot_see_is_found_by_parsing(odd: str) -> None:
    sent = body(trade(fee=1), trade(1, fee=0.25)).replace(b'"fee":0.25', odd.encode())
    decoded = decode(RAW_TRADES_CLOSED, [sent], day=DAY)
    assert decoded.rows["fee"].to_pylist() == [1, None]
    assert decoded.unreadable == ({} if "comment" in odd else {"fee": 1})


def test_a_text_that_no_reader_takes_spoils_its_own_row_alone() -> None:
    sent = body(trade(), trade(1, comment="@"), trade(2)).replace(b'"@"', b'"\\ud800"')
    decoded = decode(RAW_TRADES_CLOSED, [sent], day=DAY)
    assert (decoded.rows.num_rows, decoded.received, decoded.repeated) == (2, 3, 0)
    assert decoded.quarantined["reason"].to_pylist() == ["unreadable_json"]


def test_a_day_that_is_sorted_in_pieces_is_the_day_sorted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(3)
    sent = [
        trade(nth, login=chance.choice(["7", "70", "8'", "é"]), platform=chance.choice([4, 5, 10]), position=nth)
        for nth in range(400)
    ]
    at_once = decode(RAW_TRADES_CLOSED, [body(*sent)], day=DAY)
    monkeypatch.setattr(sorting, "PIECE_ROWS", 20)
    monkeypatch.setattr(sorting, "SAMPLE", 3)
    in_pieces = decode(RAW_TRADES_CLOSED, [body(*sent)], day=DAY)
    assert at_once.rows.num_rows == 400
    assert in_pieces.rows.equals(at_once.rows)
