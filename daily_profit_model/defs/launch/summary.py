"""What the demo prints at its end: the coming day, the judged past, the checks, and where things lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table as Grid

from daily_profit_model.defs.launch.runs import Launched
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.bundle import BASELINE
from daily_profit_model.modeling.evaluation import Skill, skill
from daily_profit_model.modeling.matrix import floats
from daily_profit_model.settings import Settings
from daily_profit_model.tables.monitoring import BASELINE_COLUMNS, MODEL_PERFORMANCE
from daily_profit_model.tables.predictions import PORTFOLIO_DAILY, PREDICTIONS_ACCOUNT_DAILY

LISTED = 10
JUDGED_DAYS = 30
"""Newest predicted days over which coverage is quoted."""

console = Console(highlight=False)


def print_summary(settings: Settings, made: Sequence[Launched], *, seconds: float) -> None:
    """Print the state of the lake after a demo that took `seconds`."""
    lake = Lake(settings.lake_root)
    days = lake.partitions(PREDICTIONS_ACCOUNT_DAILY.name)
    predictions = read(lake, PREDICTIONS_ACCOUNT_DAILY, days[-1:])
    performance = read(lake, MODEL_PERFORMANCE, lake.partitions(MODEL_PERFORMANCE.name))
    console.print()
    if days:
        print_portfolio(days[-1], read(lake, PORTFOLIO_DAILY, days[-1:]))
        print_forecaster(predictions)
        print_accounts(predictions)
        print_skill(performance)
    else:  # the first model serves from the second day after its Sunday on
        console.print(
            "no day is predicted yet: the history ends before the first model is in force; take more --days\n"
        )
    print_checks(made)
    console.print(f"lake      {settings.lake_root}\nmodels    {settings.models_dir}\nreports   {settings.reports_dir}")
    console.print(f"UI        dpm ui, then http://127.0.0.1:3000\ntook      {seconds:.0f} s")


def print_portfolio(day: str, portfolio: pa.Table) -> None:
    """The sum over all accounts."""
    (whole,) = (row for row in portfolio.to_pylist() if row["level"] == "firm")
    interval = f"no interval yet ({whole['days_of_evidence']} days of evidence)"
    if whole["lower_90"] is not None:
        ends = f"{whole['lower_90']:,.0f} … {whole['upper_90']:,.0f}"
        interval = f"90 % interval {ends} (from {whole['days_of_evidence']} past days)"
    expected = f"expected {whole['expected_net_profit']:,.0f} USD"
    console.print(f"[bold]{day}[/]: {whole['accounts']} accounts, {expected}, {interval}\n")


def print_forecaster(predictions: pa.Table) -> None:
    """A line when it is no model that serves."""
    for name in predictions["forecaster"].unique().to_pylist():
        if name and name.startswith(BASELINE):
            console.print(f"[bold]served by the {name}[/]: no model has passed the gate yet (dpm models list)\n")


def print_accounts(predictions: pa.Table) -> None:
    """The accounts that will probably make or lose most, with the two strongest reasons each."""
    ordered = predictions.sort_by([("expected_net_profit", "descending"), ("account_id", "ascending")])
    count = min(LISTED, ordered.num_rows // 2)
    for title, rows in (
        ("highest expectation", ordered.slice(0, count)),
        ("lowest expectation", ordered.slice(ordered.num_rows - count)),
    ):
        grid = Grid(title=title, title_justify="left", box=None, pad_edge=False)
        for name in ("account", "mean", "median", "90 % interval", "P(trade)", "reasons (USD moved)"):
            grid.add_column(
                name, justify="left" if name in ("account", "reasons (USD moved)") else "right", no_wrap=True
            )
        for row in rows.to_pylist():
            reasons = ", ".join(f"{f['name']} {f['contribution']:+,.0f}" for f in row["top_features"][:2])
            grid.add_row(
                row["account_id"],
                f"{row['expected_net_profit']:,.0f}",
                f"{row['predicted_net_profit']:,.0f}",
                f"{row['lower_90']:,.0f} … {row['upper_90']:,.0f}",
                f"{row['probability_trade']:.2f}",
                reasons,
            )
        console.print(grid)
        console.print()


def print_skill(performance: pa.Table) -> None:
    """Served predictions against the best baseline, by whole days, and the coverage of the newest ones."""
    if not performance.num_rows:
        console.print("no predicted day has an outcome yet")
        return
    performance = by_day(performance)
    newest = performance.slice(max(0, performance.num_rows - JUDGED_DAYS))
    weights = floats(newest["accounts"])
    shares = {
        name: float(np.average(floats(newest[name]), weights=weights))
        for name in ("coverage_90", "miss_lower", "miss_upper")
    }
    console.print(f"judged on {performance.num_rows} predicted days, a day being one observation:")
    console.print(f"  pinball loss of the 5 %, 50 % and 95 % quantiles: {_words(day_skill(performance))}")
    console.print(f"  pinball loss of the median alone:                 {_words(day_skill(performance, '_50'))}")
    console.print(
        f"  coverage of the 90 % intervals, last {newest.num_rows} days: {shares['coverage_90']:.3f} "
        f"(below {shares['miss_lower']:.3f}, above {shares['miss_upper']:.3f})"
    )


def by_day(performance: pa.Table) -> pa.Table:
    """A row a day, ascending: the means over all accounts, where several versions served."""
    names = [field.name for field in performance.schema if pa.types.is_floating(field.type)]
    rows = performance.sort_by([("prediction_date", "ascending"), ("model_version", "ascending")])
    days, first = np.unique(rows["prediction_date"].to_numpy(), return_index=True)
    counts = np.add.reduceat(rows["accounts"].to_numpy(), first)
    sums = {name: np.add.reduceat(floats(rows[name]) * rows["accounts"].to_numpy(), first) for name in names}
    means = {name: sums[name] / counts for name in names}
    return pa.table({"prediction_date": days, "accounts": counts, **means})


def day_skill(performance: pa.Table, suffix: str = "") -> Skill:
    """Skill of the served predictions against the best baseline, bootstrapped over whole days."""
    losses = floats(performance[f"pinball{suffix}"])
    return skill(losses, {name: floats(performance[f"baseline_{name}{suffix}"]) for name in BASELINE_COLUMNS})


def _words(result: Skill) -> str:
    return f"{result.value:+.1%} [{result.lower:+.1%}, {result.upper:+.1%}] against the best baseline, {result.best_baseline}"


def print_checks(made: Sequence[Launched]) -> None:
    """What the checks of this demo's runs said."""
    passed, failed = sum(run.checks_passed for run in made), sum(run.checks_failed for run in made)
    console.print(
        f"checks    {passed} passed, {failed} failed" if made else "checks    everything was in place, none had to run"
    )
