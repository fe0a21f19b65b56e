"""What the tables of a predicted day were made from: they are stored one after the other, and must belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from daily_profit_model.defs.models.registry import Champion, cutoff_of, load_model
from daily_profit_model.lake import Lake, LakeError
from daily_profit_model.tables import Table

if TYPE_CHECKING:
    from daily_profit_model.modeling.bundle import Model


def model_behind(scores: pa.Table) -> Model:
    """The bundle that made the scores of a day, every file checked. By now another may be in force on the day."""
    first = scores.select(["model_version", "model_hash"]).slice(0, 1).to_pylist()[0]
    return load_model(Champion(first["model_version"], first["model_hash"], cutoff_of(first["model_version"])))


def version_used(lake: Lake, made: Table, source: Table, day: str) -> str:
    """The content hash of `source` that `made` of the day rests on. Raises LakeError when it is not the one that counts.

    So a row cannot name one snapshot and tell of another, whatever was made anew in between.
    """
    described = {table.name: lake.describe(table.name, day) for table in (made, source)}
    for name, file in described.items():
        if file is None:
            raise LakeError(f"{name} of {day} is missing: dpm predict --date {day}")
    rests_on, counts = described[made.name], described[source.name]
    if rests_on is None or counts is None or rests_on.inputs.get(f"{source.name}@{day}") != counts.content_hash:
        raise LakeError(
            f"{made.name} of {day} was made from another version of {source.name} than the one that counts; "
            f"make it again first: dpm predict --date {day}"
        )
    return counts.content_hash
