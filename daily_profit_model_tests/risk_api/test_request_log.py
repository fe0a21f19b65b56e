"""The request log: what is recorded is in the lake in time, whole, from many threads and processes."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from structlog.testing import capture_logs
from upath import UPath

from daily_profit_model.lake import Lake
from daily_profit_model.risk_api.request_log import FULL, OLDEST_S, RequestLog
from daily_profit_model.tables.raw_requests import RAW_REQUESTS
from daily_profit_model_tests.risk_api.measured import good_call

NOON = datetime(2026, 6, 1, 12, 0, 0, 250_000, tzinfo=UTC)
ONE = replace(good_call(NOON), latency_s=0.25, bytes=567_000, rows=1000, attempt=2, limited_s=0.1, held_s=1.5)


class Alarm:
    """Instead of a timer: rings when the test says so."""

    def __init__(self) -> None:
        self.set_for: list[float] = []
        self.call: Callable[[], None] | None = None

    def later(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        self.set_for.append(seconds)
        self.call = call
        return self.cancel

    def cancel(self) -> None:
        self.call = None

    def ring(self) -> None:
        assert self.call is not None
        self.call()


@pytest.fixture(autouse=True)
def _numbers_from_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daily_profit_model.risk_api.request_log._numbers", itertools.count(1))


@pytest.fixture
def alarm() -> Alarm:
    return Alarm()


def files(lake: Lake) -> list[Path]:
    return sorted(Path(str(lake.root)).rglob("*.parquet"))


def logged(lake: Lake) -> list[dict[str, object]]:
    tables = [pq.ParquetFile(file).read() for file in files(lake)]
    return pa.concat_tables(tables).to_pylist() if tables else []


def test_a_measurement_is_kept_whole_with_its_run_and_process(lake: Lake, alarm: Alarm) -> None:
    log = RequestLog(lake, run_id="run-7", later=alarm.later)
    log.record(ONE)
    log.close()
    (row,) = logged(lake)
    assert row == {**asdict(ONE), "process_id": os.getpid(), "number": 1, "run_id": "run-7"}
    assert set(row) | {"date"} == set(RAW_REQUESTS.column_names)


def test_files_lie_by_day_and_are_named_by_instant_process_and_number(lake: Lake, alarm: Alarm) -> None:
    log = RequestLog(lake, later=alarm.later)
    for seconds in (0, 12 * 3600):
        log.record(replace(ONE, started_at=NOON + timedelta(seconds=seconds)))
    log.close()
    pid = os.getpid()
    assert [str(file.relative_to(str(lake.root))) for file in files(lake)] == [
        f"raw/requests/date=2026-06-01/part-20260601T120000.250000Z-{pid}-1.parquet",
        f"raw/requests/date=2026-06-02/part-20260602T000000.250000Z-{pid}-2.parquet",
    ]
    assert lake.partitions(RAW_REQUESTS.name) == ["2026-06-01", "2026-06-02"]
    described = lake.describe(RAW_REQUESTS.name, "2026-06-02")
    assert described is not None
    assert (described.rows, described.contract_version) == (1, RAW_REQUESTS.version)


def test_logs_of_one_process_never_write_over_one_another(lake: Lake, alarm: Alarm) -> None:
    for _ in range(3):
        log = RequestLog(lake, later=alarm.later)
        log.record(ONE)
        log.close()
    assert [row["number"] for row in logged(lake)] == [1, 2, 3]


def test_nothing_is_written_before_it_is_many_or_old(lake: Lake, alarm: Alarm) -> None:
    log = RequestLog(lake, later=alarm.later)
    for _ in range(FULL - 1):
        log.record(ONE)
    assert files(lake) == []
    log.record(ONE)
    assert len(logged(lake)) == FULL
    assert alarm.set_for == [OLDEST_S]
    assert alarm.call is None


def test_what_is_old_is_written_though_nothing_more_comes(lake: Lake, alarm: Alarm) -> None:
    log = RequestLog(lake, later=alarm.later)
    log.record(ONE)
    alarm.ring()
    assert len(logged(lake)) == 1
    log.record(ONE)
    assert alarm.set_for == [OLDEST_S, OLDEST_S]
    alarm.ring()
    assert len(logged(lake)) == 2


def test_the_real_timer_rings(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daily_profit_model.risk_api.request_log.OLDEST_S", 0.01)
    written = threading.Event()
    log = RequestLog(lake)
    flush = log.flush
    monkeypatch.setattr(log, "flush", lambda: (flush(), written.set()))
    log.record(ONE)
    assert written.wait(10)
    assert len(logged(lake)) == 1


def test_closing_an_empty_log_leaves_nothing(lake: Lake, alarm: Alarm) -> None:
    RequestLog(lake, later=alarm.later).close()
    assert files(lake) == []


def test_many_threads_lose_and_repeat_nothing(lake: Lake, alarm: Alarm) -> None:
    log = RequestLog(lake, later=alarm.later)

    def work() -> None:
        for _ in range(400):
            log.record(ONE)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert sorted(int(str(row["number"])) for row in logged(lake)) == list(range(1, 2401))


def test_a_log_that_cannot_be_written_is_a_warning_and_no_error(tmp_path: Path, alarm: Alarm) -> None:
    (tmp_path / "raw").write_text("a file where a folder should be")
    log = RequestLog(Lake(UPath(tmp_path)), later=alarm.later)
    log.record(ONE)
    with capture_logs() as lines:
        log.close()
    (line,) = lines
    assert (line["event"], line["requests"], line["log_level"]) == ("risk_api_requests_not_logged", 1, "warning")


def _record_and_die(root: str, ready: multiprocessing.synchronize.Event) -> None:
    log = RequestLog(Lake(UPath(root)))
    for _ in range(FULL + 3):
        log.record(ONE)
    ready.set()
    threading.Event().wait()


def test_a_killed_process_leaves_whole_files_and_loses_its_last_few_requests(lake: Lake) -> None:
    processes = multiprocessing.get_context("spawn")
    ready = processes.Event()
    process = processes.Process(target=_record_and_die, args=(str(lake.root), ready))
    process.start()
    assert ready.wait(60)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert len(logged(lake)) == FULL


def test_the_log_of_an_object_store_is_written_there(alarm: Alarm) -> None:
    lake = Lake(UPath("memory://request-log-test/lake"))
    log = RequestLog(lake, later=alarm.later)
    log.record(ONE)
    log.close()
    assert lake.partitions(RAW_REQUESTS.name) == ["2026-06-01"]
