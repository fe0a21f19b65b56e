"""Rows that a service should not send: one maker a kind, each of which spoils a good record."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

import orjson

from daily_profit_model.sandbox.faults.fields import (
    ALL_TIME,
    CLOSED,
    HOURLY,
    IDENTITY,
    NULLED_KEYS,
    NUMBERS,
    REQUIRED,
    REQUIRED_DATES,
    REQUIRED_NUMBERS,
    TRADES,
)

Record = dict[str, Any]
UNREADABLE_DATES: Final = ("not a date", "2026-13-45T00:00:00.000Z", "20260231", "0000-00-00 00:00:00", "yesterday")
UNREADABLE_NUMBERS: Final = ("many", "n/a", "MT5", "0x1F", "--")
SIDES: Final = ("Hold", "BuyLimit", "3", "none")
NOT_FINITE: Final = (b"NaN", b"Infinity", b"-Infinity")
NOT_FINITE_TEXTS: Final = ("NaN", "Infinity", "-Infinity", "inf", "-inf", "nan")
ABSURD: Final = (b"1e16", b"-2500000000000000", b"1.5e300", b"1e400", b'"1e16"', b'"-9999999999999999"')
#: What platforms write into comments.
COMMENTS: Final = (None, "[sl]", 'said "x"', "]},{", "naïve – 😀", "back\\slash", "two\nlines", "100%", "null", "NaN")


def can_be(kind: str, endpoint: str) -> bool:
    """Whether rows of `endpoint` can have this fault."""
    if kind in ("unknown_side", "non_positive_lots", "unresolved_login"):
        return endpoint in TRADES
    if kind == "closed_before_opened":
        return endpoint == CLOSED
    if kind == "hour_out_of_range":
        return endpoint == HOURLY
    if kind in ("null_key", "unreadable_date"):
        return endpoint != ALL_TIME
    return kind != "missing_required" or endpoint in TRADES


def spoil(kind: str, endpoint: str, record: Record, dice: random.Random) -> Record:
    """A copy of a good record with the fault."""
    return _MAKERS[kind](endpoint, dict(record), dice)


def _without(record: Record, name: str, dice: random.Random) -> Record:
    """The field null or, as often, not there at all."""
    record[name] = None
    if dice.random() < 0.5:
        del record[name]
    return record


def _null_key(endpoint: str, record: Record, dice: random.Random) -> Record:
    return _without(record, dice.choice(NULLED_KEYS[endpoint]), dice)


def _missing_required(endpoint: str, record: Record, dice: random.Random) -> Record:
    return _without(record, dice.choice(REQUIRED[endpoint]), dice)


def _test_account(endpoint: str, record: Record, dice: random.Random) -> Record:
    return _without(record, dice.choice(IDENTITY[endpoint]), dice)


def _unreadable_date(endpoint: str, record: Record, dice: random.Random) -> Record:
    return record | {dice.choice(REQUIRED_DATES[endpoint]): dice.choice(UNREADABLE_DATES)}


def _unreadable_number(endpoint: str, record: Record, dice: random.Random) -> Record:
    return record | {dice.choice(REQUIRED_NUMBERS[endpoint]): dice.choice(UNREADABLE_NUMBERS)}


def _unknown_side(endpoint: str, record: Record, dice: random.Random) -> Record:
    return record | {"side": dice.choice(SIDES)}


def _non_positive_lots(endpoint: str, record: Record, dice: random.Random) -> Record:
    return record | {"lots": dice.choice((0, 0.0, -0.01, -3, "0", "-0.5"))}


def _closed_before_opened(endpoint: str, record: Record, dice: random.Random) -> Record:
    # the opening moves, so that the close stays within the day
    year = int(record["closeTime"][:4]) + dice.randint(1, 3)
    return record | {"openTime": f"{year}{record['closeTime'][4:]}".replace("-02-29", "-03-01")}


def _hour_out_of_range(endpoint: str, record: Record, dice: random.Random) -> Record:
    return record | {"hour": dice.choice((24, -1, 99, "25"))}


def _not_finite(endpoint: str, record: Record, dice: random.Random) -> Record:
    return record | {dice.choice(NUMBERS[endpoint]): orjson.Fragment(dice.choice(NOT_FINITE))}


def _not_finite_text(endpoint: str, record: Record, dice: random.Random) -> Record:
    return record | {dice.choice(NUMBERS[endpoint]): dice.choice(NOT_FINITE_TEXTS)}


def _absurd_number(endpoint: str, record: Record, dice: random.Random) -> Record:
    return record | {dice.choice(NUMBERS[endpoint]): orjson.Fragment(dice.choice(ABSURD))}


def _unresolved_login(endpoint: str, record: Record, dice: random.Random) -> Record:
    """A good trade all the same; in whole seconds, so that each of its dates has every form."""
    times = {name: record[name][:19] + ".000Z" for name in ("openTime", "closeTime") if name in record}
    return record | times | {"comment": dice.choice(COMMENTS)}


_MAKERS: Final[dict[str, Callable[[str, Record, random.Random], Record]]] = {
    "null_key": _null_key,
    "missing_required": _missing_required,
    "unreadable_date": _unreadable_date,
    "unreadable_number": _unreadable_number,
    "unknown_side": _unknown_side,
    "non_positive_lots": _non_positive_lots,
    "closed_before_opened": _closed_before_opened,
    "hour_out_of_range": _hour_out_of_range,
    "not_finite": _not_finite,
    "not_finite_text": _not_finite_text,
    "absurd_number": _absurd_number,
    "test_account": _test_account,
    "unresolved_login": _unresolved_login,
}
