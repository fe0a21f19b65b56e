"""From a training frame to a model version: design, fit, calibrate, judge, and put it all in a bundle.

Here: the order of those steps and the manifest. Each step stands in its own module; where the frame
comes from and where the bundle goes is the graph's business.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from daily_profit_model.modeling import baselines as baseline
from daily_profit_model.modeling.boosting import (
    BoosterSettings,
    Learner,
    Part,
    fit_boosters,
    reported_parameters,
    trees_of,
)
from daily_profit_model.modeling.bundle import BASELINE, Model, assemble, booster_file, parquet_bytes
from daily_profit_model.modeling.carry import carried
from daily_profit_model.modeling.conformity import conformity
from daily_profit_model.modeling.design import Design, design_of, design_table
from daily_profit_model.modeling.evaluation import Evaluation, evaluate
from daily_profit_model.modeling.forecasters import forecaster
from daily_profit_model.modeling.frames import of_days
from daily_profit_model.modeling.importance import importance_of, unvarying
from daily_profit_model.modeling.intervals import IntervalSettings, fold_levels, intervals_of
from daily_profit_model.modeling.matrix import Floats, ModelFeature, category_places, floats
from daily_profit_model.modeling.reference import reference_of
from daily_profit_model.modeling.scoring import score
from daily_profit_model.modeling.segments import SEGMENT_COLUMNS, segments
from daily_profit_model.modeling.splits import Days, Split, SplitSettings

Fit = Callable[[Part, Part, Sequence[str], Sequence[int], Mapping[str, Learner], BoosterSettings], dict[str, str]]
"""Grows a booster per learner: training and validation rows, names and places of categories, learners, settings."""


@dataclass(frozen=True)
class TrainSettings:
    """Everything that a training decides by; stored in the manifest."""

    split: SplitSettings = field(default_factory=SplitSettings)
    booster: BoosterSettings = field(default_factory=BoosterSettings)
    baselines: baseline.BaselineSettings = field(default_factory=baseline.BaselineSettings)
    intervals: IntervalSettings = field(default_factory=IntervalSettings)
    objective: str = "two_part"
    """The candidate, by its name in `forecasters`. On three cut-offs of two sandbox firms `two_part` had more skill in
    pinball loss than `l1` each time, on one of them 0.48 of the oracle's improvement against 0.40."""
    weight_power: float = 0.25
    """Rows weigh profit_scale to this power. Targets are in profit scales, so 1 fits the loss in USD and 0
    gives every account the same say. The mean has its own weights."""
    mean_bound: float = 10.0
    """The mean is learnt from residuals bounded at so many profit scales: squared errors of heavy tails
    would chase single days of single accounts. Beyond lie 1 to 2 % of the rows, as many on either side.
    Its rows weigh their profit scale, so that the sum over accounts is unbiased in USD."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the frame that judging needs as they are."""
        return (*self.baselines.columns, *SEGMENT_COLUMNS)


@dataclass(frozen=True)
class TrainedModel:
    """A model version with what its judgement rested on."""

    model: Model
    evaluation: Evaluation
    test_predictions: pa.Table
    """Scores of the test days with lower_90, upper_90, net_profit and traded."""


def train(
    frame: pa.Table,
    features: Sequence[ModelFeature],
    *,
    cutoff: date,
    settings: TrainSettings | None = None,
    data_versions: Mapping[str, str],
    code_version: str,
) -> TrainedModel:
    """Trains and judges a version on `frame` (see `frames`); equal inputs give an equal hash.

    Raises ValueError in one line when the frame is not as promised or has too few days.
    """
    settings = settings or TrainSettings()
    table = design_table(frame, features, cutoff=cutoff, split=settings.split, columns=settings.columns)
    return train_on(design_of(table), settings=settings, data_versions=data_versions, code_version=code_version)


def train_on(
    design: Design,
    *,
    settings: TrainSettings,
    data_versions: Mapping[str, str],
    code_version: str,
    tuning: Mapping[str, Any] | None = None,
    fit: Fit = fit_boosters,
) -> TrainedModel:
    """The same on a design made with the columns of `settings.baselines`. Raises ValueError when its split is another.

    `tuning`: where the settings come from, for the manifest; None: they are the defaults. `fit`: who grows the boosters
    (`cluster.fit_boosters_on` with a client, for one).
    """
    if design.split_settings != settings.split:
        raise ValueError(f"the design was made with {design.split_settings}, the training asks for {settings.split}")
    texts = _fit(design, settings, fit)
    files = {booster_file(name): text.encode() for name, text in texts.items()}
    manifest = {
        "forecaster": settings.objective,
        "parameters": {name: reported_parameters(text) for name, text in texts.items()},
        "trees": {name: trees_of(text) for name, text in texts.items()},
        "tuning": None if tuning is None else dict(tuning),
        **_described(design, settings, data_versions, code_version),
    }
    return _judge(assemble(manifest, files), manifest, design, settings)


def baseline_on(
    design: Design, name: str, *, settings: TrainSettings, data_versions: Mapping[str, str], code_version: str
) -> TrainedModel:
    """A version without boosters: the baseline `name`, learnt, calibrated and judged on the same days as a model."""
    past = of_days(design.rows, design.split.train + design.split.validation)
    manifest = {
        "forecaster": BASELINE,
        "baseline": asdict(baseline.learn_baseline(name, past, settings.baselines)),
        "parameters": {},
        "trees": {},
        **_described(design, settings, data_versions, code_version),
    }
    manifest["features"] = []  # whatever the catalogue becomes, the columns that it repeats are found by name
    return _judge(assemble(manifest, {}), manifest, replace(design, encoding=()), settings)


