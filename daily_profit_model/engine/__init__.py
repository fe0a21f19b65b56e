"""Run SQL texts over lake partitions. Knows the lake and contracts; what the SQL means is the caller's."""

from daily_profit_model.engine.query import WANTED, MissingInput, Query, Source, Stage, inputs_of
from daily_profit_model.engine.run import run, run_days, run_table
from daily_profit_model.engine.runner import Runner, runner_of

__all__ = [
    "WANTED",
    "MissingInput",
    "Query",
    "Runner",
    "Source",
    "Stage",
    "inputs_of",
    "run",
    "run_days",
    "run_table",
    "runner_of",
]
