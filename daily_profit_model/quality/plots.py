"""Pictures of quality over days, as PNG bytes. Scores come from `results`."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.pictures import GREY, RED, new_figure, png_of


def plot_scores(rows: pa.Table) -> bytes:
    """A curve a table, those that always held in grey; `rows`: those of monitoring/quality for the days drawn."""
    figure, (scores, failing) = new_figure(2)
    figure.set_size_inches(11.0, 3.6)
    for name in sorted(set(rows["table"].to_pylist())):
        own = rows.filter(pc.and_(pc.equal(rows["table"], name), pc.is_valid(rows["score"]))).sort_by("date")
        if not own.num_rows:
            continue
        fell = pc.min(own["score"]).as_py() < 1
        scores.plot(
            own["date"].to_numpy(),
            own["score"].to_numpy(),
            color=None if fell else GREY,
            linewidth=1.4 if fell else 0.8,
            label=name if fell else None,
        )
    scores.set_title("share of the rules that hold, errors weighing three times")
    if scores.get_legend_handles_labels()[1]:
        scores.legend(fontsize=7)
    days = rows.group_by("date").aggregate([("failed_errors", "sum"), ("failed_warnings", "sum")]).sort_by("date")
    failing.plot(days["date"].to_numpy(), days["failed_errors_sum"].to_numpy(), color=RED, label="errors")
    failing.plot(days["date"].to_numpy(), days["failed_warnings_sum"].to_numpy(), color=GREY, label="warnings")
    failing.set_title("rules that do not hold, all tables")
    failing.legend(fontsize=7)
    for axes in (scores, failing):
        axes.tick_params(axis="x", rotation=30, labelsize=7)
    return png_of(figure)
