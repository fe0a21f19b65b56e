"""Pictures of a model and of its outcomes, as PNG bytes small enough for the graph's metadata.

Here: drawing. Losses and tests stand in `evaluation`; what is drawn is taken from prediction rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.calibration import WHOLE
from daily_profit_model.modeling.conformity import ACTIVITIES
from daily_profit_model.modeling.matrix import Floats, floats
from daily_profit_model.pictures import BLUE, GREY, RED, new_figure, png_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DRAWN_POINTS = 3000
"""Points of the scatter: more only blacken it. Rows are taken at an even step, so the picture repeats."""

DEPENDENCE_POINTS = 400
"""Points of one panel of the dependence plot: six of them must fit into the metadata."""

LONGEST_LABEL = 48
"""Characters of a feature and its value beside a bar; longer ones would leave no room for the bars."""


def plot_test_days(predictions: pa.Table) -> bytes:
    """A model's held-out days: error and coverage a day, and how far off each quantile is.

    `predictions`: `TrainedModel.test_predictions`; the error is the mean absolute one, in USD.
    """
    figure, (left, middle, right) = new_figure(3)
    _draw_daily(predictions, left, middle)
    outcome = floats(predictions["net_profit"])
    levels = (0.05, 0.5, 0.95)
    for label, names, colour in (
        ("uncalibrated", ("q05", "median", "q95"), RED),
        ("served", ("lower_90", "median", "upper_90"), BLUE),
    ):
        gaps = [_share_below(outcome, floats(predictions[n])) - at for n, at in zip(names, levels, strict=True)]
        right.plot(["5 %", "50 %", "95 %"], gaps, color=colour, marker="o", label=label)
    right.axhline(0, color=GREY, linestyle="--", linewidth=1)
    right.set_title("share below quantile - level")
    right.legend()
    return png_of(figure)


def plot_outcomes(outcomes: pa.Table) -> bytes:
    """What came of served predictions: actual against expected net profit and against the interval, USD.

    `outcomes`: net_profit (null: none arrived, left out), expected_net_profit, lower_90, upper_90.
    """
    rows = outcomes.filter(pc.is_valid(outcomes["net_profit"]))
    rows = rows.take(pa.array(np.arange(0, rows.num_rows, max(1, rows.num_rows // DRAWN_POINTS))))
    figure, (left, right) = new_figure(2)
    actual = floats(rows["net_profit"])
    lower, upper = floats(rows["lower_90"]), floats(rows["upper_90"])
    inside = (actual >= lower) & (actual <= upper)
    left.scatter(floats(rows["expected_net_profit"]), actual, s=4, color=BLUE, alpha=0.5, linewidths=0)
    left.set_xlabel("expected net profit, USD")
    left.set_ylabel("actual net profit, USD")
    order = np.argsort(upper - lower, kind="stable")
    places = np.arange(len(order))
    right.fill_between(places, lower[order], upper[order], color=BLUE, alpha=0.25, linewidth=0)
    colours = np.where(inside[order], BLUE, RED)
    right.scatter(places, actual[order], s=4, c=colours, linewidths=0)
    right.set_xlabel("accounts, by width of interval")
    right.set_title(f"{inside.mean():.1%} of {len(order)} inside" if len(order) else "no outcomes yet")
    for axes, scales in ((left, ("x", "y")), (right, ("y",))):
        for scale in scales:
            (axes.set_xscale if scale == "x" else axes.set_yscale)("symlog", linthresh=10)
        axes.axhline(0, color=GREY, linewidth=1)
    return png_of(figure)


def plot_calibration(calibrations: pa.Table) -> bytes:
    """How calibration went over the days: adapted levels, widths of the intervals in USD, misses of the window.

    `calibrations`: MONITORING_INTERVAL_CALIBRATION rows of the days to be drawn.
    """
    calibrations = calibrations.filter(pc.equal(calibrations["plan_type"], WHOLE))
    figure, (left, middle, right) = new_figure(3)
    for tail, colour in (("lower", RED), ("upper", BLUE)):
        rows = calibrations.filter(pc.equal(calibrations["tail"], tail)).sort_by("prediction_date")
        days, numbers = np.unique(rows["prediction_date"].to_numpy(), return_inverse=True)
        own = floats(rows["window_rows"])
        misses = own * np.nan_to_num(floats(rows["window_miss_rate"]))
        share = np.bincount(numbers, weights=misses) / np.maximum(np.bincount(numbers, weights=own), 1.0)
        first = np.searchsorted(numbers, np.arange(len(days)))
        left.plot(days, floats(rows["level"])[first], color=colour, marker=".", label=tail)
        right.plot(days, share, color=colour, marker=".", label=tail)
    rows = calibrations.filter(pc.equal(calibrations["tail"], "lower"))
    for group, colour in zip(ACTIVITIES, (GREY, RED, BLUE), strict=True):
        own_days = rows.filter(pc.equal(rows["activity"], group)).sort_by("prediction_date")
        middle.plot(
            own_days["prediction_date"].to_numpy(),
            floats(own_days["mean_width"]),
            color=colour,
            marker=".",
            label=group,
        )
    promised = pc.max(calibrations["miss_rate"]).as_py()
    for axes, title in ((left, "level"), (middle, "mean width by activity, USD"), (right, "missed in the window")):
        axes.set_title(title)
        axes.tick_params(axis="x", rotation=45)
        if axes is not middle and promised is not None:
            axes.axhline(promised, color=GREY, linestyle="--", linewidth=1)
        axes.legend()
    return png_of(figure)


def waterfall_ends(amounts: Sequence[float]) -> tuple[Floats, Floats]:
    """Where each step of a waterfall begins and ends; the first begins at zero, the last ends at the sum."""
    ends = np.cumsum(np.asarray(amounts, dtype=np.float64))
    return np.concatenate([[0.0], ends[:-1]]), ends


def plot_waterfall(title: str, steps: Sequence[tuple[str, float]], total: str) -> bytes:
    """One prediction from its base to what was served: a bar a step, in USD.

    `steps`: label and amount, the base first. `total`: the label of the last bar, which is their sum.
    """
    starts, ends = waterfall_ends([amount for _, amount in steps])
    figure, (axes,) = new_figure(1)
    figure.set_size_inches(9.0, 1.4 + 0.34 * (len(steps) + 1))
    places = np.arange(len(steps) + 1)
    widths = np.append(ends - starts, ends[-1])
    is_whole = np.zeros(len(widths), dtype=bool)
    is_whole[[0, -1]] = True
    colours = np.where(is_whole, GREY, np.where(widths > 0, BLUE, RED))
    axes.barh(places, widths, left=np.append(starts, 0.0), color=colours, height=0.65)
    for place, end in enumerate(ends):
        axes.plot([end, end], [place - 0.3, place + 1.3], color=GREY, linewidth=0.8)
    axes.set_yticks(places, [*(_short(label) for label, _ in steps), total])
    axes.invert_yaxis()
    axes.axvline(0, color=GREY, linestyle="--", linewidth=1)
    furthest = np.maximum(np.append(np.maximum(starts, ends), ends[-1]), 0.0)
    for place, (width, right) in enumerate(zip(widths, furthest, strict=True)):
        axes.annotate(f"{width:+,.2f}", (right, place), (3, 0), textcoords="offset points", va="center", fontsize=8)
    axes.use_sticky_edges = False  # bars would else end at the frame, and their amounts outside of it
    axes.margins(x=0.14)
    axes.set_xlabel("USD")
    axes.set_title(title, fontsize=10)
    return png_of(figure)


def plot_importances(title: str, importances: Sequence[tuple[str, float]]) -> bytes:
    """The given features' mean absolute contributions, the first on top, in USD."""
    figure, (axes,) = new_figure(1)
    figure.set_size_inches(7.0, 1.2 + 0.26 * max(1, len(importances)))
    axes.barh(range(len(importances)), [value for _, value in importances], color=BLUE, height=0.7)
    axes.set_yticks(range(len(importances)), [_short(name) for name, _ in importances])
    axes.invert_yaxis()
    axes.set_xlabel("mean absolute contribution, USD")
    axes.set_title(title, fontsize=10)
    return png_of(figure)


