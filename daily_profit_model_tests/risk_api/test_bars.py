"""Market bars: charts become rows by day; nothing is lost, and what a service does not have is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest

from daily_profit_model.risk_api import Decoded, RequestRefused, ServiceFailing, SourceMissing
from daily_profit_model.risk_api.bars import fetch_bars, market_api, read_chart
from daily_profit_model.risk_api.client import RiskApi
from daily_profit_model.risk_api.envelope import MalformedAnswer
from daily_profit_model.sandbox.server import running
from daily_profit_model.sandbox.world import WorldSettings, generate
from daily_profit_model.tables.raw import RAW_MARKET_BARS, RAW_QUARANTINE
from daily_profit_model.tables.raw_regimes import INSTRUMENTS

DAY = date(2026, 6, 1)
MIDNIGHT = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
HOUR = 3600


def chart(times: list[int], interval: str = "1h", error: object = None, **columns: list[Any]) -> dict[str, Any]:
    quote = {name: columns.get(name, [1.5] * len(times)) for name in ("open", "high", "low", "close", "volume")}
    result = {"meta": {"dataGranularity": interval}, "timestamp": times, "indicators": {"quote": [quote]}}
    return {"chart": {"result": [result], "error": error}}


class Charts(RiskApi):
    """A client that answers from a dictionary and notes what it is asked."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.base_url, self.answers, self.asked = "http://127.0.0.1:1/", answers, []

    def read(self, endpoint: str, params: Any, reader: Any, **_: Any) -> Any:
        self.asked.append((endpoint, params))
        answer = self.answers.get(endpoint.rsplit("/", 1)[1], chart([]))
        if isinstance(answer, Exception):
            raise answer
        return reader(orjson.dumps(answer)), 1


def fetched(answers: dict[str, Any], days: tuple[date, ...] = (DAY,)) -> dict[date, Decoded]:
    return dict(fetch_bars(Charts(answers), days))


def test_a_chart_becomes_rows_of_the_contract_sorted_by_its_key() -> None:
    times = [MIDNIGHT + HOUR, MIDNIGHT]
    decoded = fetched({"EURUSD": chart(times, high=[2, 2.5], volume=[None, 7]), "BTCUSD": chart(times)})[DAY]
    assert decoded.rows.schema == RAW_MARKET_BARS.schema()
    keys = [(row["symbol"], row["bar_start"].hour) for row in decoded.rows.to_pylist()]
    assert keys == [("BTCUSD", 0), ("BTCUSD", 1), ("EURUSD", 0), ("EURUSD", 1)]
    first = decoded.rows.to_pylist()[2]
    assert first == {
        "date": DAY,
        "symbol": "EURUSD",
        "bar_start": datetime(2026, 6, 1, tzinfo=UTC),
        "interval": "1h",
        "open": 1.5,
        "high": 2.5,
        "low": 1.5,
        "close": 1.5,
        "volume": 7.0,
    }
    assert decoded.rows.to_pylist()[3]["volume"] is None
    assert (decoded.received, decoded.repeated, decoded.quarantined.num_rows, decoded.requests) == (4, 0, 0, 10)


def test_an_hour_without_values_stays_a_row_without_values() -> None:
    nothing = {name: [None] for name in ("open", "high", "low", "close", "volume")}
    decoded = fetched({"EURUSD": chart([MIDNIGHT], **nothing)})[DAY]
    (row,) = decoded.rows.to_pylist()
    assert {row[name] for name in nothing} == {None}
    assert decoded.quarantined.num_rows == 0


def test_bars_that_cannot_be_used_are_quarantined_with_their_reason_and_all_are_counted() -> None:
    times = [MIDNIGHT + hour * HOUR for hour in (0, 0, 1, 2, 3, 3)]
    high = [1.5, 1.5, None, 1e16, 1.6, 1.7]
    decoded = fetched({"EURUSD": chart(times, high=high)})[DAY]
    rejected = {(row["reason"], orjson.loads(row["payload"])["high"]) for row in decoded.quarantined.to_pylist()}
    assert rejected == {("missing_required", None), ("out_of_range", 1e16), ("duplicate_key", 1.7)}
    assert decoded.quarantined.schema == RAW_QUARANTINE.schema()
    assert [row["high"] for row in decoded.rows.to_pylist()] == [1.5, 1.6]
    assert (decoded.received, decoded.repeated) == (6, 1)
    assert decoded.received == decoded.rows.num_rows + decoded.quarantined.num_rows + decoded.repeated


