"""Model versions on the same rows: what each would have served on days that none of them has learnt from.

Here: losses of each version by day and the paired difference of two, by whole days. Whether a difference is enough is
the gate's and the reader's business, which design it is the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.carry import OPEN_PROFIT, WEEKEND
from daily_profit_model.modeling.conformity import conformity
from daily_profit_model.modeling.design import ENCODED, Design
from daily_profit_model.modeling.evaluation import BOOTSTRAP_DRAWS, BOOTSTRAP_SEED, quantile_losses
from daily_profit_model.modeling.frames import of_days
from daily_profit_model.modeling.intervals import IntervalSettings, intervals_of
from daily_profit_model.modeling.matrix import EncodedFeature, Floats, ModelMismatchError, encoded_column, floats
from daily_profit_model.modeling.scoring import score
from daily_profit_model.modeling.splits import Days


@dataclass(frozen=True)
class Difference:
    """How much more one version loses than another, over the same days; below zero: less."""

    value: float
    """Mean over days of the difference of the days' losses, USD; a day's loss is the mean of its three quantiles'."""
    lower: float
    """Percentile interval, 95 %, from a bootstrap over whole days."""
    upper: float
    relative: float
    """`value` as a share of the other's loss."""


@dataclass(frozen=True)
class Comparison:
    """Versions on the test days of one design."""

    days: Days
    rows: int
    losses: Mapping[str, Floats]
    """Version → pinball losses, days x 3: the mean over each day's rows at 5, 50 and 95 % of what it would have served, USD."""

    def difference(self, version: str, other: str) -> Difference:
        """How much more `version` loses than `other`."""
        return paired_difference(self.losses[version].mean(axis=1), self.losses[other].mean(axis=1))


def compare_on(design: Design, models: Sequence[Model], settings: IntervalSettings) -> Comparison:
    """The losses of `models` on the test days of `design`, their intervals calibrated as in service.

    Each version scores the calibration and test days; each test day is calibrated by the version's own conformity of
    the days before it. Raises ModelMismatchError when the design cannot tell what a version must know, ValueError
    when a version has learnt from a test day.
    """
    split = design.split
    held_out = of_days(design.rows, split.calibration + split.test)
    test = of_days(held_out, split.test)
    outcome = floats(test["target_net_profit"])
    days = np.unique(test["target_date"].cast(pa.int32()).to_numpy(), return_inverse=True)[1]
    losses = {}
    for model in models:
        check_unseen(model, split.test)
        served = served_days(model, design, held_out, split.test, settings)
        forecasts = np.stack([floats(served[name]) for name in ("lower_90", "median", "upper_90")], axis=1)
        losses[model.version] = quantile_losses(outcome, forecasts, days)
    return Comparison(split.test, test.num_rows, losses)


def check_unseen(model: Model, days: Days) -> None:
    """Raises ValueError when the version was fitted, or stopped, on one of `days` or on a later one."""
    last = date.fromisoformat(model.manifest["split"]["validation"]["to"])
    if last >= days[0]:
        raise ValueError(
            f"{model.version} has learnt from days up to {last}, so it cannot be judged on {days[0]} … {days[-1]}"
        )


def served_days(model: Model, design: Design, rows: pa.Table, days: Days, settings: IntervalSettings) -> pa.Table:
    """Scores of `days` with lower_90 and upper_90 (USD), in the order of the design's `rows`, which also hold the days
    that calibrate the first of them: each day by the conformity of those before it.
    """
    scores = score(model, rows, matrix=matrix_of(model, design, rows))
    outcomes = rows.select(["target_date", "account_id", "target_net_profit"]).rename_columns(
        ["prediction_date", "account_id", "net_profit"]
    )
    history = conformity(scores, outcomes)
    return intervals_of(scores, history, days, settings)


def matrix_of(model: Model, design: Design, rows: pa.Table) -> npt.NDArray[np.float32]:
    """What `model` sees of some of the design's rows, rows x features, in the model's own encoding.

    Categories that the design's training days were too few to know are missing to every version, unless the rows hold
    the column as it is.
    """
    if model.carry and (missing := [name for name in (OPEN_PROFIT, WEEKEND) if name not in rows.column_names]):
        raise ModelMismatchError(f"{model.version} needs {missing[0]}, which the rows do not have")
    known = {feature.name: feature for feature in design.encoding}
    matrix = np.empty((rows.num_rows, len(model.encoding)), dtype=np.float32, order="C")
    for place, feature in enumerate(model.encoding):
        theirs = known.get(feature.name)
        if theirs is None:
            raise ModelMismatchError(f"{model.version} needs the feature {feature.name}, which the rows do not have")
        if theirs.kind != feature.kind:
            raise ModelMismatchError(
                f"{model.version} reads {feature.name} as {feature.kind}, in the rows it is a {theirs.kind}"
            )
        matrix[:, place] = _column(rows, feature, theirs)
    return matrix


def _column(rows: pa.Table, feature: EncodedFeature, theirs: EncodedFeature) -> npt.NDArray[np.float32]:
    if feature.categories == theirs.categories:
        codes: npt.NDArray[np.float32] = rows[ENCODED + feature.name].to_numpy()
        return codes
    if feature.name in rows.column_names:
        return encoded_column(rows, feature)
    places = {category: place for place, category in enumerate(feature.categories)}
    # the last one stands for missing
    own = np.array([*(places.get(category, np.nan) for category in theirs.categories), np.nan], dtype=np.float32)
    codes = rows[ENCODED + feature.name].to_numpy()
    return own[np.where(np.isnan(codes), len(theirs.categories), codes).astype(np.int64)]


def paired_difference(losses: Floats, others: Floats, draws: int = BOOTSTRAP_DRAWS) -> Difference:
    """The mean of `losses` - `others`, both of the same days, with an interval that resamples whole days.

    The two share each day's market, so that the difference of a day varies far less than either loss (as in
    `evaluation.skill`: Efron & Tibshirani 1993, ch. 13).
    """
    daily = losses - others
    drawn = np.random.default_rng(BOOTSTRAP_SEED).integers(len(daily), size=(draws, len(daily)))
    lower, upper = np.quantile(daily[drawn].mean(axis=1), [0.025, 0.975])
    mean = float(others.mean())
    value = float(daily.mean())
    return Difference(value, float(lower), float(upper), value / mean if mean > 0 else 0.0)
