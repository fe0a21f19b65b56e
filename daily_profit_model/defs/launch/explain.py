"""`dpm explain`: one account's served prediction and its reasons, from the lake alone."""

from __future__ import annotations

import json
from datetime import date

import pyarrow.compute as pc

from daily_profit_model.lake import Lake, LakeError, read
from daily_profit_model.modeling.explanation import describe
from daily_profit_model.settings import Settings
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY


def explain_account(settings: Settings, account: str, day: date | None, *, as_json: bool) -> None:
    """Print the prediction of `account` (an account id, or a login) for `day` and why. Raises LakeError."""
    lake = Lake(settings.lake_root)
    known = lake.partitions(PREDICTIONS_ACCOUNT_DAILY.name)
    wanted = day.isoformat() if day else (known[-1] if known else "")
    if wanted not in known:
        span = f"there are {known[0]} … {known[-1]}" if known else "there are none yet: dpm run"
        raise LakeError(f"there are no predictions of {wanted or 'any day'}; {span}")
    rows = read(lake, PREDICTIONS_ACCOUNT_DAILY, [wanted])
    is_account = pc.or_(pc.equal(rows["account_id"], account), pc.equal(rows["login"], account))
    found = rows.filter(is_account).to_pylist()
    if not found:
        raise LakeError(f"account {account} is not among the {rows.num_rows} accounts predicted for {wanted}")
    for row in found:
        print(json.dumps(row, default=str, indent=2) if as_json else "\n".join(describe(row)))
