"""What may enter training: pending and closed rows may not, and nothing is made up."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa
import pytest

from daily_profit_model.modeling.frames import prepare

CUTOFF = date(2024, 3, 3)


def frame(**changes: list[object]) -> pa.Table:
    days = [date(2024, 3, 1), date(2024, 3, 2), date(2024, 3, 2), date(2024, 3, 3)]
    columns: dict[str, list[object]] = {
        "feature_date": [day - timedelta(days=1) for day in days],
        "target_date": list(days),
        "account_id": ["b", "b", "a", "a"],
        "profit_scale": [10.0, 10.0, 5.0, 5.0],
        "target_net_profit": [1.0, 0.0, -3.0, 2.0],
        "target_status": ["traded", "idle", "traded", "traded"],
        **changes,
    }
    return pa.table(columns)


def test_pending_and_closed_rows_are_left_out_and_counted_L9() -> None:
    rows = frame(target_status=["traded", "pending", "closed", "idle"], target_net_profit=[1.0, None, None, 0.0])
    prepared = prepare(rows, CUTOFF)
    assert prepared.left_out == {"closed": 1, "pending": 1}
    assert prepared.rows["target_net_profit"].to_pylist() == [1.0, 0.0]


def test_rows_come_out_sorted_so_that_their_order_cannot_change_a_model() -> None:
    rows = frame()
    assert prepare(rows, CUTOFF).rows.equals(prepare(rows.take(pa.array([3, 1, 0, 2])), CUTOFF).rows)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target_net_profit": [None, 0.0, -3.0, 2.0]}, "1 rows.*settled but have no net profit"),
        ({"target_net_profit": [float("nan"), 0.0, -3.0, 2.0]}, "1 rows.*settled but have no net profit"),
        ({"profit_scale": [0.0, None, 5.0, 5.0]}, "2 rows.*no positive profit_scale"),
        ({"feature_date": [date(2024, 2, 1)] * 4}, "4 rows.*do not follow their features by one day"),
        ({"account_id": ["b", "a", "a", "a"]}, "1 rows.*repeat an account-day"),
    ],
)
def test_a_frame_that_is_not_as_promised_is_refused(changes: dict[str, list[object]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prepare(frame(**changes), CUTOFF)


def test_a_target_after_the_cut_off_is_refused() -> None:
    with pytest.raises(ValueError, match="targets of 2024-03-03, after its cut-off 2024-03-02"):
        prepare(frame(), date(2024, 3, 2))


def test_a_frame_without_a_needed_column_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="lacks the columns profit_scale"):
        prepare(frame().drop_columns(["profit_scale"]), CUTOFF)
