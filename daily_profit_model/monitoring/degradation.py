"""monitoring/degradation: whether the champion does worse than on the days that it was judged on before it served.

Here: the losses of a day, the reference's days, and the table's rows. Sums and thresholds are `drift_detection`'s, over
days as everywhere: with its level, a model that does as on its held-out days raises an alarm in 250 days with a chance
of FALSE_ALARMS at most, both measures and both directions together, of which only `worse` is told.

The losses are those of the uncalibrated scores, before and after: calibration follows outcomes day by day and would hide
a model that fails, or be blamed for one that does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.cache import source_version
from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.evaluation import pinball
from daily_profit_model.modeling.matrix import Floats, floats
from daily_profit_model.modeling.scoring import score
from daily_profit_model.monitoring.drift_blame import ExpectedError, expected_error
from daily_profit_model.monitoring.drift_detection import FEWEST_DAYS, Calibration, calibrate, course
from daily_profit_model.monitoring.drift_reference import CALIBRATION_FIELDS, calibration_of, calibration_records
from daily_profit_model.monitoring.drift_table import alarm_since
from daily_profit_model.tables.drift import MONITORING_DEGRADATION

CODE_VERSION = source_version(__name__, np.__version__, pa.__version__)
"""Of everything that `usual_losses` runs. Taken at import: a file edited later is not the code that runs."""

MEASURES = ("pinball", "relative_pinball")
"""Logarithms of the mean pinball loss at 5, 50 and 95 %, USD, and of the same by that of forecasting zero: markets move
the first, and a model that no longer knows more than before the second."""

LEVELS = {"q05": 0.05, "median": 0.5, "q95": 0.95}

LEAST_LOSS = 0.01
"""USD. Smaller losses count as a cent: on a day without trades there is nothing to do better or worse."""

PAST_COLUMNS = ("prediction_date", "measure", "model_hash", "accounts", "value")
"""What is read of earlier days."""

PastLosses = tuple[date, Floats, int]
"""D, the measures of D-1, its accounts."""


@dataclass(frozen=True)
class DayLosses:
    """A settled day: `accounts` with an outcome, the MEASURES, and the variance that one account adds to each."""

    day: date
    accounts: int
    values: Floats
    row_variance: Floats


def day_losses(day: date, scores: pa.Table, net_profit: pa.Table) -> DayLosses:
    """Of the `scores` (account_id, q05, median, q95; USD) whose account has a row with a `net_profit`."""
    known = net_profit.select(["account_id", "net_profit"]).filter(pc.is_valid(net_profit["net_profit"]))
    rows = scores.select(["account_id", *LEVELS]).join(known, keys="account_id", join_type="inner")
    rows = rows.sort_by("account_id")
    if not rows.num_rows:
        return DayLosses(day, 0, np.full(len(MEASURES), np.nan), np.full(len(MEASURES), np.nan))
    actual = floats(rows["net_profit"])
    own = np.mean([pinball(actual, floats(rows[name]), level) for name, level in LEVELS.items()], axis=0)
    zero = np.mean([pinball(actual, np.zeros(len(actual)), level) for level in LEVELS.values()], axis=0)
    loss, of_zero = max(float(own.mean()), LEAST_LOSS), float(zero.mean())
    if of_zero < LEAST_LOSS:
        return DayLosses(day, len(own), np.array([np.log(loss), np.nan]), np.array([(own / loss).var(), np.nan]))
    values = np.array([np.log(loss), np.log(loss / of_zero)])
    return DayLosses(day, len(own), values, np.array([(own / loss).var(), (own / loss - zero / of_zero).var()]))


def usual_losses(model: Model, training: pa.Table) -> pa.Table:
    """CALIBRATION_FIELDS of each measure, from the model's held-out days; `training`: that of its cut-off."""
    held_out = pa.scalar(date.fromisoformat(model.manifest["split"]["calibration"]["from"]), pa.date32())
    rows = training.filter(pc.greater_equal(training["target_date"], held_out))
    scored = score(model, rows).append_column("net_profit", rows["target_net_profit"])
    days = sorted(set(scored["prediction_date"].to_pylist()))
    made = [_of_day(scored, day) for day in days]
    records: list[dict[str, Any]] = [{"measure": name} for name in MEASURES]
    if len(made) >= FEWEST_DAYS:
        values, accounts = _stacked([(day.values, day.accounts) for day in made])
        with np.errstate(invalid="ignore"):
            row_variance = np.nan_to_num(np.nanmean([day.row_variance for day in made], axis=0))
        groups = np.array([_group(day.day) for day in made])
        told = calibration_records(calibrate(values, accounts, row_variance, groups))
        records = [record | more for record, more in zip(records, told, strict=True)]
    return pa.Table.from_pylist(records, schema=pa.schema([("measure", pa.string()), *CALIBRATION_FIELDS]))


