"""A question on its way: what is asked, the request that was sent for it, and what is measured of that.

No waiting and no deciding here; both belong to `client`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from daily_profit_model.risk_api.breaker import State
from daily_profit_model.risk_api.gate import Leave
from daily_profit_model.risk_api.measurement import Measurement, Outcome
from daily_profit_model.risk_api.transport import Answer, Params
from daily_profit_model.risk_api.tries import Tries

_T = TypeVar("_T")


@dataclass
class Question(Generic[_T]):
    """What is asked, how its answer is read, and what became of it so far."""

    endpoint: str
    params: Params
    reader: Callable[[bytes], _T]
    rows_of: Callable[[_T], int | None]
    tries: Tries
    ready_at: float
    """Since when it waits to be asked (again), by the client's clock."""


@dataclass
class Sent:
    """One request of a question: from when to when, and its answer if there was one."""

    leave: Leave
    started_at: datetime
    began: float
    ended: float = field(init=False)
    answer: Answer | None = None

    def __post_init__(self) -> None:
        self.ended = self.began

    def measured(
        self,
        question: Question[_T],
        outcome: Outcome,
        breaker_state: State,
        *,
        rows: int | None = None,
        opened_breaker: bool = False,
    ) -> Measurement:
        """What this request took; the question has been waiting since the one before it ended."""
        limited = self.leave.permit.limited_s
        return Measurement(
            started_at=self.started_at,
            endpoint=question.endpoint,
            outcome=outcome,
            status=self.answer.status if self.answer else None,
            latency_s=self.ended - self.began,
            bytes=len(self.answer.body) if self.answer else 0,
            rows=rows,
            attempt=question.tries.made,
            limited_s=limited,
            held_s=max(0.0, self.began - question.ready_at - limited),
            breaker_state=breaker_state,
            opened_breaker=opened_breaker,
        )
