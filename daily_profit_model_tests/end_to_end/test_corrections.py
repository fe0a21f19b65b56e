"""A firm whose service corrects itself: days read again, what follows from it, and everything reconciled to the cent."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from daily_profit_model.defs.automation.sensors import corrections_are_read
from daily_profit_model.defs.build import build_definitions
from daily_profit_model.defs.calendars import range_tags
from daily_profit_model.defs.launch.command import run_steps
from daily_profit_model.defs.launch.instance import stored_instance
from daily_profit_model.defs.launch.plan import STEPS
from daily_profit_model.defs.launch.runs import Launcher
from daily_profit_model.lake import Lake, read, write_revision
from daily_profit_model.lake.lake import cut_off
from daily_profit_model.settings import load_settings
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_TEST_LOGINS,
    RAW_TRADES_CLOSED,
)
from daily_profit_model.tables.reconciliation import MONITORING_RECONCILIATION, SUMMARY
from daily_profit_model.tables.staging import STAGING_TRADES
from daily_profit_model_tests.end_to_end.small_firm import DAYS, END, MORNING, START, WEEK_LATER, SmallFirm

CORRECTED = DAYS[-3:]
RAW, STAGED_ACCOUNTS, STAGED_TRADES, RECONCILED = (
    next(step for step in STEPS if tables <= set(step.tables) and not step.is_repeated)
    for tables in ({"raw/plans"}, {"staging/accounts"}, {"staging/trades"}, {"monitoring/reconciliation"})
)


def run_job(name: str, tags: Mapping[str, str]) -> dg.ExecuteInProcessResult:
    """A run of a job over a range, as a schedule or sensor asks for it."""
    job = build_definitions().resolve_job_def(name)
    return job.execute_in_process(instance=stored_instance(load_settings()), tags=dict(tags))


@pytest.fixture(scope="module")
def filled(small_served: SmallFirm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with all raw and staging days, as known on the morning after the last one."""
    folder = tmp_path_factory.mktemp("filled") / "data"
    small_served.at(MORNING)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**small_served.variables, "DPM_DATA_DIR": str(folder)}.items():
            patch.setenv(name, value)
        launcher = Launcher(load_settings())
        run_steps(launcher, [RAW], START, END)
        run_steps(launcher, [STAGED_ACCOUNTS, STAGED_TRADES], START, END)
    return folder


@pytest.fixture
def launcher(filled: Path, small_firm: SmallFirm) -> Launcher:
    """A launcher on a copy of the filled folder."""
    settings = load_settings()
    shutil.copytree(filled, settings.dpm_data_dir)
    return Launcher(settings)


def findings(lake: Lake) -> Counter[tuple[str, str]]:
    """What reconciliation found, by day and class; every table of every day has its summary."""
    rows = read(lake, MONITORING_RECONCILIATION, DAYS).to_pylist()
    summaries = [row for row in rows if row["finding"] == SUMMARY]
    assert len(summaries) == 7 * len(DAYS)
    assert all(row["expected"] in (None, row["found"]) for row in summaries)
    return Counter((row["date"].isoformat(), row["finding"]) for row in rows if row["finding"] != SUMMARY)


def passed(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], bool]:
    checks = result.get_asset_check_evaluations()
    return {(check.check_name, str(check.partition)): check.passed for check in checks}


def test_corrected_days_are_read_again_and_the_books_then_agree_to_the_cent(
    launcher: Launcher, small_firm: SmallFirm
) -> None:
    (first,) = launcher.run(launcher.work(RECONCILED, START, END))
    before = findings(launcher.lake)
    # profits alone differ, and only where the service has overlooked a fee
    assert {finding for _, finding in before} == {"net_profit_mismatch"}
    assert {day for day, _ in before} <= set(CORRECTED)
    assert {(failure.rule, failure.partition) for failure in first.failures} == {
        ("profits_agree", day) for day, _ in before
    }
    assert first.checks_passed == 6 * len(DAYS) - len(first.failures)

    again = range_tags(CORRECTED[0], CORRECTED[-1])
    assert revisions(run_job("daily_corrections", again)) == set()
    assert launcher.work(RECONCILED, START, END).partitions == []
    small_firm.at(WEEK_LATER)
    assert revisions(run_job("daily_corrections", again)) == {("raw/metrics_daily", day) for day, _ in before}

    changed = launcher.work(RECONCILED, START, END)
    assert set(changed.partitions) == {day for day, _ in before}
    assert "raw/metrics_daily#newest@" in changed.reason
    reconciled = run_job("daily_reconciliation", again)
    assert findings(launcher.lake) == Counter()
    assert set(passed(reconciled).values()) == {True}


def revisions(result: dg.ExecuteInProcessResult) -> set[tuple[str, str]]:
    """The partitions of which a run stored a revision, by what its materialisations say."""
    found = set()
    for event in result.all_events:
        if event.is_step_materialization:
            made = event.step_materialization_data.materialization
            if "revision_stored" in made.metadata and made.metadata["revision_stored"].value:
                found.add((made.asset_key.to_user_string(), str(made.partition)))
    return found


