"""Each finding at its limits, by a clock and values that are handed in; probes against real files and servers."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from upath import UPath

from daily_profit_model.lake import Lake, LakeError, write
from daily_profit_model.modeling.bundle import assemble, save
from daily_profit_model.monitoring import probes
from daily_profit_model.monitoring.health import (
    GB,
    Finding,
    Limits,
    answered,
    checks,
    freshness,
    is_healthy,
    model_age,
    newest_due_day,
    room,
    whole,
)
from daily_profit_model.settings import Settings, load_settings
from daily_profit_model_tests.lake.small_table import DAY_1, DAY_2, SMALL, small_rows
from daily_profit_model_tests.risk_api.scripted_service import KEY, Service, serving, status

HOUR = timedelta(hours=1)
DUE = date(2026, 6, 1)
FIRST = date(2026, 3, 1)
THERE = {"raw/accounts": ["2026-06-01"], "raw/quarantine": ["2026-06-01"], "predictions/account_daily": ["2026-06-02"]}


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 6, 2, 6, 59, 59, tzinfo=UTC), date(2026, 5, 31)),
        (datetime(2026, 6, 2, 7, 0, tzinfo=UTC), DUE),
        (datetime(2026, 6, 2, 9, 0, tzinfo=UTC).astimezone(), DUE),
        (datetime(2026, 6, 3, 6, 59, tzinfo=UTC), DUE),
    ],
)
def test_a_day_is_due_at_its_cut_off_and_an_hour_for_the_run(now: datetime, due: date) -> None:
    assert newest_due_day(now, HOUR) == due


def test_a_missing_partition_of_the_due_day_is_unhealthy_and_named() -> None:
    assert freshness(THERE, DUE, first_day=FIRST, serves=True).state == "ok"
    for table, days in THERE.items():
        found = freshness({**THERE, table: ["2026-05-31"]}, DUE, first_day=FIRST, serves=True)
        assert (found.state, found.value) == ("fail", f"missing: {table} of {days[0]}")
        assert "dpm run" in found.advice


def test_without_a_champion_predictions_are_not_due_and_before_the_history_nothing_is() -> None:
    without = {**THERE, "predictions/account_daily": []}
    assert freshness(without, DUE, first_day=FIRST, serves=False).state == "warn"
    assert freshness(dict.fromkeys(THERE, ()), DUE, first_day=date(2026, 6, 2), serves=False).state == "ok"


def test_an_error_of_the_newest_judged_day_is_unhealthy_and_none_judged_is_a_warning() -> None:
    found = checks({"raw/accounts": "2026-06-01"}, [("raw/accounts", "accounts_valid")])
    assert (found.state, found.value) == ("fail", "1 do not hold: accounts_valid of raw/accounts on 2026-06-01")
    assert checks({"raw/accounts": "2026-06-01"}, []).state == "ok"
    assert checks({}, []).state == "warn"


@pytest.mark.parametrize(("days", "state"), [(9, "ok"), (16, "ok"), (17, "warn"), (37, "warn"), (38, "fail")])
def test_the_champions_age_is_judged_in_days(days: int, state: str) -> None:
    assert model_age(DUE - timedelta(days=days), DUE, Limits(16, 37)).state == state


def test_no_champion_is_a_warning() -> None:
    assert model_age(None, DUE, Limits(16, 37)).state == "warn"


@pytest.mark.parametrize(
    ("free", "state"), [(10 * GB, "ok"), (10 * GB - 1, "warn"), (2 * GB, "warn"), (2 * GB - 1, "fail"), (None, "ok")]
)
def test_room_is_judged_in_gigabytes(free: int | None, state: str) -> None:
    assert room("disk", free, Limits(10, 2), "make room").state == state


def test_one_failure_makes_ill_and_warnings_do_not() -> None:
    warning = Finding("a", "warn", "")
    assert is_healthy([warning, answered("b", None, "fine", "")])
    assert not is_healthy([warning, answered("b", "it is dead", "fine", "wake it")])


def test_damage_names_three_and_counts_the_others() -> None:
    assert whole("bundles", 5, ["a", "b", "c", "d"], "restore").value == "4 of 5: a, b, c and 1 more"
    assert whole("bundles", 5, [], "restore").state == "ok"


def test_a_lake_that_is_not_there_or_cannot_be_written_is_told(tmp_path: Path) -> None:
    root = UPath(tmp_path / "lake")
    assert "there is no lake" in str(probes.storage(root))
    root.mkdir()
    assert probes.storage(root) is None
    assert list(root.iterdir()) == []
    (tmp_path / "file").write_text("")
    assert "cannot be written" in str(probes.storage(UPath(tmp_path / "file")))


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service()) as served:
        yield served


def settings_of(monkeypatch: pytest.MonkeyPatch, base_url: str) -> Settings:
    monkeypatch.setenv("RISK_API_BASE_URL", base_url)
    monkeypatch.setenv("RISK_API_KEY", KEY)
    return load_settings()


def test_the_service_is_asked_once_whatever_it_answers(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(monkeypatch, service.base_url)
    assert probes.service(settings)[0] is None
    service.faults = [status(503), status(503)]
    problem, _ = probes.service(settings)
    assert "503" in str(problem)
    assert KEY not in str(problem)
    assert [path.rsplit("external/")[-1] for path, _, _ in service.asked] == ["v2/metrics/alltime"] * 2


def test_a_dead_service_and_a_dead_database_are_told_in_a_line_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    problem, _ = probes.service(settings_of(monkeypatch, f"http://127.0.0.1:{port}/"))
    assert "no answer" in str(problem)
    for url in (f"postgresql://me:hush@127.0.0.1:{port}/db", "postgresql://me:hush@127.0.0.1:much/db"):
        problem = probes.database(url)
        assert problem
        assert "hush" not in problem
        assert "\n" not in problem


def test_memory_is_the_least_of_what_the_machine_and_the_container_leave(tmp_path: Path) -> None:
    assert probes.memory_left(tmp_path) is None
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    4000 kB\n")
    assert probes.memory_left(tmp_path) == 4000 * 1024
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("1000\n")
    assert probes.memory_left(tmp_path) == 4000 * 1024
    (group / "memory.max").write_text("1500\n")
    assert probes.memory_left(tmp_path) == 500


def test_free_disk_is_that_of_the_nearest_folder_that_exists(tmp_path: Path) -> None:
    assert 0 < probes.disk_free(tmp_path / "not/yet/there") <= shutil.disk_usage(tmp_path).total


def test_of_stored_rule_results_the_newest_day_of_each_table_counts_and_errors_alone(lake: Lake) -> None:
    assert probes.rule_results(lake) == ({}, [])
    results = {
        ("raw_accounts", DAY_1): [("raw/accounts", "old", "error", False)],
        ("raw_accounts", DAY_2): [
            ("raw/accounts", "good", "error", True),
            ("raw/accounts", "mild", "warn", False),
            ("raw/accounts", "bad", "error", False),
        ],
        ("staging_trades", DAY_1): [("staging/trades", "good", "error", True)],
    }
    for (kept, day), rows in results.items():
        folder = Path(str(lake.partition_folder(f"{probes.RULE_RESULTS}{kept}", day)))
        folder.mkdir(parents=True)
        names = ("table", "rule", "severity", "passed")
        table = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows])
        pq.write_table(table, folder / "part-0.parquet")
    newest, failed = probes.rule_results(lake)
    assert newest == {"raw/accounts": DAY_2, "staging/trades": DAY_1}
    assert failed == [("raw/accounts", "bad")]


def test_stored_rule_results_that_are_damaged_are_one_line_that_says_which(lake: Lake) -> None:
    folder = Path(str(lake.partition_folder(f"{probes.RULE_RESULTS}raw_accounts", DAY_1)))
    folder.mkdir(parents=True)
    (folder / "part-0.parquet").write_bytes(b"PAR1 half of it")
    with pytest.raises(LakeError, match=f"rule_results/raw_accounts of {DAY_1}: .* cannot be read"):
        probes.rule_results(lake)


def test_a_newest_partition_that_is_not_what_its_footer_says_is_found(lake: Lake) -> None:
    for day in (DAY_1, DAY_2):
        write(lake, SMALL, day, small_rows(day), code_version="1")
    assert probes.damaged_partitions(lake, [SMALL]) == (1, [])
    (path,) = lake.files(SMALL.name, DAY_2)
    (other,) = lake.files(SMALL.name, DAY_1)
    footer = pq.read_metadata(str(path)).metadata
    rows = pq.ParquetFile(str(other)).read()
    places = rows.column_names.index("money")
    changed = rows.set_column(places, "money", pa.array([9.0] * rows.num_rows))
    pq.write_table(changed.replace_schema_metadata(footer), str(path))
    assert probes.damaged_partitions(lake, [SMALL]) == (1, [f"{SMALL.name} of {DAY_2}"])
    path.write_bytes(path.read_bytes()[:100])
    count, (problem,) = probes.damaged_partitions(lake, [SMALL])
    assert count == 1
    assert "cannot be read" in problem


def test_a_bundle_with_a_changed_byte_is_found(tmp_path: Path) -> None:
    manifest = {"cutoff": "2026-05-31", "forecaster": "baseline", "features": []}
    folder = save(assemble(manifest, {"a.txt": b"one"}), tmp_path)
    assert probes.damaged_bundles(tmp_path) == (1, [])
    (folder / "a.txt").write_bytes(b"two")
    count, (problem,) = probes.damaged_bundles(tmp_path)
    assert count == 1
    assert "sha256 differs" in problem
