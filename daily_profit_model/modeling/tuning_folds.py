"""The folds on which parameters are tried, and how well a training does on one of them.

Here: which days teach, stop and test, and the loss of a day. Which parameters are tried is `tuning`'s.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from daily_profit_model.modeling.boosting import Binned, Part, bin_parts, grow
from daily_profit_model.modeling.bundle import assemble, booster_file
from daily_profit_model.modeling.carry import learn_carry
from daily_profit_model.modeling.design import Design
from daily_profit_model.modeling.evaluation import quantile_losses
from daily_profit_model.modeling.forecasters import forecaster
from daily_profit_model.modeling.frames import of_days
from daily_profit_model.modeling.matrix import Floats, category_places, floats
from daily_profit_model.modeling.scoring import score
from daily_profit_model.modeling.splits import Days, Fold, walk_forward
from daily_profit_model.modeling.training import TrainSettings, part_of, power_weights

MOST_FOLDS = 3
LONGEST_TEST_DAYS = 28
"""As many as judge a version: four whole weeks."""
SHORTEST_TEST_DAYS = 7
"""At least one whole week: days of a week differ."""
TESTED_SHARE = 1 / 3
"""Share of the days that folds may be tested on: the first fold must have enough to learn from."""
STOPPING_SHARE = 1 / 5
"""Share of a fold's training days that stop its boosters, when that is less than a version's validation days."""


def folds_of(design: Design, settings: TrainSettings) -> list[Fold]:
    """The folds of a search, over the training and validation days of the design's split."""
    days = (*design.split.train, *design.split.validation)
    size = min(LONGEST_TEST_DAYS, max(SHORTEST_TEST_DAYS, int(len(days) * TESTED_SHARE / MOST_FOLDS)))
    count = min(MOST_FOLDS, max(1, int(len(days) * TESTED_SHARE) // size))
    return walk_forward(days, count, settings.split.embargo_days, size)


@dataclass(frozen=True)
class PreparedFold:
    """A fold with its matrices binned, for trials that change weights and trees alone."""

    learning: Part
    stopping: Part
    """Both without their matrices, which are in `binned`."""
    scales: tuple[Floats, Floats]
    binned: Binned
    tested: pa.Table
    matrix: npt.NDArray[np.float32]
    design: Design
    """With the carry that the fold's own days teach."""


def prepared(design: Design, settings: TrainSettings, fold: Fold) -> PreparedFold:
    """The rows of `fold`, binned once for all trials."""
    learn, stop = stopped(fold.train, settings)
    rows = of_days(design.rows, learn)
    own = replace(design, carry=learn_carry(rows, design.encoding) if design.carry else {})
    learning, stopping = (part_of(own, days, settings) for days in (learn, stop))
    names = [feature.name for feature in design.encoding]
    learners = forecaster(settings.objective).learners
    binned = bin_parts(learning, stopping, names, category_places(design.encoding), learners, settings.booster)
    tested = of_days(design.rows, fold.test)
    return PreparedFold(
        learning=replace(learning, matrix=np.empty((0, len(names)), np.float32)),
        stopping=replace(stopping, matrix=np.empty((0, len(names)), np.float32)),
        scales=(floats(rows["profit_scale"]), floats(of_days(design.rows, stop)["profit_scale"])),
        binned=binned,
        tested=tested,
        matrix=own.matrix(tested),
        design=own,
    )


def stopped(days: Days, settings: TrainSettings) -> tuple[Days, Days]:
    """A fold's training days as those that teach and those that stop, an embargo between them."""
    wanted = max(int(len(days) * STOPPING_SHARE), settings.split.smallest_part_days)
    count = max(1, min(settings.split.validation_days, wanted, len(days) // 3))
    return days[: len(days) - count - settings.split.embargo_days], days[len(days) - count :]


def daily_losses(fold: PreparedFold, settings: TrainSettings) -> Floats:
    """USD, a value a test day: the mean over its rows and the three quantiles."""
    parts = [
        replace(part, weights={**part.weights, "power": power_weights(scale, settings.weight_power)})
        for part, scale in zip((fold.learning, fold.stopping), fold.scales, strict=True)
    ]
    texts = grow(fold.binned, parts[0], parts[1], forecaster(settings.objective).learners, settings.booster)
    manifest = {
        "cutoff": fold.design.cutoff.isoformat(),
        "forecaster": settings.objective,
        "features": [asdict(feature) for feature in fold.design.encoding],
        "carry": fold.design.carry,
    }
    model = assemble(manifest, {booster_file(name): text.encode() for name, text in texts.items()})
    scores = score(model, fold.tested, threads=settings.booster.threads, matrix=fold.matrix)
    quantiles = np.stack([floats(scores[name]) for name in ("q05", "median", "q95")], axis=1)
    days = np.unique(fold.tested["target_date"].to_numpy(), return_inverse=True)[1]
    losses: Floats = quantile_losses(floats(fold.tested["target_net_profit"]), quantiles, days).mean(axis=1)
    return losses
