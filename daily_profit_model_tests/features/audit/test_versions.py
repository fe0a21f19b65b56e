"""A stored day that differs may have been made again from later revisions, or be stale; its footer tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from daily_profit_model.engine import Query, Source, inputs_of, run_table
from daily_profit_model.features.pipeline import Step
from daily_profit_model.lake import Lake, read, write
from daily_profit_model.lake.lake import cut_off
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model_tests.features.audit.small_lake import CODE_VERSION, fill
from daily_profit_model_tests.features.audit.small_profits import (
    DAYS,
    PROFITS,
    QUERY,
    RAW_PROFITS,
    SPOILED,
    SQL,
    STEP,
    audited,
    fill_raw,
    made,
    spoil,
)
from daily_profit_model_tests.staging.firm_days import store


def test_a_day_made_again_from_a_later_revision_is_told_and_is_no_deviation_L6(lake: Lake, tmp_path: Path) -> None:
    fill_raw(lake)
    fill(lake, [STEP], DAYS)
    late = cut_off(date.fromisoformat(SPOILED)) + timedelta(days=2)
    store(lake, RAW_PROFITS, SPOILED, [made("a", -1.0)], late)
    newest = replace(QUERY, sources=(Source(RAW_PROFITS, first=-1, as_known="newest"),))
    rows = run_table(newest, lake, PROFITS, [SPOILED])[SPOILED]
    read_then = {
        name.replace("#newest", ""): content
        for name, content in inputs_of(newest.sources, SPOILED, HashLookup(lake)).items()
    }
    write(lake, PROFITS, SPOILED, rows, code_version=CODE_VERSION, inputs=read_then)
    report = audited(lake, tmp_path / "audit")
    assert report.holds
    (version,) = report.versions
    assert (version.table, version.day, version.explanation.origin) == (PROFITS.name, SPOILED, "later revision")
    assert f"raw/profits of {SPOILED} as stored at" in version.explanation.reason
    assert version.columns["profit"] == 1
    assert "1 stored partitions were made again from later revisions" in report.summary()


def test_a_day_of_other_code_or_other_inputs_is_stale_and_no_leak(lake: Lake, tmp_path: Path) -> None:
    fill_raw(lake)
    fill(lake, [STEP], DAYS)
    spoil(lake)
    report = audited(lake, tmp_path / "one", code_version="2")
    assert [(version.day, version.explanation.reason) for version in report.stale] == [
        (SPOILED, "code was 1, is 2")  # equal values are no question of code
    ]
    assert (report.findings, report.holds) == ([], False)
    rows = read(lake, PROFITS, [SPOILED])
    write(lake, PROFITS, SPOILED, rows, code_version=CODE_VERSION, inputs={f"raw/profits@{SPOILED}": "another"})
    report = audited(lake, tmp_path / "two")
    assert [version.explanation.reason for version in report.stale] == [f"raw/profits of {SPOILED} is another one now"]
    assert "dpm run" in report.summary()


def test_what_rests_on_a_day_that_deviates_deviates_too_when_it_was_made_of_it(lake: Lake, tmp_path: Path) -> None:
    fill_raw(lake)
    sums = replace(PROFITS, name="features/sums")
    sql = SQL.replace("raw_profits", "features_profits")
    steps = [STEP, Step(sums, lambda _: Query(sql, (Source(PROFITS, first=-1),)))]
    fill(lake, steps, DAYS)
    spoil(lake)
    report = audited(lake, tmp_path / "audit", steps)
    assert {(finding.table, finding.day) for finding in report.findings} == {(PROFITS.name, SPOILED)}
    fill(lake, steps[1:], DAYS)  # made of what was spoiled: by its footer that is what it says
    report = audited(lake, tmp_path / "again", steps)
    assert {finding.table for finding in report.findings} == {PROFITS.name, "features/sums"}
