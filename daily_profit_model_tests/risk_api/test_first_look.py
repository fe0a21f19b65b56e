"""What is read at once is what would be read field by field; what is not plainly good is left to that."""

from __future__ import annotations

import importlib
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daily_profit_model.risk_api import second_look
from daily_profit_model.risk_api.decode import decode
from daily_profit_model.risk_api.first_look import FirstLook, Looked, Part, Unusual
from daily_profit_model.risk_api.portions import PART_ROWS
from daily_profit_model.tables.raw import RAW_METRICS_DAILY, RAW_METRICS_HOURLY, RAW_TRADES_CLOSED
from daily_profit_model_tests.risk_api.records import DAY, TRADE, body, metric, trade

decode_module = importlib.import_module("daily_profit_model.risk_api.decode")

odd_values = (
    st.sampled_from(["", " x ", "2026-06-01 10:00:00", "20260601", "901.0", "null", "NaN", "1e400", "é\ud7ff", "Buy"])
    | st.sampled_from([None, True, False, 0, -1, 1.5, 901.0, 2**53 + 1, 2**70, 1e300, [], {}, [1, "a"], {"a": None}])
    | st.integers(-5, 5)
    | st.text(max_size=3)
)
odd_rows = st.builds(
    lambda nth, changes, new: trade(nth, **changes) | new,
    st.integers(0, 5),
    st.dictionaries(st.sampled_from(sorted(TRADE)), odd_values, max_size=3),
    st.dictionaries(st.sampled_from(["venue", "", 'a"b']), odd_values, max_size=1),
)


def lines(*rows: Any) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def looked(*rows: Any, days: tuple[date, ...] = (DAY,)) -> Looked:
    return FirstLook(RAW_TRADES_CLOSED, days).look([(1, 0, lines(*rows))], learns=True)


@given(pages=st.lists(st.lists(odd_rows | st.none() | odd_values, max_size=4), max_size=3))
@settings(max_examples=25, deadline=None)
def test_rows_read_at_once_are_the_rows_read_field_by_field(pages: list[list[Any]]) -> None:
    sent = [orjson.dumps(page, option=orjson.OPT_NON_STR_KEYS) for page in pages if is_json(page)]
    at_once = decode(RAW_TRADES_CLOSED, sent, day=DAY)

    def refuse(self: FirstLook, parts: list[Part], *, learns: bool = False) -> Looked:
        raise Unusual("on purpose")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FirstLook, "look", refuse)
        assert decode(RAW_TRADES_CLOSED, sent, day=DAY) == at_once


def is_json(page: list[Any]) -> bool:
    try:
        orjson.dumps(page)
    except TypeError:  # a whole number of more than 64 bits, half a surrogate pair
        return False
    return True


def test_a_page_of_usual_rows_is_read_at_once() -> None:
    found = looked(trade(), trade(1, stopLoss=5, comment=""), trade(2, fee=...))
    assert found.doubtful == []
    assert found.good["place"].to_pylist() == [1, 2, 3]
    assert found.good["fee"].to_pylist() == [0.0, 0.0, None]


@pytest.mark.parametrize(
    "change",
    [
        {"lots": 0},
        {"side": "Hold"},
        {"closeTime": "2026-05-01T00:00:00.000Z"},
        {"tradeDate": "2026-06-02T00:00:00.000Z"},
        {"tradeDate": "20260601"},
        {"openTime": "2026-05-31 22:15:00"},
        {"profit": 1.1e15},
        {"profit": None},
        {"broker": 1.5},
        {"login": " "},
        {"ticket": "901.0"},
        {"fee": "n/a"},
    ],
    ids=str,
)
def test_one_doubtful_row_leaves_the_others_good(change: dict[str, Any]) -> None:
    found = looked(trade(), trade(1, **change), trade(2))
    assert found.doubtful == [(1, 2)]
    assert found.good["place"].to_pylist() == [1, 3]


@pytest.mark.parametrize("hour", [-1, 24])
def test_an_hour_that_no_day_has_is_doubtful(hour: int) -> None:
    sent = lines(metric(hour=hour, datetime=None), metric(hour=0, datetime=None))
    assert FirstLook(RAW_METRICS_HOURLY, [DAY]).look([(7, 0, sent)], learns=True).doubtful == [(7, 1)]


