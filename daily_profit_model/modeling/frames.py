"""The training frame as this package expects it: checked, with rows that have no outcome set aside.

Here: what may enter training and how many rows may not. How the frame is put together is the graph's
business; a missing outcome is never turned into a number (PITFALLS L9).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.conformity import SETTLED

REQUIRED = ("feature_date", "target_date", "account_id", "profit_scale", "target_net_profit", "target_status")


@dataclass(frozen=True)
class Prepared:
    """Rows with an outcome, sorted by target date and account, and how many rows were set aside why."""

    rows: pa.Table
    left_out: dict[str, int]


def prepare(frame: pa.Table, cutoff: date) -> Prepared:
    """`frame` without pending and closed rows.

    Raises ValueError when a column is missing, a target lies after `cutoff` or not on the day after its
    features, a settled row lacks its profit, a scale is not positive, or an account-day occurs twice.
    """
    if missing := [name for name in REQUIRED if name not in frame.column_names]:
        raise ValueError(f"the training frame lacks the columns {', '.join(missing)}")
    if frame.num_rows and (last := pc.max(frame["target_date"]).as_py()) > cutoff:
        raise ValueError(f"the training frame holds targets of {last}, after its cut-off {cutoff}")
    counts = {c["values"]: c["counts"] for c in pc.value_counts(frame["target_status"]).to_pylist()}
    rows = frame.filter(pc.is_in(frame["target_status"], pa.array(SETTLED)))
    _check(rows)
    left_out = {status or "unknown": count for status, count in counts.items() if status not in SETTLED}
    ordered = rows.sort_by([("target_date", "ascending"), ("account_id", "ascending")])
    return Prepared(ordered, dict(sorted(left_out.items())))


def _check(rows: pa.Table) -> None:
    lag = pc.subtract(rows["target_date"].cast(pa.int32()), rows["feature_date"].cast(pa.int32()))
    problems = {
        "do not follow their features by one day": pc.sum(pc.not_equal(lag, 1)),
        "are settled but have no net profit": pc.sum(_not_finite(rows["target_net_profit"])),
        "have no positive profit_scale": pc.sum(pc.invert(pc.fill_null(pc.greater(rows["profit_scale"], 0), False))),
    }
    for what, count in problems.items():
        if bad := count.as_py():
            raise ValueError(f"{bad} rows of the training frame {what}")
    distinct = rows.select(["target_date", "account_id"]).group_by(["target_date", "account_id"]).aggregate([])
    if twice := rows.num_rows - distinct.num_rows:
        raise ValueError(f"{twice} rows of the training frame repeat an account-day")


def _not_finite(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.invert(pc.fill_null(pc.is_finite(column), False))


def of_days(rows: pa.Table, days: tuple[date, ...], column: str = "target_date") -> pa.Table:
    """The rows whose date in `column` is one of `days`."""
    return rows.filter(pc.is_in(rows[column], pa.array(days, pa.date32())))
