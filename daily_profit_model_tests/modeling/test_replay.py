"""A past prediction is made again from bundle, snapshot and calibration, and every bit of it is compared."""

from __future__ import annotations

import math

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from daily_profit_model.lake import content_hash
from daily_profit_model.modeling.replay import Difference, differences, replay
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model_tests.modeling.served_day import ServedDay, with_cell


def replayed(day: ServedDay, snapshot: pa.Table | None = None, calibration: pa.Table | None = None) -> pa.Table:
    return replay(
        day.model,
        day.snapshot if snapshot is None else snapshot,
        day.calibration if calibration is None else calibration,
        "code-1",
    )


def test_a_served_day_is_made_again_byte_for_byte(served_day: ServedDay) -> None:
    again = replayed(served_day)
    assert differences(served_day.rows, again) == []
    assert content_hash(again) == content_hash(served_day.rows)


def test_one_account_alone_is_made_again_as_among_all_others(served_day: ServedDay) -> None:
    for place in (0, 77, 149):
        one = served_day.rows.slice(place, 1)
        accounts = one["account_id"].combine_chunks()
        again = replay(served_day.model, served_day.snapshot, served_day.calibration, "code-1", accounts)
        assert differences(one, again) == []


@pytest.mark.parametrize(
    "column",
    sorted({*PREDICTIONS_ACCOUNT_DAILY.column_names} - {*PREDICTIONS_ACCOUNT_DAILY.key, "top_features"}),
)
def test_any_cell_that_was_changed_is_named_with_both_values(served_day: ServedDay, column: str) -> None:
    account = "a00007"
    true = served_day.rows.filter(pc.equal(served_day.rows["account_id"], account))[column][0].as_py()
    spoiled = math.nextafter(true, math.inf) if isinstance(true, float) else None if true is not None else "x"
    stored = with_cell(served_day.rows, account, column, spoiled)
    assert differences(stored, replayed(served_day)) == [Difference(account, column, spoiled, true)]


def test_a_reason_whose_last_bit_differs_and_a_zero_of_another_sign_are_differences(served_day: ServedDay) -> None:
    rows = served_day.rows.to_pylist()
    rows[3]["top_features"][1]["contribution"] = math.nextafter(rows[3]["top_features"][1]["contribution"], 0.0)
    stored = pa.Table.from_pylist(rows, schema=served_day.rows.schema)
    (found,) = differences(stored, served_day.rows)
    assert (found.account_id, found.column) == (rows[3]["account_id"], "top_features")
    zeros = with_cell(served_day.rows, "a00001", "lower_90", 0.0)
    (found,) = differences(zeros, with_cell(served_day.rows, "a00001", "lower_90", -0.0))
    assert (found.stored, found.replayed) == (0.0, -0.0)


def test_an_account_that_is_on_one_side_only_is_a_difference(served_day: ServedDay) -> None:
    fewer = served_day.rows.slice(1)
    first = served_day.rows["account_id"][0].as_py()
    assert differences(fewer, served_day.rows) == [Difference(first, "(row)", None, "made")]
    assert differences(served_day.rows, fewer) == [Difference(first, "(row)", "served", None)]


def test_another_snapshot_or_calibration_shows_in_what_comes_from_it(served_day: ServedDay) -> None:
    other = with_cell(served_day.snapshot, "a00003", "planned_risk", 9.0)
    found = differences(served_day.rows, replayed(served_day, snapshot=other))
    assert {cell.column for cell in found if cell.account_id == "a00003"} >= {"snapshot_hash", "expected_net_profit"}
    assert {cell.column for cell in found if cell.account_id != "a00003"} == {"snapshot_hash"}
    place = served_day.calibration.column_names.index("threshold")
    wider = pc.multiply(served_day.calibration["threshold"], 1.01)
    wider = served_day.calibration.set_column(place, "threshold", wider)
    found = differences(served_day.rows, replayed(served_day, calibration=wider))
    # a mean that lay at an end of the interval goes with it
    assert (
        {"lower_90", "upper_90"} <= {cell.column for cell in found} <= {"lower_90", "upper_90", "expected_net_profit"}
    )


def test_a_column_that_this_code_does_not_make_differs_in_every_row(served_day: ServedDay) -> None:
    stored = served_day.rows.append_column("confidence", pa.array([1.0] * served_day.rows.num_rows))
    found = differences(stored, served_day.rows)
    assert {cell.column for cell in found} == {"confidence"}
    assert len(found) == stored.num_rows
