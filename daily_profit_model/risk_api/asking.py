"""A question to the service from asking to storing: complete answers, held while their days are stored.

Which endpoint fills which table stands in `raw_tables`, how pages are made complete in `paging`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from types import TracebackType
from typing import Self

from daily_profit_model.risk_api.client import RiskApi
from daily_profit_model.risk_api.decode import Decoding
from daily_profit_model.risk_api.decoded import Decoded
from daily_profit_model.risk_api.paging import fetch_all
from daily_profit_model.risk_api.raw_tables import ALL_TIME, PAGE_LIMIT, QUESTIONS, Question
from daily_profit_model.risk_api.receiving import DecodingReceiver
from daily_profit_model.risk_api.spool import Busy, Spool, Spools
from daily_profit_model.tables.raw import RAW_ACCOUNTS

DAYS_A_QUESTION = 10
"""Enough to fill pages where a day has few rows; ten days of 30,000 trades are 180 MB of JSON."""
QUESTIONS_AHEAD = 2
"""Questions that are asked and read while the days of another are being stored."""

StoredSince = Callable[[date, datetime], bool]
"""Whether a partition of the table was stored since an instant."""


@dataclass(frozen=True)
class Asked:
    """Consecutive days that one question covers, and which of them are wanted: all, or those not yet stored."""

    question: Question
    days: tuple[date, ...]
    wanted: tuple[date, ...]


class Answer:
    """The complete answer to a question: its wanted days, each with its rows, until it is closed.

    Use it as a context manager around storing the days: when that ends well, the spooled pages go; when it
    does not, they stay, and the next fetch of these days goes on from them.
    """

    def __init__(self) -> None:
        self.requests = 0
        """Requests made, repeated ones too."""
        self.kept: tuple[date, ...] = ()
        """Wanted days that another process stored while we waited for it; they are not in `days`."""
        self._found: list[tuple[Decoding, tuple[date, ...]]] = []
        self._spools: list[Spool] = []
        self._held = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(is_stored=kind is None)

    def days(self) -> Iterator[tuple[date, Decoded]]:
        """Each wanted day in order; its rows can be read until the answer is closed."""
        untold = self.requests
        for decoding, days in self._found:
            for day in days:
                yield day, replace(decoding.day(day), requests=untold)
                untold = 0

    def close(self, *, is_stored: bool) -> None:
        """Let rows and locks go; `is_stored`: the pages as well."""
        with self._held:
            for decoding, _ in self._found:
                decoding.close()
            for spool in self._spools:
                spool.remove() if is_stored else spool.close()

    def _take(self, api: RiskApi, asked: Asked, spools: Spools, stored_since: StoredSince | None, wait: bool) -> None:
        began = datetime.now(UTC)
        name = asked.question.table.name
        waited = self._held.enter_context(spools.locked(name, asked.days, wait=wait))
        wanted = asked.wanted
        if waited and stored_since is not None:
            self.kept = tuple(day for day in wanted if stored_since(day, began))
            wanted = tuple(day for day in wanted if day not in self.kept)
        if not wanted:
            return
        whole = self._fetched(api, asked.question, asked.days, spools)
        if whole.is_divisible:
            self._found.append((whole, wanted))
            return
        # a row of no day: each day is asked for alone, so that the row is quarantined where it belongs
        whole.close()
        for day in wanted:
            self._found.append((self._fetched(api, asked.question, (day,), spools), (day,)))

    def _fetched(self, api: RiskApi, question: Question, days: tuple[date, ...], spools: Spools) -> Decoding:
        params = question.params(days)
        spool = spools.open(question.table.name, days, f"{api.base_url}{question.endpoint}?{sorted(params.items())}")
        self._spools.append(spool)
        receiver = DecodingReceiver(question.table, days, spool)
        try:
            fetched = fetch_all(api, question.endpoint, params, limit=PAGE_LIMIT, spool=spool, receiver=receiver)
            decoding = receiver.finish()
        except BaseException:
            receiver.cancel()
            raise
        self.requests += fetched.requests
        decoding.settle()
        return decoding


def ask(
    api: RiskApi, asked: Asked, spools: Spools, stored_since: StoredSince | None = None, *, wait: bool = True
) -> Answer:
    """Fetch what is asked for, complete; pages that a killed fetch left are not fetched again.

    `stored_since` is asked where another process was fetching the same days, so that its work is not repeated.
    Raises IncompleteFetch and the client's errors; then the pages stay spooled. Raises Busy when another fetch
    of the days is under way and it is told not to `wait`.
    """
    answer = Answer()
    try:
        answer._take(api, asked, spools, stored_since, wait)
    except BaseException:
        answer.close(is_stored=False)
        raise
    return answer


def questions(table_name: str, days: Sequence[date], spools: Spools) -> list[Asked]:
    """The fewest questions for `days` of a table: runs of consecutive days, and what was begun goes on."""
    question = QUESTIONS[table_name]
    begun = {day: tuple(run) for run in spools.unfinished(table_name) for day in run}
    found: list[Asked] = []
    left = sorted(set(days))
    while left:
        # questions are disjoint and ascend, so that waiting for a lock never waits for oneself
        earlier = found[-1].days[-1] if found else None
        run = begun.get(left[0])
        if run is None or (earlier is not None and run[0] <= earlier):
            run = tuple(_run([day for day in left if day not in begun or day == left[0]]))
        found.append(Asked(question, run, tuple(day for day in left if day in run)))
        left = [day for day in left if day > run[-1]]
    return found


def fetch_days(
    api: RiskApi,
    table_name: str,
    days: Sequence[date],
    spools: Spools | None = None,
    stored_since: StoredSince | None = None,
) -> Iterator[tuple[date, Decoded | None]]:
    """For each of `days` its complete rows, to be stored before the next one is taken; None: another process did.

    The next questions are asked and read while the days of one are being stored.
    """
    spools = spools or Spools()
    spools.sweep(table_name)

    def answered(asked: Asked, wait: bool) -> Answer:
        return ask(api, asked, spools, stored_since, wait=wait)

    for answer in _ahead(answered, questions(table_name, days, spools)):
        with answer:
            yield from ((day, None) for day in answer.kept)
            yield from answer.days()


def _ahead(ask: Callable[[Asked, bool], Answer], wanted: Sequence[Asked]) -> Iterator[Answer]:
    """The answers in order, some of them begun before they are taken; left ones are closed, their pages kept.

    Only the one that is taken next waits for other fetches of its days.
    """
    waiting: deque[tuple[Asked, Future[Answer]]] = deque()

    def head() -> Answer:
        asked, future = waiting.popleft()
        try:
            return future.result()
        except Busy:
            return ask(asked, True)

    with ThreadPoolExecutor(QUESTIONS_AHEAD) as pool:
        try:
            for asked in wanted:
                waiting.append((asked, pool.submit(ask, asked, False)))
                if len(waiting) > QUESTIONS_AHEAD:
                    yield head()
            while waiting:
                yield head()
        finally:
            for _, future in waiting:
                if not future.cancel() and future.exception() is None:
                    future.result().close(is_stored=False)


def fetch(api: RiskApi, table_name: str, day: date) -> Decoded:
    """The complete rows of `day` of a table that has a date upstream (`raw/metrics_daily`, …), as one Arrow table."""
    return _one(api, Asked(QUESTIONS[table_name], (day,), (day,)), Spools())


def fetch_accounts(api: RiskApi, day: date, spools: Spools | None = None) -> Decoded:
    """Every account as it is now, as one Arrow table; `stamp` makes the rows of a day or of many from it."""
    spools = spools or Spools()
    spools.sweep(RAW_ACCOUNTS.name)
    return _one(api, Asked(ALL_TIME, (day,), (day,)), spools)


def _one(api: RiskApi, asked: Asked, spools: Spools) -> Decoded:
    with ask(api, asked, spools) as answer:
        ((_, decoded),) = answer.days()
        return replace(decoded, rows=decoded.rows.to_table())


def _run(days: Sequence[date]) -> list[date]:
    """The first run of consecutive days, no longer than a question may be."""
    run = [days[0]]
    for day in days[1:DAYS_A_QUESTION]:
        if day - run[-1] != timedelta(days=1):
            break
        run.append(day)
    return run
