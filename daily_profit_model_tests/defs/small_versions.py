"""Versions that can be registered without a training: bundles of a few bytes with the catalogue's features. No tests here."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from daily_profit_model.defs.models.assets import MODEL_FEATURES
from daily_profit_model.lake import Lake, write
from daily_profit_model.modeling.bundle import Model, assemble, save
from daily_profit_model.modeling.contracts import MODELS_CHAMPION, MODELS_NET_PROFIT
from daily_profit_model.modeling.matrix import ModelFeature
from daily_profit_model.modeling.registry import DAYS_FROM_CUTOFF_TO_SERVICE, version_row
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY

FIRST_CUTOFF = date(2026, 4, 19)


def small_model(number: int, cutoff: date = FIRST_CUTOFF, features: Any = MODEL_FEATURES) -> Model:
    """A bundle that loads; equal numbers give equal bytes."""
    days = {name: _part(cutoff, place) for place, name in enumerate(("test", "calibration", "validation", "train"))}
    scores = {
        "skill": {"value": 0.02 + number / 1000, "lower": 0.01, "upper": 0.03, "best_baseline": "zero", "loss": 9.0},
        "pinball": {"05": 1.0, "50": 2.0, "95": 3.0},
        "mean_absolute_error": 4.0,
        "coverage_90": 0.9,
        "miss_lower": 0.04,
        "miss_upper": 0.06,
    }
    manifest = {
        "cutoff": cutoff.isoformat(),
        "forecaster": "l1",
        "features": [encoded(feature) for feature in features],
        "parameters": {"median": {"objective": "regression_l1", "seed": "1"}, "q05": {"objective": "quantile", "seed": "1"}},
        "trees": {"median": 10 + number},
        "split": days,
        "rows": {"settled": 1000, "left_out": {"closed": 3}},
        "data_versions": {f"training/account_daily@{cutoff}": "0" * 64},
        "scores": scores,
    }  # fmt: skip
    return assemble(manifest, {"booster_median.txt": f"tree {number}".encode()})


def encoded(feature: ModelFeature) -> dict[str, Any]:
    return {"name": feature.name, "kind": feature.kind, "type": "double", "categories": []}


def _part(cutoff: date, place: int) -> dict[str, Any]:
    last = cutoff - timedelta(days=7 * place)
    return {"from": (last - timedelta(days=6)).isoformat(), "to": last.isoformat(), "days": 7}


def register(lake: Lake, models_dir: Path, model: Model, decision: str | None = "promoted") -> str:
    """Store the bundle, its row of models/net_profit and the gate's decision (None: none yet); the version."""
    save(model, models_dir)
    cutoff = date.fromisoformat(model.manifest["cutoff"])
    write(lake, MODELS_NET_PROFIT, cutoff.isoformat(), version_row(model), code_version="1")
    if decision is not None:
        row = {
            "in_force_from": cutoff + timedelta(days=DAYS_FROM_CUTOFF_TO_SERVICE),
            "version": model.version,
            "model_hash": model.hash,
            "cutoff": cutoff,
            "decision": decision,
            "reason": "by its figures",
            "evidence": "{}",
        }
        rows = pa.Table.from_pylist([row], schema=MODELS_CHAMPION.schema())
        write(lake, MODELS_CHAMPION, cutoff.isoformat(), rows, code_version="1")
    return model.version


def predicted(lake: Lake, day: date) -> None:
    """Say that the day has been predicted, for no account."""
    empty = PREDICTIONS_ACCOUNT_DAILY.schema().empty_table()
    write(lake, PREDICTIONS_ACCOUNT_DAILY, day.isoformat(), empty, code_version="1")
