"""Outcomes: counted by day, the same alone and in a range, never a skip, and nothing changed on the way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from daily_profit_model.lake import Lake, write_revision
from daily_profit_model.partitions import days_between
from daily_profit_model.quality import validation
from daily_profit_model.quality.evaluate import DAYS_A_VALIDATION, evaluate
from daily_profit_model.quality.expectation import Expectation, at_least, between, equal, in_set, not_null, unique
from daily_profit_model.quality.frame import Frame, rows_of
from daily_profit_model.quality.load import load
from daily_profit_model.quality.outcome import SAMPLES
from daily_profit_model.quality.rule import Rule
from daily_profit_model.quality.validation import violations
from daily_profit_model.tables import Column
from daily_profit_model.tables.contract import FLOAT
from daily_profit_model.tables.staging import STAGING_ACCOUNTS
from daily_profit_model_tests.quality.ledger import LEDGER, ledger_of
from daily_profit_model_tests.quality.small_firm import RULES, nothing, store
from daily_profit_model_tests.quality.spoils import changed

DAYS = days_between(date(2026, 3, 2), date(2026, 3, 6))
FRAME = rows_of(STAGING_ACCOUNTS, ("balance", "equity"))


def a_rule(*expectations: Expectation, rule_id: str = "small", frame: Frame = FRAME) -> Rule:
    return Rule(rule_id, frame.table.name, "validity", "error", frame, expectations, "Because.", "Mend it.")


def rows(balances: Sequence[float | None], days: Sequence[str]) -> pa.Table:
    """Row i stands on day i modulo the number of days."""
    places = [row % len(days) for row in range(len(balances))]
    return pa.table(
        {
            "date": pa.array([date.fromisoformat(days[place]) for place in places], pa.date32()),
            "account_id": pa.array([f"a{row:03d}" for row in range(len(balances))], pa.string()),
            "balance": pa.array(balances, pa.float64()),
            "equity": pa.array([0.5] * len(balances), pa.float64()),
        }
    )


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.sampled_from([-0.1, 0.0, 0.5, 1.0, 1.1])), min_size=1, max_size=40),
    st.sampled_from([1.0, 0.9, 0.5]),
)
def test_counts_and_verdicts_of_each_day_equal_a_plain_computation(balances: list[float | None], mostly: float) -> None:
    rule = a_rule(between("balance", 0, 1, says="balance is small", mostly=mostly))
    for place, outcome in enumerate(evaluate([rule], lambda _, days: rows(balances, days), DAYS)):
        own = [balance for row, balance in enumerate(balances) if row % len(DAYS) == place]
        bad = sum(balance is not None and not 0 <= balance <= 1 for balance in own)
        assert (outcome.partition, outcome.rows, outcome.unexpected_count) == (DAYS[place], len(own), bad)
        assert outcome.passed == (bad <= (1 - mostly) * len(own) + 1e-9)
        assert outcome.observed == (bad / len(own) if own else 0.0)


def test_a_range_says_of_each_day_what_a_run_of_the_day_alone_says(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    for place, day in enumerate(DAYS):
        spoil = changed("staging/accounts", status=None) if place == 2 else nothing
        store(lake, day, ["staging/accounts", "staging/trades"], spoil)
    rules = [rule for rule in RULES if rule.table.startswith("staging/")]
    together = evaluate(rules, partial(load, lake), DAYS)
    alone = [outcome for day in DAYS for outcome in evaluate(rules, partial(load, lake), [day])]
    assert together == alone
    assert [(outcome.partition, outcome.rule.id) for outcome in together if not outcome.passed] == [
        (DAYS[2], "accounts_have_state")
    ]


def test_days_fetched_before_their_contract_grew_are_judged_alone_and_in_a_range(tmp_path: Path) -> None:
    lake, raw = Lake(UPath(tmp_path)), replace(LEDGER, revisions=True)
    grown = replace(raw, columns=(*raw.columns, Column("added", FLOAT, "New")))
    for place, day in enumerate(DAYS):
        table = raw if place in (1, 3) else grown
        made = ledger_of(date.fromisoformat(day), 20).assign(added=2.0)
        fetched = pa.Table.from_pandas(made, schema=table.schema(), preserve_index=False)
        write_revision(lake, table, day, fetched, ingested_at=datetime(2026, 3, 9, tzinfo=UTC), code_version="1")
    frame = rows_of(grown, ("added", "level"))
    rules = [
        a_rule(between("added", 0, 1, says="what was added is small"), rule_id="added", frame=frame),
        a_rule(not_null("level"), rule_id="level", frame=frame),
    ]
    together = evaluate(rules, partial(load, lake), DAYS)
    assert together == [outcome for day in DAYS for outcome in evaluate(rules, partial(load, lake), [day])]
    failed = [outcome for outcome in together if not outcome.passed]
    assert [(outcome.partition, outcome.rule.id) for outcome in failed] == [
        (DAYS[place], "added") for place in (0, 2, 4)
    ]
    assert {outcome.error for outcome in together} == {""}


def test_an_outcome_keeps_at_most_twenty_of_the_violating_rows_with_their_keys() -> None:
    rule = a_rule(between("balance", 0, 1, says="balance is small"))
    (outcome,) = evaluate([rule], lambda _, days: rows([2.0] * 50, days), DAYS[:1])
    assert outcome.unexpected_count == 50
    assert len(outcome.samples) == SAMPLES == 20
    assert outcome.samples[0] == {"violates": "balance is small", "account_id": "a000", "balance": 2.0}


@pytest.mark.parametrize(
    ("expectation", "message"),
    [
        (between("no_such_column", 0, 1, says="x"), "no_such_column"),
        (between("account_id", 0, 1, says="x"), "type"),
        (Expectation("ExpectNothingOfTheKind", {}, "x", columns=("balance",)), "ExpectNothingOfTheKind"),
    ],
)
def test_an_exception_in_a_rule_is_a_failed_outcome_that_tells_it(expectation: Expectation, message: str) -> None:
    good = a_rule(between("balance", 0, 1, says="balance is small"), rule_id="good")
    bad = a_rule(expectation, rule_id="bad")
    outcomes = evaluate([good, bad], lambda _, days: rows([0.5] * 10, days), DAYS)
    assert len(outcomes) == 2 * len(DAYS)
    failed = [outcome for outcome in outcomes if not outcome.passed]
    assert {outcome.partition for outcome in failed if outcome.rule.id == "bad"} == set(DAYS)
    assert all(message in outcome.error for outcome in failed)


def test_a_day_of_which_the_library_makes_an_error_fails_alone_in_a_range() -> None:
    rules = [
        a_rule(between("balance", 0, 1, says="balance is small"), rule_id="balance"),
        a_rule(between("equity", 0, 1, says="equity is small"), rule_id="equity"),
    ]

    def as_text_on_one_day(_: Frame, days: Sequence[str]) -> pa.Table:
        made = rows([0.5] * len(days), days)
        if DAYS[2] not in days:
            return made
        return made.set_column(2, "balance", pa.array(["half"] * len(made)))

    failed = [outcome for outcome in evaluate(rules, as_text_on_one_day, DAYS) if not outcome.passed]
    assert [(outcome.partition, outcome.rule.id) for outcome in failed] == [(DAYS[2], "balance")]
    assert "type" in failed[0].error


def test_a_rule_that_raises_leaves_the_verdicts_of_the_others_alone() -> None:
    good = a_rule(between("balance", 0, 1, says="balance is small"), rule_id="good")
    bad = a_rule(between("no_such_column", 0, 1, says="x"), rule_id="bad")
    outcomes = evaluate([good, bad], lambda _, days: rows([0.5] * 10, days), DAYS)
    assert [outcome.rule.id for outcome in outcomes if outcome.passed] == ["good"] * len(DAYS)


def test_a_feed_that_was_not_read_yet_has_counted_nothing(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    store(lake, DAYS[0], ["raw/quarantine", "raw/trades_closed"])
    (rule,) = (rule for rule in RULES if rule.id == "quarantine_small")
    (outcome,) = evaluate([rule], partial(load, lake), DAYS[:1])
    assert (outcome.passed, outcome.rows, outcome.error) == (True, 1, "")


def test_a_day_that_cannot_be_read_fails_alone_in_a_range(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    for day in DAYS:
        if day != DAYS[3]:
            store(lake, day, ["staging/accounts"])
    rules = [rule for rule in RULES if rule.table == "staging/accounts"]
    outcomes = evaluate(rules, partial(load, lake), DAYS)
    assert [outcome.partition for outcome in outcomes if not outcome.passed] == [DAYS[3]] * len(rules)
    assert {outcome.error for outcome in outcomes if not outcome.passed} == {
        f"LakeError: staging/accounts of {DAYS[3]} is not in the lake"
    }


def test_a_long_range_is_read_in_parts_and_every_day_is_judged_once() -> None:
    days = days_between(date(2026, 3, 1), date(2026, 5, 31))
    asked: list[int] = []

    def reads(_: Frame, part: Sequence[str]) -> pa.Table:
        asked.append(len(part))
        return rows([0.5] * len(part), part)

    outcomes = evaluate([a_rule(not_null("balance"))], reads, days)
    assert [outcome.partition for outcome in outcomes] == days
    assert max(asked) <= DAYS_A_VALIDATION
    assert sum(asked) == len(days)


EXPECTATIONS = [
    between("balance", 0.0, 1.0, says="balance is a share", shows=("account_id",)),
    not_null("balance"),
    in_set("equity", [0.25, 0.75], says="equity is a quarter or three"),
    at_least("equity", "balance", says="equity is not below balance"),
    equal("equity", "balance", says="they are equal"),
    unique(("account_id", "equity")),
    between("no_such_column", 0.0, says="it is positive"),
]


def test_columns_judged_apart_say_what_all_together_say(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = rows([0.5, None, 2.0, -1.0, 0.5, None] * 5, DAYS).to_pandas()
    together = violations(EXPECTATIONS, frame)
    monkeypatch.setattr(validation, "MANY_ROWS", 1)
    apart = violations(EXPECTATIONS, frame)
    assert [(list(one.positions), bool(one.error)) for one in apart] == [
        (list(one.positions), bool(one.error)) for one in together
    ]
    assert sum(bool(one.error) for one in together) == 1
    assert sum(len(one.positions) > 0 for one in together) == 5
    assert "no_such_column" in apart[-1].error


def test_configurations_written_once_say_what_those_written_anew_say(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(dict[int, tuple[object, object]]):
        def get(self, *_: object) -> None:
            return None

    frame = rows([0.5, None, 2.0, -1.0, 0.5, None] * 5, DAYS).to_pandas()
    once = violations(EXPECTATIONS, frame)
    assert not validation._WRITTEN  # nothing is kept beyond a validation
    monkeypatch.setattr(validation, "_WRITTEN", Forgetful())
    anew = violations(EXPECTATIONS, frame)
    assert [(list(one.positions), one.error) for one in once] == [(list(one.positions), one.error) for one in anew]


def test_rows_are_left_as_they_are() -> None:
    frame = rows([0.5, None, 3.0, -1.0], DAYS[:2]).to_pandas(date_as_object=False)
    frame.index = pd.Index([7, 7, 3, 1])
    before = frame.copy(deep=True)
    expectations = [
        between("balance", 0, 1, says="x"), not_null("balance"), unique(["date", "balance"]),
        at_least("balance", "equity", says="x"), equal("balance", "equity", says="x"),
        in_set("account_id", ["a000"], says="x"),
    ]  # fmt: skip
    found = [violation.positions.tolist() for violation in violations(expectations, frame)]
    assert found == [[2, 3], [1], [], [3], [1, 2, 3], [1, 2, 3]]
    pd.testing.assert_frame_equal(frame, before)


def test_two_equal_rows_are_both_violations_of_uniqueness_and_a_null_is_a_value() -> None:
    frame = pd.DataFrame({"key": ["a", "a", None, None, "b"], "other": [1, 1, 2, 2, 3]})
    assert violations([unique(["key", "other"])], frame)[0].positions.tolist() == [0, 1, 2, 3]


def test_evaluation_opens_no_socket() -> None:
    """In a process of its own: importing the library belongs to it, and an audit hook cannot be taken back."""
    script = """
import sys
def refuse(event, args):
    if event.startswith("socket.") and event not in ("socket.__new__", "socket.gethostname"):
        raise RuntimeError(f"a socket is used: {event} {args}")
sys.addaudithook(refuse)
import pandas as pd
from daily_profit_model.quality.expectation import between
from daily_profit_model.quality.validation import violations
(found,) = violations([between("x", 0, 1, says="x")], pd.DataFrame({"x": [0.5, 2.0]}))
assert found.positions.tolist() == [1] and not found.error, found
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no progress bar either
