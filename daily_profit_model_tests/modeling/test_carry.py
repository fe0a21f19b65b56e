"""What open positions will realise is learnt apart, added to every money output and told as a reason."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from daily_profit_model.modeling.carry import carried, learn_carry
from daily_profit_model.modeling.explanation import contributions
from daily_profit_model.modeling.matrix import ModelFeature, learn_encoding, to_matrix
from daily_profit_model.modeling.scoring import score
from daily_profit_model.modeling.training import TrainedModel, TrainSettings, train
from daily_profit_model_tests.modeling.panel import Panel

SHARES = {"weekday": 0.7, "weekend": 0.1}


@pytest.fixture(scope="module")
def with_open_positions(panel: Panel) -> Panel:
    """The panel with open profit on a third of the rows, of which the next day realises SHARES."""
    frame, rng = panel.frame, np.random.default_rng(8)
    scale = frame["profit_scale"].to_numpy()
    amount = rng.normal(0.0, 1.5, frame.num_rows) * scale
    some = rng.random(frame.num_rows) < 1 / 3
    frame = frame.append_column("open_pnl", pa.array(amount, mask=~some))
    profit = frame["target_net_profit"].to_numpy() + carried(frame, SHARES)
    place = frame.column_names.index("target_net_profit")
    features = [*panel.features, ModelFeature("open_pnl", "numeric")]
    return Panel(frame.set_column(place, "target_net_profit", pa.array(profit)), features, panel.truth)


@pytest.fixture(scope="module")
def carrying(with_open_positions: Panel, cutoff: date) -> TrainedModel:
    return train(
        with_open_positions.frame,
        with_open_positions.features,
        cutoff=cutoff,
        settings=TrainSettings(objective="l1"),
        data_versions={},
        code_version="1",
    )


def test_the_share_that_the_next_day_realises_is_learnt_weekends_apart(with_open_positions: Panel) -> None:
    encoding = learn_encoding(with_open_positions.frame, with_open_positions.features)
    learnt = learn_carry(with_open_positions.frame, encoding)
    assert learnt == pytest.approx(SHARES, abs=0.1)


def test_a_model_without_open_profit_carries_nothing(panel: Panel, trained: TrainedModel) -> None:
    assert dict(trained.model.carry) == {}
    assert not carried(panel.frame, trained.model.carry).any()


def test_missing_open_profit_means_nothing_is_open(with_open_positions: Panel) -> None:
    amounts = carried(with_open_positions.frame, SHARES)
    assert np.all(amounts[with_open_positions.frame["open_pnl"].is_null().to_numpy()] == 0.0)
    assert np.isfinite(amounts).all()


def test_what_is_carried_is_a_contribution_of_open_profit(carrying: TrainedModel, with_open_positions: Panel) -> None:
    rows = with_open_positions.frame.slice(0, 200)
    parts, base = contributions(carrying.model, rows)
    scale, amounts = rows["profit_scale"].to_numpy(), carried(rows, carrying.model.carry)
    predicted = carrying.model.booster("median").predict(to_matrix(rows, carrying.model.encoding)) * scale + amounts
    np.testing.assert_allclose(parts.sum(axis=1) + base, predicted, rtol=1e-6, atol=1e-6)
    place = [feature.name for feature in carrying.model.encoding].index("open_pnl")
    assert np.corrcoef(parts[:, place], amounts)[0, 1] > 0.9


def test_a_mean_never_lies_outside_the_outer_quantiles(carrying: TrainedModel, with_open_positions: Panel) -> None:
    scores = score(carrying.model, with_open_positions.frame)
    lower, mean, upper = (scores[name].to_numpy() for name in ("q05", "mean", "q95"))
    assert np.all((lower <= mean) & (mean <= upper))