def degradation_rows(
    day: date,
    newest: DayLosses,
    usual: pa.Table,
    version: Mapping[str, str],
    past: Sequence[PastLosses],
    expected: ExpectedError | None,
) -> pa.Table:
    """MONITORING_DEGRADATION of `day`. `version`: model_version and model_hash; `past`: earlier rows of the version, as
    `past_losses` gives them, ascending."""
    calibration = calibration_of(usual)
    rows: list[dict[str, Any]] = [
        {
            "prediction_date": day,
            "measure": name,
            "settled_date": newest.day,
            **version,
            "accounts": newest.accounts,
            "value": None if np.isnan(value) else float(value),
            "is_alarm": False,
            **_expected(expected),
        }
        for name, value in zip(MEASURES, newest.values, strict=True)
    ]
    if calibration is not None:
        for row, told in zip(rows, _charted(day, newest, calibration, past), strict=True):
            row |= told
    return pa.Table.from_pylist(rows, schema=MONITORING_DEGRADATION.schema())


def past_losses(rows: pa.Table, model_hash: str) -> PastLosses | None:
    """An earlier day from its PAST_COLUMNS; None: another version scored D."""
    if not rows.num_rows or rows["model_hash"][0].as_py() != model_hash:
        return None
    found = dict(zip(rows["measure"].to_pylist(), floats(rows["value"]), strict=True))
    values = np.array([found.get(name, np.nan) for name in MEASURES])
    return rows["prediction_date"][0].as_py(), values, rows["accounts"][0].as_py()


def expected_of(width_today: float, settled: Sequence[pa.Table]) -> ExpectedError | None:
    """The error to be expected of a day of such a mean width, USD, from monitoring/outcomes of settled days; None: too
    few of them."""
    widths, errors = [], []
    for rows in settled:
        known = rows.filter(pc.is_valid(rows["absolute_error"]))
        if known.num_rows:
            widths.append(float((floats(known["upper_90"]) - floats(known["lower_90"])).mean()))
            errors.append(float(floats(known["absolute_error"]).mean()))
    if len(widths) < FEWEST_DAYS or not sum(widths) > 0:
        return None
    return expected_error(width_today, np.array(widths), np.array(errors))


def _of_day(scored: pa.Table, day: date) -> DayLosses:
    own = scored.filter(pc.equal(scored["prediction_date"], pa.scalar(day, pa.date32())))
    return day_losses(day, own, own)


def _charted(
    day: date, newest: DayLosses, calibration: Calibration, past: Sequence[PastLosses]
) -> list[dict[str, Any]]:
    days = [*(earlier for earlier, _, _ in past), day]
    values, accounts = _stacked([*((own, count) for _, own, count in past), (newest.values, newest.accounts)])
    groups = np.array([_group(each - timedelta(days=1)) for each in days])
    charts = course(calibration.standard, values, accounts, groups)
    usual = calibration.standard.mean[groups[-1], 0]
    found: list[dict[str, Any]] = []
    for place, threshold in enumerate(calibration.thresholds):
        since = alarm_since(charts.up[:, place] > threshold)
        found.append(
            {
                "usual_value": usual[place],
                "shift": None if np.isnan(values[-1, place]) else charts.shift[-1, place],
                "sum_up": charts.up[-1, place],
                "threshold": threshold,
                "is_alarm": since is not None,
                "first_alarm_day": None if since is None else days[since],
            }
        )
    return found


def _stacked(days: Sequence[tuple[Floats, int]]) -> tuple[Floats, Floats]:
    values = np.array([own for own, _ in days])
    return values, np.repeat(np.array([[float(count)] for _, count in days]), len(MEASURES), axis=1)


def _group(day: date) -> int:
    """Weekends apart: markets are closed, and losses small."""
    return int(day.weekday() >= 5)


def _expected(expected: ExpectedError | None) -> dict[str, float]:
    if expected is None:
        return {}
    return {
        "expected_error": expected.value,
        "expected_error_lower": expected.lower,
        "expected_error_upper": expected.upper,
        "usual_error": expected.usual,
    }