def _described(
    design: Design, settings: TrainSettings, data_versions: Mapping[str, str], code_version: str
) -> dict[str, Any]:
    """What a manifest says of every version."""
    return {
        "cutoff": design.cutoff.isoformat(),
        "features": [asdict(feature) for feature in design.encoding],
        "carry": design.carry,
        "split": _days_of(design.split),
        "rows": {"settled": design.rows.num_rows, "left_out": design.left_out},
        "data_versions": dict(sorted(data_versions.items())),
        "code_version": code_version,
        "libraries": _libraries(),
        "settings": _stored(settings),
    }


def _fit(design: Design, settings: TrainSettings, fit: Fit) -> dict[str, str]:
    train_part, validation_part = (
        part_of(design, days, settings) for days in (design.split.train, design.split.validation)
    )
    names = [feature.name for feature in design.encoding]
    learners = forecaster(settings.objective).learners
    return fit(train_part, validation_part, names, category_places(design.encoding), learners, settings.booster)


def part_of(design: Design, days: Days, settings: TrainSettings) -> Part:
    """The rows of `days` as boosters learn from them: matrix, targets and weights."""
    rows = of_days(design.rows, days)
    profit, scale = floats(rows["target_net_profit"]), floats(rows["profit_scale"])
    traded = _traded(rows)
    residual = (profit - carried(rows, design.carry)) / scale
    return Part(
        matrix=design.matrix(rows),
        targets={
            "residual": residual,
            "bounded": np.clip(residual, -settings.mean_bound, settings.mean_bound),
            "traded": traded,
            "profitable": (profit > 0).astype(np.float64),
        },
        weights={
            "power": power_weights(scale, settings.weight_power),
            "scale": scale / scale.mean(),
            "one": np.ones(len(profit)),
        },
        traded=traded > 0,
    )


def power_weights(scale: Floats, power: float) -> Floats:
    """Weights of rows whose profit scales are `scale`, 1 in the mean (see `TrainSettings.weight_power`)."""
    weights = scale**power
    return np.asarray(weights / weights.mean())


def _traded(rows: pa.Table) -> Floats:
    """1 where the account traded on the target day, or had a profit or loss without trading."""
    status = np.asarray(rows["target_status"].to_numpy(), dtype=object)
    traded: Floats = ((status == "traded") | (floats(rows["target_net_profit"]) != 0)).astype(np.float64)
    return traded


def _judge(draft: Model, manifest: dict[str, Any], design: Design, settings: TrainSettings) -> TrainedModel:
    """Scores the days held out, calibrates them as serving would, and completes the bundle."""
    split = design.split
    held_out = of_days(design.rows, split.calibration + split.test)
    scores = score(draft, held_out, matrix=design.matrix(held_out))
    outcomes = held_out.select(["target_date", "account_id", "target_net_profit"]).rename_columns(
        ["prediction_date", "account_id", "net_profit"]
    )
    history = conformity(scores, outcomes)
    test = of_days(held_out, split.test)
    predictions = intervals_of(scores, history, split.test, settings.intervals)
    predictions = predictions.append_column("net_profit", test["target_net_profit"])
    predictions = predictions.append_column("traded", pa.array(_traded(test)))
    past = of_days(design.rows, split.train + split.validation + split.calibration)
    evaluation = evaluate(predictions, baseline.baseline_forecasts(past, test, settings.baselines), segments(test))
    anonymous = ["model_version", "model_hash"]  # the bundle cannot hold its own hash
    model = assemble(
        {
            **manifest,
            "scores": evaluation.as_dict(),
            "calibration": _calibration(history, settings),
            "importance": importance_of(draft, test, design.matrix(test)),
            "unvarying": unvarying(design.encoded(of_days(design.rows, split.train))),
        },
        {
            **draft.files,
            "conformity.parquet": parquet_bytes(history.drop_columns(anonymous)),
            "reference.parquet": parquet_bytes(reference_of(design)),
        },
    )
    return TrainedModel(model, evaluation, predictions.drop_columns(anonymous))


def _calibration(history: pa.Table, settings: TrainSettings) -> dict[str, Any]:
    levels = fold_levels(history, settings.intervals)
    return {
        "rows": history.num_rows,
        "lower_level": levels.lower_level,
        "upper_level": levels.upper_level,
        "lower_thresholds": levels.lower.tolist(),
        "upper_thresholds": levels.upper.tolist(),
    }


def _stored(settings: TrainSettings) -> dict[str, Any]:
    """The settings without the number of threads, which is the machine's and changes no result."""
    stored = asdict(settings)
    del stored["booster"]["threads"]
    return stored


def _days_of(split: Split) -> dict[str, dict[str, Any]]:
    parts = {name: getattr(split, name) for name in ("train", "validation", "calibration", "test")}
    return {
        name: {"from": days[0].isoformat(), "to": days[-1].isoformat(), "days": len(days)}
        for name, days in parts.items()
    }


def _libraries() -> dict[str, str]:
    import lightgbm
    import scipy

    return {
        "python": platform.python_version(),
        "lightgbm": lightgbm.__version__,
        "numpy": np.__version__,
        "pyarrow": pa.__version__,
        "scipy": scipy.__version__,
    }
