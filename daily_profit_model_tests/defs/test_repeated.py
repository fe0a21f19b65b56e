"""What `dpm run` repeats: the newest days, once a day, by Dagster's record of what was read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from upath import UPath

from daily_profit_model.defs.build import build_definitions
from daily_profit_model.defs.launch.plan import STEPS, Step, partitions_of, work_of
from daily_profit_model.defs.launch.repeated import not_made_since
from daily_profit_model.lake import Lake

END = date(2026, 3, 20)
DAYS = ["2026-03-17", "2026-03-18", "2026-03-19"]
AGAIN = Step("raw", ("raw/metrics_daily", "raw/quarantine"), "corrected_days", is_repeated=True)
READ = {"received": 5, "revision_stored": False}
KEPT = {"revision_stored": False}
SECOND = timedelta(seconds=1)


def recorded(instance: dg.DagsterInstance, table: str, days: Sequence[str], metadata: dict[str, object]) -> datetime:
    """Record materialisations of a table; the instant of the last of them."""
    for day in days:
        key = dg.AssetKey(table.split("/"))
        instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=day, metadata=metadata))
    (newest,) = instance.fetch_materializations(dg.AssetKey(table.split("/")), limit=1).records
    return datetime.fromtimestamp(newest.timestamp, UTC)


def test_the_window_is_the_days_before_the_end_when_that_is_yesterday(tmp_path: Path) -> None:
    lake, first = Lake(UPath(tmp_path)), date(2026, 3, 1)
    today = END + timedelta(days=1)
    assert partitions_of(AGAIN, lake, first, END, today) == DAYS
    assert partitions_of(AGAIN, lake, first, END, today + timedelta(days=1)) == []
    assert partitions_of(AGAIN, lake, date(2026, 3, 19), END, today) == DAYS[2:]
    assert partitions_of(AGAIN, lake, END, END, today) == []


@pytest.mark.parametrize(("days", "expected"), [("0", []), ("1", DAYS[2:]), ("3", DAYS)])
def test_the_window_is_as_long_as_the_setting_says(
    days: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DPM_CORRECTION_DAYS", days)
    found = partitions_of(AGAIN, Lake(UPath(tmp_path)), date(2026, 3, 1), END, END + timedelta(days=1))
    assert found == expected


def test_a_day_is_read_again_until_each_of_its_tables_has_been_since_the_instant() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        daily = recorded(instance, "raw/metrics_daily", DAYS, READ)
        recorded(instance, "raw/quarantine", DAYS[:2], {})
        assert not_made_since(instance, AGAIN.tables, DAYS, daily - 60 * SECOND) == DAYS[2:]
        assert not_made_since(instance, AGAIN.tables, DAYS, daily + 60 * SECOND) == DAYS
        assert not_made_since(instance, AGAIN.tables, [], daily) == []


def test_a_partition_that_was_only_kept_has_not_been_read() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        at = recorded(instance, "raw/metrics_daily", DAYS, KEPT)
        recorded(instance, "raw/metrics_daily", DAYS[:1], READ)
        assert not_made_since(instance, ["raw/metrics_daily"], DAYS, at - 60 * SECOND) == DAYS[1:]


def test_a_repeated_step_is_made_once_a_day_even_when_forced(tmp_path: Path) -> None:
    graph, lake = build_definitions().resolve_asset_graph(), Lake(UPath(tmp_path))
    with dg.DagsterInstance.ephemeral() as instance:
        today = recorded(instance, "raw/metrics_daily", DAYS, READ).date()
        recorded(instance, "raw/quarantine", DAYS, {})
        now = work_of(AGAIN, lake, instance, graph, DAYS, True, today)
        assert (now.partitions, now.reason) == ([], "")
        tomorrow = work_of(AGAIN, lake, instance, graph, DAYS, False, today + timedelta(days=2))
        assert tomorrow.partitions == DAYS
        assert tomorrow.reason.startswith("not read again since ")


def test_what_is_dated_is_read_again_and_snapshots_are_not() -> None:
    again = {name for step in STEPS if step.is_repeated and step.stage == "raw" for name in step.tables}
    assert again == {
        "raw/metrics_daily", "raw/metrics_hourly", "raw/trades_closed", "raw/trades_open", "raw/quarantine",
    }  # fmt: skip
