"""Hourly bars from a chart endpoint of the Yahoo form (RISK_API.md, "Market bars"): asked by symbol, read by day.

Asking again, rate limit and breaker are the client's (`client`); the rows' contract is in `tables.raw_bars`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.risk_api import quarantine
from daily_profit_model.risk_api.client import RiskApi
from daily_profit_model.risk_api.decoded import Decoded
from daily_profit_model.risk_api.envelope import LONGEST_MESSAGE, MalformedAnswer
from daily_profit_model.risk_api.errors import RequestRefused, ServiceFailing, SourceMissing
from daily_profit_model.risk_api.quarantine import DUPLICATE_KEY, Rejection
from daily_profit_model.risk_api.rows_sql import LARGEST
from daily_profit_model.risk_api.scratch import session
from daily_profit_model.risk_api.transport import Params
from daily_profit_model.tables.contract import FLOAT, INT, TEXT
from daily_profit_model.tables.raw_bars import HOURLY, RAW_MARKET_BARS
from daily_profit_model.tables.raw_regimes import INSTRUMENTS

SETTING = "MARKET_API_BASE_URL"
ENDPOINT = "v8/finance/chart"
DAYS_A_REQUEST = 30
"""720 bars a symbol: one answer of some 50 kB, where such services give hourly bars of years."""
TIMEOUT_S = 30.0

_SAME_AS_HOURLY = (HOURLY, "60m")
"""How services call an hour."""
_PRICES = ("open", "high", "low", "close")
_VALUES = (*_PRICES, "volume")
_CHART = pa.schema([("symbol", TEXT), ("time", INT), *((name, FLOAT) for name in _VALUES)])
_DAY_S = 86_400

_JUDGE = f"""
with versions as (
    select *, count(*) as copies
    from received
    group by all
),
judged as (
    select
        *,
        case
            when greatest({", ".join(f"abs({name})" for name in _VALUES)}) > {LARGEST:.0f} then 'out_of_range'
            when {" + ".join(f"({name} is null)::int" for name in _PRICES)} between 1 and 3 then 'missing_required'
        end as reason
    from versions
)
select
    *,
    row_number() over (
        partition by symbol, time, reason is null
        order by close is null, {", ".join(_VALUES)}
    ) as version
