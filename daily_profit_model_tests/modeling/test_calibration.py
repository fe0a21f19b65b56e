"""The calibration of a day is a table: a pure function of what was known, and all that serving needs of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from daily_profit_model.lake import Lake, write
from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.calibration import calibration_of, calibration_version, levels_of, version_of
from daily_profit_model.modeling.conformity import activity_codes, history_for
from daily_profit_model.modeling.contracts import MONITORING_CONFORMITY, MONITORING_INTERVAL_CALIBRATION
from daily_profit_model.modeling.intervals import IntervalSettings, calibrate, fold_levels
from daily_profit_model.modeling.matrix import floats
from daily_profit_model.modeling.training import TrainedModel
from daily_profit_model_tests.modeling.served_day import ServedDay, on_day

NOTHING = MONITORING_CONFORMITY.schema().empty_table()


@pytest.fixture(scope="module")
def conformity(trained: TrainedModel, cutoff: date) -> pa.Table:
    """Conformity of served days: the bundle's own, moved to days before it."""
    own = history_for(trained.model, NOTHING, cutoff + timedelta(days=1))
    place = own.column_names.index("prediction_date")
    earlier = pc.subtract(own["prediction_date"].cast(pa.int32()), pa.scalar(60, pa.int32())).cast(pa.date32())
    return own.set_column(place, "prediction_date", earlier).select(MONITORING_CONFORMITY.column_names)


def test_the_stored_levels_give_the_intervals_that_a_fold_would_give(
    served_day: ServedDay, conformity: pa.Table, cutoff: date
) -> None:
    rows = calibration_of(served_day.model, served_day.scores, conformity)
    folded = fold_levels(history_for(served_day.model, conformity, cutoff + timedelta(days=1)), IntervalSettings())
    stored = levels_of(rows)
    assert (stored.lower_level, stored.upper_level) == (folded.lower_level, folded.upper_level)
    assert stored.lower.tolist() == folded.lower.tolist()
    assert stored.upper.tolist() == folded.upper.tolist()
    expected = calibrate(served_day.scores, history_for(served_day.model, NOTHING, cutoff + timedelta(days=1)))
    assert served_day.rows["lower_90"].equals(expected.sort_by("account_id")["lower_90"])


def test_the_same_inputs_in_any_order_give_the_same_bytes(
    served_day: ServedDay, conformity: pa.Table, lake: Lake
) -> None:
    turned = conformity.take(pa.array(np.random.default_rng(1).permutation(conformity.num_rows)))
    days = [served_day.scores["prediction_date"][0].as_py().isoformat()]
    files = []
    for scores, history in ((served_day.scores, conformity), (served_day.scores.sort_by("median"), turned)):
        rows = calibration_of(served_day.model, scores, history)
        file = write(lake, MONITORING_INTERVAL_CALIBRATION, days[0], rows, code_version="1")
        files.append(file.path.read_bytes())
    assert files[0] == files[1]


def test_a_row_a_tail_and_group_tells_of_the_window_and_of_the_day(served_day: ServedDay, conformity: pa.Table) -> None:
    settings = replace(IntervalSettings(), window_days=7)
    rows = calibration_of(served_day.model, served_day.scores, conformity, settings).to_pylist()
    assert [(row["tail"], row["activity"]) for row in rows] == [
        (tail, group) for tail in ("lower", "upper") for group in ("often", "rare", "usual")
    ]
    assert {row["window_days"] for row in rows} == {7}
    assert sum(row["window_rows"] for row in rows) == 2 * 7 * 150
    assert sum(row["accounts"] for row in rows) == 2 * served_day.scores.num_rows
    assert {row["miss_rate"] for row in rows} == {0.05}
    last = history_for(served_day.model, conformity, rows[0]["prediction_date"])
    known = sorted(set(last["prediction_date"].to_pylist()))[-7]
    last = last.filter(pc.greater_equal(last["prediction_date"], pa.scalar(known, pa.date32())))
    for row in rows:
        own = last.filter(pc.equal(last["activity"], row["activity"]))
        beyond = floats(own[f"{row['tail']}_stretch"]) > row["threshold"]
        assert row["window_miss_rate"] == pytest.approx(beyond.mean())


