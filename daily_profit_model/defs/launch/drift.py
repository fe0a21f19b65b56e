"""`dpm drift`: what monitoring/drift and monitoring/degradation say of a day, and a report to look at."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Grid

from daily_profit_model.defs.monitoring.report import report_path, windows, write_html
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.lake import Lake, LakeError, read
from daily_profit_model.settings import Settings, WrongUse
from daily_profit_model.tables import Table
from daily_profit_model.tables.drift import MONITORING_DEGRADATION, MONITORING_DRIFT

SHOWN = ("kind", "column_name", "statistic", "first_alarm_day", "hard_break", "rise", "recent_shift", "blame_rank")
"""What is told of an alarm to people; --json has more."""


def show_drift(settings: Settings, day: date | None, *, as_json: bool) -> int:
    """Print what has drifted on `day`, a column a line. Returns 1 when there is an alarm or a hard break, else 0.

    Raises LakeError when drift was not looked for on the day.
    """
    from daily_profit_model.monitoring.drift_table import alarmed_columns, summary

    lake = Lake(settings.lake_root)
    wanted = _day(lake, MONITORING_DRIFT, day)
    rows = read(lake, MONITORING_DRIFT, [wanted])
    losses = read(lake, MONITORING_DEGRADATION, [wanted] if lake.file(MONITORING_DEGRADATION.name, wanted) else [])
    found = alarmed_columns(rows)
    worse = losses.to_pylist()
    told: dict[str, Any] = {"date": wanted, **summary(rows), "columns": found, "degradation": worse}
    has_alarm = bool(found) or any(row["is_alarm"] for row in worse)
    if as_json:
        print(json.dumps({"has_alarm": has_alarm, **told}, default=str, indent=2))
    else:
        _print(told)
    return int(has_alarm)


def write_report(
    settings: Settings, day: date | None, *, reference_days: int, window_days: int, html: Path | None
) -> None:
    """Write the report of a day's features against the days before and say where. Raises LakeError, WrongUse."""
    lake = Lake(settings.lake_root)
    wanted = _day(lake, FEATURE_SNAPSHOTS, day)
    path = html or report_path(settings, wanted)
    if html is not None and not html.parent.is_dir():
        raise WrongUse(f"--html {html}: there is no folder {html.parent}")
    current, reference = windows(lake, wanted, window_days=window_days, reference_days=reference_days)
    write_html(lake, current, reference, path)
    print(f"{current[0]} … {current[-1]} against {reference[0]} … {reference[-1]}: {path}")


def _day(lake: Lake, table: Table, day: date | None) -> str:
    known = lake.partitions(table.name)
    wanted = day.isoformat() if day else (known[-1] if known else "")
    if wanted not in known:
        span = f"there are {known[0]} … {known[-1]}" if known else "there are none yet"
        raise LakeError(f"{table.name} of {wanted or 'any day'} is not there; {span}: dpm run --stages monitoring")
    return wanted


def _print(told: dict[str, Any]) -> None:
    console = Console(highlight=False)
    rise = f", highest sum {told['largest_rise']:.2f} of its threshold" if "largest_rise" in told else ""
    console.print(
        f"{told['date']}, {told.get('model_version', 'no model')}: {told['alarms']} alarms in "
        f"{told['alarmed_columns']} columns, {told['hard_breaks']} columns broken{rise}"
    )
    if told["columns"]:
        grid = Grid()
        for name in SHOWN:
            grid.add_column(name.replace("_", " "))
        for row in told["columns"]:
            grid.add_row(*(_text(row[name]) for name in SHOWN))
        console.print(grid)
    for row in told["degradation"]:
        if row["threshold"] is None:
            console.print(f"{row['measure']}: the model was judged on too few days to know what is usual")
            continue
        since = f", an alarm since {row['first_alarm_day']}" if row["is_alarm"] else ""
        console.print(f"{row['measure']}: sum {row['sum_up']:.2f} of {row['threshold']:.2f}{since}")
    expected = next((row for row in told["degradation"] if row["expected_error"] is not None), None)
    if expected is not None:
        console.print(
            f"error to be expected: {expected['expected_error']:,.2f} USD "
            f"({expected['expected_error_lower']:,.2f} … {expected['expected_error_upper']:,.2f}; "
            f"usually {expected['usual_error']:,.2f})"
        )


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)
