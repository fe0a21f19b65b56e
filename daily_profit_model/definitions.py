"""The Dagster code location: loads what stands in `defs`, and nothing else."""

from daily_profit_model.defs.build import build_definitions

defs = build_definitions()
