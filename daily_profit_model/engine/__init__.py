"""Run one SQL text over lake partitions. Knows the lake and contracts; what the SQL means is the caller's."""

from daily_profit_model.engine.query import MissingInput, Query, Source, inputs_of
from daily_profit_model.engine.run import run, run_table

__all__ = ["MissingInput", "Query", "Source", "inputs_of", "run", "run_table"]