@pytest.mark.parametrize(
    "rows",
    [
        [trade(position=801, ticket=7), trade(1, position=802)],
        [trade(position="801"), trade(1, position=802)],
        [trade(profit="1.5", fee=" "), trade(1, profit="-2", fee="")],
        [trade(comment=5), trade(1, comment=None)],
        [trade(openTime="2026-05-31 22:15:00"), trade(1, openTime="2026-05-31 22:15:01")],
        [trade(profit="1.5", fee=-0.0, lots="2e-1"), trade(1, position=901)],
    ],
    ids=["ids as numbers", "some ids", "numbers as text", "text as numbers", "times without a zone", "some numbers"],
)
def test_fields_written_otherwise_are_read_at_once_as_well(rows: list[dict[str, Any]]) -> None:
    found = looked(*rows)
    assert found.doubtful == []
    expected = decode(RAW_TRADES_CLOSED, [body(*rows)], day=DAY).rows
    assert found.good.select(expected.column_names).to_pylist() == expected.to_pylist()


@pytest.mark.parametrize("time", ["2026-05-31T22", "2026-05-31 22:15", "10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"])
def test_a_time_is_judged_alone_whatever_stands_beside_it(time: str) -> None:
    alone, beside = looked(trade(openTime=time)), looked(trade(openTime=time), trade(1))
    assert (alone.doubtful, beside.doubtful) == ([(1, 1)], [(1, 1)])


def test_there_is_one_zero() -> None:
    sent = body(trade(fee=1)).replace(b'"fee":1', b'"fee":-0')
    fee = decode(RAW_TRADES_CLOSED, [sent], day=DAY).rows["fee"].to_pylist()[0]
    assert math.copysign(1, fee) == 1


def test_an_unknown_object_with_keys_of_its_own_in_every_row_costs_little() -> None:
    rows = [trade(nth, meta={f"k{nth}": 1}) for nth in range(300)]
    found = looked(*rows)
    assert found.doubtful == []
    assert found.unknown == {(DAY, "meta"): 300}
    assert "meta" not in found.good.column_names


def test_rows_that_are_rejected_all_at_once_pass_within_the_memory() -> None:
    rows = [metric(nth, hour=24, mostTradedSymbol="x" * 40_000) for nth in range(200)]
    pages = [b"".join(orjson.dumps(row) + b"\n" for row in rows[first : first + 100]) for first in (0, 100)]
    with decode_module.Decoding(RAW_METRICS_HOURLY, [DAY], pages.__getitem__) as decoding:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda nth: decoding.add([(nth, pages[nth])]), range(2)))
        decoding.settle()
        assert decoding.day(DAY).quarantined.num_rows == 200


def test_how_a_service_writes_is_remembered_so_that_pages_are_read_together() -> None:
    first_look = FirstLook(RAW_METRICS_DAILY, [DAY])
    pages = [(nth, 0, lines(metric(2 * nth), metric(2 * nth + 1))) for nth in (1, 2)]
    with pytest.raises(Unusual):  # the plan is a number and a ratio is text, which no contract says
        first_look.look(pages)
    first_look.look(pages[:1], learns=True)
    assert first_look.look(pages).good.num_rows == 4


@pytest.mark.parametrize("line", [b"5", b"null", b'"a"', b"[1]", b"[{}]"])
def test_a_line_that_is_no_record_never_comes_to_arrow_s_reader_which_it_would_crash(line: bytes) -> None:
    for sent in (line + b"\n", lines(trade()) + line + b"\n", line + b"\n" + lines(trade())):
        with pytest.raises(Unusual):
            FirstLook(RAW_TRADES_CLOSED, [DAY]).look([(1, 0, sent)])


def test_a_row_that_cannot_be_read_at_once_takes_few_others_along(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []

    def counting(scratch: Any, table: Any, rows: list[bytes], day: Any) -> Any:
        looked_at.append(len(rows))
        return second_look.second_look(scratch, table, rows, day)

    monkeypatch.setattr(decode_module, "second_look", counting)
    rows = [trade(nth, fee=[1] if nth == 700 else 0) for nth in range(1000)]
    decoded = decode(RAW_TRADES_CLOSED, [body(*rows), body(trade(2000))], day=DAY)
    assert (decoded.rows.num_rows, decoded.unreadable) == (1001, {"fee": 1})
    assert sum(looked_at) <= PART_ROWS


def test_values_of_unknown_fields_are_counted_in_good_rows() -> None:
    found = looked(trade(venue="x"), trade(1, venue=None), trade(2, venue="y", lots=0))
    assert found.unknown == {(DAY, "venue"): 1}


def test_reading_does_not_import_pandas() -> None:
    script = f"""
import sys
from datetime import date
from daily_profit_model.risk_api.first_look import FirstLook
from daily_profit_model.tables.raw import RAW_TRADES_CLOSED
look = FirstLook(RAW_TRADES_CLOSED, [date({DAY.year}, {DAY.month}, {DAY.day})]).look([(1, 0, {lines(trade(), trade(1, lots=0))!r})])
assert look.doubtful == [(1, 2)]
sys.exit("pandas" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
