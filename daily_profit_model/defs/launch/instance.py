"""Dagster's home in the data folder, and the instance that lives there."""

from __future__ import annotations

import os

import dagster as dg

from daily_profit_model.settings import Settings

_CONFIG = """\
# Written by dpm; it is replaced when the data folder moves or the template changes.
telemetry: {{enabled: false}}
nux: {{enabled: false}}
freshness: {{enabled: true}}
concurrency:
  runs: {{max_concurrent_runs: 1}}  # SQLite; more with PostgreSQL
run_monitoring:
  enabled: true
  start_timeout_seconds: 300  # one that was killed while it started would hold the queue for ever
run_launcher:
  module: daily_profit_model.defs.launch.dead_runs
  class: LocalRunLauncher
run_retries:
  enabled: true
  retry_on_asset_or_op_failure: false
event_log_storage:
  module: daily_profit_model.defs.resources.event_log
  class: PooledSqliteEventLogStorage
  config: {{base_dir: "{home}/history/runs"}}
"""


def prepare_home(settings: Settings) -> None:
    """Make the data folder Dagster's home in this process and its children."""
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    wanted = _CONFIG.format(home=home)
    file = home / "dagster.yaml"
    if not file.exists() or file.read_text(encoding="utf-8") != wanted:
        temporary = file.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(wanted, encoding="utf-8")
        temporary.replace(file)
    os.environ["DAGSTER_HOME"] = str(home)


def stored_instance(settings: Settings) -> dg.DagsterInstance:
    """The instance that the UI shows."""
    prepare_home(settings)
    return dg.DagsterInstance.get()
