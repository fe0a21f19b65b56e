"""A day's performance by segment against plain pandas, and the mean of days behind it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from daily_profit_model.monitoring.segments import segment_performance, segments_of
from daily_profit_model.tables.segments import MEASURES, SEGMENT_PERFORMANCE
from daily_profit_model_tests.monitoring.test_performance import FIRST, outcomes

PLANS = ["basic", "pro", None]


def with_plans(rows: pa.Table) -> pa.Table:
    plans = pa.array((PLANS * rows.num_rows)[: rows.num_rows], pa.string())
    return rows.append_column("plan_id", plans).append_column("plan_type", pa.array(["two-step"] * rows.num_rows))


def plainly(rows: pa.Table) -> pd.DataFrame:
    """The measures of each account."""
    frame = rows.to_pandas()
    y, low, high = frame["net_profit"], frame["lower_90"], frame["upper_90"]
    traded, profited = (frame["outcome_status"] == "traded").astype(float), (y > 0).astype(float)
    losses = [np.maximum(level * (y - q), (level - 1) * (y - q))
              for level, q in ((0.05, low), (0.5, frame["predicted_net_profit"]), (0.95, high))]  # fmt: skip
    return frame.assign(
        bias=y - frame["expected_net_profit"], mean_absolute_error=(y - frame["predicted_net_profit"]).abs(),
        pinball=sum(losses) / 3, winkler_90=high - low + 20 * np.maximum(low - y, 0) + 20 * np.maximum(y - high, 0),
        coverage_90=((y >= low) & (y <= high)).astype(float), miss_lower=(y < low).astype(float),
        miss_upper=(y > high).astype(float), traded=traded, brier_trade=(frame["probability_trade"] - traded) ** 2,
        profited=profited, brier_profit=(frame["probability_profit"] - profited) ** 2,
        plan=frame["plan_id"].fillna("unknown"),
        activity=pd.cut(frame["probability_trade"], [-1, 1 / 3, 2 / 3, 2], labels=["rare", "often", "usual"], right=False),
    )  # fmt: skip


def test_each_segment_has_the_figures_that_plain_pandas_gives() -> None:
    rows = with_plans(outcomes(200))
    made = segment_performance([segments_of(rows)], FIRST)
    assert made.schema.equals(SEGMENT_PERFORMANCE.schema())
    found = made.to_pandas().set_index(["segment_by", "segment"])
    frame = plainly(rows)
    assert set(found.index.get_level_values(0)) == {"all", "model", "plan", "plan_type", "activity"}
    for (segment_by, segment), row in found.iterrows():
        columns = {"all": None, "model": "model_version"}
        column = columns.get(segment_by, segment_by)
        own = frame if column is None else frame[frame[column] == segment]
        assert row["accounts"] == len(own)
        means = own[list(MEASURES)].mean()
        assert row[list(MEASURES)].astype(float).to_dict() == pytest.approx(means.to_dict(), rel=1e-12, abs=1e-12)


def test_the_rolling_columns_are_the_mean_of_the_days_on_which_the_segment_had_outcomes() -> None:
    parts = [with_plans(outcomes(40, seed)) for seed in range(3)]
    parts[1] = parts[1].filter(pa.compute.equal(parts[1]["plan_id"], "pro"))
    days = [segments_of(part) for part in parts]
    found = segment_performance([{}, *days], FIRST + timedelta(days=3)).to_pandas().set_index(["segment_by", "segment"])
    assert found.loc[("plan", "pro"), "days_28d"] == 3
    assert found.loc[("plan", "basic"), "days_28d"] == 2
    own = [segment_performance([day], FIRST).to_pandas().set_index(["segment_by", "segment"]) for day in days]
    for segment, of in ((("plan", "pro"), own), (("plan", "basic"), [own[0], own[2]])):
        assert found.loc[segment, "pinball_28d"] == pytest.approx(np.mean([day.loc[segment, "pinball"] for day in of]))


def test_a_day_without_a_settled_outcome_gives_no_row() -> None:
    nothing = segments_of(with_plans(outcomes(3)).slice(0, 0))
    assert segment_performance([segments_of(with_plans(outcomes(3))), nothing], FIRST).num_rows == 0
