"""What a request may ask: parameters of each endpoint, their forms and limits.

Raises Refused with the HTTP status that the service would answer; rows are chosen in service.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Final
from urllib.parse import parse_qsl

from daily_profit_model.sandbox.records import day_number

LISTS: Final = frozenset(
    {
        "logins",
        "traders",
        "accountIds",
        "types",
        "phases",
        "providers",
        "platforms",
        "symbols",
        "dates",
        "hours",
    }
)
#: Lists of ids, which a URL can hold only so many of.
ID_LISTS: Final = frozenset({"logins", "traders", "accountIds"})
INTEGERS: Final = frozenset({"types", "phases", "providers", "platforms", "hours"})
PAGING: Final = frozenset({"limit", "skip", "include-total"})
_METRICS: Final = frozenset({"logins", "accountIds", "types", "phases", "providers", "platforms"})
_OPEN: Final = frozenset(
    {
        "logins",
        "symbols",
        "trade-date",
        "trade-date-from",
        "trade-date-to",
        "open-time-from",
        "open-time-to",
    }
)
ALLOWED: Final = {
    "accounts": frozenset({"logins", "traders"}),
    "v2/metrics/alltime": _METRICS,
    "v2/metrics/daily": _METRICS | {"dates"},
    "v2/metrics/hourly": _METRICS | {"dates", "hours"},
    "v2/trades/closed": _OPEN | {"close-time-from", "close-time-to"},
    "v2/trades/open": _OPEN,
}
MOST_IDS: Final = 100
MOST_IDS_HOURLY: Final = 25
MOST_ROWS: Final = 1000
MOST_ACCOUNTS: Final = 500


class Refused(Exception):
    """A request the service does not answer; carries the HTTP status and the message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Query:
    """A valid request: lists as sets of text or int, dates as days since 1970-01-01."""

    endpoint: str
    limit: int
    skip: int
    include_total: bool
    lists: dict[str, frozenset[str] | frozenset[int]] = field(default_factory=dict)
    dates: dict[str, int] = field(default_factory=dict)

    @property
    def selection(self) -> tuple[object, ...]:
        """What is asked for, paging aside; hashable."""
        return (
            self.endpoint,
            tuple(sorted((name, values) for name, values in self._lists())),
            tuple(sorted(self.dates.items())),
        )

    def _lists(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(name, tuple(sorted(map(str, values)))) for name, values in self.lists.items()]


def parse(endpoint: str, query_string: str) -> Query:
    """Read the query string of `endpoint`; raises Refused 404, 400 or 414."""
    if endpoint not in ALLOWED:
        raise Refused(404, f"unknown endpoint {endpoint}")
    most = MOST_ACCOUNTS if endpoint == "accounts" else MOST_ROWS
    paging = {"limit": most, "skip": 0, "include-total": 0}
    lists: dict[str, frozenset[str] | frozenset[int]] = {}
    dates: dict[str, int] = {}
    for name, text in parse_qsl(query_string, keep_blank_values=True):
        if name in PAGING:
            paging[name] = _integer(name, text)
        elif name not in ALLOWED[endpoint]:
            raise Refused(400, f"unknown parameter {name}")
        elif name in LISTS:
            lists[name] = _list(endpoint, name, text)
        else:
            dates[name] = _day(name, text)
    if not 1 <= paging["limit"] <= most:
        raise Refused(400, f"limit must be between 1 and {most}")
    return Query(endpoint, paging["limit"], paging["skip"], paging["include-total"] == 1, lists, dates)


def _list(endpoint: str, name: str, text: str) -> frozenset[str] | frozenset[int]:
    values = [value.strip() for value in text.split(",") if value.strip()]
    most = MOST_IDS_HOURLY if endpoint == "v2/metrics/hourly" else MOST_IDS
    if name in ID_LISTS and len(values) > most:
        raise Refused(414, f"at most {most} {name} in a request")
    if name == "dates":
        return frozenset(_day(name, value) for value in values)
    if name in INTEGERS:
        numbers = frozenset(_integer(name, value) for value in values)
        if name == "hours" and any(number > 23 for number in numbers):
            raise Refused(400, "hours must be between 0 and 23")
        return numbers
    return frozenset(values)


def _integer(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Refused(400, f"{name} must be a whole number, not {text!r}")
    return int(text)


def _day(name: str, text: str) -> int:
    try:
        if len(text) != 8 or not text.isdigit():
            raise ValueError(text)
        return day_number(date(int(text[:4]), int(text[4:6]), int(text[6:])))
    except ValueError:
        raise Refused(400, f"{name} must be a date as YYYYMMDD, not {text!r}") from None
