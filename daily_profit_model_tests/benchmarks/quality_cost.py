"""What the rules cost: one large day, a million rows, and a backfill with and without checks.

Run: python -m daily_profit_model_tests.benchmarks.quality_cost day FOLDER/201 [--copies 15] [--past 60] [--json]
     python -m daily_profit_model_tests.benchmarks.quality_cost rows [--rows 1000000] [--rules 50] [--json]
     python -m daily_profit_model_tests.benchmarks.quality_cost backfill [--accounts 100] [--days 60] [--json]

`day` (after `sandbox_seeds --folder FOLDER`): the firm of 200 accounts is copied so many times over in all daily
tables, with its past, and every rule of them is judged on one day through Dagster, on an instance of its own with the
platform's event log. The days' profiles are made before, as they are from day to day; that of the judged day is not.
`rows`: rules of one statement each over trades in memory, beside Great Expectations alone on the same frame, told
whether they hold (the floor). `backfill`: raw (from the sandbox, without a limit of requests), staging and features of
a fresh firm, in a run a step; first without checks. Wall and CPU seconds of this process.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa

from daily_profit_model.quality.evaluate import evaluate
from daily_profit_model.quality.expectation import Expectation, at_least, between, in_set, not_null
from daily_profit_model.quality.frame import rows_of
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables.staging import STAGING_TRADES
from daily_profit_model_tests.benchmarks import processes
from daily_profit_model_tests.benchmarks.enlarged_firm import enlarge

LAYERS = ("raw", "staging", "features")
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Spent:
    """Wall and CPU seconds within some calls."""

    wall: float = 0.0
    cpu: float = 0.0

    @contextmanager
    def timed(self) -> Iterator[None]:
        wall, cpu = time.monotonic(), time.process_time()
        yield
        self.wall += time.monotonic() - wall
        self.cpu += time.process_time() - cpu

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def timed(*arguments: Any, **named: Any) -> Any:
            with self.timed():
                return function(*arguments, **named)

        return timed

    def told(self, name: str) -> dict[str, float]:
        return {f"{name} (s)": round(self.wall, 2), f"{name} (CPU s)": round(self.cpu, 2)}


def one_day(folder: Path, copies: int, past: int) -> dict[str, object]:
    """All daily rules on the newest day but one of a firm `copies` times as large."""
    import dagster as dg

    with tempfile.TemporaryDirectory() as place:
        os.environ["DPM_DATA_DIR"] = place
        lake, day, counts = enlarge(folder / "lake", Path(place) / "lake", copies, past)
        from daily_profit_model.defs.all_rules import RULES
        from daily_profit_model.defs.build import build_definitions
        from daily_profit_model.defs.failures import failure_reasons
        from daily_profit_model.defs.launch.instance import stored_instance
        from daily_profit_model.defs.launch.runs import range_tags
        from daily_profit_model.quality.load import load
        from daily_profit_model.settings import load_settings

        rules = [rule for rule in RULES if day in lake.partitions(rule.table)]
        for frame in {rule.frame.name: rule.frame for rule in rules if rule.frame.past_days}.values():
            load(lake, frame, [(date.fromisoformat(day) - timedelta(days=1)).isoformat()])
        keys = [dg.AssetCheckKey(dg.AssetKey(rule.table.split("/")), rule.id) for rule in rules]
        job = dg.define_asset_job("all_checks", selection=dg.AssetSelection.checks(*keys))
        checks = dg.Definitions.merge(build_definitions(), dg.Definitions(jobs=[job])).resolve_job_def("all_checks")
        judged, kept, stored, whole = Spent(), Spent(), Spent(), Spent()
        instance = stored_instance(load_settings())
        log = instance.event_log_storage
        with (
            patch("daily_profit_model.quality.judge.evaluate", judged.around(evaluate)),
            patch("daily_profit_model.quality.judge.keep", kept.around(_keep())),
            patch.object(log, "store_event", stored.around(log.store_event)),
            patch.object(log, "store_event_batch", stored.around(log.store_event_batch)),
            whole.timed(),
        ):
            result = checks.execute_in_process(
                instance=instance, tags=range_tags(day, day), run_config=QUIET, raise_on_error=False
            )
        evaluations = result.get_asset_check_evaluations()
        instance.dispose()
    if len(evaluations) != len(rules):
        why = failure_reasons(result.all_events)[0].message
        raise SystemExit(f"{len(evaluations)} of {len(rules)} rules were judged: {why}")
    return {
        "accounts": counts["staging/accounts"],
        "trades": counts["raw/trades_closed"],
        "past days": past,
        "rules": len(rules),
        "statuses": len(evaluations),
        "not held": sum(not evaluation.passed for evaluation in evaluations),
        **judged.told("evaluation"),
        **kept.told("results kept in the lake"),
        **stored.told("Dagster's storage"),
        **whole.told("whole run"),
    }


def _keep() -> Callable[..., Any]:
    from daily_profit_model.quality.results import keep

    return keep


def many_rows(rows: int, rules: int) -> dict[str, object]:
    """So many rules of one statement each, on so many trades of one day."""
    import great_expectations as gx

    from daily_profit_model.quality.validation import _batches, _native

    table, statements = trades(rows), statements_of(rules)
    shared = rows_of(STAGING_TRADES, [column.name for column in STAGING_TRADES.columns])
    made = [
        Rule(f"rule_{number}", STAGING_TRADES.name, "validity", "warn", shared, (statement,), "Measured.", "Nothing.")
        for number, statement in enumerate(statements)
    ]
    evaluate(made[:1], lambda frame, days: table.slice(0, 10), ["2026-03-02"])  # the library's import is no rule's
    ours, floor = Spent(), Spent()
    with ours.timed():
        outcomes = evaluate(made, lambda frame, days: table, ["2026-03-02"])
    pandas = table.to_pandas(date_as_object=False)
    with floor.timed():
        suite = gx.ExpectationSuite("floor", expectations=[_native(each, at) for at, each in enumerate(statements)])
        plain = _batches().get_batch({"dataframe": pandas}).validate(suite, result_format="BOOLEAN_ONLY")
    assert [outcome.passed for outcome in outcomes].count(True) == sum(result.success for result in plain.results)
    return {
        "rows": rows,
        "rules": rules,
        "not held": sum(not outcome.passed for outcome in outcomes),
        **ours.told("evaluation"),
        **floor.told("Great Expectations alone"),
    }


def trades(rows: int) -> pa.Table:
    """Trades of one day in memory, right in every respect but one trade in a hundred thousand of no volume."""
    draw = np.random.default_rng(1)
    day = np.datetime64("2026-03-02T08:00", "us")
    names = np.arange(rows).astype(str)
    columns: dict[str, Any] = {name: draw.uniform(1, 100, rows) for name in STAGING_TRADES.column_names}
    columns |= dict.fromkeys(("login", "position", "ticket", "account_id"), names)
    columns |= {name: np.resize(values, rows) for name, values in _LABELS.items()}
    columns |= dict.fromkeys(("is_resolved", "has_stop_loss", "has_take_profit"), np.ones(rows, bool))
    columns |= {
        "open_time": np.full(rows, day),
        "close_time": np.full(rows, day + np.timedelta64(1, "h")),
        "symbol": np.resize(["EURUSD"], rows),
    }
    columns |= {
        "date": np.full(rows, day.astype("datetime64[D]")),
        "platform": np.full(rows, 5),
        "broker": np.full(rows, 1),
    }
    columns["volume_usd"][::100_000] = -1.0
    return pa.table(
        [pa.array(columns[column.name]).cast(column.type) for column in STAGING_TRADES.columns],
        schema=STAGING_TRADES.schema(),
    )


_LABELS = {"symbol_class": ["forex", "metals"], "session": ["asia", "london"], "side": ["buy", "sell"]}
_NUMBERS = ("lots", "volume_usd", "duration_hours", "profit", "commission", "costs", "net_profit")


def statements_of(count: int) -> list[Expectation]:
    """Statements in the mix that the rules of the graph have: bounds mostly, then sets, nulls and pairs."""
    found: list[Expectation] = []
    while len(found) < count:
        bound = 1000.0 + len(found)
        found += [between(name, -0.5, bound, says=f"{name} is at most {bound}") for name in _NUMBERS]
        found += [in_set(name, [*values, str(bound)], says=f"{name} is known") for name, values in _LABELS.items()]
        found += [not_null(name, says=f"{name} is there, {bound}") for name in ("login", "open_time")]
        found += [at_least("close_time", "open_time", says=f"closed no earlier than opened, {bound}")]
    return found[:count]


def backfill(accounts: int, days: int) -> dict[str, object]:
    """The same days made twice from one served world, without checks and with them."""
    end = datetime.now(UTC).date() - timedelta(days=1)
    start = end - timedelta(days=days - 1)
    spent = {"without checks": Spent(), "with checks": Spent()}
    with (
        tempfile.TemporaryDirectory() as place,
        processes.sandbox(Path(place) / "world", accounts, days, end=end) as served,
    ):
        for way, seconds in spent.items():
            os.environ.update(processes.environment(served, Path(place) / way, start.isoformat()))
            with seconds.timed():
                _fill(start, end, checks=way == "with checks")
    wall = spent["with checks"].wall / spent["without checks"].wall
    return {
        "accounts": accounts,
        "days": days,
        **{name: value for way, seconds in spent.items() for name, value in seconds.told(way).items()},
        "times as long": round(wall, 2),
    }


def _fill(start: date, end: date, *, checks: bool) -> None:
    import dagster as dg

    from daily_profit_model.defs.build import build_definitions
    from daily_profit_model.defs.launch.plan import steps_of, unset_of
    from daily_profit_model.defs.launch.runs import Launcher
    from daily_profit_model.settings import load_settings

    launcher = Launcher(load_settings())
    if not checks:
        made = build_definitions()
        bare = dg.Definitions(assets=made.assets, resources=made.resources, executor=dg.in_process_executor)
        launcher._job = bare.resolve_implicit_global_asset_job_def()
    for step in steps_of(LAYERS):
        if not unset_of(step):
            launcher.run(launcher.work(step, start, end))


def main() -> None:
    """Print the figures, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("what", choices=("day", "rows", "backfill"))
    parser.add_argument("folder", nargs="?", type=Path)
    for name, default in (
        ("copies", 15),
        ("past", 60),
        ("rows", 10**6),
        ("rules", 50),
        ("accounts", 100),
        ("days", 60),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.what == "day" and asked.folder is None:
        parser.error("day takes the folder of a firm that sandbox_seeds has made")
    found: Mapping[str, object] = {
        "day": lambda: one_day(asked.folder, asked.copies, asked.past),
        "rows": lambda: many_rows(asked.rows, asked.rules),
        "backfill": lambda: backfill(asked.accounts, asked.days),
    }[asked.what]()
    if asked.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name:<34} {value:,}")


if __name__ == "__main__":
    main()