def test_what_was_read_again_is_reconciled_by_the_sensor_in_one_run(launcher: Launcher) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_definitions().resolve_job_def("daily_corrections")
        run = instance.create_run_for_job(job, tags=range_tags(CORRECTED[0], CORRECTED[-1]))
        event = dg.DagsterEvent("PIPELINE_SUCCESS", job_name=job.name)
        context = dg.build_run_status_sensor_context("corrections_are_read", event, instance, run)
        (request,) = corrections_are_read(context)
    assert request.job_name == "daily_reconciliation"
    assert request.tags == range_tags(CORRECTED[0], CORRECTED[-1])


def spoil(lake: Lake, table: Table, day: str, rows: pa.Table) -> None:
    """A newer revision with other rows, whose footer still counts what was fetched."""
    fetched = lake.describe(table.name, day, "newest")
    assert fetched is not None
    assert fetched.revision is not None
    at = fetched.revision + timedelta(hours=1)
    write_revision(lake, table, day, rows, ingested_at=at, code_version="1", facts=dict(fetched.facts))


def test_each_rule_sees_what_is_spoiled_and_the_other_days_stay_right(launcher: Launcher) -> None:
    lake = launcher.lake
    shutil.rmtree(lake.partition_folder("raw/trades_open", DAYS[0]))
    closed = read(lake, RAW_TRADES_CLOSED, [DAYS[1]], as_known="newest")
    busiest = pc.value_counts(closed["login"]).to_pylist()
    login = max(busiest, key=lambda found: found["counts"])["values"]
    spoil(lake, RAW_TRADES_CLOSED, DAYS[1], closed.filter(pc.not_equal(closed["login"], login)))
    closed = read(lake, RAW_TRADES_CLOSED, [DAYS[2]], as_known="newest")
    known = pc.is_in(closed["login"], read(lake, RAW_METRICS_DAILY, [DAYS[2]], columns=["login"])["login"])
    place = pc.index(known, True).as_py()
    spoil(lake, RAW_TRADES_CLOSED, DAYS[2], pa.concat_tables([closed.slice(0, place), closed.slice(place + 1)]))
    hourly = read(lake, RAW_METRICS_HOURLY, [DAYS[3]], as_known="newest")
    spoil(lake, RAW_METRICS_HOURLY, DAYS[3], hourly.slice(1))
    daily = read(lake, RAW_METRICS_DAILY, [DAYS[4]], as_known="newest")
    profit = daily.column_names.index("net_profit")
    spoil(lake, RAW_METRICS_DAILY, DAYS[4], daily.set_column(profit, "net_profit", pc.add(daily["net_profit"], 5.0)))
    shutil.rmtree(lake.table_folder(RAW_TEST_LOGINS.name))

    checks = passed(run_job("daily_reconciliation", range_tags(DAYS[0], DAYS[6])))
    failed = {(rule, day) for (rule, day), holds in checks.items() if not holds}
    unresolved = {(rule, day) for rule, day in failed if rule == "logins_resolved"}
    assert unresolved
    assert failed - unresolved == {
        ("rows_complete", DAYS[0]),
        ("trade_counts_agree", DAYS[1]),
        ("trade_counts_exact", DAYS[2]),
        ("hours_complete", DAYS[3]),
        ("profits_agree", DAYS[4]),
    }


def without(rows: pa.Table, account: str) -> pa.Table:
    return rows.filter(pc.not_equal(rows["account_id"], account))


def test_a_trade_whose_account_appears_later_resolves_itself_in_the_next_run(launcher: Launcher) -> None:
    lake = launcher.lake
    whole = read(lake, STAGING_TRADES, [DAYS[4]])
    account = whole.filter(whole["is_resolved"])["account_id"][0].as_py()
    late = int(pc.sum(pc.equal(whole["account_id"], account)).as_py())
    everybody = read(lake, RAW_ACCOUNTS, DAYS[-1:], as_known="newest")
    for table in (RAW_ACCOUNTS, RAW_METRICS_DAILY):  # as if the account had not been known to any answer
        for day in DAYS:
            rows = without(read(lake, table, [day], as_known="newest"), account)
            shutil.rmtree(lake.partition_folder(table.name, day))
            at = datetime.combine(date.fromisoformat(day) + timedelta(days=1), datetime.min.time(), UTC)
            facts = {"received": rows.num_rows, "stored": rows.num_rows}
            write_revision(lake, table, day, rows, ingested_at=at, code_version="1", facts=facts)
    for step in (STAGED_ACCOUNTS, STAGED_TRADES):
        launcher.run(launcher.work(step, START, END))
    assert unresolved(lake) >= late
    assert launcher.work(STAGED_TRADES, START, END).partitions == []

    late_answer, facts = (
        cut_off(END) + timedelta(days=9),
        {"received": everybody.num_rows, "stored": everybody.num_rows},
    )
    write_revision(lake, RAW_ACCOUNTS, DAYS[-1], everybody, ingested_at=late_answer, code_version="1", facts=facts)
    work = launcher.work(STAGED_TRADES, START, END)
    assert DAYS[4] in work.partitions
    assert work.reason.endswith("the account of an unresolved trade is known by now")
    launcher.run(work)
    assert unresolved(lake) == 0
    assert read(lake, STAGING_TRADES, [DAYS[4]]).equals(whole)
    assert launcher.work(STAGED_TRADES, START, END).partitions == []


def unresolved(lake: Lake) -> int:
    rows = read(lake, STAGING_TRADES, DAYS)
    return int(pc.sum(pc.invert(rows["is_resolved"])).as_py())
