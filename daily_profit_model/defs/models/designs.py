"""The design matrix of a cut-off, from the cache where it is kept. What a design is belongs to `modeling.design`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa

from daily_profit_model.cache import Cache, CacheKey, input_hashes
from daily_profit_model.features import catalogue_hash
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY
from daily_profit_model.lake import Lake, LakeError, read

if TYPE_CHECKING:
    from daily_profit_model.modeling.design import Design
    from daily_profit_model.modeling.matrix import ModelFeature
    from daily_profit_model.modeling.training import TrainSettings


def kept_design(
    lake: Lake, cache: Cache, cutoff: str, features: Sequence[ModelFeature], settings: TrainSettings
) -> Design:
    """The design of training/account_daily at `cutoff`, computed once for all trainings that share its key.

    Raises LakeError when the partition is written anew while it is read, ValueError when it cannot be trained on.
    """
    from daily_profit_model.modeling.design import design_of, design_table

    key = design_key(lake, cutoff, features, settings)

    def compute() -> pa.Table:
        frame = read(lake, TRAINING_ACCOUNT_DAILY, [cutoff])
        if _inputs(lake, cutoff) != key.inputs:  # else rows of now would be kept under the hash of before
            raise LakeError(f"{TRAINING_ACCOUNT_DAILY.name} of {cutoff} was written anew while it was read: run again")
        return design_table(
            frame,
            features,
            cutoff=date.fromisoformat(cutoff),
            split=settings.split,
            columns=settings.columns,
        )

    return design_of(cache.get_or_compute(key, compute))


def design_key(lake: Lake, cutoff: str, features: Sequence[ModelFeature], settings: TrainSettings) -> CacheKey:
    """All that decides a design. Boosters, their seed, weights and intervals come after it and are no part."""
    from daily_profit_model.modeling.design import CODE_VERSION

    return CacheKey(
        inputs=_inputs(lake, cutoff),
        code=CODE_VERSION,
        catalogue=catalogue_hash(),
        configuration={
            "cutoff": cutoff,
            "features": [[feature.name, feature.kind] for feature in features],
            "split": asdict(settings.split),
            "columns": settings.columns,
        },
    )


def _inputs(lake: Lake, cutoff: str) -> dict[str, str | None]:
    return input_hashes(lake, [(TRAINING_ACCOUNT_DAILY.name, cutoff)])
