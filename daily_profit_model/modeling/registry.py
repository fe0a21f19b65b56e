"""Which version serves on which day: decisions and their history, as data.

Here: the rows. How the gate decides stands in `gate`, what persons decide and who serves a day in `acts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import orjson
import pyarrow as pa

from daily_profit_model.modeling.bundle import Model, manifest_hash
from daily_profit_model.modeling.contracts import MODELS_CHAMPION, MODELS_NET_PROFIT

DAYS_FROM_CUTOFF_TO_SERVICE = 2
"""A model of cut-off C trains on the morning of C+1, when the outcomes of C are known; predictions of C+1
were made that same morning, so the first day that it can serve is C+2."""


@dataclass(frozen=True)
class Transition:
    """One decision on one version; a row of MODELS_CHAMPION."""

    in_force_from: date
    version: str
    model_hash: str
    cutoff: date
    decision: Literal["promoted", "challenger", "refused"]
    reason: str
    evidence: Mapping[str, Any]


def transitions_table(transitions: Sequence[Transition]) -> pa.Table:
    """MODELS_CHAMPION rows, sorted by key."""
    rows = [
        {**vars(t), "evidence": orjson.dumps(t.evidence, option=orjson.OPT_SORT_KEYS).decode()} for t in transitions
    ]
    keys = [(name, "ascending") for name in MODELS_CHAMPION.key]
    return pa.Table.from_pylist(rows, schema=MODELS_CHAMPION.schema()).sort_by(keys)


def version_row(model: Model) -> pa.Table:
    """The version's row of MODELS_NET_PROFIT."""
    scores, split = model.manifest["scores"], model.manifest["split"]
    row = {
        "version": model.version,
        "model_hash": model.hash,
        "manifest_hash": manifest_hash(model),
        "folder": model.version,
        "cutoff": date.fromisoformat(model.manifest["cutoff"]),
        "skill": scores["skill"]["value"],
        "skill_lower": scores["skill"]["lower"],
        "skill_upper": scores["skill"]["upper"],
        "best_baseline": scores["skill"]["best_baseline"],
        "coverage_90": scores["coverage_90"],
        "miss_lower": scores["miss_lower"],
        "miss_upper": scores["miss_upper"],
        **{f"pinball_{level}": scores["pinball"][level] for level in ("05", "50", "95")},
        "mean_absolute_error": scores["mean_absolute_error"],
        "rows": model.manifest["rows"]["settled"],
        **{f"{part}_days": split[part]["days"] for part in ("train", "validation", "calibration", "test")},
    }
    return pa.Table.from_pylist([row], schema=MODELS_NET_PROFIT.schema())