def plot_tuning(trials: pa.Table, importances: Mapping[str, float]) -> bytes:
    """A search: the losses of its trials with the best so far, USD, and how much each parameter mattered.

    `trials`: MODELS_TUNING rows of one objective. `importances`: shares by parameter; empty: too few trials to tell.
    """
    figure, (left, right) = new_figure(2)
    rows = trials.sort_by("trial")
    numbers, values = rows["trial"].to_numpy(), floats(rows["value"])
    complete = rows["state"].to_numpy(zero_copy_only=False) == "complete"
    left.scatter(numbers[complete], values[complete], s=14, color=BLUE, label="complete")
    left.scatter(
        numbers[~complete], values[~complete], s=14, color=GREY, marker="x", label="pruned (of its first folds)"
    )
    left.step(numbers[complete], np.minimum.accumulate(values[complete]), color=RED, where="post", label="best so far")
    left.axhline(values[0], color=GREY, linestyle="--", linewidth=1, label="defaults")
    left.set_xlabel("trial")
    left.set_ylabel("mean pinball loss, USD")
    left.legend()
    shares = sorted(importances.items(), key=lambda found: (found[1], found[0]))
    right.barh(range(len(shares)), [share for _, share in shares], color=BLUE, height=0.7)
    right.set_yticks(range(len(shares)), [name for name, _ in shares])
    right.set_title("importance" if shares else "too few trials for importances", fontsize=10)
    return png_of(figure)


