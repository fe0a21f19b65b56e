"""Pages that do not fit together: rows that appear meanwhile, another order, repeated rows, short pages.

Only the first rounds through a question's pages are unsteady (a round begins with the first page); from the
third on its rows stay as they are, so that whoever asks again gets them all. Short pages, and repeated rows
beyond the last one, remain: no row is missing for them.
"""

from __future__ import annotations

import math
import random
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from daily_profit_model.sandbox.faults.plan import FaultPlan

#: Rounds in which rows can appear; in the first one also order and repetition change.
UNSTEADY_ROUNDS: Final = 2
#: Rows that appear at once, and rows that are repeated in a page.
MOST_ROWS: Final = 4


@dataclass
class _Question:
    """How one question is unsteady, and how often its pages were asked for."""

    insertions: int
    is_reordered: bool
    repeats: bool
    is_short: bool
    rounds: int = 0
    asked: int = 0
    inserted: int = 0
    late: tuple[frozenset[int], ...] = field(default=())
    """Places of the rows that each insertion brings."""


class Paging:
    """Cuts pages out of the rows of a question. Safe for many threads."""

    def __init__(self, plan: FaultPlan, counted: Counter[str]) -> None:
        self._plan, self._counted = plan, counted
        self._lock = threading.Lock()
        self._questions: dict[tuple[object, ...], _Question] = {}

    def page(
        self, question: tuple[object, ...], rows: Sequence[bytes], skip: int, limit: int
    ) -> tuple[list[bytes], int]:
        """The rows of a page, and the total that it tells."""
        if limit <= 1 or not rows:  # a count is right
            return list(rows[skip : skip + limit]), len(rows)
        with self._lock:
            state = self._state(question, len(rows))
            state.asked += 1
            dice = self._plan.dice("page", *question, state.asked)
            self._advance(state, skip)
            size = self._size(state, limit, dice)
            visible = self._visible(state, rows)
            if skip == 0 and size >= len(visible) and len(visible) < len(rows):
                # whoever sees all rows in one page would never come back for the others
                state.inserted, visible = state.insertions, rows
            return self._cut(state, visible, skip, size, limit, dice), len(visible)

    def _state(self, question: tuple[object, ...], count: int) -> _Question:
        if question not in self._questions:
            dice = self._plan.dice("question", *question)
            insertions = dice.randint(1, UNSTEADY_ROUNDS) if dice.random() < self._plan.rate("inserted") else 0
            self._questions[question] = _Question(
                insertions,
                is_reordered=dice.random() < self._plan.rate("reordered"),
                repeats=dice.random() < self._plan.rate("repeated"),
                is_short=dice.random() < self._plan.rate("short"),
                late=tuple(
                    frozenset(dice.randrange(count) for _ in range(dice.randint(1, MOST_ROWS)))
                    for _ in range(insertions)
                ),
            )
        return self._questions[question]

    def _advance(self, state: _Question, skip: int) -> None:
        """A first page begins a round; a later one finds the rows that appeared meanwhile, once a round."""
        if skip == 0 or state.rounds == 0:
            state.rounds += 1
        if state.rounds > UNSTEADY_ROUNDS:
            state.inserted = state.insertions
        elif skip > 0 and state.inserted < min(state.insertions, state.rounds):
            state.inserted += 1
            self._counted["inserted"] += 1

    def _size(self, state: _Question, limit: int, dice: random.Random) -> int:
        if not state.is_short or dice.random() < 0.5:
            return limit
        self._counted["short"] += 1
        return max(1, int(limit * dice.uniform(0.3, 0.95)))

    def _visible(self, state: _Question, rows: Sequence[bytes]) -> Sequence[bytes]:
        missing = frozenset().union(*state.late[state.inserted :])
        return [row for place, row in enumerate(rows) if place not in missing] if missing else rows

    def _cut(
        self, state: _Question, rows: Sequence[bytes], skip: int, size: int, limit: int, dice: random.Random
    ) -> list[bytes]:
        places = range(skip, min(skip + size, len(rows)))
        page = [rows[place] for place in places]
        if not page:
            return page
        if state.rounds == 1 and state.is_reordered:
            self._counted["reordered"] += 1
            step, start = _coprime(len(rows), dice), dice.randrange(len(rows))
            page = [rows[(start + step * place) % len(rows)] for place in places]
        if state.repeats:
            self._repeat(state, page, rows, is_last=skip + len(page) == len(rows), room=limit - len(page), dice=dice)
        return page

    def _repeat(
        self,
        state: _Question,
        page: list[bytes],
        rows: Sequence[bytes],
        *,
        is_last: bool,
        room: int,
        dice: random.Random,
    ) -> None:
        before = len(page)
        if is_last:
            page += [dice.choice(rows) for _ in range(min(room, dice.randint(1, MOST_ROWS)))]
        if state.rounds == 1:
            for _ in range(dice.randint(1, MOST_ROWS)):
                page[dice.randrange(before)] = dice.choice(rows)
        self._counted["repeated"] += state.rounds == 1 or len(page) > before


def _coprime(count: int, dice: random.Random) -> int:
    """A step that visits every one of `count` places."""
    while True:
        step = dice.randrange(1, count + 1)
        if math.gcd(step, count) == 1:
            return step
