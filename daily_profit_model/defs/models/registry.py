"""Which model serves a day, and its bundle: the lake's models/champion joined to the models' folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from daily_profit_model.lake import Lake, LakeError, read
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model.modeling.contracts import MODELS_CHAMPION
from daily_profit_model.partitions import weekly_cut_offs
from daily_profit_model.settings import load_settings

DISPLACING_DAYS = 28
"""Cut-offs of the last four weeks are watched for decisions that would change who served a day."""

if TYPE_CHECKING:
    from daily_profit_model.modeling.bundle import Model


@dataclass(frozen=True)
class Champion:
    """A model version and the cut-off of its training."""

    version: str
    model_hash: str
    cutoff: date


def transitions(lake: Lake) -> pa.Table:
    """Every decision so far, a row each."""
    return read(lake, MODELS_CHAMPION, lake.partitions(MODELS_CHAMPION.name))


def champion_of(lake: Lake, day: date) -> Champion:
    """The champion in force on `day`. Raises LakeError when there is none."""
    from daily_profit_model.modeling.registry import in_force

    known = transitions(lake)
    row = in_force(known, day)
    if row is None:
        promoted = [r["in_force_from"] for r in known.to_pylist() if r["decision"] == "promoted"]
        hint = (
            f"the first is in force from {min(promoted)}" if promoted else "train one: dpm run --stages training,models"
        )
        raise LakeError(f"no champion is in force on {day}: {hint}")
    return Champion(row["version"], row["model_hash"], row["cutoff"])


def cutoff_of(version: str) -> date:
    """The cut-off in a version's name (`YYYYMMDD-<hash8>`)."""
    return datetime.strptime(version.split("-")[0], "%Y%m%d").date()


def champion_inputs(lake: Lake, champion: Champion, day: date) -> dict[str, str | None]:
    """What a footer records of the choice: the champion's decision, and the cut-offs since that could displace it."""
    recent = weekly_cut_offs(max(champion.cutoff, day - timedelta(days=DISPLACING_DAYS)), day - timedelta(days=2))
    hashes = HashLookup(lake)
    return {
        f"{MODELS_CHAMPION.name}@{cutoff}": hashes(MODELS_CHAMPION.name, cutoff)
        for cutoff in sorted({champion.cutoff.isoformat(), *recent})
    }


def load_model(champion: Champion) -> Model:
    """The champion's bundle, every file checked against its hash."""
    return _loaded(load_settings().models_dir / champion.version, champion.model_hash)


@lru_cache(maxsize=8)
def _loaded(folder: Path, model_hash: str) -> Model:
    from daily_profit_model.modeling.bundle import load

    model = load(folder)
    if model.hash != model_hash:
        raise LakeError(f"{folder} holds the model {model.hash[:12]}…, but {model_hash[:12]}… was promoted")
    return model
