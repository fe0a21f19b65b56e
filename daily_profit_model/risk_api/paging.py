"""All pages of one question, complete or not at all.

The service pages by offset over rows in no promised order, and rows may be inserted meanwhile: a
fetch is complete only when the distinct natural keys received equal a total that did not change.
That cannot see a row taken away while another is added; the service is not known to take rows away.
A single request belongs to `client`, the meaning of rows to `decode`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import structlog

from daily_profit_model.risk_api.client import Params, RiskApi
from daily_profit_model.risk_api.envelope import MalformedAnswer, cut, session
from daily_profit_model.risk_api.errors import IncompleteFetch

ROUNDS = 4
"""How often a fetch is begun anew before it counts as incomplete."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Pages:
    """A complete fetch: each body is a JSON array of rows, in bytes."""

    bodies: list[bytes]
    total: int
    requests: int
    retries: int
    seconds: float


@dataclass(frozen=True)
class _Page:
    rows: bytes
    keys: pa.Table
    total: int | None
    requests: int


def fetch_all(
    api: RiskApi, endpoint: str, params: Params, *, key: Sequence[str], limit: int, rounds: int = ROUNDS
) -> Pages:
    """Every row of `endpoint` under `params`; `key` names the natural key's fields upstream.

    Raises IncompleteFetch when the keys do not equal a stable total in any of `rounds`, and the
    client's errors.
    """
    started, made, answered = api.clock(), 0, 0
    counts = ""
    for round_number in range(1, rounds + 1):
        pages = _round(api, endpoint, params, key, limit)
        made += sum(page.requests for page in pages)
        answered += len(pages)
        first, last = pages[0].total, pages[-1].total
        received = _distinct([page.keys for page in pages])
        if received == first == last:
            bodies = [page.rows for page in pages if page.keys.num_rows]
            return Pages(bodies, received, made, made - answered, api.clock() - started)
        counts = f"{received:,} distinct rows, total {_number(first)} at first and {_number(last)} at last"
        log.warning("risk_api_incomplete_round", endpoint=endpoint, round=round_number, counts=counts)
    raise IncompleteFetch(
        f"{endpoint}: {counts}, after {rounds} rounds: the service's rows keep changing or do not add up, "
        "fetch again later"
    )


def _round(api: RiskApi, endpoint: str, params: Params, key: Sequence[str], limit: int) -> list[_Page]:
    """First page, then the spans between in parallel, then the last span: its total closes the round."""

    def page(skip: int, size: int, with_total: bool) -> _Page:
        asked = {**params, "limit": size, "skip": skip}
        if with_total:
            asked["include-total"] = 1
        return _page(api, endpoint, asked, key)

    def span(start: int, end: int, with_total: bool = False) -> list[_Page]:
        # pages may be shorter than asked for: go on by what arrived, until nothing does
        found: list[_Page] = []
        while start < end:
            found.append(page(start, end - start, with_total))
            if not found[-1].keys.num_rows:
                break
            start += found[-1].keys.num_rows
        return found

    first = page(0, limit, with_total=True)
    total, step = first.total, first.keys.num_rows
    if total is None or step == 0 or step >= total:
        return [first]
    spans = [(start, min(start + step, total)) for start in range(step, total, step)]
    between = _together(api, span, spans[:-1])
    return [first, *(page for pages in between for page in pages), *span(*spans[-1], with_total=True)]


def _together(
    api: RiskApi, span: Callable[[int, int], list[_Page]], spans: Sequence[tuple[int, int]]
) -> list[list[_Page]]:
    """`span` of each, as many in flight as the client has connections; after a failure no more are begun."""
    with ThreadPoolExecutor(api.connections) as pool:
        waiting = [pool.submit(span, *ends) for ends in spans]
        try:
            return [each.result() for each in waiting]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _page(api: RiskApi, endpoint: str, params: Params, key: Sequence[str]) -> _Page:
    def read(body: bytes) -> tuple[bytes, pa.Table, int | None]:
        envelope = cut(body, rows_are_read_next=True)  # natural_keys refuses what is no JSON
        return envelope.rows, natural_keys(envelope.rows, key), envelope.total

    (rows, keys, total), requests = api.read(endpoint, params, read)
    return _Page(rows, keys, total, requests)


def natural_keys(rows: bytes, key: Sequence[str]) -> pa.Table:
    """The key fields of each row of a JSON array, as text; raises MalformedAnswer if it is none."""
    shape = json.dumps([dict.fromkeys(key, "VARCHAR")])
    fields = ", ".join(f'record."{name}"' for name in key)
    with session() as scratch:
        try:
            return scratch.sql(
                f"select {fields} from (select unnest(from_json($rows, $shape)) as record)",
                params={"rows": rows.decode(), "shape": shape},
            ).to_arrow_table()
        except (duckdb.Error, UnicodeDecodeError) as error:
            raise MalformedAnswer("broken JSON in the rows") from error


def _distinct(keys: Sequence[pa.Table]) -> int:
    together = pa.concat_tables(keys)
    return int(together.group_by(together.column_names).aggregate([]).num_rows)


def _number(total: int | None) -> str:
    return "missing" if total is None else f"{total:,}"
