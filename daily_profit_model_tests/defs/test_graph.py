"""The graph's shape: a change of keys, partitions, dependencies, checks, jobs, schedules or sensors shows here."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import dagster as dg

from daily_profit_model.defs.all_tables import ALL_TABLES
from daily_profit_model.defs.build import build_definitions
from daily_profit_model.defs.calendars import CUT_OFFS, DAILY, JUDGED_DAYS, MEASURED_DAYS, SERVED_DAYS
from daily_profit_model.defs.table_asset import asset_key
from daily_profit_model.modeling.contracts import MONITORING_INTERVAL_CALIBRATION

CALENDARS = {
    "DAILY": DAILY,
    "SERVED_DAYS": SERVED_DAYS,
    "JUDGED_DAYS": JUDGED_DAYS,
    "MEASURED_DAYS": MEASURED_DAYS,
    "CUT_OFFS": CUT_OFFS,
}
SNAPSHOT = Path(__file__).with_name("graph.txt")


def shape_of(defs: dg.Definitions) -> str:
    """The graph as text, a line each."""
    graph = defs.resolve_asset_graph()
    lines = []
    for key in sorted(graph.materializable_asset_keys):
        node = graph.get(key)
        calendar = type(node.partitions_def).__name__.removesuffix("PartitionsDefinition")
        parents = ", ".join(sorted(parent.to_user_string() for parent in node.parent_keys))
        lines.append(f"asset {key.to_user_string()} [{node.group_name}, {calendar}] <- {parents or 'the outside'}")
    for key in sorted(graph.external_asset_keys):
        lines.append(f"external {key.to_user_string()} [{graph.get(key).group_name}]")
    lines += sorted(
        f"check {key.asset_key.to_user_string()}: {key.name}{' (blocking)' if graph.get(key).blocking else ''}"
        for key in graph.asset_check_keys
    )
    lines += sorted(f"job {job.name}" for job in defs.resolve_all_job_defs() if not job.name.startswith("__"))
    lines += [f"schedule {schedule.name} {schedule.cron_schedule}" for schedule in defs.schedules or ()]
    lines += [f"sensor {sensor.name}" for sensor in defs.sensors or ()]
    return "\n".join(lines) + "\n"


def test_the_shape_of_the_graph_is_the_one_on_record() -> None:
    shape = shape_of(build_definitions())
    assert shape == SNAPSHOT.read_text(encoding="utf-8"), (
        f"the graph has changed; if that is meant, write this into {SNAPSHOT.name}:\n{shape}"
    )


def test_every_table_is_an_asset_with_its_columns_owner_kind_and_description() -> None:
    graph = build_definitions().resolve_asset_graph()
    for table in ALL_TABLES:
        node = graph.get(asset_key(table))
        schema = node.metadata["dagster/column_schema"]
        assert [column.name for column in schema.columns] == table.column_names
        assert node.owners
        assert node.kinds
        assert node.description
        assert node.code_version


def test_the_assets_of_a_day_share_one_calendar_so_that_ranges_are_not_cut() -> None:
    graph = build_definitions().resolve_asset_graph()
    for layers in (("raw", "staging", "features"), ("predictions",), ("monitoring",), ("training", "models")):
        tables = [table for table in ALL_TABLES if table.name.split("/")[0] in layers]
        calendars = [graph.get(asset_key(table)).partitions_def for table in tables]
        if layers == ("monitoring",):  # what tells of the data or of the lake, or predicts, has their days
            calendars = [calendar for calendar in calendars if calendar not in (DAILY, MEASURED_DAYS, SERVED_DAYS)]
        assert all(calendar is calendars[0] for calendar in calendars)
    job = build_definitions().resolve_job_def("daily_predictions")
    keys = job.asset_layer.selected_asset_keys
    assert asset_key(MONITORING_INTERVAL_CALIBRATION) in keys
    assert all(graph.get(key).partitions_def is SERVED_DAYS for key in keys)


def test_only_predictions_and_measurements_have_a_partition_for_the_day_that_is_not_over() -> None:
    now = datetime(2026, 6, 2, 6, 30)
    last = {name: calendar.get_partition_keys(now)[-1] for name, calendar in CALENDARS.items()}
    assert last == {"DAILY": "2026-06-01", "SERVED_DAYS": "2026-06-02", "JUDGED_DAYS": "2026-06-01",
                    "MEASURED_DAYS": "2026-06-02", "CUT_OFFS": "2026-05-31"}  # fmt: skip


def test_the_definitions_can_be_loaded() -> None:
    dg.Definitions.validate_loadable(build_definitions())


def test_the_layers_hold() -> None:
    import subprocess
    import sys

    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)
    assert result.returncode == 0, result.stdout
