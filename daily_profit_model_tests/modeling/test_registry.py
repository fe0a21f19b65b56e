"""The rows of versions and of decisions."""

from __future__ import annotations

from daily_profit_model.modeling import registry
from daily_profit_model.modeling.contracts import MODELS_CHAMPION, MODELS_NET_PROFIT
from daily_profit_model.modeling.training import TrainedModel


def test_the_version_row_holds_the_manifests_figures(trained: TrainedModel) -> None:
    table = registry.version_row(trained.model)
    assert table.schema.equals(MODELS_NET_PROFIT.schema())
    row = table.to_pylist()[0]
    assert row["version"] == row["folder"] == trained.model.version
    assert row["skill_lower"] == trained.evaluation.skill.lower
    assert row["coverage_90"] == trained.evaluation.coverage_90
    assert row["test_days"] == trained.evaluation.days
    assert all(value is not None for value in row.values())


def test_no_decisions_are_no_rows() -> None:
    assert registry.transitions_table([]).equals(MODELS_CHAMPION.schema().empty_table())
