"""Pictures of monitoring/drift and monitoring/degradation over days, as PNG bytes small enough for the graph's metadata."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.matrix import floats
from daily_profit_model.pictures import BLUE, GREY, RED, new_figure, png_of

DRAWN_CHARTS = 5
"""Lines that can be told apart."""

_COLOURS = (RED, BLUE, "#2f8f4e", "#b8860b", "#7a4fa3")


def plot_drift(rows: pa.Table) -> bytes:
    """The charts that have risen most on the last day, over the days of `rows`, and how many are alarms on each.

    `rows`: of MONITORING_DRIFT, at least prediction_date, column_name, statistic, rise (null: no threshold), is_alarm.
    """
    figure, (left, right) = new_figure(2)
    days = sorted(set(rows["prediction_date"].to_pylist()))
    last = rows.filter(pc.equal(rows["prediction_date"], pa.scalar(days[-1], pa.date32())))
    order = [("rise", "descending"), ("column_name", "ascending"), ("statistic", "ascending")]
    highest = last.filter(pc.greater(last["rise"], 0)).sort_by(order).slice(0, DRAWN_CHARTS)
    for row, colour in zip(highest.select(["column_name", "statistic"]).to_pylist(), _COLOURS, strict=False):
        is_own = pc.and_(
            pc.equal(rows["column_name"], row["column_name"]), pc.equal(rows["statistic"], row["statistic"])
        )
        own = rows.filter(is_own).sort_by("prediction_date")
        label = f"{row['column_name']}: {row['statistic']}"
        left.plot(own["prediction_date"].to_pylist(), floats(own["rise"]), color=colour, linewidth=1.2, label=label)
    left.axhline(1, color=GREY, linestyle="--", linewidth=1)
    left.set_title("cumulative sum / threshold")
    if highest.num_rows:
        left.legend(fontsize=6)
    alarms = dict.fromkeys(days, 0)
    for day in rows.filter(rows["is_alarm"])["prediction_date"].to_pylist():
        alarms[day] += 1
    right.bar(list(alarms), list(alarms.values()), color=np.where([count > 0 for count in alarms.values()], RED, GREY))
    right.set_ylim(bottom=0, top=max(1, *alarms.values()) * 1.05)
    right.set_title("statistics with an alarm")
    for axes in (left, right):
        axes.tick_params(axis="x", labelrotation=30, labelsize=7)
    return png_of(figure)
