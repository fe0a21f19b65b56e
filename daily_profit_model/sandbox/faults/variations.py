"""A world's row written in another way the service is known for, or with other optional values."""

from __future__ import annotations

import json
import random
from typing import Any, Final

import orjson

from daily_profit_model.sandbox.faults.fields import DISPENSABLE, DISPENSABLE_NUMBERS, EXTREMES, IDS
from daily_profit_model.sandbox.faults.plan import CHANGED, VARIED, FaultPlan

Record = dict[str, Any]
#: Fields that no contract knows, some of them hard on those who cut JSON by hand.
UNKNOWN_FIELDS: Final[dict[str, Any]] = {
    "serverTime": 1781136000,
    "is_hedged": True,
    "note": 'he said "no" ]},{"data":[',
    "риск": "naïve – ünïcode 😀 \\ / \n\t",
    "nested": {"data": [1, {"total": 0}], "side": "Buy"},
    "tags": ["a", None, 1.5],
    "nothing": None,
}
EXTREME_VALUES: Final = (12_345.678, -87_315.2, 999_999_999.5, 1e14, -1e15, 1e15, 4e-12)
#: Text that stands where a number should.
NO_NUMBERS: Final = ("n/a", "-", "#REF!", "twelve")
#: Fields of one row that a variation changes.
MOST_FIELDS: Final = 4


def changed(plan: FaultPlan, endpoint: str, record: Record, dice: random.Random) -> tuple[Record, Record]:
    """The row with other optional values, as it is sent and as it is to be understood."""
    sent, meant = dict(record), dict(record)
    for kind in CHANGED:
        if dice.random() >= plan.rate(kind):
            continue
        if kind == "no_value":
            name = dice.choice(DISPENSABLE[endpoint])
            meant[name] = sent[name] = None
            if dice.random() < 0.5:
                del sent[name]
        elif kind == "unreadable_optional":
            name = dice.choice(DISPENSABLE_NUMBERS[endpoint])
            sent[name], meant[name] = dice.choice(NO_NUMBERS), None
        else:
            name = dice.choice(EXTREMES[endpoint])
            sent[name] = meant[name] = dice.choice(EXTREME_VALUES)
    return sent, meant


def varied(plan: FaultPlan, record: Record, dice: random.Random) -> bytes:
    """The row as JSON, written in another way; it says the same."""
    kinds = [kind for kind in VARIED if dice.random() < plan.rate(kind)]
    for kind in kinds:
        if kind != "spaced":
            record = _WAYS[kind](record, dice)
    return spaced(record) if "spaced" in kinds else orjson.dumps(record)


def spaced(record: Record) -> bytes:
    """JSON with blanks between its parts, and everything beyond ASCII escaped."""
    return json.dumps(record).encode()


def _integer_as_text(record: Record, dice: random.Random) -> Record:
    return _each(record, dice, lambda value: type(value) is int, str)


def _number_as_text(record: Record, dice: random.Random) -> Record:
    return _each(record, dice, lambda value: type(value) is float, lambda value: _decimal(value, dice))


def _id_as_integer(record: Record, dice: random.Random) -> Record:
    names = [name for name in IDS if isinstance(value := record.get(name), str) and _is_plain_number(value)]
    return record | {name: int(record[name]) for name in dice.sample(names, min(len(names), MOST_FIELDS))}


def _date_form(record: Record, dice: random.Random) -> Record:
    return _each(
        record, dice, lambda value: isinstance(value, str) and value.endswith(".000Z"), lambda value: _date(value, dice)
    )


def _side_case(record: Record, dice: random.Random) -> Record:
    side = record.get("side")
    return record | {"side": dice.choice((side.upper(), side.lower()))} if isinstance(side, str) else record


def _unknown_field(record: Record, dice: random.Random) -> Record:
    names = dice.sample(sorted(UNKNOWN_FIELDS), dice.randint(1, 2))
    parts = [*record.items(), *((name, UNKNOWN_FIELDS[name]) for name in names)]
    if dice.random() < 0.5:  # the order of fields says nothing
        dice.shuffle(parts)
    return dict(parts)


def _null_left_out(record: Record, dice: random.Random) -> Record:
    return {name: value for name, value in record.items() if value is not None}


_WAYS: Final = {
    "integer_as_text": _integer_as_text,
    "number_as_text": _number_as_text,
    "id_as_integer": _id_as_integer,
    "date_form": _date_form,
    "side_case": _side_case,
    "unknown_field": _unknown_field,
    "null_left_out": _null_left_out,
}


def _is_plain_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and str(int(text)) == text


def _each(record: Record, dice: random.Random, fits: Any, write: Any) -> Record:
    names = [name for name, value in record.items() if fits(value)]
    chosen = dice.sample(names, min(len(names), dice.randint(1, MOST_FIELDS)))
    return record | {name: write(record[name]) for name in chosen}


def _decimal(value: float, dice: random.Random) -> str:
    """The shortest text that reads back as the same number, at times with zeros after it."""
    text = repr(value)
    return text + "0" * dice.choice((0, 0, 4, 8)) if text.replace("-", "").replace(".", "").isdigit() else text


def _date(text: str, dice: random.Random) -> str | int:
    """An instant of whole seconds in one of the documented forms."""
    day, time = text[:10], text[11:19]
    forms: list[str | int] = [f"{day} {time}", f"{day}{time}".translate(_DIGITS_ONLY)]
    if time == "00:00:00":
        compact = day.translate(_DIGITS_ONLY)
        forms += [compact, int(compact)]
    return dice.choice(forms)


_DIGITS_ONLY: Final = str.maketrans("", "", "-:")
