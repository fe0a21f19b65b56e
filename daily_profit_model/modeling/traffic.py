"""Whose number an account is served: the champion's, or that of a shadow deployment whose traffic it is in.

Here: the choice, and the rows of a shadow in the columns of predictions/account_daily. Everybody scores every account
all the same: what is compared does not depend on what is served.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.contracts import MONITORING_INTERVAL_CALIBRATION
from daily_profit_model.modeling.scoring import score
from daily_profit_model.modeling.serving import CHAMPION, Telemetry, serve
from daily_profit_model.modeling.shadow_contracts import WHOLE

_LEVELS = ("tail", "activity", "plan_type", "level", "threshold")
"""What serving reads of a calibration."""


def place_of(deployment: str, account_id: str) -> int:
    """The account's place among the hundred of a deployment, 0 … 99: the first eight bytes of the sha256 of
    `deployment:account_id` as a number, modulo 100. It is in a traffic of N % when its place is below N, on every day."""
    digest = hashlib.sha256(f"{deployment}:{account_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % WHOLE


def assigned(accounts: Iterable[str], deployed: Sequence[tuple[str, int]]) -> list[str]:
    """Who is to serve each of `accounts`: the first of `deployed` (name, traffic in %) that has it in its traffic, in the
    order of the acts that created them; else CHAMPION. So a later deployment moves no account from an earlier one."""
    # a hash an account and deployment, 1.5 microseconds: what else is done for an account takes far longer
    return [
        next((name for name, traffic in deployed if place_of(name, account) < traffic), CHAMPION)
        for account in accounts
    ]


def text_of(calibration: pa.Table) -> str:
    """What serving needs of a day's MONITORING_INTERVAL_CALIBRATION, as JSON: every number to its last bit."""
    return orjson.dumps(calibration.select(_LEVELS).to_pylist()).decode()


def calibration_of(row: Mapping[str, Any]) -> pa.Table:
    """The calibration that a row of PREDICTIONS_TRAFFIC holds, in the columns that serving reads."""
    common = {name: row[name] for name in ("prediction_date", "calibration_version")}
    names = ("prediction_date", *_LEVELS, "calibration_version")
    schema = pa.schema([MONITORING_INTERVAL_CALIBRATION.schema().field(name) for name in names])
    return pa.Table.from_pylist([{**common, **level} for level in orjson.loads(row["calibration"])], schema=schema)


def served_by(
    row: Mapping[str, Any], model: Model, snapshot: pa.Table, accounts: pa.ChunkedArray, telemetry: Telemetry
) -> pa.Table:
    """Rows of predictions/account_daily of `accounts`, those whom the deployment of `row` (PREDICTIONS_TRAFFIC) serves.

    Raises ValueError when `model` is not the one that its calibration belongs to, else as `score` and `serve` do.
    """
    if model.hash != row["model_hash"]:
        raise ValueError(f"{row['deployment']} runs {row['model_version']}, whose bundle has another hash")
    own = snapshot.filter(pc.is_in(snapshot["account_id"], value_set=accounts.combine_chunks()))
    return serve(model, own, score(model, own), calibration_of(row), telemetry)
