"""`dpm explain`: one account's served prediction and its reasons, from the lake and the models' folder alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.lake import Lake, LakeError, read
from daily_profit_model.lake.served import read_version
from daily_profit_model.settings import Settings, WrongUse
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY

if TYPE_CHECKING:
    from daily_profit_model.modeling.reasons import Reasons


def explain_account(settings: Settings, account: str, day: date | None, *, png: Path | None, as_json: bool) -> None:
    """Print the prediction of `account` (an account id, or a login) for `day` and why; `png`: also draw it there.

    Raises LakeError or BundleError when the prediction or what it was made from is not there, ValueError when that gives
    other reasons than those stored, WrongUse when the login is that of several accounts or `png` is in no folder.
    """
    from daily_profit_model.features import CATALOGUE
    from daily_profit_model.modeling.reasons import Meaning, as_dict, told

    if png is not None and not png.parent.is_dir():
        raise WrongUse(f"--png {png}: there is no folder {png.parent}")
    lake = Lake(settings.lake_root)
    prediction = _prediction(lake, account, day)
    reasons = _reasons(settings, lake, prediction)
    meanings = {feature.name: Meaning(feature.description, feature.unit) for feature in CATALOGUE}
    if as_json:
        print(json.dumps(as_dict(prediction, reasons, meanings), default=str, indent=2))
    else:
        print("\n".join(told(prediction, reasons, meanings)))
    if png is None:
        return
    if reasons is None:
        raise LakeError(f"{png} was not drawn: {prediction['model_version']} is a baseline and has no reasons")
    png.write_bytes(_drawn(prediction, reasons))
    if not as_json:
        print(f"\ndrawn in {png}")


def _prediction(lake: Lake, account: str, day: date | None) -> dict[str, Any]:
    known = lake.partitions(PREDICTIONS_ACCOUNT_DAILY.name)
    wanted = day.isoformat() if day else (known[-1] if known else "")
    if wanted not in known:
        span = f"there are {known[0]} … {known[-1]}" if known else "there are none yet: dpm run"
        raise LakeError(f"there are no predictions of {wanted or 'any day'}; {span}")
    rows = read(lake, PREDICTIONS_ACCOUNT_DAILY, [wanted])
    for column in ("account_id", "login"):
        found: list[dict[str, Any]] = rows.filter(pc.equal(rows[column], account)).to_pylist()
        if len(found) > 1:
            accounts = ", ".join(sorted(row["account_id"] for row in found))
            raise WrongUse(f"{account} is the login of {len(found)} accounts on {wanted}: give one of {accounts}")
        if found:
            return found[0]
    raise LakeError(f"account {account} is not among the {rows.num_rows} accounts predicted for {wanted}")


def _reasons(settings: Settings, lake: Lake, prediction: Mapping[str, Any]) -> Reasons | None:
    """From the bundle and the snapshot that the row points at, whatever came after them."""
    from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
    from daily_profit_model.modeling.bundle import load
    from daily_profit_model.modeling.reasons import reasons_of

    day, account = prediction["prediction_date"].isoformat(), prediction["account_id"]
    for pointer in ("model_version", "model_hash", "snapshot_hash"):
        if not prediction.get(pointer):
            raise LakeError(f"the prediction of {account} on {day} has no {pointer}: nothing leads to its reasons")
    folder = settings.models_dir / prediction["model_version"]
    model = load(folder)
    if model.hash != prediction["model_hash"]:
        raise LakeError(f"{folder} is the model {model.hash[:12]}…, but {prediction['model_hash'][:12]}… served")
    snapshot = read_version(lake, FEATURE_SNAPSHOTS.name, day, prediction["snapshot_hash"])
    own: pa.Table = snapshot.filter(pc.equal(snapshot["account_id"], account))
    return reasons_of(model, own, prediction)


def _drawn(prediction: Mapping[str, Any], reasons: Reasons) -> bytes:
    from daily_profit_model.modeling.plots import plot_waterfall
    from daily_profit_model.modeling.reasons import steps

    bars = []
    for step in steps(reasons):
        value = "" if step.reason is None else f" = {step.reason.value or 'missing'}"
        bars.append((step.label + value, step.cents / 100))
    title = f"{prediction['account_id']} on {prediction['prediction_date']}, by {prediction['model_version']}"
    return plot_waterfall(title, bars, f"{reasons.output} as served")
