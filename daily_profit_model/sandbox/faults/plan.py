"""The kinds of faults, how often each occurs, and the dice that decide.

What a kind does stands in the module of its group: `transport`, `paging`, `variations`, `malformed`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import Final, Self

#: Share of the requests that meet the fault: least and most in a random plan.
TRANSPORT: Final = {
    "http_429": (0.01, 0.03),  # with Retry-After: 1
    "http_429_bare": (0.01, 0.03),
    "server_errors": (0.01, 0.03),  # 500, 502 or 503, two or three times in a row
    "reset": (0.01, 0.03),  # part of the body, then the connection is reset or closed
    "truncated": (0.01, 0.03),  # part of the body, announced as the whole
    "error_envelope": (0.01, 0.03),  # HTTP 200 that says `fail`
    "slow": (0.01, 0.02),  # later than the client waits
}
#: Share of the questions (a selection of rows, whatever its pages) that meet the fault.
PAGING: Final = {
    "inserted": (0.2, 0.6),  # rows appear while the question is paged for the first or second time
    "reordered": (0.1, 0.4),  # another order in every request, the first time
    "repeated": (0.2, 0.6),  # rows twice in a page or in two pages
    "short": (0.2, 0.6),  # some pages have fewer rows than were asked for
}
#: Mean number of added rows by table and day.
PLANTED: Final = {
    "null_key": (0.2, 0.6),
    "missing_required": (0.2, 0.6),
    "unreadable_date": (0.2, 0.6),
    "unreadable_number": (0.2, 0.6),
    "unknown_side": (0.2, 0.6),
    "non_positive_lots": (0.2, 0.6),
    "closed_before_opened": (0.2, 0.6),
    "hour_out_of_range": (0.2, 0.6),
    "not_finite": (0.2, 0.6),  # NaN, Infinity, -Infinity as they stand in no JSON standard
    "not_finite_text": (0.2, 0.6),
    "absurd_number": (0.2, 0.6),  # beyond 1e15
    "test_account": (0.2, 2.0),  # without accountId, login, platform or broker
    "unresolved_login": (0.2, 2.0),  # good trades of a login that no account has
}
#: Share of the world's rows that are written in another way; what they say stays.
VARIED: Final = {
    "integer_as_text": (0.02, 0.2),
    "number_as_text": (0.02, 0.2),
    "id_as_integer": (0.02, 0.2),
    "date_form": (0.02, 0.2),
    "side_case": (0.02, 0.2),
    "unknown_field": (0.02, 0.2),
    "spaced": (0.02, 0.2),  # blanks between the parts of the JSON
    "null_left_out": (0.02, 0.2),
}
#: Share of the world's rows in which an optional value is another one: the truth says so too.
CHANGED: Final = {
    "no_value": (0.02, 0.1),  # absent or null
    "unreadable_optional": (0.02, 0.1),  # becomes null
    "extreme": (0.02, 0.1),  # a large number, as it occurs
}
KINDS: Final = TRANSPORT | PAGING | PLANTED | VARIED | CHANGED


@dataclass(frozen=True)
class FaultPlan:
    """Which faults occur how often. A kind that is not in `rates` does not occur.

    `slow_seconds`: how late a slow answer is; make it longer than the client's time-out. Equal plans spoil equal
    rows equally; transport and paging also depend on how often something was asked.
    """

    seed: int
    rates: Mapping[str, float] = field(default_factory=dict)
    slow_seconds: float = 1.5

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.rates) - set(KINDS)):
            raise ValueError(f"no such fault: {', '.join(unknown)}; there are {', '.join(KINDS)}")
        if wrong := sorted(kind for kind, rate in self.rates.items() if not 0 <= rate < float("inf")):
            raise ValueError(f"the rate of {', '.join(wrong)} must be a number of at least 0")
        object.__setattr__(self, "rates", MappingProxyType(dict(self.rates)))

    @classmethod
    def random(cls, seed: int, *, slow_seconds: float = 1.5) -> Self:
        """All kinds at once, each at a rate that the seed decides."""
        dice = Random(seed)
        rates = {kind: dice.uniform(least, most) for kind, (least, most) in KINDS.items()}
        return cls(seed, rates, slow_seconds)

    def rate(self, kind: str) -> float:
        """How often `kind` occurs."""
        return self.rates.get(kind, 0.0)

    def dice(self, *about: object) -> Random:
        """The same numbers for the same seed and subject, whoever asks and when."""
        text = "\x1f".join(map(str, (self.seed, *about)))
        return Random(hashlib.blake2b(text.encode(), digest_size=16).digest())

    def number(self, kind: str, dice: Random) -> int:
        """How many rows to plant: the rate on the average."""
        rate = self.rate(kind)
        return int(rate) + (dice.random() < rate - int(rate))
