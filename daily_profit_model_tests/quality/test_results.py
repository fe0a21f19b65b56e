"""What rules said is kept by rule and day, and summed up to a score."""

from __future__ import annotations

import json
import math
import multiprocessing
from collections.abc import Sequence
from datetime import date, timedelta
from multiprocessing.synchronize import Barrier

import pytest
from upath import UPath

from daily_profit_model.lake import Lake, LakeError
from daily_profit_model.quality.results import WEIGHTS, keep, results, scores
from daily_profit_model.tables.quality import rule_results_of
from daily_profit_model_tests.quality.ledger import LEDGER
from daily_profit_model_tests.quality.said import DAY, a_rule, said

ERROR, OTHER, WARNING = a_rule("amounts_small"), a_rule("prices_known"), a_rule("notes_there", "warn")
RULES = (ERROR, OTHER, WARNING)
NEXT = "2026-03-05"


def kept(lake: Lake, day: str = DAY) -> dict[str, bool]:
    return {row["rule"]: row["passed"] for row in results(lake, LEDGER, [day]).to_pylist()}


def test_a_subset_of_the_rules_leaves_what_the_others_said(lake: Lake) -> None:
    keep(lake, LEDGER, [said(ERROR, passed=False), said(OTHER, passed=False), said(WARNING)], RULES)
    keep(lake, LEDGER, [said(OTHER), said(ERROR, day=NEXT)], RULES)
    assert kept(lake) == {"amounts_small": False, "prices_known": True, "notes_there": True}
    assert kept(lake, NEXT) == {"amounts_small": True}


def keep_all_days(root: str, rule: int, days: Sequence[str], meeting: Barrier) -> None:
    """In a process of its own: what one rule said of each day, as soon as the others have come as far."""
    outcomes = [said(RULES[rule], day=day) for day in days]
    meeting.wait(60)
    keep(Lake(UPath(root)), LEDGER, outcomes, RULES)


