"""Pages are read while others are still on their way: the receiver of a fetch that decodes.

Which pages come belongs to `paging`, how they are read to `decode`.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from threading import BoundedSemaphore, Lock

from daily_profit_model.risk_api.decode import Decoding
from daily_profit_model.risk_api.spool import Spool
from daily_profit_model.tables.contract import Table

READERS = 2
"""Batches that are read at once: what of a batch is one thread's work does not stop the other."""
BATCH_BYTES = 8 * 2**20
"""JSON of a batch: enough for a file of its own, little enough to hold several."""
BATCHES_AHEAD = READERS
"""Batches that are read or wait; then fetching waits for reading, so that memory stays bounded."""


class DecodingReceiver:
    """Reads the pages of a round into a `Decoding` of its own, in threads."""

    def __init__(self, table: Table, days: Sequence[date], spool: Spool) -> None:
        self._table, self._days, self._spool = table, days, spool
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="decode")
        self._room = BoundedSemaphore(BATCHES_AHEAD)
        self._lock = Lock()
        self._batch: list[tuple[int, bytes]] = []
        self._bytes = 0
        self._under_way: list[Future[None]] = []
        self._decoding: Decoding | None = None

    @property
    def decoding(self) -> Decoding:
        """The rows of the round that has begun."""
        if self._decoding is None:
            raise RuntimeError("no round has begun")
        return self._decoding

    def begin(self) -> None:
        """Forget what came before."""
        if self._decoding is not None:
            self._wait()
            self._decoding.close()
        self._decoding = Decoding(self._table, self._days, self._spool.body)

    def page(self, number: int, rows: bytes) -> None:
        """Take a page; waits while too many are unread. Raises what reading an earlier one raised."""
        with self._lock:
            self._batch.append((number, rows))
            self._bytes += len(rows)
            if self._bytes < BATCH_BYTES:
                return
            batch = self._taken()
        self._read(batch)

    def distinct(self, expected: int) -> int:
        """Natural keys among all rows of the round."""
        self._wait()
        return self.decoding.distinct(expected)

    def fingerprint(self) -> tuple[int, int]:
        """How many different rows, whatever their keys, and a hash of them."""
        return self.decoding.fingerprint()

    def finish(self) -> Decoding:
        """No more pages come; the reader of the rows closes them."""
        self._wait()
        self._pool.shutdown()
        return self.decoding

    def cancel(self) -> None:
        """Nothing of this is wanted any more."""
        self._pool.shutdown(cancel_futures=True)
        if self._decoding is not None:
            self._decoding.close()

    def _taken(self) -> list[tuple[int, bytes]]:
        batch, self._batch, self._bytes = self._batch, [], 0
        return batch

    def _read(self, batch: list[tuple[int, bytes]]) -> None:
        self._room.acquire()
        decoding = self.decoding

        def read() -> None:
            try:
                decoding.add(batch)
            finally:
                self._room.release()

        future = self._pool.submit(read)
        with self._lock:
            failed = next((each for each in self._under_way if each.done() and each.exception()), None)
            self._under_way = [each for each in self._under_way if not each.done()]
            self._under_way.append(future)
        if failed is not None:
            failed.result()

    def _wait(self) -> None:
        with self._lock:
            batch = self._taken()
        if batch:
            self._read(batch)
        under_way, self._under_way = self._under_way, []
        for future in under_way:
            future.result()
