"""Answers that do not come, or come broken: decided by request, never so often that asking again is in vain."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import orjson

from daily_profit_model.sandbox.answers import Response, failure
from daily_profit_model.sandbox.faults.plan import TRANSPORT, FaultPlan

#: After so many faults in a row a request is answered.
MOST_IN_A_ROW: Final = 3
#: After so many faults in a row over all requests the next one is answered: the service is ill, not dead.
MOST_TOGETHER: Final = 6
SERVER_ERRORS: Final = (500, 502, 503)
ENVELOPES: Final = (
    {"Status": "fail", "Error": "query failed:\n deadlock, try again"},
    {"Status": "error", "Message": "upstream not available"},
    {"Status": "fail", "Message": "time-out of the database", "Data": None},
)


class Transport:
    """Spoils answers. Safe for many threads."""

    def __init__(self, plan: FaultPlan, counted: Counter[str]) -> None:
        self._plan, self._counted = plan, counted
        self._lock = threading.Lock()
        self._asked: Counter[str] = Counter()
        self._in_a_row: Counter[str] = Counter()
        self._still_failing: Counter[str] = Counter()
        self._together = 0

    def answer(self, target: str, true_answer: Callable[[], Response]) -> Response:
        """The answer to a request, or what comes in its place."""
        kind, dice = self._decide(target)
        if kind is None:
            return true_answer()
        if kind == "http_429":
            return failure(429, "too many requests", {"Retry-After": "1"})
        if kind == "http_429_bare":
            return failure(429, "too many requests")
        if kind == "server_errors":
            return Response(dice.choice(SERVER_ERRORS), b"<html><body>Bad gateway</body></html>")
        if kind == "error_envelope":
            return Response(200, orjson.dumps(dice.choice(ENVELOPES)))
        return _damaged(kind, true_answer(), dice, self._plan.slow_seconds)

    def _decide(self, target: str) -> tuple[str | None, random.Random]:
        with self._lock:
            self._asked[target] += 1
            dice = self._plan.dice("transport", target, self._asked[target])
            kind = self._drawn(target, dice)
            if kind is None:
                self._in_a_row[target] = self._still_failing[target] = self._together = 0
            else:
                self._in_a_row[target] += 1
                self._together += 1
                self._counted[kind] += 1
            return kind, dice

    def _drawn(self, target: str, dice: random.Random) -> str | None:
        if self._in_a_row[target] >= MOST_IN_A_ROW or self._together >= MOST_TOGETHER:
            return None
        if self._still_failing[target]:
            self._still_failing[target] -= 1
            return "server_errors"
        drawn = dice.random()
        for kind in TRANSPORT:
            drawn -= self._plan.rate(kind)
            if drawn < 0:
                if kind == "server_errors":
                    self._still_failing[target] = dice.randint(1, 2)
                return kind
        return None


def _damaged(kind: str, response: Response, dice: random.Random, slow_seconds: float) -> Response:
    if kind == "slow":
        return replace(response, delay_s=slow_seconds)
    end = dice.randrange(len(response.body))
    if kind == "truncated":
        return replace(response, body=response.body[:end])
    return replace(response, breaks_after=end, is_reset=dice.random() < 0.7)
