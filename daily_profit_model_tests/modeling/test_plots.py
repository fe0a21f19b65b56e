"""Pictures are small PNGs, the same every time, and exist for a day without outcomes too."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from daily_profit_model import pictures
from daily_profit_model.modeling import plots
from daily_profit_model.modeling.training import TrainedModel
from daily_profit_model_tests.modeling.served_day import ServedDay, on_day


@pytest.fixture(scope="module")
def outcomes(trained: TrainedModel) -> pa.Table:
    rows = trained.test_predictions
    return rows.rename_columns(["expected_net_profit" if n == "mean" else n for n in rows.column_names])


def test_the_test_days_fit_into_metadata_and_repeat(trained: TrainedModel) -> None:
    picture = plots.plot_test_days(trained.test_predictions)
    assert picture.startswith(b"\x89PNG")
    assert 2000 < len(picture) <= pictures.LARGEST_PNG_BYTES
    assert picture == plots.plot_test_days(trained.test_predictions)


def test_outcomes_are_drawn_with_and_without_rows(outcomes: pa.Table) -> None:
    assert len(plots.plot_outcomes(outcomes)) <= pictures.LARGEST_PNG_BYTES
    assert plots.plot_outcomes(outcomes.slice(0, 0)).startswith(b"\x89PNG")


def test_rows_whose_outcome_has_not_arrived_are_not_drawn_as_zero_L9(outcomes: pa.Table) -> None:
    few = outcomes.slice(0, 60)
    place = few.column_names.index("net_profit")
    missing = few.set_column(place, "net_profit", pa.nulls(60, pa.float64()))
    both = pa.concat_tables([few, missing])
    assert plots.plot_outcomes(both) == plots.plot_outcomes(few)


def test_calibration_over_the_days_is_drawn_and_repeats_for_one_day_and_for_groups_without_accounts(
    served_day: ServedDay,
) -> None:
    one = served_day.calibration
    width = one.column_names.index("mean_width")
    empty = one.set_column(width, "mean_width", pa.nulls(one.num_rows, pa.float64()))
    days = [on_day(one if day % 3 else empty, date(2026, 3, day)) for day in range(1, 31)]
    drawn = plots.plot_calibration(pa.concat_tables(days))
    assert drawn.startswith(b"\x89PNG")
    assert len(drawn) <= pictures.LARGEST_PNG_BYTES
    assert drawn == plots.plot_calibration(pa.concat_tables(days[::-1]))
    assert plots.plot_calibration(one) != drawn


def test_a_picture_that_fits_at_no_resolution_is_an_error(outcomes: pa.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "LARGEST_PNG_BYTES", 10)
    with pytest.raises(ValueError, match="more than 10 bytes at any resolution"):
        plots.plot_outcomes(outcomes.slice(0, 5))
