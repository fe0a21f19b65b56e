"""A model card says what the bundle says: a bad version's card names its limits, a good one's claims no more than that."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from daily_profit_model.modeling.bundle import Model, assemble
from daily_profit_model.modeling.card import card, uncalibrated_misses
from daily_profit_model.modeling.importance import stability
from daily_profit_model.modeling.limits import Limits, limits
from daily_profit_model.modeling.matrix import floats
from daily_profit_model.modeling.training import TrainedModel

Manifest = dict[str, Any]


@pytest.fixture
def good(trained: TrainedModel) -> Manifest:
    """The manifest of a version in whose figures no rule finds a limit."""
    manifest: Manifest = copy.deepcopy(dict(trained.model.manifest))
    scores = manifest["scores"]
    scores["skills"] = {name: [0.2, 0.1, 0.3] for name in scores["skills"]}
    scores["skill"] |= {"value": 0.2, "lower": 0.1, "upper": 0.3}
    scores["median_skill"] |= {"value": 0.05, "lower": 0.02, "upper": 0.08}
    scores["intervals"] |= {
        "coverage_90": [0.9, 0.89, 0.91],
        "miss_lower": [0.05, 0.045, 0.055],
        "miss_upper": [0.05, 0.045, 0.055],
        "bias": [1.0, -2.0, 4.0],
        "auc_trade": [0.7, 0.65, 0.75],
        "auc_profit": [0.6, 0.55, 0.65],
        "rank_correlation": [0.2, 0.1, 0.3],
    }
    scores |= {"winkler_90": 90.0, "raw_winkler_90": 100.0}
    scores["segments"] = [segment("phase", "Funded"), segment("phase", "Evaluation", coverage_90=0.93)]
    manifest["split"]["train"]["days"] = 400
    manifest["split"]["test"]["days"] = 28
    manifest["trees"] = dict.fromkeys(manifest["trees"], 80)
    manifest["unvarying"] = {"null": [], "constant": []}
    return manifest


def segment(name: str, label: str, **figures: Any) -> dict[str, Any]:
    ends = {"skill": 0.1, "skill_lower": 0.05, "skill_upper": 0.15}
    misses = {"coverage_90": 0.9, "miss_lower": 0.05, "miss_upper": 0.05}
    money = {"mean_absolute_error": 10.0, "winkler_90": 90.0}
    return {"name": name, "label": label, "rows": 1000, "days": 28, **misses, **money, **ends, **figures}


def remade(trained: TrainedModel, manifest: Manifest) -> Model:
    return assemble(manifest, trained.model.files)


def test_the_card_is_a_function_of_the_bundle_and_has_every_section(trained: TrainedModel) -> None:
    made = card(trained.model)
    assert made == card(trained.model)
    titles = [line for line in made.splitlines() if line.startswith("#")]
    assert titles == [
        f"# Model card: {trained.model.version}",
        "## Data",
        "## Learning",
        "## Scores on the test days",
        "## By segment",
        "## Calibration",
        "## What it rests on",
        "## Limits",
    ]
    assert "| weekday |" in made
    for name in trained.model.manifest["scores"]["skills"]:
        assert f"| {name} |" in made


def test_rows_of_every_table_have_as_many_cells_as_its_head(trained: TrainedModel, baseline: TrainedModel) -> None:
    for model in (trained.model, baseline.model):
        width = 0
        for line in card(model).splitlines():
            cells = line.count("|") if line.startswith("|") else 0
            assert not (width and cells) or cells == width, line
            width = cells


def test_a_good_versions_card_finds_no_limit_and_claims_no_more_than_its_scores(
    trained: TrainedModel, good: Manifest
) -> None:
    assert limits(good, Limits()) == []
    made = card(remade(trained, good))
    assert "None of the rules that look for limits in this run's own figures found one." in made
    assert "is not judged by them" in made
    assert "| zero | +0.2000 | [+0.1000, +0.3000] | yes |" in made
    for word in ("guarantee", "accurate", "reliable", "excellent", "no limits", "safe"):
        assert word not in made.lower()


def change(path: str, value: Any) -> Callable[[Manifest], None]:
    def apply(manifest: Manifest) -> None:
        *outer, last = path.split(".")
        place: Any = manifest
        for name in outer:
            place = place[name]
        place[last] = value

    return apply


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("scores.skills.zero", [0.1, -0.01, 0.2], "It cannot be told from the baseline zero: skill +0.100"),
        ("scores.skills.zero", [0.1, 0.0, 0.2], "reaches zero"),
        ("scores.skills.zero", [-0.1, -0.2, -0.01], "It is worse than the baseline zero: skill -0.100"),
        ("scores.median_skill.lower", -0.01, "Its median alone is not shown to beat"),
        ("scores.intervals.coverage_90", [0.8, 0.78, 0.82], "The 90 % intervals cover 0.800 [0.780, 0.820] of"),
        ("scores.intervals.coverage_90", [0.95, 0.94, 0.96], "The 90 % intervals cover 0.950"),
        ("scores.intervals.miss_lower", [0.09, 0.08, 0.1], "Below the interval lie 0.090"),
        ("scores.intervals.miss_upper", [0.01, 0.0, 0.02], "Above it lie 0.010"),
        ("scores.winkler_90", 101.0, "Calibration did not improve the Winkler score of the test days: 101.00 after"),
        ("scores.intervals.bias", [-5.0, -9.0, -1.0], "Its mean is too high"),
        ("scores.intervals.bias", [5.0, 1.0, 9.0], "Its mean is too low"),
        ("scores.segments", [segment("plan_type", "A", coverage_90=0.868)], "more than 0.03 in: plan_type A 0.868."),
        ("scores.segments", [segment("plan_type", "A", skill=-0.1)], "loses more than the best baseline in: plan_type A"),
        ("scores.segments", [segment("plan_type", "A", rows=12)], "Fewer than 200 rows, so that figures mean little, in"),
        ("scores.segments", [segment("weekday", "1 Monday", days=4)], "Fewer than 5 days, so that intervals mean nothing"),
        ("scores.intervals.auc_profit", [0.52, 0.49, 0.55], "auc_profit 0.520 [0.490, 0.550] reaches 0.5"),
        ("scores.intervals.rank_correlation", [0.1, 0.0, 0.2], "reaches 0, which is chance"),
        ("split.test.days", 7, "Judged on 7 days alone"),
        ("split.train.days", 364, "Trained on 364 days: no season has been seen twice."),
        ("rows.left_out", {"unknown": 10_000_000}, "of the account-days had no outcome and were left out."),
        ("trees.median", 1, "Fewer than 5 trees, so that next to nothing was learnt, in: median (1)."),
        ("unvarying", {"null": ["vix"], "constant": []}, "Always missing in training, so never used: vix."),
        ("unvarying", {"null": [], "constant": ["leverage"]}, "Constant in training, so never used: leverage."),
        ("importance", None, "It was trained before importances were recorded."),
        ("importance.mean_absolute_usd", {"a": 0.0}, "No feature moves its median, so predictions have no reasons."),
    ],
)  # fmt: skip
def test_each_fault_is_a_limit_of_its_own(
    trained: TrainedModel, good: Manifest, path: str, value: Any, said: str
) -> None:
    change(path, value)(good)
    found = limits(good, Limits())
    assert len(found) == 1
    assert said in found[0]
    assert f"- {found[0]}" in card(remade(trained, good))


def test_a_figure_that_no_day_defines_is_named(good: Manifest) -> None:
    del good["scores"]["intervals"]["auc_trade"]
    assert limits(good, Limits()) == ["auc_trade is not defined on any test day."]


def test_long_lists_are_cut_and_counted(good: Manifest) -> None:
    good["unvarying"] = {"null": [f"f{n}" for n in range(20)], "constant": []}
    assert limits(good, Limits())[0].endswith("f11 and 8 more.")


def test_a_baselines_card_says_what_it_is(baseline: TrainedModel) -> None:
    made = card(baseline.model)
    assert "a baseline, without boosters" in made
    assert "The baseline `zero`; it has no boosters" in made
    assert "It is a baseline: it weighs no features" in made
    assert "## What it rests on" not in made


def test_the_gates_decision_is_told_as_it_is_or_as_unknown(trained: TrainedModel) -> None:
    refused = {"decision": "refused", "reason": "skill reaches zero", "in_force_from": "2024-04-22"}
    assert "- **Gate's decision** **refused**: skill reaches zero\n" in card(trained.model, decision=refused)
    promoted = card(trained.model, decision={**refused, "decision": "promoted", "reason": "it beats all"})
    assert "**promoted**, in force from 2024-04-22: it beats all\n" in promoted
    assert "none that this card knows of" in card(trained.model)


def test_plots_are_linked_and_the_version_before_is_compared(trained: TrainedModel) -> None:
    found = stability({"a": 1.0, "b": 2.0, "c": 3.0}, {"a": 1.0, "b": 2.0, "c": 3.0})
    made = card(trained.model, plots={"test days": "test_days.png"}, earlier=("20240401-aaaaaaaa", found))
    assert "## Plots\n\n![test days](test_days.png)" in made
    assert "Stability against 20240401-aaaaaaaa: rank correlation +1.00 over 3 features" in made


def test_misses_before_calibration_are_those_of_the_uncalibrated_quantiles(trained: TrainedModel) -> None:
    rows = trained.test_predictions
    outcome = floats(rows["net_profit"])
    lower, upper = uncalibrated_misses(trained.model)
    assert lower == pytest.approx((outcome < floats(rows["q05"])).mean())
    assert upper == pytest.approx((outcome > floats(rows["q95"])).mean())


def test_parameters_are_those_that_the_booster_reports_where_its_objective_reads_them(trained: TrainedModel) -> None:
    lines = {line.split(" | ")[0]: line for line in card(trained.model).splitlines() if line.startswith("| ")}
    assert "| quantile | 0.05 |" in lines["| q05"]
    assert "| regression_l1 |  |" in lines["| median"]
