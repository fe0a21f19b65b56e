"""All pages of one question, complete or not at all.

The service pages by offset over rows in no promised order, and rows may be inserted meanwhile: a
fetch is complete only when the distinct natural keys received equal a total that did not change.
That cannot see a row taken away while another is added; the service is not known to take rows away.
A single request belongs to `client`, pages on disk to `spool`, the meaning of rows to `decode`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

import structlog

from daily_profit_model.risk_api.client import Params, RiskApi
from daily_profit_model.risk_api.envelope import Envelope, cut
from daily_profit_model.risk_api.errors import IncompleteFetch
from daily_profit_model.risk_api.spool import DamagedSpool, Extent, Spool

ROUNDS = 4
"""How often a fetch is begun anew before it counts as incomplete."""

log = structlog.get_logger(__name__)


class Receiver(Protocol):
    """Takes the pages of a round and counts what they hold. Pages come from several threads."""

    def begin(self) -> None:
        """A round begins: what came before is void."""

    def page(self, number: int, rows: bytes) -> None:
        """A page by its number in the spool: records, one a line."""

    def distinct(self, expected: int) -> int:
        """Natural keys among the rows of the round; `expected` is what completeness asks for."""

    def fingerprint(self) -> tuple[int, int]:
        """How many different rows, whatever their keys, and a hash of them."""


@dataclass
class Fetched:
    """A complete fetch."""

    total: int
    requests: int
    retries: int
    seconds: float


@dataclass
class _Count:
    """Requests made, and how many of them were answered; counted by several threads."""

    made: int = 0
    answered: int = 0
    _lock: Lock = field(default_factory=Lock)

    def add(self, requests: int) -> None:
        with self._lock:
            self.made += requests
            self.answered += 1


def fetch_all(
    api: RiskApi,
    endpoint: str,
    params: Params,
    *,
    limit: int,
    spool: Spool,
    receiver: Receiver,
    rounds: int = ROUNDS,
) -> Fetched:
    """Every row of `endpoint` under `params` to `receiver`, the pages by way of `spool`.

    Raises IncompleteFetch when the keys do not equal a stable total in any of `rounds`, and the
    client's errors.

    Rows that differ under one natural key lie in the total and not in the keys. Where two rounds bring exactly the
    same rows, as many as the total says, they are all there is: the fetch is complete, and decoding quarantines
    all but one row of such a key.
    """
    started, count = api.clock(), _Count()
    before: tuple[int, int] | None = None
    counts = ""
    for round_number in range(1, rounds + 1):
        receiver.begin()
        first, last = _Round(api, endpoint, params, limit, spool, receiver, count).run()
        received = receiver.distinct(first or 0)
        found = None
        if received != first and first == last:
            found = receiver.fingerprint()
        if received == first == last or (found is not None and found[0] == first and found == before):
            return Fetched(first or 0, count.made, count.made - count.answered, api.clock() - started)
        before = found
        counts = f"{received:,} distinct rows, total {_number(first)} at first and {_number(last)} at last"
        log.warning("risk_api_incomplete_round", endpoint=endpoint, round=round_number, counts=counts)
        spool.clear()
    raise IncompleteFetch(
        f"{endpoint}: {counts}, after {rounds} rounds: the service's rows keep changing or do not add up, "
        "fetch again later"
    )


@dataclass
class _Round:
    """One way through all pages; what the spool holds already is not asked for again."""

    api: RiskApi
    endpoint: str
    params: Params
    limit: int
    spool: Spool
    receiver: Receiver
    count: _Count
    extents: list[Extent] = field(default_factory=list)

    def run(self) -> tuple[int | None, int | None]:
        """The total that the first page told, and the one that the last told."""
        self.extents = self.spool.extents()
        if self.extents and not self._holds():
            self.spool.clear()
            self.extents = []
        self._hand_over_stored()
        if not self.extents:
            self._page(0, self.limit, with_total=True)
        self._rest()
        totals = [extent.total for extent in sorted(self.extents, key=lambda extent: extent.number)]
        told = [total for total in totals if total is not None]
        return (told[0], told[-1]) if told else (None, None)

    def _hand_over_stored(self) -> None:
        """The pages that are stored go to the receiver; where one cannot be read, all are asked for again."""
        try:
            for stored in self.extents:
                self.receiver.page(stored.number, self.spool.body(stored.number))
        except DamagedSpool as damage:
            log.warning("damaged_spool", endpoint=self.endpoint, reason=str(damage), doing="asking for its pages again")
            self.spool.begin_anew()
            self.receiver.begin()
            self.extents = []

    def _holds(self) -> bool:
        """Whether the service still tells the total of the stored pages; asks for the next page to know it."""
        total = self.extents[0].total
        span = next(_spans(self.extents, total or 0, self.limit), None)
        if span is None:  # all pages are there: count, and keep none of what comes
            return self._asked(0, 1, with_total=True).total == total
        start, end = span
        answer = self._asked(start, end - start, with_total=True)
        if answer.total != total:
            return False
        # stored only now, because it belongs to the others
        number = self.spool.add(start, answer.count, answer.total, answer.rows)
        self.extents.append(Extent(number, start, answer.count, answer.total))
        return True

    def _rest(self) -> None:
        """The spans between in parallel, then the last one: its total closes the round."""
        first = self.extents[0]
        if first.total is None or first.rows == 0:
            return
        spans = list(_spans(self.extents, first.total, self.limit))
        if spans:
            self._together(spans[:-1])
            self._span(*spans[-1], with_total=True)

    def _together(self, spans: Sequence[tuple[int, int]]) -> None:
        """As many in flight as the client has connections; after a failure no more are begun."""
        with ThreadPoolExecutor(self.api.connections) as pool:
            waiting = [pool.submit(self._span, *ends) for ends in spans]
            try:
                for each in waiting:
                    each.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _span(self, start: int, end: int, with_total: bool = False) -> None:
        # pages may be shorter than asked for: go on by what arrived, until nothing does
        while start < end:
            came = self._page(start, end - start, with_total)
            if not came:
                break
            start += came

    def _page(self, skip: int, size: int, with_total: bool) -> int:
        answer = self._asked(skip, size, with_total)
        number = self.spool.add(skip, answer.count, answer.total, answer.rows)
        self.extents.append(Extent(number, skip, answer.count, answer.total))
        self.receiver.page(number, answer.rows)
        return answer.count

    def _asked(self, skip: int, size: int, with_total: bool) -> Envelope:
        asked = {**self.params, "limit": size, "skip": skip}
        if with_total:
            asked["include-total"] = 1
        answer, requests = self.api.read(self.endpoint, asked, cut)
        self.count.add(requests)
        return answer


def _spans(extents: Sequence[Extent], total: int, step: int) -> Iterator[tuple[int, int]]:
    """What the stored pages leave open of the rows 0 … total, in pieces of a page."""
    reached = 0
    for extent in sorted(extents, key=lambda extent: extent.skip):
        yield from _cut(reached, min(extent.skip, total), step)
        reached = max(reached, extent.skip + extent.rows)
    yield from _cut(reached, total, step)


def _cut(start: int, end: int, step: int) -> Iterator[tuple[int, int]]:
    return ((first, min(first + step, end)) for first in range(start, end, step))


def _number(total: int | None) -> str:
    return "missing" if total is None else f"{total:,}"
