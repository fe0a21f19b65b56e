"""Shadows beside the champion: losses paired by account, evidence over days, decisions that stay, a picture."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from daily_profit_model.modeling.shadow_contracts import PREDICTIONS_SHADOW, SHADOW_LOSSES
from daily_profit_model.modeling.shadows import Deployment
from daily_profit_model.monitoring.shadow_evaluation import (
    decision_of,
    evaluation_row,
    paired_losses,
    plot_evidence,
)
from daily_profit_model.monitoring.shadow_test import Plan, decide

FROM = date(2026, 6, 20)


def deployment(number: int = 1, begins: int = 0, planned_days: int = 60) -> Deployment:
    name = f"s{number}-20260614-0a0a0a0a"
    made = datetime(2026, 6, 20, tzinfo=UTC)
    day = FROM + timedelta(days=begins)
    return Deployment(name, name[3:], "ab", day, None, planned_days, 0, "why", "ana", made)


def losses(differences: list[float], name: str = deployment().name) -> pa.Table:
    rows = [
        {"prediction_date": FROM + timedelta(days=place), "deployment": name, "difference": value, "excess_miss": 0.0}
        for place, value in enumerate(differences)
    ]
    return pa.Table.from_pylist(rows, schema=SHADOW_LOSSES.schema())


def predicted(account: str, ends: tuple[float, float, float], **more: object) -> dict[str, object]:
    lower, median, upper = ends
    return {"account_id": account, "lower_90": lower, "predicted_net_profit": median, "upper_90": upper, **more}


def shadow_rows(*rows: dict[str, object]) -> pa.Table:
    every = [{"prediction_date": FROM, "model_version": "v", **row} for row in rows]
    return pa.Table.from_pylist(every, schema=PREDICTIONS_SHADOW.schema())


def test_losses_are_the_mean_of_three_pinball_losses_over_accounts_that_both_predicted_and_that_have_an_outcome() -> (
    None
):
    champion = pa.Table.from_pylist(
        [
            predicted("a", (-10.0, 0.0, 10.0), model_version="c"),
            predicted("b", (-10.0, 0.0, 10.0), model_version="c"),
            predicted("c", (-10.0, 0.0, 10.0), model_version="c"),
        ]
    )
    shadow = shadow_rows(
        predicted("a", (-20.0, 20.0, 40.0), deployment="s1"),
        predicted("b", (-20.0, 5.0, 40.0), deployment="s1"),
        predicted("d", (-20.0, 5.0, 40.0), deployment="s1"),
        predicted("a", (-10.0, 0.0, 10.0), deployment="s2"),
    )
    outcomes = pa.table({"account_id": ["a", "b", "c"], "net_profit": pa.array([30.0, None, 1.0], pa.float64())})
    one, two = paired_losses(champion, shadow, outcomes).to_pylist()
    # of account a alone: 0.05 x 40, 0.5 x 30, 0.95 x 20 against 0.05 x 50, 0.5 x 10, 0.05 x 10
    assert one["accounts"] == two["accounts"] == 1
    assert one["champion_loss"] == pytest.approx((2.0 + 15.0 + 19.0) / 3)
    assert one["shadow_loss"] == pytest.approx((2.5 + 5.0 + 0.5) / 3)
    assert one["difference"] == pytest.approx(36 / 3 - 8 / 3)
    assert (one["champion_miss"], one["shadow_miss"], one["excess_miss"]) == (1.0, 0.0, -1.0)
    assert (two["deployment"], two["difference"], two["excess_miss"]) == ("s2", 0.0, 0.0)
    assert (one["model_version"], one["champion_version"]) == ("v", "c")


def test_the_order_of_rows_changes_no_bit_of_the_losses() -> None:
    generator = np.random.default_rng(3)
    names = [f"a{place}" for place in range(200)]
    made = [predicted(name, tuple(np.sort(generator.normal(size=3)))) for name in names]  # type: ignore[arg-type]  # three
    champion = pa.Table.from_pylist([{**row, "model_version": "c"} for row in made])
    shadow = shadow_rows(*({**row, "deployment": "s1", "upper_90": 9.0} for row in made))
    outcomes = pa.table({"account_id": names, "net_profit": generator.normal(size=200)})
    one = paired_losses(champion, shadow, outcomes)
    order = pa.array(generator.permutation(200))
    assert one.equals(paired_losses(champion.take(order), shadow.take(order), outcomes.take(order)))


def test_a_day_without_an_outcome_gives_no_row() -> None:
    champion = pa.Table.from_pylist([predicted("a", (-1.0, 0.0, 1.0), model_version="c")])
    shadow = shadow_rows(predicted("a", (-1.0, 0.0, 1.0), deployment="s1"))
    nothing = pa.table({"account_id": ["a"], "net_profit": pa.array([None], pa.float64())})
    assert paired_losses(champion, shadow, nothing).num_rows == 0


def test_a_better_shadow_is_to_be_promoted_and_a_worse_one_stopped_on_the_day_whose_evidence_decides() -> None:
    generator = np.random.default_rng(5)
    for shift, decision in ((1.5, "promote"), (-1.5, "stop_harm")):
        known = losses(list(shift + generator.normal(size=60)))
        row = evaluation_row(known, deployment(), [deployment()], FROM + timedelta(days=59)).to_pylist()[0]
        assert row["decision"] == decision
        assert row["decided_on"] == FROM + timedelta(days=row["days"] - 1) < FROM + timedelta(days=59)
        before = row["decided_on"] - timedelta(days=1)
        earlier = evaluation_row(known, deployment(), [deployment()], before).to_pylist()[0]
        assert (earlier["decision"], earlier["decided_on"]) == ("continue", None)
        reached = "better" if shift > 0 else "worse"
        assert row[f"evidence_{reached}"] >= row[f"threshold_{reached}"] > earlier[f"evidence_{reached}"]


def test_the_row_of_a_day_sees_no_later_day() -> None:
    known = losses(list(np.random.default_rng(1).normal(size=40)))
    day = FROM + timedelta(days=25)
    assert evaluation_row(known, deployment(), [deployment()], day).equals(
        evaluation_row(known.slice(0, 26), deployment(), [deployment()], day)
    )
    assert evaluation_row(known, deployment(), [deployment()], FROM - timedelta(days=1)).num_rows == 0


def test_a_shadow_that_starts_later_raises_the_bar_and_takes_no_decision_back() -> None:
    others = [deployment(number, begins=55, planned_days=120) for number in range(2, 7)]
    generator = np.random.default_rng(5)
    early = losses([*(1.5 + generator.normal(size=55)), *generator.normal(size=4)])
    alone = decision_of(early, deployment(), [deployment()])
    assert (alone.decision, alone.day <= 55) == ("promote", True)
    together = decision_of(early, deployment(), [deployment(), *others])
    assert (together.decision, together.day) == ("promote", alone.day)
    # at this day nothing can be futile yet
    open_still = losses([0.1, -0.1] * 9)
    crowd = [deployment(number, begins=10) for number in range(2, 7)]
    bars = [
        decision_of(open_still, deployment(), known).threshold_promote
        for known in ([deployment()], [deployment(), *crowd])
    ]
    assert bars[1] == 6 * bars[0]


def test_the_planned_end_decides_in_any_case() -> None:
    known = losses([0.3, -0.3] * 15)
    row = evaluation_row(known, deployment(planned_days=20), [deployment(planned_days=20)], FROM + timedelta(days=29))
    found = row.to_pylist()[0]
    assert found["decision"] in ("stop_end", "stop_futility")
    assert found["days"] <= 20
    arrays = np.array([0.3, -0.3] * 15), np.zeros(30)
    assert found["rule"] == decide(*arrays, Plan(20)).rule


def test_the_picture_is_drawn_from_the_first_day_on_and_is_small() -> None:
    for days in (1, 45):
        png = plot_evidence(losses(list(np.random.default_rng(2).normal(size=days))), deployment(), [deployment()])
        assert png.startswith(b"\x89PNG")
        assert len(png) < 60_000
