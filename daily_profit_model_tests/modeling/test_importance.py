"""What a version rests on is measured on its test days, stored with it, and compared by rank with the version before."""

from __future__ import annotations

import numpy as np
import pytest

from daily_profit_model.modeling.explanation import contributions
from daily_profit_model.modeling.frames import of_days
from daily_profit_model.modeling.importance import (
    importance_of,
    ranked,
    sampled,
    stability,
    stability_of,
    stability_words,
    unvarying,
)
from daily_profit_model.modeling.matrix import to_matrix
from daily_profit_model.modeling.training import TrainedModel
from daily_profit_model_tests.modeling.panel import Panel


def test_the_sample_is_at_most_as_large_as_said_even_and_reaches_the_last_days() -> None:
    for rows, most in ((10, 20), (20, 20), (21, 20), (5001, 2000), (0, 5)):
        places = sampled(rows, most)
        assert len(places) == min(rows, most)
        assert np.ptp(np.diff(places)) <= 1 if rows else True
        assert all((places >= 0) & (places < rows))
        assert not rows or rows - places[-1] <= rows / len(places) + 1


def test_the_sample_has_other_accounts_on_other_days() -> None:
    accounts, days = 150, 28
    chosen = sampled(accounts * days, 1000) % accounts
    assert len(set(chosen.tolist())) == accounts


def test_the_manifest_holds_the_mean_absolute_contribution_over_the_test_days(
    two_part: TrainedModel, panel: Panel
) -> None:
    model = two_part.model
    days = tuple(two_part.test_predictions["prediction_date"].unique().to_pylist())
    rows = of_days(panel.frame, days)
    parts, _ = contributions(model, rows)
    stored = model.manifest["importance"]
    assert (stored["output"], stored["rows"]) == ("mean", rows.num_rows)
    means = dict(zip([feature.name for feature in model.encoding], np.abs(parts).mean(axis=0), strict=True))
    assert stored["mean_absolute_usd"] == pytest.approx(means, rel=1e-9)
    assert "true_drift" in [name for name, _ in ranked(stored["mean_absolute_usd"])[:3]]


def test_more_rows_than_are_sampled_give_the_importance_of_the_sample(
    two_part: TrainedModel, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daily_profit_model.modeling.importance.sampled", lambda rows: np.arange(0, rows, 50))
    rows = panel.frame.slice(0, 500)
    found = importance_of(two_part.model, rows, to_matrix(rows, two_part.model.encoding))
    parts, _ = contributions(two_part.model, rows.take(list(range(0, 500, 50))))
    assert found["rows"] == 10
    assert list(found["mean_absolute_usd"].values()) == pytest.approx(np.abs(parts).mean(axis=0).tolist())


def test_a_baseline_rests_on_no_features(baseline: TrainedModel) -> None:
    assert baseline.model.manifest["importance"]["mean_absolute_usd"] == {}
    assert baseline.model.manifest["importance"]["output"] is None


def test_features_that_are_always_missing_or_always_the_same_are_told_from_those_that_vary() -> None:
    gap = np.nan
    columns = {"a": [gap, gap], "b": [1, 1], "c": [1, gap], "d": [1, 2]}
    found = unvarying((name, np.array(values, dtype=np.float32)) for name, values in columns.items())
    assert found == {"null": ["a"], "constant": ["b"]}


def test_the_same_importances_at_another_scale_are_wholly_stable() -> None:
    before = {f"f{n}": float(n) for n in range(30)}
    found = stability(before, {name: 3 * value for name, value in before.items()})
    assert found.rank_correlation == pytest.approx(1.0)
    assert (found.shared, found.top, found.came, found.went) == (20, 20, (), ())


def test_what_came_and_went_is_named_and_reversed_ranks_correlate_negatively() -> None:
    before = {f"f{n:02d}": float(n) for n in range(1, 23)} | {"gone": 99.0}
    after = {f"f{n:02d}": 23.0 - n for n in range(1, 23)} | {"new": 99.0}
    found = stability(before, after)
    assert found.rank_correlation == pytest.approx(-1.0)
    assert found.features == 22
    assert found.came == ("new", "f01", "f02", "f03")
    assert found.went == ("gone", "f22", "f21", "f20")
    assert found.shared == 16
    words = stability_words(found, "20240101-aaaaaaaa")
    assert words.startswith("against 20240101-aaaaaaaa: rank correlation -1.00 over 22 features, 16 of the 20")
    assert "came: new, f01" in words


def test_too_few_features_in_common_have_no_rank_correlation() -> None:
    found = stability({"a": 1.0, "b": 0.0}, {"a": 2.0, "c": 1.0})
    assert found.rank_correlation is None
    assert "rank correlation not defined over 1 features" in stability_words(found, "x")


def test_versions_that_explain_different_outputs_are_not_compared(
    trained: TrainedModel, two_part: TrainedModel, baseline: TrainedModel
) -> None:
    manifests = [one.model.manifest for one in (trained, two_part, baseline)]
    assert stability_of(manifests[0], manifests[1]) is None
    assert stability_of(manifests[2], manifests[2]) is None
    assert stability_of({}, manifests[0]) is None
    same = stability_of(manifests[1], manifests[1])
    assert same is not None
    assert same.rank_correlation == pytest.approx(1.0)