def test_a_bar_with_values_stands_against_one_of_its_hour_without() -> None:
    values: dict[str, list[Any]] = {name: [None, 1.5] for name in ("open", "high", "low", "close", "volume")}
    decoded = fetched({"EURUSD": chart([MIDNIGHT, MIDNIGHT], **values)})[DAY]
    assert [row["close"] for row in decoded.rows.to_pylist()] == [1.5]
    assert decoded.quarantined["reason"].to_pylist() == ["duplicate_key"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (RequestRefused("v8/finance/chart/EURUSD answered HTTP 404"), "HTTP 404"),
        ({"chart": {"result": None, "error": {"code": "Not Found", "description": "No data\nfound"}}}, "No data found"),
        ({"chart": {"result": None, "error": None}}, "nothing of this symbol"),
        (chart([MIDNIGHT], interval="1d"), "'1d' where '1h'"),
    ],
    ids=["refused", "error", "nothing", "another interval"],
)
def test_a_symbol_that_cannot_be_had_is_told_and_the_others_are_stored(answer: Any, said: str) -> None:
    decoded = fetched({"EURUSD": answer, "BTCUSD": chart([MIDNIGHT])})[DAY]
    assert decoded.rows["symbol"].to_pylist() == ["BTCUSD"]
    assert list(decoded.missing) == ["EURUSD"]
    assert said in decoded.missing["EURUSD"]


def test_a_closed_market_is_no_missing_symbol() -> None:
    decoded = fetched({})[DAY]
    assert (decoded.rows.num_rows, decoded.received, decoded.missing) == (0, 0, {})


def test_a_service_that_has_no_symbol_at_all_is_an_error_and_no_empty_day() -> None:
    with pytest.raises(RequestRefused, match="HTTP 401"):
        fetched({symbol: RequestRefused("answered HTTP 401") for symbol in INSTRUMENTS})
    with pytest.raises(ServiceFailing, match=r"no bars of any symbol .* \(down\): check MARKET_API_BASE_URL"):
        fetched({symbol: {"chart": {"result": None, "error": "down"}} for symbol in INSTRUMENTS})


def test_days_are_asked_for_together_and_say_the_same_as_alone() -> None:
    days = tuple(DAY + timedelta(days=offset) for offset in (0, 1, 3, 40))
    times = [MIDNIGHT + hour * HOUR for hour in range(24 * 41)]
    answers = {"EURUSD": chart(times)}
    together = fetched(answers, days)
    api = Charts(answers)
    assert [day for day, _ in fetch_bars(api, days)] == list(days)
    assert len(api.asked) == 2 * len(INSTRUMENTS)
    assert api.asked[0][1] == {"interval": "1h", "period1": MIDNIGHT, "period2": MIDNIGHT + 4 * 24 * HOUR}
    for day in days:
        assert together[day].rows.equals(fetched(answers, (day,))[day].rows)
        assert together[day].rows.num_rows == together[day].received == 24
    assert [together[day].requests for day in days] == [10, 0, 0, 10]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"finance": {}}',
        orjson.dumps(chart([MIDNIGHT], high=[1.0, 2.0])),
        orjson.dumps(chart([MIDNIGHT], high=["a"])),
        orjson.dumps(chart([None])),  # type: ignore[list-item]  # as a broken service would
        orjson.dumps({"chart": {"result": [{"meta": {"dataGranularity": "1h"}, "timestamp": [1]}], "error": None}}),
    ],
)
def test_an_answer_that_is_no_chart_is_asked_for_again(body: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        read_chart(body, "EURUSD")


def test_without_an_address_the_error_says_what_to_set() -> None:
    with pytest.raises(SourceMissing, match="set MARKET_API_BASE_URL"):
        market_api("")
    with pytest.raises(RequestRefused, match="MARKET_API_BASE_URL is not an address"):
        market_api("bars.example")


@contextmanager
def served_market() -> Iterator[str]:
    with running(generate(WorldSettings(accounts=10, days=1, warmup_days=0, seed=1, end=DAY)), api_key="k") as address:
        yield f"{address.root}/market/"


def test_a_served_firm_is_read_without_a_key_and_its_refusals_name_the_setting() -> None:
    with served_market() as base_url:
        with market_api(base_url) as api:
            assert "apiKey" not in api._transport._session.headers
            ((_, decoded),) = fetch_bars(api, [DAY])
        assert set(decoded.rows["symbol"].to_pylist()) == set(INSTRUMENTS)
        assert decoded.rows.num_rows == decoded.received == 240
        with market_api(f"{base_url}elsewhere/") as api, pytest.raises(RequestRefused, match="MARKET_API_BASE_URL"):
            dict(fetch_bars(api, [DAY]))
