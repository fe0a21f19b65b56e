"""A fetch of numbered rows in pages from the scripted service, for the tests of paging and of resuming."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from daily_profit_model.risk_api import RiskApi, fetch_all
from daily_profit_model.risk_api.envelope import rows_in
from daily_profit_model.risk_api.spool import Spool

Connect = Callable[..., RiskApi]
ENDPOINT = "v2/trades/closed"
KEY = ("login", "ticket")


def rows(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"login": str(n % 7), "ticket": n, "profit": n / 4} for n in range(first, first + count)]


class Keys:
    """A receiver that parses: what came, by its natural key."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def begin(self) -> None:
        self.rows = []

    def page(self, number: int, rows: bytes) -> None:
        self.rows += map(orjson.loads, rows_in(rows))

    def distinct(self, expected: int) -> int:
        return len({tuple(row[name] for name in KEY) for row in self.rows})

    def fingerprint(self) -> tuple[int, int]:
        different = {orjson.dumps(row) for row in self.rows}
        return len(different), sum(map(hash, different))


@dataclass(frozen=True)
class Pages:
    """What a fetch said and what its receiver got."""

    total: int
    requests: int
    retries: int
    rows: list[dict[str, Any]]


def tickets(pages: Pages) -> set[int]:
    return {row["ticket"] for row in pages.rows}


def fetched(api: RiskApi, limit: int = 10, spool: Spool | None = None) -> Pages:
    keys = Keys()
    params = {"trade-date": "20260601"}
    said = fetch_all(api, ENDPOINT, params, limit=limit, spool=spool or Spool(None, "question"), receiver=keys)
    return Pages(said.total, said.requests, said.retries, keys.rows)