def test_processes_that_keep_what_different_rules_said_of_one_day_at_once_lose_nothing(lake: Lake) -> None:
    days = [(date(2026, 3, 1) + timedelta(days=place)).isoformat() for place in range(12)]
    start = multiprocessing.get_context("spawn")
    meeting = start.Barrier(2)
    racers = [start.Process(target=keep_all_days, args=(str(lake.root), rule, days, meeting)) for rule in (0, 1)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(60)
        assert racer.exitcode == 0
    assert [day for day in days if len(kept(lake, day)) != 2] == []


def test_in_an_object_store_which_knows_no_locks_results_are_kept_all_the_same() -> None:
    lake = Lake(UPath("memory://results/lake"))
    keep(lake, LEDGER, [said(ERROR)], RULES)
    keep(lake, LEDGER, [said(OTHER)], RULES)
    assert kept(lake) == {"amounts_small": True, "prices_known": True}


def test_what_a_rule_said_that_is_no_more_is_dropped(lake: Lake) -> None:
    keep(lake, LEDGER, [said(ERROR, passed=False), said(OTHER), said(WARNING)], RULES)
    keep(lake, LEDGER, [said(WARNING)], (OTHER, WARNING))
    assert kept(lake) == {"prices_known": True, "notes_there": True}


def test_all_rules_together_mend_a_damaged_file_and_some_of_them_say_that_it_is_damaged(lake: Lake) -> None:
    keep(lake, LEDGER, [said(rule) for rule in RULES], RULES)
    path = lake.file(rule_results_of(LEDGER).name, DAY)
    assert path is not None
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(LakeError, match="cannot be read"):
        keep(lake, LEDGER, [said(ERROR)], RULES)
    keep(lake, LEDGER, [said(rule) for rule in RULES], RULES)
    assert kept(lake) == {"amounts_small": True, "prices_known": True, "notes_there": True}


def test_said_again_it_is_said_once_and_the_file_stays_as_it_was(lake: Lake) -> None:
    keep(lake, LEDGER, [said(ERROR, passed=False), said(OTHER)], RULES)
    before = results(lake, LEDGER, [DAY])
    keep(lake, LEDGER, [said(OTHER)], RULES)
    assert results(lake, LEDGER, [DAY]).equals(before)


def test_a_row_says_what_was_seen_and_keeps_the_rows_that_show_it(lake: Lake) -> None:
    keep(lake, LEDGER, [said(ERROR, passed=False, samples=[{"account_id": "a1", "amount": -5.0}])], RULES)
    (row,) = results(lake, LEDGER, [DAY]).to_pylist()
    assert row["message"] == (
        '"the amount is small" is violated by 1 of 4 rows; for example account_id=a1, amount=-5.0'
    )
    assert json.loads(row["samples"]) == [{"violates": "the amount is small", "account_id": "a1", "amount": -5.0}]
    assert (row["severity"], row["rows"], row["unexpected_count"], row["unexpected_share"]) == ("error", 4, 1, 0.25)


def test_a_message_stays_one_line_whatever_the_values_hold(lake: Lake) -> None:
    keep(lake, LEDGER, [said(ERROR, passed=False, samples=[{"note": "a\nb\x1b[2Jc\u202e"}])], RULES)
    (row,) = results(lake, LEDGER, [DAY]).to_pylist()
    assert row["message"].endswith("for example note=a b [2Jc ")
    assert json.loads(row["samples"])[0]["note"] == "a\nb\x1b[2Jc\u202e"


def test_errors_weigh_three_times(lake: Lake) -> None:
    assert WEIGHTS == {"error": 3, "warn": 1}
    keep(lake, LEDGER, [said(ERROR, passed=False), said(OTHER), said(WARNING)], RULES)
    keep(lake, LEDGER, [said(ERROR, day=NEXT), said(OTHER, day=NEXT), said(WARNING, passed=False, day=NEXT)], RULES)
    first, second = scores(results(lake, LEDGER, [DAY, NEXT])).to_pylist()
    assert (first["score"], second["score"]) == (pytest.approx(4 / 7), pytest.approx(6 / 7))
    assert (first["failed_errors"], first["failed_warnings"], first["failing"]) == (1, 0, ["amounts_small"])
    assert (second["failed_errors"], second["failed_warnings"], second["failing"]) == (0, 1, ["notes_there"])


def test_failing_errors_are_named_before_failing_warnings(lake: Lake) -> None:
    keep(lake, LEDGER, [said(a_rule("a", "warn"), passed=False), said(OTHER, passed=False)], RULES)
    (row,) = scores(results(lake, LEDGER, [DAY])).to_pylist()
    assert row["failing"] == ["prices_known", "a"]


def test_what_was_not_judged_does_not_count(lake: Lake) -> None:
    keep(lake, LEDGER, [said(ERROR, judged=False), said(OTHER), said(WARNING, passed=False)], RULES)
    (row,) = scores(results(lake, LEDGER, [DAY])).to_pylist()
    assert (row["score"], row["rules"], row["not_judged"]) == (0.75, 2, 1)


def test_a_day_of_which_nothing_was_judged_has_no_score(lake: Lake) -> None:
    keep(lake, LEDGER, [said(ERROR, judged=False)], RULES)
    (row,) = scores(results(lake, LEDGER, [DAY])).to_pylist()
    assert (row["score"], row["rules"], row["not_judged"], row["failing"]) == (None, 0, 1, [])


def test_a_day_that_nobody_judged_has_no_rows(lake: Lake) -> None:
    assert scores(results(lake, LEDGER, [DAY])).num_rows == 0


def test_an_infinite_value_is_kept_as_it_is(lake: Lake) -> None:
    keep(lake, LEDGER, [said(ERROR, passed=False, observed=math.inf)], RULES)
    (row,) = results(lake, LEDGER, [DAY]).to_pylist()
    assert row["observed"] == math.inf