def test_widths_are_those_of_the_served_intervals(served_day: ServedDay) -> None:
    width = floats(served_day.rows["upper_90"]) - floats(served_day.rows["lower_90"])
    groups = activity_codes(floats(served_day.rows["probability_trade"]))
    for place, group in enumerate(("rare", "often", "usual")):
        row = next(row for row in served_day.calibration.to_pylist() if row["activity"] == group)
        own = width[groups == place]
        assert row["accounts"] == len(own)
        assert row["mean_width"] == (pytest.approx(own.mean()) if len(own) else None)
        assert row["median_width"] == (pytest.approx(np.median(own)) if len(own) else None)


def test_equal_levels_and_settings_have_an_equal_version_and_any_other_another(
    served_day: ServedDay, conformity: pa.Table
) -> None:
    settings = IntervalSettings()
    levels = levels_of(served_day.calibration)
    version = version_of(served_day.calibration)
    assert version == calibration_version(levels, settings)
    assert len(version) == 16
    nudged = levels.lower.copy()
    nudged[0] = np.nextafter(nudged[0], 1e9)
    others = [
        calibration_version(replace(levels, lower=nudged), settings),
        calibration_version(replace(levels, lower_level=np.nextafter(levels.lower_level, 1.0)), settings),
        calibration_version(levels, replace(settings, rate=0.16)),
        version_of(calibration_of(served_day.model, served_day.scores, conformity, replace(settings, miss_rate=0.1))),
    ]
    assert len({version, *others}) == 5


def test_outcomes_of_the_day_itself_and_later_never_enter_L5(served_day: ServedDay, conformity: pa.Table) -> None:
    day = served_day.scores["prediction_date"][0].as_py()
    later = pa.concat_tables([conformity, on_day(conformity, day), on_day(conformity, day + timedelta(days=3))])
    with_later = calibration_of(served_day.model, served_day.scores, later)
    assert with_later.equals(calibration_of(served_day.model, served_day.scores, conformity))


def test_scores_of_another_model_are_refused_and_a_day_without_accounts_has_no_rows(served_day: ServedDay) -> None:
    stranger = Model({**served_day.model.manifest, "model_hash": "0" * 64}, served_day.model.files)
    with pytest.raises(ValueError, match="were not all made by the model"):
        calibration_of(stranger, served_day.scores, NOTHING)
    empty = calibration_of(served_day.model, served_day.scores.slice(0, 0), NOTHING)
    assert empty.schema == MONITORING_INTERVAL_CALIBRATION.schema()
    assert empty.num_rows == 0


def test_a_group_without_rows_or_accounts_has_nulls_and_no_made_up_zero_L9(served_day: ServedDay) -> None:
    place = served_day.scores.column_names.index("probability_trade")
    busy = served_day.scores.set_column(place, "probability_trade", pa.array(np.full(served_day.scores.num_rows, 0.9)))
    rows = calibration_of(served_day.model, busy, NOTHING).to_pylist()
    assert {row["activity"]: (row["accounts"] > 0, row["mean_width"] is None) for row in rows} == {
        "rare": (False, True),
        "often": (False, True),
        "usual": (True, False),
    }


def test_plan_types_have_rows_of_their_own_and_the_activity_whole_is_a_star(
    served_day: ServedDay, conformity: pa.Table
) -> None:
    def typed(rows: pa.Table) -> pa.Table:
        names = pa.array(["Pro P1", "Standard P1", None] * rows.num_rows, pa.string()).slice(0, rows.num_rows)
        return rows.set_column(rows.column_names.index("plan_type"), "plan_type", names)

    scores, known = typed(served_day.scores), typed(conformity)
    rows = calibration_of(served_day.model, scores, known)
    stored = levels_of(rows)
    folded = fold_levels(history_for(served_day.model, known, scores["prediction_date"][0].as_py()), IntervalSettings())
    assert stored.plan_types == folded.plan_types == ("Pro P1", "Standard P1")
    assert (stored.lower.tolist(), stored.upper.tolist()) == (folded.lower.tolist(), folded.upper.tolist())
    whole = [row for row in rows.to_pylist() if row["plan_type"] == "*"]
    assert len(whole) == rows.num_rows / 3
    assert sum(row["accounts"] for row in whole) == 2 * scores.num_rows
    assert (
        sum(row["accounts"] for row in rows.to_pylist())
        == 2 * scores.num_rows + 2 * pc.count(scores["plan_type"]).as_py()
    )
    with pytest.raises(ValueError, match="a row a tail and group, 18; this one has 17"):
        levels_of(rows.slice(1))
