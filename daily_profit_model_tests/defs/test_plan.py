"""What a run has to do: days that are empty are no history, and a damaged raw file can be fetched again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from upath import UPath

from daily_profit_model.defs.launch.command import run_steps
from daily_profit_model.defs.launch.plan import Work, days_with_targets, has_history, steps_of, unset_of
from daily_profit_model.defs.launch.runs import Launcher, RunFailed
from daily_profit_model.defs.launch.status import table_status
from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
from daily_profit_model.lake import Lake, write, write_revision
from daily_profit_model.settings import WrongUse
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import RAW_MARKET_BARS, RAW_METRICS_DAILY

START = date(2026, 3, 1)


def rows_of(table: Table, day: date, **values: object) -> pa.Table:
    return pa.Table.from_pylist([{"date": day, "account_id": "a", **values}], schema=table.schema())


def fill(lake: Lake, days: int, empty: int) -> None:
    """`days` days, the first `empty` of them without any account."""
    for offset in range(days):
        day = START + timedelta(days=offset)
        for table in (FEATURES_ACCOUNT_DAILY, RAW_METRICS_DAILY):
            rows = table.schema().empty_table() if offset < empty else rows_of(table, day)
            write(lake, table, day.isoformat(), rows, code_version="1")


def test_days_without_accounts_are_no_history_to_train_on(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    fill(lake, days=70, empty=50)
    last = (START + timedelta(days=69)).isoformat()
    assert days_with_targets(lake, last) == 19
    assert not has_history(lake, last)


def test_enough_days_with_outcomes_are_history(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    fill(lake, days=50, empty=5)
    assert has_history(lake, (START + timedelta(days=49)).isoformat())


def test_an_unknown_stage_is_wrong_use() -> None:
    with pytest.raises(WrongUse, match="nonsense"):
        steps_of(["raw", "nonsense"])


def test_bars_come_first_and_their_step_is_skipped_without_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    bars, *others = steps_of(["raw"])
    assert bars.tables == (RAW_MARKET_BARS.name,)
    assert not any(RAW_MARKET_BARS.name in step.tables for step in others)
    assert unset_of(bars) == "MARKET_API_BASE_URL"
    assert [unset_of(step) for step in others] == ["", ""]
    monkeypatch.setenv("MARKET_API_BASE_URL", "http://127.0.0.1:1/")
    assert unset_of(bars) == ""


class Runs(Launcher):
    """Notes what it is to make; the runs of one table fail, and leave out blocked days alone where `is_partial`."""

    def __init__(self, failing: str, *, is_partial: bool = False) -> None:
        self.failing, self.made, self.is_partial = failing, set[str](), is_partial

    def work(self, step: Any, *_: Any, **__: Any) -> Work:
        return Work(step, ["2026-03-01"])

    def run(self, work: Work, **_: Any) -> list[Any]:
        if self.failing in work.step.tables:
            raise RunFailed(f"{self.failing}: no answer", is_partial=self.is_partial)
        self.made |= set(work.step.tables)
        return []


def test_an_outage_of_bars_stops_nothing_else_and_is_told_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKET_API_BASE_URL", "http://127.0.0.1:1/")
    steps = steps_of(["raw", "staging"])
    launcher = Runs(RAW_MARKET_BARS.name)
    with pytest.raises(RunFailed, match=r"raw/market_bars: no answer \(everything that does not need it is made\)"):
        run_steps(launcher, steps, START, START)
    assert launcher.made == {table for step in steps for table in step.tables} - {RAW_MARKET_BARS.name}
    launcher = Runs(RAW_METRICS_DAILY.name)
    with pytest.raises(RunFailed, match="raw/metrics_daily: no answer$"):
        run_steps(launcher, steps, START, START)
    assert launcher.made == {RAW_MARKET_BARS.name}


def test_shadows_that_serve_are_scored_before_predictions_are_made_and_their_failure_stops_none() -> None:
    steps = steps_of(["predictions"])
    (scored,), (given,), (served,) = (
        [place for place, step in enumerate(steps) if f"predictions/{name}" in step.tables]
        for name in ("shadow_scores", "traffic", "account_daily")
    )
    assert scored < given < served
    launcher = Runs("predictions/shadow_scores")
    with pytest.raises(RunFailed, match="everything that does not need it is made"):
        run_steps(launcher, steps, START, START)
    assert "predictions/account_daily" in launcher.made


def test_what_shadows_say_is_there_before_drift_is_looked_for_and_their_failure_does_not_stop_that() -> None:
    steps = steps_of(["monitoring"])
    (scored,), (looked_for,) = (
        [place for place, step in enumerate(steps) if name in step.tables]
        for name in ("predictions/shadow_scores", "monitoring/drift")
    )
    assert scored < looked_for
    launcher = Runs("predictions/shadow_scores")
    with pytest.raises(RunFailed, match="everything that does not need it is made"):
        run_steps(launcher, steps, START, START)
    assert "monitoring/drift" in launcher.made


def test_what_rests_on_the_outcomes_of_earlier_days_is_planned_once_they_are_made() -> None:
    (outcomes,), (segments,) = (
        [place for place, step in enumerate(steps_of(["monitoring"])) if f"monitoring/{name}" in step.tables]
        for name in ("outcomes", "segment_performance")
    )
    assert outcomes < segments


def test_a_blocked_day_stops_no_later_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKET_API_BASE_URL", "http://127.0.0.1:1/")
    steps = steps_of(["raw", "staging", "features"])
    launcher = Runs("staging/trades", is_partial=True)
    with pytest.raises(RunFailed, match="staging/trades: no answer"):
        run_steps(launcher, steps, START, START)
    assert "features/account_daily" in launcher.made


def test_without_a_service_a_run_says_that_bars_are_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    launcher = Runs("")
    run_steps(launcher, steps_of(["raw"]), START, START)
    assert RAW_MARKET_BARS.name not in launcher.made
    assert "skipped: raw/market_bars, as MARKET_API_BASE_URL is not set" in capsys.readouterr().out


def test_days_without_bars_are_gaps_only_where_there_is_a_service(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    for offset in (0, 2):
        day = (START + timedelta(days=offset)).isoformat()
        write(lake, RAW_MARKET_BARS, day, RAW_MARKET_BARS.schema().empty_table(), code_version="1")
    assert table_status(lake, RAW_MARKET_BARS)["missing"] == ["2026-03-02"]
    assert table_status(lake, RAW_MARKET_BARS, has_gaps=False)["missing"] == []


def test_a_damaged_revision_is_put_aside_when_the_day_is_fetched_again(tmp_path: Path) -> None:
    lake, at = Lake(UPath(tmp_path)), datetime(2026, 3, 2, 5, tzinfo=UTC)
    rows = rows_of(RAW_METRICS_DAILY, START)
    file, _ = write_revision(lake, RAW_METRICS_DAILY, START.isoformat(), rows, ingested_at=at, code_version="1")
    Path(str(file.path)).write_bytes(b"PAR1 torn")
    again = at + timedelta(hours=1)
    made, stored = write_revision(lake, RAW_METRICS_DAILY, START.isoformat(), rows, ingested_at=again, code_version="1")
    assert stored
    assert lake.file(RAW_METRICS_DAILY.name, START.isoformat()) == made.path
    assert [path.name for path in Path(tmp_path).rglob(".damaged-*")] == [f".damaged-{file.path.name}"]
