"""Calibration on two tables of the real world: returns of three markets, and a zero-inflated health panel.

Run: python -m daily_profit_model_tests.benchmarks.real_tables [--tables returns,visits] [--objective two_part] [--json]

`returns`: the daily log returns of the S&P 500, Nasdaq and crude oil that ship with `arch` (1999 to 2018, in USD per
10,000 invested), each an account. `visits`: the RAND health insurance experiment that ships with `statsmodels`
(20,190 person-years, 31 % of them zero), in 120 pseudo-days whose order is drawn. Models are trained on the days
before a cut-off and serve the days up to the next one, intervals calibrated as in service from the outcomes of earlier
days. `doubled`: the same days served once more after every outcome from the middle on was doubled, and judged on the
60 days after that. Both tables come with `uv sync --group benchmark`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.modeling.baselines import BaselineSettings, learn_baseline
from daily_profit_model.modeling.comparison import served_days
from daily_profit_model.modeling.design import ENCODED, Design, design_of, design_table
from daily_profit_model.modeling.evaluation import winkler
from daily_profit_model.modeling.frames import of_days
from daily_profit_model.modeling.matrix import ModelFeature, encoded_column
from daily_profit_model.modeling.splits import SplitSettings
from daily_profit_model.modeling.training import TrainSettings, train_on
from daily_profit_model_tests.benchmarks.processes import print_table

Floats = npt.NDArray[np.float64]
FIRST_DAY = date(2001, 1, 1)
WORST_WINDOW = 60
HALF_LIFE = 10.0
LAGS = 5


@dataclass(frozen=True)
class RealTable:
    """Rows as a training frame, its features, and when models are trained: (learnt up to, served up to) as days."""

    frame: pa.Table
    features: Sequence[ModelFeature]
    split: SplitSettings
    steps: Sequence[tuple[int, int]]
    group: str
    """The feature whose terciles coverage must not differ between."""


def returns() -> RealTable:
    """Three markets, a row a market and trading day on which all three have a return."""
    import pandas as pd
    from arch.data import nasdaq, sp500, wti

    prices = pd.concat(
        [sp500.load()["Adj Close"], nasdaq.load()["Adj Close"], wti.load()["DCOILWTICO"]], axis=1, join="inner"
    ).dropna()
    profit = np.diff(np.log(prices.to_numpy(dtype=np.float64)), axis=0) * 10_000
    return RealTable(
        _panel(profit, ["S&P 500", "Nasdaq", "crude oil"]),
        [*(ModelFeature(name, "numeric") for name in _PANEL), ModelFeature("account_id", "category")],
        SplitSettings(validation_days=120, calibration_days=120, test_days=60),
        [(first, first + 500) for first in range(1500, len(profit) - LONGEST - 500, 500)],
        "relative_scale",
    )


LONGEST = 60
_PANEL = (*(f"lag_{lag}" for lag in range(LAGS)), "relative_scale", "sum_5", "sum_20", "down_20", "profit_scale")


def _panel(profit: Floats, accounts: Sequence[str]) -> pa.Table:
    """The training frame of days x accounts: features of each day from it and the days before, target the next day's."""
    days = len(profit)
    size = np.abs(profit)
    fast, slow = _ewma(size, HALF_LIFE), _ewma(size, LONGEST)
    known = np.arange(LONGEST, days - 1)
    columns: dict[str, Floats] = {f"lag_{lag}": profit[known - lag] / fast[known] for lag in range(LAGS)}
    columns["relative_scale"] = fast[known] / slow[known]
    for span in (5, 20):
        columns[f"sum_{span}"] = np.stack([profit[day - span + 1 : day + 1].sum(axis=0) for day in known]) / fast[known]
    columns["down_20"] = np.stack([profit[day - 19 : day + 1].min(axis=0) for day in known]) / fast[known]
    columns["profit_scale"] = fast[known]
    return _frame(
        {name: values.ravel() for name, values in columns.items()},
        np.repeat(np.arange(len(known)), len(accounts)),
        np.tile(np.array(accounts, dtype=object), len(known)),
        profit[known + 1].ravel(),
    )


