"""How many rows the service holds of a table's day, without asking for them.

What is asked of which endpoint stands in `raw_tables`; whether the numbers agree is `monitoring`'s to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from daily_profit_model.risk_api.client import RiskApi
from daily_profit_model.risk_api.envelope import MalformedAnswer, cut
from daily_profit_model.risk_api.raw_tables import QUESTIONS, Question

Wanted = tuple[str, date]
"""A table that the service answers by day, and the day."""


def count(api: RiskApi, question: Question, day: date) -> int:
    """The service's total for the day, test accounts and rows that will be rejected included.

    Raises the client's errors; an answer without a total is one that is asked for again.
    """
    asked = {**question.params([day]), "limit": 1, "include-total": 1}
    return api.read(question.endpoint, asked, _total)[0]


def counts(api: RiskApi, wanted: Sequence[Wanted]) -> dict[Wanted, int]:
    """The service's total for each of `wanted`, as many questions in flight as the client has connections."""
    with ThreadPoolExecutor(api.connections) as pool:
        waiting = [pool.submit(count, api, QUESTIONS[table], day) for table, day in wanted]
        try:
            return {of: answer.result() for of, answer in zip(wanted, waiting, strict=True)}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _total(body: bytes) -> int:
    total = cut(body).total
    if total is None:
        raise MalformedAnswer("the answer holds no total, though one was asked for")
    return total