@dataclass(frozen=True)
class Dependence:
    """One feature's values and what they contributed, a pair a row."""

    name: str
    values: Floats
    """As boosters see them; a category is its number, NaN is missing."""
    contributions: Floats
    """USD."""
    categories: tuple[str, ...] = ()
    """The categories' names by number; empty for a feature that is none."""


def plot_dependence(found: Sequence[Dependence]) -> bytes:
    """How contributions depend on the values of up to six features, a panel each; far-out rows are cut off."""
    from matplotlib.figure import Figure

    columns = 3
    figure = Figure(figsize=(12.0, 3.1 * max(1, -(-len(found) // columns))), layout="constrained")
    for place, one in enumerate(found):
        axes = figure.add_subplot(-(-len(found) // columns), columns, place + 1)
        known = np.isfinite(one.values)
        values, amounts = one.values[known], one.contributions[known]
        shown = min(len(values), DEPENDENCE_POINTS)
        drawn = np.arange(shown) * len(values) // max(1, shown)
        axes.scatter(values[drawn], amounts[drawn], s=5, color=BLUE, alpha=0.5, linewidths=0)
        axes.axhline(0, color=GREY, linestyle="--", linewidth=1)
        if one.categories:
            axes.set_xticks(range(len(one.categories)), [_short(name) for name in one.categories], rotation=30)
        else:
            _bound(axes.set_xlim, values)
        _bound(axes.set_ylim, amounts)
        missing = f" ({1 - known.mean():.0%} missing)" if not known.all() else ""
        axes.set_title(one.name + missing, fontsize=10)
        axes.set_ylabel("USD")
    return png_of(figure)


def _bound(set_limits: Callable[[float, float], object], values: Floats) -> None:
    """Limits without the outermost hundredth on either side, which would press all others together."""
    if len(values):
        low, high = np.quantile(values, [0.01, 0.99])
        if low < high:
            room = 0.05 * (high - low)
            set_limits(float(low - room), float(high + room))


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"


def _draw_daily(predictions: pa.Table, left: Axes, right: Axes) -> None:
    outcome = floats(predictions["net_profit"])
    error = np.abs(outcome - floats(predictions["median"]))
    inside = (outcome >= floats(predictions["lower_90"])) & (outcome <= floats(predictions["upper_90"]))
    days, numbers = np.unique(predictions["prediction_date"].to_numpy(), return_inverse=True)
    sizes = np.bincount(numbers)
    left.plot(days, np.bincount(numbers, weights=error) / sizes, color=BLUE, marker=".")
    left.set_title("mean absolute error, USD")
    right.plot(days, np.bincount(numbers, weights=inside) / sizes, color=BLUE, marker=".")
    right.axhline(0.9, color=GREY, linestyle="--", linewidth=1)
    right.set_title(f"covered by the 90 % interval: {inside.mean():.1%}")
    for axes in (left, right):
        axes.tick_params(axis="x", rotation=45)


def _share_below(outcome: Floats, quantile: Floats) -> float:
    return float((outcome < quantile).mean() + (outcome == quantile).mean() / 2)