from judged
order by symbol, time, version
"""
"""What arrived, once each. Of a bar that came with different values the least stands, and one without values only
where there is no other."""


@dataclass(frozen=True)
class Chart:
    """What the service said of a symbol: its bars, or (`missing`) why there are none; and in how many requests."""

    bars: pa.Table
    missing: str = ""
    requests: int = 1
    refusal: RequestRefused | None = None


def market_api(base_url: str) -> RiskApi:
    """A client of the chart endpoint; it has no key, and its requests are not those of the risk service's log.

    Raises SourceMissing when there is no address, RequestRefused when it is none.
    """
    if not base_url:
        raise SourceMissing(f"no service of market bars is known: set {SETTING}")
    return RiskApi(base_url, None, timeout=TIMEOUT_S, connections=1, setting=SETTING)


def fetch_bars(api: RiskApi, days: Sequence[date]) -> Iterator[tuple[date, Decoded]]:
    """Each of `days` (ascending, over) with the bars of all instruments.

    Bars of days that were not asked for are left alone. A symbol that the service refuses, or of which it has
    nothing, or bars of another length, is `missing`. Raises RiskApiError when no symbol can be had, or the
    service cannot.
    """
    for chunk in _chunks(days):
        charts = {symbol: _chart(api, symbol, chunk) for symbol in INSTRUMENTS}
        missing = {symbol: chart.missing for symbol, chart in charts.items() if chart.missing}
        if len(missing) == len(charts):
            refusal = next((chart.refusal for chart in charts.values() if chart.refusal), None)
            said = next(iter(missing.values()))
            raise refusal or ServiceFailing(f"no bars of any symbol at {api.base_url} ({said}): check {SETTING}")
        requests = sum(chart.requests for chart in charts.values())
        received = pa.concat_tables(chart.bars for chart in charts.values())
        for day in chunk:
            yield day, _decoded(received, day, missing, requests)
            requests = 0  # told with the first of the days that were asked for together


def read_chart(body: bytes, symbol: str) -> Chart:
    """The bars in an answer to a question for `symbol`. Raises MalformedAnswer."""
    try:
        chart = orjson.loads(body)["chart"]
        if chart.get("error"):
            return _nothing(_said(chart["error"]))
        if not chart.get("result"):
            return _nothing("it has nothing of this symbol")
        result: Mapping[str, Any] = chart["result"][0]
        interval = result["meta"].get("dataGranularity")
        if interval not in _SAME_AS_HOURLY:
            return _nothing(f"it has bars of {interval!r} where {HOURLY!r} was asked for")
        times = result.get("timestamp") or []  # left out where there are no bars
        quote = result["indicators"]["quote"][0] if times else {}
        values = [pa.array(quote[name] if times else [], FLOAT) for name in _VALUES]
        bars = pa.table([pa.repeat(pa.scalar(symbol), len(times)), pa.array(times, INT), *values], schema=_CHART)
    except (ValueError, TypeError, LookupError, AttributeError) as broken:  # Arrow's errors are some of these
        raise MalformedAnswer(f"no chart ({type(broken).__name__}, {len(body):,} bytes)") from None
    if bars["time"].null_count:
        raise MalformedAnswer(f"a chart with bars of no time ({len(body):,} bytes)")
    return Chart(bars)


def _chart(api: RiskApi, symbol: str, days: Sequence[date]) -> Chart:
    params: Params = {"interval": HOURLY, "period1": _epoch(days[0]), "period2": _epoch(days[-1]) + _DAY_S}
    try:
        chart, requests = api.read(f"{ENDPOINT}/{symbol}", params, partial(read_chart, symbol=symbol))
    except RequestRefused as refusal:
        return Chart(_CHART.empty_table(), str(refusal), refusal=refusal)
    return Chart(chart.bars, chart.missing, requests)


def _nothing(said: str) -> Chart:
    return Chart(_CHART.empty_table(), said)


def _said(error: object) -> str:
    told = error.get("description") or error.get("code") if isinstance(error, dict) else error
    return " ".join(str(told or "an error without a word").split())[:LONGEST_MESSAGE]


def _chunks(days: Sequence[date]) -> Iterator[list[date]]:
    """Days that are asked for together."""
    chunk: list[date] = []
    for day in days:
        if chunk and day - chunk[0] >= timedelta(days=DAYS_A_REQUEST):
            yield chunk
            chunk = []
        chunk.append(day)
    if chunk:
        yield chunk


def _epoch(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _decoded(received: pa.Table, day: date, missing: dict[str, str], requests: int) -> Decoded:
    """The bars of a day: one row a symbol and start."""
    begin = _epoch(day)
    of_day = received.filter((pc.field("time") >= begin) & (pc.field("time") < begin + _DAY_S))
    with session() as scratch:
        scratch.register("received", of_day)
        judged = scratch.sql(_JUDGE).to_arrow_table()
    is_good = pc.and_(pc.is_null(judged["reason"]), pc.equal(judged["version"], 1))
    good = judged.filter(is_good)
    rows = pa.table(
        {
            **{name: good[name] for name in ("symbol", *_VALUES)},
            "date": pa.repeat(pa.scalar(day), good.num_rows),
            "bar_start": pc.cast(pc.multiply(good["time"], 1000), RAW_MARKET_BARS.column("bar_start").type),
            "interval": pa.repeat(pa.scalar(HOURLY), good.num_rows),
        }
    )
    rejected = [_rejection(row) for row in judged.filter(pc.invert(is_good)).to_pylist()]
    return Decoded(
        rows.select(RAW_MARKET_BARS.column_names).cast(RAW_MARKET_BARS.schema()),
        quarantine.of_rejections(RAW_MARKET_BARS, day, rejected),
        received=of_day.num_rows,
        repeated=of_day.num_rows - judged.num_rows,
        missing=missing,
        requests=requests,
    )


def _rejection(row: Mapping[str, Any]) -> Rejection:
    payload = {name: row[name] for name in _CHART.names}
    return Rejection(row["reason"] or DUPLICATE_KEY, None, orjson.dumps(payload).decode())
