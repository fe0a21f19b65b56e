"""A small client for the tests: one request, all pages of one, and the clock."""

from __future__ import annotations

import json
from typing import Any

import requests

from daily_profit_model.sandbox.server import Address

KEY = "a-key-for-tests"
#: A Monday in the middle of the tests' world, as requests write it and in days since 1970-01-01.
DAY = "20260601"
NUMBER = 20605


def get(address: Address, endpoint: str, key: str | None = KEY, **parameters: Any) -> requests.Response:
    """One request; an underscore in a parameter's name stands for a hyphen."""
    query = {name.replace("_", "-"): str(value) for name, value in parameters.items()}
    headers = {} if key is None else {"apiKey": key}
    return requests.get(address.base_url + endpoint, params=query, headers=headers, timeout=30)


def every(address: Address, endpoint: str, limit: int = 500, **parameters: Any) -> list[dict[str, Any]]:
    """All rows, page by page, with what each page says of itself checked."""
    rows: list[dict[str, Any]] = []
    while True:
        answer = get(address, endpoint, limit=limit, skip=len(rows), include_total=1, **parameters)
        page = json.loads(answer.content)["Data"]  # bare NaN passes, whatever reader `requests` prefers
        assert (page["skip"], page["limit"], page["count"]) == (len(rows), limit, len(page["data"]))
        rows += page["data"]
        if len(rows) >= page["total"]:
            assert len(rows) == page["total"]
            return rows


def set_clock(address: Address, moment: str, key: str = KEY) -> requests.Response:
    """Set the server's clock."""
    url, body = f"{address.root}/sandbox/clock", {"as_of": moment}
    return requests.post(url, json=body, headers={"apiKey": key}, timeout=30)
