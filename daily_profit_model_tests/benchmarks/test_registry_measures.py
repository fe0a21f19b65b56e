"""What the race of the registry judges by: each measure says no where it should."""

from __future__ import annotations

from typing import Any

import pytest

from daily_profit_model_tests.benchmarks.registry_race import Round, figures, judged


def row(number: int, version: str, previous: str) -> dict[str, Any]:
    return {"number": number, "version": version, "previous_version": previous, "author": f"author of {version}"}


def chain(**other: Any) -> Round:
    """Two that promoted one after the other, and one that was killed before it could."""
    made = [row(1, "b", "a"), row(2, "c", "b")]
    said = {"b": "act 1", "c": "act 2"}
    given = {"said": said, "killed": {"d"}, "made": made, "first_champion": "a", "champion": "c", "next_number": 3}
    return Round(**{"way": "killed", **given, **other})


def one_winner(**other: Any) -> Round:
    refused = "a was expected to be the champion, but b is, by act 1 of author of b; nothing was changed"
    given = {"said": {"b": "act 1", "c": refused}, "made": [row(1, "b", "a")], "killed": set()}
    return chain(**{"way": "expecting", **given, "champion": "b", "next_number": 2, **other})


def holds(done: Round) -> bool:
    return bool(figures(done.way, 3, [done])["holds"])


def test_a_complete_chain_and_a_single_winner_hold() -> None:
    assert holds(chain())
    assert holds(chain(way="in a chain", killed=set()))
    assert holds(one_winner())


def test_an_act_of_a_process_killed_right_after_it_is_no_fault() -> None:
    done = chain(said={"b": "act 1"}, killed={"c"})
    assert holds(done)
    assert judged(done)["killed after their act"] == 1


@pytest.mark.parametrize(
    ("spoiled", "fault"),
    [
        ({"made": [row(1, "b", "a"), row(3, "c", "b")], "next_number": 4}, "gaps"),
        ({"next_number": 4}, "gaps"),
        ({"made": [row(1, "b", "a"), row(2, "c", "a")]}, "broken chains"),
        ({"champion": "b"}, "wrong champions"),
        ({"said": {"b": "act 1", "c": "act 2", "d": "act 3"}}, "acts lost"),
        ({"said": {"b": "act 1"}}, "acts lost"),
        ({"said": {"b": "act 1", "c": "failed: OSError"}}, "failed"),
        ({"stuck": 1}, "stuck"),
    ],
)
def test_each_fault_is_found(spoiled: dict[str, Any], fault: str) -> None:
    assert judged(chain(**spoiled))[fault] > 0
    assert not holds(chain(**spoiled))


@pytest.mark.parametrize(
    "spoiled",
    [
        {"made": [row(1, "b", "a"), row(2, "c", "b")], "champion": "c", "next_number": 3},
        {"made": [], "said": {}, "champion": "a", "next_number": 1},
        {"said": {"b": "act 1", "c": "somebody was faster; nothing was changed"}},
    ],
)
def test_more_than_one_winner_none_or_a_refusal_that_does_not_say_who_won_do_not_hold(spoiled: dict[str, Any]) -> None:
    assert not holds(one_winner(**spoiled))
