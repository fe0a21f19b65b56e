"""The way from base to prediction adds up to the cent, is the stored one, and is told and drawn as it is."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from daily_profit_model import pictures
from daily_profit_model.modeling import plots
from daily_profit_model.modeling.reasons import Meaning, Reason, Reasons, as_dict, reasons_of, steps, told
from daily_profit_model.modeling.training import TrainedModel
from daily_profit_model_tests.modeling.served_day import ServedDay, with_cell

NEUTRAL = Reasons("median", 1.004, (Reason("phase", "Funded", -20.004), Reason("sharpe_20d", None, 3.004)), -15.996)


def row_of(day: ServedDay, place: int) -> tuple[pa.Table, dict[str, Any]]:
    prediction = day.rows.slice(place, 1).to_pylist()[0]
    return day.snapshot.filter(pc.equal(day.snapshot["account_id"], prediction["account_id"])), prediction


def prediction(**changes: Any) -> dict[str, Any]:
    return {
        "account_id": "a1",
        "prediction_date": date(2024, 5, 1),
        "predicted_net_profit": -15.996,
        "expected_net_profit": -12.5,
        "lower_90": -1234.5,
        "upper_90": 900.0,
        "probability_trade": 0.61,
        "probability_profit": 0.3,
        "model_version": "20240420-aaaaaaaa",
        "top_features": [],
        **changes,
    }


@pytest.mark.parametrize("told_features", [0, 1, 3, 100])
def test_base_reasons_rest_and_bounds_add_up_to_the_served_number_to_the_cent(
    served_day: ServedDay, told_features: int
) -> None:
    for place in (0, 40, 149):
        reasons = reasons_of(served_day.model, *row_of(served_day, place))
        assert reasons is not None
        found = steps(reasons, told_features)
        assert sum(step.cents for step in found) == round(reasons.served * 100)
        assert [step.label for step in found[1 : 1 + told_features] if step.reason] == [
            reason.name for reason in reasons.reasons[:told_features]
        ]
        by_features = sum(step.cents for step in found if step.label != "bounds")
        assert by_features == round(reasons.total * 100)


def test_rounding_of_many_small_steps_does_not_go_missing() -> None:
    many = replace(NEUTRAL, reasons=tuple(Reason(f"f{n}", "1", 0.004) for n in range(50)), base=0.0, served=0.2)
    assert [(step.label, step.cents) for step in steps(many, 50)] == [
        ("base", 0),
        *((f"f{n}", 0) for n in range(50)),
        ("rounding", 20),
    ]
    assert steps(many, 10)[-1].label == "40 other features"


def test_the_served_output_is_what_the_steps_explain(served_day: ServedDay) -> None:
    for place in range(0, 150, 30):
        row, served = row_of(served_day, place)
        reasons = reasons_of(served_day.model, row, served)
        assert reasons is not None
        assert (reasons.output, reasons.served) == ("median", served["predicted_net_profit"])
        if served["predicted_net_profit"] != 0:
            assert reasons.total == pytest.approx(reasons.served, rel=1e-6, abs=1e-6)


def test_stored_reasons_that_are_not_those_made_again_are_refused(served_day: ServedDay) -> None:
    row, served = row_of(served_day, 7)
    first, *others = served["top_features"]
    for spoiled in (
        [{**first, "contribution": first["contribution"] * 1.001}, *others],
        [{**first, "name": "size_of_nothing"}, *others],
        [{**first, "value": "other"}, *others],
        [],
    ):
        with pytest.raises(ValueError, match=f"account {served['account_id']} on .*: the stored reasons are not"):
            reasons_of(served_day.model, row, {**served, "top_features": spoiled})


def test_another_snapshot_is_refused_and_so_is_none(served_day: ServedDay) -> None:
    row, served = row_of(served_day, 7)
    with pytest.raises(ValueError, match="the stored reasons are not"):
        reasons_of(served_day.model, with_cell(row, served["account_id"], "profit_scale", 9e4), served)
    with pytest.raises(ValueError, match="the snapshot holds 0 rows of account"):
        reasons_of(served_day.model, row.slice(0, 0), served)


def test_a_baseline_says_that_it_has_no_reasons(baseline: TrainedModel, served_day: ServedDay) -> None:
    row, served = row_of(served_day, 3)
    assert reasons_of(baseline.model, row, {**served, "top_features": []}) is None
    assert told(served, None, {})[-1] == (
        "That is a baseline: it repeats numbers of the past and weighs no features, so it has no reasons."
    )
    assert as_dict(served, None, {})["explanation"] is None


def test_a_prediction_is_told_in_words_with_signs_meanings_and_missing_values() -> None:
    meanings = {"sharpe_20d": Meaning("Mean over deviation, 20 days", "share"), "phase": Meaning("Phase of the plan")}
    assert told(prediction(), NEUTRAL, meanings) == [
        "a1 on 2024-05-01: net profit -$16.00 (median), -$12.50 (mean).",
        "With 90 % confidence between -$1,234.50 and +$900.00.",
        "Probability of trading 61%, of profit 30%.",
        "Served by 20240420-aaaaaaaa.",
        "",
        "Why the median is -$16.00:",
        "   +$1.00  base: what the model says where no feature tells it more",
        "raised by",
        "   +$3.00  sharpe_20d = missing (Mean over deviation, 20 days)",
        "lowered by",
        "  -$20.00  phase = Funded (Phase of the plan)",
        "sum",
        "  -$16.00  the median by these reasons",
    ]


def test_a_median_that_other_outputs_bound_says_so() -> None:
    lines = told(prediction(predicted_net_profit=0.0), replace(NEUTRAL, served=0.0), {})
    assert lines[-2].startswith("  +$16.00  bounds: the median is 0 where neither profit nor loss has half")
    assert lines[-1] == "    $0.00  the median as served"


def test_a_prediction_at_the_base_says_that_nothing_moved_it() -> None:
    lines = told(prediction(), replace(NEUTRAL, reasons=(), served=1.004), {})
    assert "No feature moved this prediction away from the base." in lines


def test_for_scripts_every_feature_is_there_with_its_meaning_and_all_adds_up(served_day: ServedDay) -> None:
    row, served = row_of(served_day, 0)
    first = served["top_features"][0]["name"]
    meanings = {first: Meaning("What it is", "USD")}
    explanation = as_dict(served, reasons_of(served_day.model, row, served), meanings)["explanation"]
    parts = [reason["contribution"] for reason in explanation["reasons"]]
    total = explanation["base"] + sum(parts) + explanation["bounds"]
    assert total == pytest.approx(served["predicted_net_profit"], abs=1e-9)
    told_of = [(reason["name"], reason["description"], reason["unit"]) for reason in explanation["reasons"][:2]]
    assert told_of == [(first, "What it is", "USD"), (explanation["reasons"][1]["name"], "", None)]


def test_a_waterfall_goes_from_zero_by_each_step_to_the_sum() -> None:
    starts, ends = plots.waterfall_ends([5.0, -8.0, 1.0])
    np.testing.assert_array_equal(starts, [0.0, 5.0, -3.0])
    np.testing.assert_array_equal(ends, [5.0, -3.0, -2.0])


def test_a_waterfall_repeats_fits_into_metadata_and_shows_other_steps_otherwise() -> None:
    bars = [("base", 5.0), *((f"a_feature_with_a_long_name_{n} = 12.345678", (-1.0) ** n * n) for n in range(12))]
    drawn = plots.plot_waterfall("a1", bars, "median as served")
    assert drawn.startswith(b"\x89PNG")
    assert len(drawn) <= pictures.LARGEST_PNG_BYTES
    assert drawn == plots.plot_waterfall("a1", bars, "median as served")
    assert drawn != plots.plot_waterfall("a1", bars[:-1], "median as served")


def test_told_lines_add_up_as_a_reader_would_add_them(served_day: ServedDay) -> None:
    row, served = row_of(served_day, 21)
    reasons = reasons_of(served_day.model, row, served)
    assert reasons is not None
    lines = told(served, reasons, {})
    shown = [line for line in lines[lines.index("") + 2 :] if re.match(r" +[-+]?\$", line)]
    amounts = [float(line.split()[0].replace("$", "").replace(",", "")) for line in shown]
    place = next(n for n, line in enumerate(shown) if line.endswith("by these reasons"))
    assert sum(amounts[:place]) == pytest.approx(amounts[place], abs=1e-6)
