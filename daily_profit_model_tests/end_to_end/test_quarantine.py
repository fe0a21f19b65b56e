"""After a fix of the reader a retry and a run give what a right reader would have given at once."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from daily_profit_model.defs.launch.command import run_steps
from daily_profit_model.defs.launch.ingest import ingest
from daily_profit_model.defs.launch.plan import STEPS, Step
from daily_profit_model.defs.launch.quarantine import retry_rejects
from daily_profit_model.defs.launch.runs import Launcher
from daily_profit_model.lake import Lake
from daily_profit_model.risk_api import first_look, quarantine, rows_sql
from daily_profit_model.risk_api.rows_sql import Problem
from daily_profit_model.settings import load_settings
from daily_profit_model.tables import Table
from daily_profit_model_tests.end_to_end.small_firm import DAYS, START, SmallFirm

FETCHED = Step(
    "raw", ("raw/plans", "raw/accounts", "raw/metrics_daily", "raw/trades_closed", "raw/trades_open"), "days"
)
STAGED = [step for step in STEPS if step.stage == "staging"]


def rows(lake: Lake, table: str) -> int:
    file = lake.describe(table, DAYS[0])
    assert file is not None
    return file.rows


def test_what_a_wrong_reader_rejected_is_healed_as_if_it_had_been_read_right(
    small_firm: SmallFirm, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings()
    launcher = Launcher(settings)
    problems = rows_sql.problems

    def wrong(table: Table) -> list[Problem]:
        more = [Problem("unknown_side", "side", "side = 'sell'", is_of_values=True)]
        return problems(table) + (more if table.name == "raw/trades_closed" else [])

    with monkeypatch.context() as patch:
        for module in (rows_sql, quarantine):
            patch.setattr(module, "problems", wrong)
        patch.setattr(first_look, "_SIDES", pa.array(["buy"]))
        run_steps(launcher, [FETCHED, *STAGED], START, START)
    before = rows(launcher.lake, "staging/trades")
    assert launcher.work(STAGED[-1], START, START).partitions == []

    capsys.readouterr()
    assert retry_rejects(settings, "raw/trades_closed", [], all_days=True, dry_run=False, as_json=True) == 0
    (day,) = json.loads(capsys.readouterr().out)["days"]
    assert (day["date"], day["rejected"]) == (DAYS[0], 0)
    assert day["new"] == day["tried"] > 0
    work = launcher.work(STAGED[-1], START, START)
    assert work.reason == f"staging/trades of {DAYS[0]}: raw/trades_closed@{DAYS[0]} has changed"
    launcher.run(work)
    assert rows(launcher.lake, "staging/trades") == before + day["new"]

    ingest(settings, ["trades", "closed"], START, START, force=True, as_json=True)
    assert json.loads(capsys.readouterr().out)["revisions_unchanged"] == 1  # what a right reader gives, bit for bit
