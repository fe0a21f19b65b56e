"""Questions to the risk service: each is asked until it is answered, within the limits, and measured.

The HTTP request itself belongs to `transport`, waiting to `gate`, repeating to `tries`, faults to `faults`;
pages and completeness to `paging`, the meaning of rows to `decode`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self, TypeVar

import structlog
import tenacity

from daily_profit_model.risk_api import envelope, faults
from daily_profit_model.risk_api.breaker import BreakerOpen
from daily_profit_model.risk_api.envelope import Envelope, MalformedAnswer
from daily_profit_model.risk_api.errors import RequestRefused, ServiceFailing
from daily_profit_model.risk_api.exchange import Question, Sent
from daily_profit_model.risk_api.faults import PassingFault
from daily_profit_model.risk_api.gate import UPSTREAM_BURST, UPSTREAM_RATE, Gate, Limits, utc_now
from daily_profit_model.risk_api.measurement import Recorder, forget
from daily_profit_model.risk_api.transport import Answer, Params, Transport
from daily_profit_model.risk_api.tries import ATTEMPTS, Tries

__all__ = ["Params", "RiskApi", "ping"]

_T = TypeVar("_T")

PING_ATTEMPTS = 3
"""A single fault that passes must not end a run before it has begun; a dead host is known within seconds."""

log = structlog.get_logger(__name__)


class RiskApi:
    """A connection to the service: `get` answers the body of one successful, whole answer.

    Safe to share between threads; use it as a context manager. Neither its repr nor its logs or errors hold
    the key. Raises RequestRefused at once for a 4xx, ServiceUnreachable or ServiceFailing when every attempt
    failed, and ServiceFailing when the host's circuit breaker is open for too long.

    `rate` and `burst` are those of a gate of its own; clients of one host in one process share a `gate`. A service
    without a key gets none (null); `setting` holds its address, as errors call it.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        *,
        rate: float = UPSTREAM_RATE,
        burst: int = UPSTREAM_BURST,
        timeout: float = 120.0,
        connections: int = 4,
        attempts: int = ATTEMPTS,
        setting: str = faults.RISK_API,
        gate: Gate | None = None,
        recorder: Recorder = forget,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.connections = connections
        self.clock = clock
        self._transport = Transport(base_url, api_key, timeout=timeout, connections=connections, setting=setting)
        self.base_url = self._transport.base_url
        self._host = self._transport.host
        self._gate = gate or Gate(self._host, Limits(rate, burst), clock=clock, sleep=sleep, now=now)
        self._attempts, self._measure, self._sleep, self._now = attempts, recorder, sleep, now
        self._setting = setting

    def __repr__(self) -> str:
        return f"RiskApi({self._host})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()

    def get(self, endpoint: str, params: Params, *, attempts: int | None = None) -> bytes:
        """The whole body of a successful answer whose envelope says ok."""
        return self.read(endpoint, params, _whole, attempts=attempts)[0]

    def read(
        self,
        endpoint: str,
        params: Params,
        reader: Callable[[bytes], _T],
        *,
        attempts: int | None = None,
        rows_of: Callable[[_T], int | None] | None = None,
    ) -> tuple[_T, int]:
        """`reader` of a successful answer's body, and how many requests that took.

        A reader that raises MalformedAnswer makes the answer one that is asked for again. `attempts` counts
        failures; being asked to slow down (HTTP 429) is none. `rows_of` a value is measured; an Envelope's are known.
        """
        tries = Tries(attempts or self._attempts)
        question = Question(endpoint, params, reader, rows_of or _rows_of, tries, ready_at=self.clock())
        retrying = tenacity.Retrying(
            stop=tries.are_spent,
            wait=tries.wait,
            retry=tenacity.retry_if_exception_type(PassingFault),
            sleep=self._sleep,
            before_sleep=_log_retry,
            reraise=True,
        )
        try:
            value = retrying(self._once, question)
        except PassingFault as fault:
            raise faults.lasting(endpoint, self._host, fault, tries.made, self._setting) from None
        return value, tries.made

    def _once(self, question: Question[_T]) -> _T:
        """One request. Raises PassingFault when another is worth it, RiskApiError when not."""
        try:
            leave = self._gate.enter()
        except BreakerOpen as still:
            raise ServiceFailing(f"{question.endpoint} at {self._host}: {still}: start again later") from None
        question.tries.made += 1
        sent = Sent(leave, self._now(), self.clock())
        try:
            sent.answer = self._answer(question, sent)
            value = self._value(question, sent.answer)
        except PassingFault as fault:
            fault.is_of_probe = leave.granted.is_probe
            question.tries.count(fault)
            opened = self._gate.judged(leave, fault, is_storm=question.tries.is_storm)
            self._measure(sent.measured(question, fault.outcome, self._gate.state, opened_breaker=opened))
            question.ready_at = sent.ended
            raise
        except RequestRefused:
            self._gate.judged(leave, None)  # the host works, whatever it thinks of the request
            self._measure(sent.measured(question, "refused_4xx", self._gate.state))
            raise
        except BaseException:
            self._gate.abandoned(leave)
            raise
        self._gate.judged(leave, None)
        self._measure(sent.measured(question, "ok", self._gate.state, rows=question.rows_of(value)))
        return value

    def _answer(self, question: Question[_T], sent: Sent) -> Answer:
        """The answer to one request, whatever it says."""
        is_refusal, hold = False, 0.0
        try:
            answer = self._transport.send(question.endpoint, question.params)
            is_refusal, hold = answer.status == 429, faults.hold_of(answer.status, answer.retry_after)
        finally:
            sent.ended = self.clock()
            self._gate.arrived(sent.leave, is_refusal=is_refusal, hold=hold)
        return answer

    def _value(self, question: Question[_T], answer: Answer) -> _T:
        """What a whole answer says. Raises PassingFault or RequestRefused when that is nothing good."""
        message = "" if answer.status == 200 else self._transport.said(envelope.message(answer.body), answer.body)
        fault = faults.of_status(
            question.endpoint, self._host, answer.status, answer.retry_after, message, self._setting
        )
        if fault is not None:
            raise fault
        try:
            return question.reader(answer.body)
        except MalformedAnswer as malformed:
            raise faults.of_body(answer.body, self._transport.said(str(malformed), answer.body)) from None


def ping(api: RiskApi) -> None:
    """Ask for one all-time row, so that a wrong key or host shows before any work is done."""
    api.get("v2/metrics/alltime", {"limit": 1, "include-total": 1}, attempts=PING_ATTEMPTS)


def _whole(body: bytes) -> bytes:
    envelope.cut(body)
    return body


def _rows_of(value: object) -> int | None:
    return value.count if isinstance(value, Envelope) else None


def _log_retry(state: tenacity.RetryCallState) -> None:
    fault = state.outcome.exception() if state.outcome else None
    log.info("risk_api_retry", attempt=state.attempt_number, reason=str(fault))
