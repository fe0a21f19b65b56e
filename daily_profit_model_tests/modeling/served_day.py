"""A day of the simulated panel, served with the trained model: everything that a prediction rests on. No tests here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.lake import content_hash
from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.calibration import calibration_of
from daily_profit_model.modeling.contracts import MONITORING_CONFORMITY
from daily_profit_model.modeling.frames import of_days
from daily_profit_model.modeling.scoring import score
from daily_profit_model.modeling.serving import Telemetry, serve
from daily_profit_model_tests.modeling.panel import Panel


@dataclass(frozen=True)
class ServedDay:
    """The parts of a served day, and its rows of predictions/account_daily."""

    model: Model
    snapshot: pa.Table
    scores: pa.Table
    calibration: pa.Table
    telemetry: Telemetry
    rows: pa.Table


def serve_day_after(panel: Panel, model: Model, cutoff: date) -> ServedDay:
    """The rows of the cut-off as if they were the snapshot of the day after it."""
    snapshot = snapshot_of(panel, cutoff, cutoff + timedelta(days=1))
    scores = score(model, snapshot)
    calibration = calibration_of(model, scores, MONITORING_CONFORMITY.schema().empty_table())
    telemetry = Telemetry(content_hash(snapshot), "code-1")
    rows = serve(model, snapshot, scores, calibration, telemetry)
    return ServedDay(model, snapshot, scores, calibration, telemetry, rows)


def snapshot_of(panel: Panel, day: date, predicted: date) -> pa.Table:
    """The panel's rows of `day` as a feature snapshot of `predicted`."""
    rows = of_days(panel.frame, (day,)).sort_by("account_id")
    count = rows.num_rows
    added = {
        "prediction_date": pa.repeat(pa.scalar(predicted, pa.date32()), count),
        "login": rows["account_id"],
        "plan_id": pa.nulls(count, pa.string()),
        "features_hash": pa.repeat("f" * 64, count),
        "as_of": pa.repeat(pa.scalar(0, pa.timestamp("ms", tz="UTC")), count),
    }
    for name, values in added.items():
        rows = rows.append_column(name, values)
    return rows


def on_day(rows: pa.Table, day: date) -> pa.Table:
    """The same rows, of another day."""
    place = rows.column_names.index("prediction_date")
    return rows.set_column(place, "prediction_date", pa.repeat(pa.scalar(day, pa.date32()), rows.num_rows))


def with_cell(rows: pa.Table, account: str, column: str, value: object) -> pa.Table:
    """The same rows with one cell changed."""
    kind = rows.schema.field(column).type
    changed = pc.if_else(pc.equal(rows["account_id"], account), pa.scalar(value, kind), rows[column])
    return rows.set_column(rows.column_names.index(column), column, changed)
