"""Of which days nothing is made: those of which a blocking rule does not hold as they are now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from daily_profit_model.defs.resources import blocked as blocking
from daily_profit_model.defs.resources.blocked import blocked, failed_days
from daily_profit_model.engine import Source
from daily_profit_model.lake import Lake, write_revision
from daily_profit_model.quality.frame import rows_of
from daily_profit_model.quality.judge import judge
from daily_profit_model.quality.results import keep, results
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table
from daily_profit_model.tables.quality import rule_results_of
from daily_profit_model_tests.quality.ledger import LEDGER, keep_day, ledger_of
from daily_profit_model_tests.quality.said import DAY, a_rule, said

BLOCKING = replace(a_rule("amounts_small"), blocking=True)
OTHER = a_rule("amounts_seen", "warn")
RULES = (BLOCKING, OTHER)
NEXT = "2026-03-05"
ACCOUNTS = 20


def store(lake: Lake, amount: float, day: str = DAY) -> None:
    """A day of ACCOUNTS, of which each made `amount`; up to 1 is right."""
    keep_day(lake, date.fromisoformat(day), ledger_of(date.fromisoformat(day), ACCOUNTS).assign(amount=amount))


def why(lake: Lake, days: Sequence[str] = (DAY,), table: Table = LEDGER, rules: Sequence[Rule] = RULES) -> list[str]:
    return list(failed_days(lake, table, days, rules).values())


def judged(lake: Lake, amount: float, days: Sequence[str] = (DAY,)) -> None:
    for day in days:
        store(lake, amount, day)
    judge(lake, LEDGER, RULES, RULES, days)


@pytest.fixture
def judges_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("judged again")

    monkeypatch.setattr(blocking, "judge", refuse)


def test_a_blocked_day_that_is_stored_again_and_right_now_blocks_no_more(lake: Lake) -> None:
    judged(lake, 5.0, (DAY, NEXT))
    assert len(why(lake, (DAY, NEXT))) == 2
    store(lake, 1.0)
    (reason,) = why(lake, (DAY, NEXT))
    assert reason.startswith(f"raw/ledger of {NEXT}: amounts_small does not hold: ")


def test_a_blocked_day_that_is_stored_again_and_wrong_otherwise_says_what_is_there_now(lake: Lake) -> None:
    judged(lake, 5.0)
    store(lake, 7.0)
    (reason,) = why(lake)
    assert reason.endswith("amount=7.0")


def test_a_day_that_held_and_is_spoiled_since_blocks(lake: Lake) -> None:
    judged(lake, 1.0)
    store(lake, 6.0)
    (reason,) = why(lake)
    assert reason.startswith(f"raw/ledger of {DAY}: amounts_small does not hold: ")
    sources = (Source(LEDGER, first=-1),)
    assert list(blocked(lake, sources, [DAY, NEXT, "2026-03-06"], {LEDGER.name: RULES})) == [DAY, NEXT]


@pytest.mark.parametrize(("before", "after", "is_blocked"), [(5.0, 1.0, False), (1.0, 5.0, True)])
def test_a_revision_that_another_writer_puts_into_the_lake_is_what_counts(
    lake: Lake, before: float, after: float, is_blocked: bool
) -> None:
    raw = replace(LEDGER, revisions=True)
    rules = (replace(BLOCKING, frame=rows_of(raw, ("amount",))),)
    for hour, amount in enumerate((before, after)):
        rows = ledger_of(date.fromisoformat(DAY), ACCOUNTS).assign(amount=amount)
        instant = datetime(2026, 3, 5, 1 + hour, tzinfo=UTC)
        table = pa.Table.from_pandas(rows, schema=raw.schema(), preserve_index=False)
        write_revision(lake, raw, DAY, table, ingested_at=instant, code_version="1")
        if hour == 0:
            judge(lake, raw, rules, rules, [DAY])
            assert bool(why(lake, table=raw, rules=rules)) != is_blocked
    assert bool(why(lake, table=raw, rules=rules)) == is_blocked


def test_what_was_said_anew_is_kept_beside_what_rules_that_do_not_block_said(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(lake, 5.0)
    store(lake, 1.0)
    assert why(lake) == []
    assert {row["rule"]: row["passed"] for row in results(lake, LEDGER, [DAY]).to_pylist()} == {
        "amounts_small": True,
        "amounts_seen": False,  # of the rows before: it blocks nothing, so it waits for its check
    }
    monkeypatch.setattr(blocking, "judge", None)
    assert why(lake) == []


@pytest.mark.usefixtures("judges_nothing")
def test_the_same_rows_stored_again_are_not_judged_again(lake: Lake) -> None:
    judged(lake, 5.0)
    store(lake, 5.0)
    assert len(why(lake)) == 1


@pytest.mark.usefixtures("judges_nothing")
def test_a_day_that_nobody_has_judged_is_left_to_the_run_that_stores_it(lake: Lake) -> None:
    store(lake, 5.0)
    assert why(lake) == []


@pytest.mark.usefixtures("judges_nothing")
def test_what_was_said_before_contents_were_kept_counts_as_it_was_said(lake: Lake) -> None:
    store(lake, 1.0)
    keep(lake, LEDGER, [said(BLOCKING, passed=False)], RULES)
    assert len(why(lake)) == 1


@pytest.mark.usefixtures("judges_nothing")
def test_a_day_that_is_gone_blocks_nothing(lake: Lake) -> None:
    judged(lake, 5.0)
    path = lake.file(LEDGER.name, DAY)
    assert path is not None
    path.unlink()
    assert why(lake) == []


def test_a_day_that_was_damaged_since_it_held_blocks_and_says_so(lake: Lake) -> None:
    judged(lake, 1.0)
    path = lake.file(LEDGER.name, DAY)
    assert path is not None
    path.write_bytes(path.read_bytes()[:100])
    (reason,) = why(lake)
    assert "could not be judged" in reason
    store(lake, 1.0)
    assert why(lake) == []


def test_a_day_that_is_replaced_while_it_is_judged_is_judged_again(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    from daily_profit_model.quality import judge as judging

    evaluate = judging.evaluate

    def replace_then_evaluate(*given: object) -> object:
        outcomes = evaluate(*given)  # type: ignore[arg-type]  # handed through
        store(lake, 1.0)
        return outcomes

    store(lake, 5.0)
    monkeypatch.setattr(judging, "evaluate", replace_then_evaluate)
    judge(lake, LEDGER, RULES, RULES, [DAY])
    assert len(results(lake, LEDGER, [DAY])) == 2
    assert why(lake) == []


def test_the_same_said_of_another_content_leaves_the_results_content_as_it_was(lake: Lake) -> None:
    judged(lake, 1.0)
    before = lake.describe(rule_results_of(LEDGER).name, DAY)
    judged(lake, 0.5)
    after = lake.describe(rule_results_of(LEDGER).name, DAY)
    assert before is not None
    assert after is not None
    assert (before.content_hash, before.facts == after.facts) == (after.content_hash, False)
