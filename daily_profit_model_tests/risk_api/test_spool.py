"""Pages on disk: what is stored is there after a kill, for the same question, for a while, for one process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path

from structlog.testing import capture_logs

from daily_profit_model.risk_api.spool import LIFE_S, Spool, Spools

TABLE = "raw/trades_closed"
DAYS = [date(2026, 6, 1), date(2026, 6, 2)]


def test_a_page_is_there_when_the_spool_is_opened_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a.sqlite", "question")
    assert spool.add(0, 2, 5, b"[1,2]") == 1
    assert spool.add(2, 1, None, b"[3]") == 2
    spool.close()
    again = Spool(tmp_path / "a.sqlite", "question")
    assert [(extent.number, extent.skip, extent.rows, extent.total) for extent in again.extents()] == [
        (1, 0, 2, 5),
        (2, 2, 1, None),
    ]
    assert (again.body(1), again.body(2)) == (b"[1,2]", b"[3]")


def test_pages_of_another_question_are_forgotten(tmp_path: Path) -> None:
    Spool(tmp_path / "a.sqlite", "question").add(0, 1, 1, b"[1]")
    assert Spool(tmp_path / "a.sqlite", "another question").extents() == []


def test_pages_that_lay_too_long_are_forgotten(tmp_path: Path) -> None:
    Spool(tmp_path / "a.sqlite", "question", now=lambda: 1000.0).add(0, 1, 1, b"[1]")
    assert len(Spool(tmp_path / "a.sqlite", "question", now=lambda: 999.0 + LIFE_S).extents()) == 1
    assert Spool(tmp_path / "a.sqlite", "question", now=lambda: 1000.0 + LIFE_S).extents() == []


def test_a_removed_spool_leaves_no_file(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a.sqlite", "question")
    spool.add(0, 1, 1, b"[1]")
    spool.remove()
    assert list(tmp_path.iterdir()) == []


def test_what_was_broken_off_is_told_by_its_days(tmp_path: Path) -> None:
    spools = Spools(tmp_path)
    spools.open(TABLE, DAYS, "question").close()
    assert spools.unfinished(TABLE) == [DAYS]
    assert spools.unfinished("raw/trades_open") == []


def test_a_process_killed_at_its_third_page_leaves_two_and_all_of_them(tmp_path: Path) -> None:
    program = f"""
import os, signal
from pathlib import Path
from daily_profit_model.risk_api.spool import Spool
spool = Spool(Path({str(tmp_path / "a.sqlite")!r}), "question")
for page in range(3):
    if page == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    spool.add(page, 1, 3, b"[%d]" % page)
"""
    assert subprocess.run([sys.executable, "-c", program], env=os.environ).returncode == -signal.SIGKILL
    spool = Spool(tmp_path / "a.sqlite", "question")
    assert [spool.body(extent.number) for extent in spool.extents()] == [b"[0]", b"[1]"]


def test_of_two_that_fetch_the_same_day_one_waits_and_says_so(tmp_path: Path) -> None:
    spools, order, entered = Spools(tmp_path), list[object](), threading.Event()

    def second() -> None:
        entered.wait()
        with spools.locked(TABLE, DAYS) as waited:
            order.append(waited)

    other = threading.Thread(target=second)
    with capture_logs() as logged:
        other.start()
        with spools.locked(TABLE, DAYS[1:]) as waited:
            order.append(waited)
            entered.set()
            other.join(0.3)
            order.append("done")
        other.join()
    assert order == [False, "done", True]
    assert [line["event"] for line in logged] == ["another_fetch_is_under_way"]


def test_days_apart_are_fetched_at_the_same_time(tmp_path: Path) -> None:
    spools = Spools(tmp_path)
    with spools.locked(TABLE, DAYS[:1]), spools.locked(TABLE, DAYS[1:]) as waited:
        assert not waited


def test_a_damaged_spool_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_bytes(b"no database" * 1000)
    spool = Spool(tmp_path / "a.sqlite", "question")
    assert spool.extents() == []
    assert spool.add(0, 1, 1, b"[1]") == 1


def test_old_pages_are_swept_and_those_of_a_fetch_under_way_are_not(tmp_path: Path) -> None:
    spools = Spools(tmp_path)
    for days in (DAYS[:1], DAYS[1:]):
        spools.open(TABLE, days, "question").close()
    (tmp_path / TABLE / "notes.sqlite").write_text("somebody's")
    late = time.time() + 2 * LIFE_S
    spools.sweep(TABLE, now=lambda: late - 2 * LIFE_S)
    assert spools.unfinished(TABLE) == [DAYS[:1], DAYS[1:]]
    with spools.locked(TABLE, DAYS[:1]):
        spools.sweep(TABLE, now=lambda: late)
    assert spools.unfinished(TABLE) == [DAYS[:1]]
    assert (tmp_path / TABLE / "notes.sqlite").exists()
