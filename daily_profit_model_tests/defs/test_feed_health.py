"""Feed health as an asset with checks: every day has its partition, and the checks tell well from ill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from upath import UPath

from daily_profit_model.defs.build import build_definitions
from daily_profit_model.defs.calendars import range_tags
from daily_profit_model.defs.monitoring.checks import thresholds_of
from daily_profit_model.lake import Lake, read
from daily_profit_model.monitoring.feed_health import FEEDS
from daily_profit_model.risk_api.request_log import RequestLog
from daily_profit_model.settings import load_settings
from daily_profit_model.tables.monitoring import FEED_HEALTH
from daily_profit_model_tests.quality.small_firm import FEED_THRESHOLDS
from daily_profit_model_tests.risk_api.measured import good_call

KEY = dg.AssetKey(["monitoring", "feed_health"])
BEFORE, WELL, NOBODY, ILL = "2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"
DAYS = (BEFORE, WELL, NOBODY, ILL)
GOOD = good_call(datetime(2026, 3, 3, 6, tzinfo=UTC))


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Calls that went well on one day, none on the next, and slow failures on the one after it."""
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    lake = Lake(UPath(tmp_path / "lake"))
    log = RequestLog(lake)
    for feed in FEEDS:
        log.record(replace(GOOD, endpoint=feed.endpoint))
        on_fifth = datetime(2026, 3, 5, 6, tzinfo=UTC)
        log.record(replace(GOOD, endpoint=feed.endpoint, started_at=on_fifth, outcome="http_5xx", latency_s=3.0))
    log.close()
    return lake


@pytest.fixture
def failed(lake: Lake) -> Iterator[dict[str | None, set[tuple[str, dg.AssetCheckSeverity]]]]:
    """Failed checks by day, after a run of all days as `dpm run` makes it."""
    job = build_definitions().resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(
            instance=instance, asset_selection=[KEY], tags=range_tags(DAYS[0], DAYS[-1]), raise_on_error=False
        )
        assert result.success
        found: dict[str | None, set[tuple[str, dg.AssetCheckSeverity]]] = {day: set() for day in DAYS}
        evaluations = result.get_asset_check_evaluations()
        assert len(evaluations) == 8 * len(DAYS)
        for evaluation in evaluations:
            if not evaluation.passed:
                found[evaluation.partition].add((evaluation.check_name, evaluation.severity))
        yield found


def test_each_day_has_its_rows_and_its_own_verdict(
    lake: Lake, failed: dict[str | None, set[tuple[str, dg.AssetCheckSeverity]]]
) -> None:
    assert [read(lake, FEED_HEALTH, [day]).num_rows for day in DAYS] == [0, 5, 5, 5]
    warn, error = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR
    assert failed == {
        BEFORE: set(),
        WELL: set(),
        NOBODY: {("feeds_called", warn)},
        ILL: {("failures_bearable", error), ("calls_quick", warn)},
    }


def test_without_any_setting_the_thresholds_are_those_that_were_asked_for() -> None:
    assert thresholds_of(load_settings()) == FEED_THRESHOLDS


def test_a_threshold_that_is_set_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DPM_FEED_LATENCY_WARN", "0.5")
    assert thresholds_of(load_settings()).latency_s.warn == 0.5


def test_it_depends_on_nothing_so_that_a_failed_fetch_does_not_keep_it_from_being_made() -> None:
    assert build_definitions().resolve_asset_graph().get(KEY).parent_keys == set()