def visits(days: int = 120, seed: int = 1) -> RealTable:
    """Outpatient visits of a person-year; the covariates of the experiment are the features."""
    import statsmodels.api as sm

    data = sm.datasets.randhie.load_pandas().data
    rows = np.random.default_rng(seed).permutation(len(data))[: len(data) // days * days]
    data = data.iloc[rows].reset_index(drop=True)
    names = [name for name in data.columns if name != "mdvis"]
    columns = {name: data[name].to_numpy(dtype=np.float64) for name in names}
    # what one expects of a person of this health, before the model: the unit of errors
    columns["profit_scale"] = 1.0 + data["disea"].to_numpy(dtype=np.float64) / 5.0
    each = len(data) // days
    frame = _frame(
        columns,
        np.repeat(np.arange(days), each),
        np.array([f"person {number}" for number in range(len(data))], dtype=object),
        data["mdvis"].to_numpy(dtype=np.float64),
    )
    features = [ModelFeature(name, "numeric") for name in (*names, "profit_scale")]
    split = SplitSettings(validation_days=10, calibration_days=20, test_days=7, smallest_train_days=20)
    return RealTable(frame, features, split, [(60, 90), (90, days - 1)], "disea")


def _frame(
    columns: dict[str, Floats], day: npt.NDArray[np.int64], account: npt.NDArray[np.object_], target: Floats
) -> pa.Table:
    ordinals = day + FIRST_DAY.toordinal() - date(1970, 1, 1).toordinal()
    return pa.table(
        {
            "feature_date": pa.array(ordinals - 1, pa.int32()).cast(pa.date32()),
            "target_date": pa.array(ordinals, pa.int32()).cast(pa.date32()),
            "account_id": pa.array(account, pa.string()),
            **{name: pa.array(values) for name, values in columns.items()},
            "pnl_sum_1d": pa.array(np.zeros(len(target))),
            "pnl_median_20d": pa.array(np.zeros(len(target))),
            "target_net_profit": pa.array(target),
            "target_status": pa.array(np.where(target == 0, "idle", "traded")),
        }
    )


def _ewma(values: Floats, half_life: float) -> Floats:
    keep = 0.5 ** (1.0 / half_life)
    out = np.empty_like(values)
    running = values[:20].mean(axis=0)
    for place, today in enumerate(values):
        running = keep * running + (1 - keep) * today
        out[place] = running
    return out


def serve(table: RealTable, settings: TrainSettings) -> pa.Table:
    """Rows of the served days with lower_90, upper_90, q05, q95, net_profit, the group's value and the EWMA interval."""
    settings = replace(settings, split=table.split)
    served = []
    for learnt, last in table.steps:
        known = table.frame.filter(pc.less_equal(table.frame["target_date"], _day(learnt)))
        design = design_of(
            design_table(
                known, table.features, cutoff=_day(learnt).as_py(), split=table.split, columns=settings.columns
            )
        )
        model = train_on(design, settings=settings, data_versions={}, code_version="-").model
        first = design.split.calibration[0]
        rows = table.frame.filter(
            pc.and_(
                pc.greater_equal(table.frame["target_date"], pa.scalar(first)),
                pc.less_equal(table.frame["target_date"], _day(last)),
            )
        )
        days = tuple(day for day in sorted(set(rows["target_date"].to_pylist())) if day > _day(learnt).as_py())
        whole = _encoded(design, rows)
        own = of_days(rows, days)
        made = served_days(model, design, whole, days, settings.intervals)
        made = made.append_column("net_profit", own["target_net_profit"]).append_column("group", own[table.group])
        ewma = learn_baseline("zero", known, BaselineSettings()).forecast(own)
        served.append(
            made.append_column("ewma_lower", pa.array(ewma[:, 0])).append_column("ewma_upper", pa.array(ewma[:, 2]))
        )
    return pa.concat_tables(served)


def _encoded(design: Design, rows: pa.Table) -> pa.Table:
    """The rows as a design's, in its encoding."""
    for feature in design.encoding:
        rows = rows.append_column(ENCODED + feature.name, pa.array(encoded_column(rows, feature)))
    return rows


def _day(number: int) -> pa.Scalar:
    return pa.scalar(FIRST_DAY + timedelta(days=number), pa.date32())


def figures(served: pa.Table) -> dict[str, object]:
    """Coverage, its tails, its spread between terciles of the group, its worst window, and widths' scores."""
    day = np.unique(served["prediction_date"].cast(pa.int32()).to_numpy(), return_inverse=True)[1]
    y, lower, upper, low, high, ewma_low, ewma_high, group = (
        served[name].to_numpy()
        for name in ("net_profit", "lower_90", "upper_90", "q05", "q95", "ewma_lower", "ewma_upper", "group")
    )
    inside = (y >= lower) & (y <= upper)
    sizes = np.bincount(day)
    by_day = np.bincount(day, weights=inside)
    ends = range(WORST_WINDOW, len(sizes) + 1)
    worst = min((by_day[e - WORST_WINDOW : e].sum() / sizes[e - WORST_WINDOW : e].sum() for e in ends), default=np.nan)
    third = np.searchsorted(np.quantile(group, [1 / 3, 2 / 3]), group)
    thirds = [float(inside[third == place].mean()) for place in np.unique(third)]
    ours = winkler(y, lower, upper).mean()
    return {
        "rows": len(y),
        "days": len(sizes),
        "coverage": float(inside.mean()),
        "below": float((y < lower).mean()),
        "above": float((y > upper).mean()),
        "spread of terciles": max(thirds) - min(thirds),
        f"worst {WORST_WINDOW} days": float(worst),
        "Winkler / raw": float(ours / winkler(y, low, high).mean()),
        "Winkler / EWMA": float(ours / winkler(y, ewma_low, ewma_high).mean()),
    }


def doubled(table: RealTable, settings: TrainSettings) -> float:
    """Coverage over the WORST_WINDOW days after the middle of the last step, from which on every outcome is doubled.

    Features are as they were, but for the scale, which follows as an EWMA of the doubled outcomes does.
    """
    learnt, last = table.steps[-1]
    turn = (learnt + last) // 2
    frame = table.frame
    day = frame["target_date"].cast(pa.int32()).to_numpy() - _day(0).cast(pa.int32()).as_py()
    after = day >= turn
    target = np.where(after, 2.0, 1.0) * frame["target_net_profit"].to_numpy()
    follows = 2.0 - 0.5 ** (np.maximum(day - turn, 0) / HALF_LIFE)
    for name, values in (("target_net_profit", target), ("profit_scale", frame["profit_scale"].to_numpy() * follows)):
        frame = frame.set_column(frame.column_names.index(name), name, pa.array(values))
    served = serve(replace(table, frame=frame, steps=[(learnt, last)]), settings)
    seen = served["prediction_date"].cast(pa.int32()).to_numpy() - _day(0).cast(pa.int32()).as_py()
    window = (seen >= turn) & (seen < turn + WORST_WINDOW)
    y, lower, upper = (served[name].to_numpy()[window] for name in ("net_profit", "lower_90", "upper_90"))
    return float(((y >= lower) & (y <= upper)).mean())


TABLES: dict[str, Callable[[], RealTable]] = {"returns": returns, "visits": visits}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--objective", default=TrainSettings().objective)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    settings = TrainSettings(objective=asked.objective)
    found = []
    for name in asked.tables.split(","):
        table = TABLES[name]()
        found.append({"table": name, **figures(serve(table, settings)), "doubled": doubled(table, settings)})
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    print_table(found)


if __name__ == "__main__":
    main()
