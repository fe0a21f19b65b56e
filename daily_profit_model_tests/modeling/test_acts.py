"""Who serves a day by the gate and by persons together, and which acts are refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daily_profit_model.modeling.acts import (
    NOBODY,
    ActRefused,
    Wish,
    champion_before,
    changes,
    cutoff_of,
    day_of,
    first_day_open,
    holder,
    later_changes,
    next_act,
)
from daily_profit_model.modeling.contracts import MODELS_CHAMPION, MODELS_TRANSITIONS
from daily_profit_model.settings import WrongUse

START = date(2026, 4, 5)
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
NO_ACTS = MODELS_TRANSITIONS.schema().empty_table()


def day(offset: int) -> date:
    return START + timedelta(days=offset)


def version(letter: str, cutoff: date = START) -> str:
    return f"{cutoff:%Y%m%d}-{letter * 8}"


A, B, C = (version(letter) for letter in "abc")


def decided(*rows: tuple[int, str, str]) -> pa.Table:
    """The gate's decisions: from which day, on which version, and which decision."""
    made = [
        {
            "in_force_from": day(offset),
            "version": name,
            "model_hash": name[-8:] * 8,
            "cutoff": cutoff_of(name),
            "decision": decision,
            "reason": "figures",
            "evidence": "{}",
        }
        for offset, name, decision in rows
    ]
    return pa.Table.from_pylist(made, schema=MODELS_CHAMPION.schema())


def acted(*rows: tuple[int, str | None] | tuple[int, str | None, str]) -> pa.Table:
    """Acts numbered from 1: from which day, who, and the alias (champion when left out)."""
    made = [
        {
            "number": number,
            "alias": row[2] if len(row) == 3 else "champion",
            "version": row[1],
            "model_hash": row[1] and row[1][-8:] * 8,
            "previous_version": None,
            "in_force_from": day(row[0]),
            "reason": "because",
            "author": "ana",
            "evidence": "{}",
            "made_at": NOON,
        }
        for number, row in enumerate(rows, start=1)
    ]
    return pa.Table.from_pylist(made, schema=MODELS_TRANSITIONS.schema())


def who(decisions: pa.Table, acts: pa.Table, offset: int, alias: Any = "champion") -> str | None:
    found = holder(changes(decisions, acts), alias, day(offset))
    return found.version if found else None


def wish(name: str | None = B, **given: Any) -> Wish:
    return Wish(**{"alias": "champion", "version": name, "reason": "better", "author": "bo", **given})


def act(decisions: pa.Table, acts: pa.Table, wanted: Wish, offset: int = 9) -> dict[str, Any]:
    row: dict[str, Any] = next_act(decisions, acts, wanted, day(offset), NOON).to_pylist()[0]
    return row


def test_the_latest_day_wins_whoever_decided() -> None:
    decisions, acts = decided((2, A, "promoted"), (9, C, "promoted")), acted((5, B))
    assert [who(decisions, acts, offset) for offset in (1, 2, 4, 5, 8, 9, 99)] == [None, A, A, B, B, C, C]


def test_on_one_day_an_act_wins_over_the_gate_and_a_later_act_over_an_earlier() -> None:
    decisions = decided((2, C, "promoted"))
    assert who(decisions, acted((2, A)), 2) == A
    assert who(decisions, acted((2, B), (2, A)), 2) == A
    assert who(decisions, acted((2, A), (2, B)), 2) == B


def test_an_act_written_later_for_an_earlier_day_does_not_outlast_one_for_a_later_day() -> None:
    acts = acted((9, B), (5, C))
    assert [who(decided((2, A, "promoted")), acts, offset) for offset in (4, 5, 8, 9)] == [A, C, C, B]


@pytest.mark.parametrize("decision", ["refused", "something new"])
def test_any_other_decision_of_the_gate_gives_no_alias(decision: str) -> None:
    assert who(decided((2, A, decision)), NO_ACTS, 9) is None
    assert who(decided((2, A, decision)), NO_ACTS, 9, "challenger") is None


def test_the_gate_and_persons_both_name_challengers_and_a_person_can_remove_one() -> None:
    decisions = decided((2, A, "promoted"), (5, B, "challenger"))
    acts = acted((7, C, "challenger"), (9, None, "challenger"))
    found = [who(decisions, acts, offset, "challenger") for offset in (4, 5, 7, 9)]
    assert found == [None, B, C, None]
    assert who(decisions, acts, 9) == A


def test_a_version_that_serves_challenges_nobody() -> None:
    decisions = decided((2, A, "promoted"), (5, B, "challenger"))
    acts = acted((9, B))
    assert who(decisions, acts, 8, "challenger") == B
    assert who(decisions, acts, 9, "challenger") is None
    assert who(decisions, acts, 9) == B


_days = st.integers(0, 12)
_versions = st.sampled_from([A, B, C])


@given(
    st.lists(st.tuples(_days, _versions, st.sampled_from(["promoted", "refused", "challenger"])), max_size=8),
    st.lists(st.tuples(_days, _versions), max_size=8),
    _days,
)
def test_whoever_is_in_force_is_the_greatest_by_day_then_act_then_number(
    gate: list[tuple[int, str, str]], persons: list[tuple[int, str]], offset: int
) -> None:
    candidates = [(at, 0, name) for at, name, decision in gate if decision == "promoted" and at <= offset]
    candidates += [(at, number, name) for number, (at, name) in enumerate(persons, start=1) if at <= offset]
    assert who(decided(*gate), acted(*persons), offset) == (max(candidates)[2] if candidates else None)


@given(st.lists(st.tuples(_days, _versions), max_size=6), st.tuples(_days, _versions), _days)
def test_an_act_changes_no_day_before_its_own(
    persons: list[tuple[int, str]], added: tuple[int, str], offset: int
) -> None:
    decisions = decided((0, A, "promoted"))
    before = who(decisions, acted(*persons), offset)
    after = who(decisions, acted(*persons, added), offset)
    assert after == before or (offset >= added[0] and after == added[1])


@settings(max_examples=25)
@given(st.lists(st.tuples(_versions, _days), min_size=1, max_size=8))
def test_acts_one_after_the_other_are_numbered_without_a_gap_and_each_knows_whom_it_replaces(
    wanted: list[tuple[str, int]],
) -> None:
    decisions, acts = decided((0, A, "promoted")), NO_ACTS
    for name, offset in wanted:
        before = who(decisions, acts, offset)
        try:
            row = next_act(decisions, acts, wish(name), day(offset), NOON)
        except ActRefused:
            assert before == name
            continue
        assert row["previous_version"][0].as_py() == before
        acts = pa.concat_tables([acts, row])
        assert who(decisions, acts, offset) == name
    assert acts["number"].to_pylist() == list(range(1, acts.num_rows + 1))


def test_an_act_keeps_who_why_when_and_the_evidence() -> None:
    wanted = wish(reason="  it was\n better ", model_hash="b" * 64, evidence={"skill": 0.1})
    row = act(decided((2, A, "promoted")), NO_ACTS, wanted)
    assert row["made_at"] == NOON
    assert (row["reason"], row["author"]) == ("it was better", "bo")
    assert (row["version"], row["previous_version"], row["model_hash"]) == (B, A, "b" * 64)
    assert orjson.loads(row["evidence"]) == {"skill": 0.1}


def test_an_unmet_expectation_is_refused_with_who_holds_the_alias_and_by_whose_act() -> None:
    decisions, acts = decided((2, A, "promoted")), acted((5, C))
    with pytest.raises(ActRefused) as refused:
        act(decisions, acts, wish(expected=A))
    assert str(refused.value) == (
        f"{A} was expected to be the champion on 2026-04-14, but {C} is, by act 1 of ana, from 2026-04-10 on (because); "
        "nothing was changed"
    )
    with pytest.raises(ActRefused, match="but nobody is; nothing was changed"):
        act(decided(), NO_ACTS, wish(expected=A))
    with pytest.raises(ActRefused, match=f"none was expected .* but {A} is, by the gate's decision"):
        act(decisions, NO_ACTS, wish(expected=NOBODY))
    assert act(decisions, acts, wish(expected=C))["number"] == 2
    assert act(decided(), NO_ACTS, wish(expected=NOBODY))["previous_version"] is None


def test_an_act_that_would_change_nothing_is_refused() -> None:
    decisions = decided((2, A, "promoted"), (5, B, "challenger"))
    with pytest.raises(ActRefused, match=f"{A} is the champion on .* already, by the gate's decision"):
        act(decisions, NO_ACTS, wish(A))
    with pytest.raises(ActRefused, match="has no challenger"):
        act(decided(), NO_ACTS, wish(None, alias="challenger"))
    with pytest.raises(ActRefused, match="cannot challenge itself"):
        act(decisions, NO_ACTS, wish(A, alias="challenger"))
    assert act(decisions, NO_ACTS, wish(None, alias="challenger"))["previous_version"] == B


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"alias": "king"}, "no alias 'king'"),
        ({"name": None}, "cannot be removed"),
        ({"reason": " "}, "--reason is empty"),
        ({"author": ""}, "--author is empty"),
    ],
)
def test_what_cannot_be_wished_is_wrong_use(given: dict[str, Any], says: str) -> None:
    with pytest.raises(WrongUse, match=says):
        wish(**given)


def test_an_act_counts_from_the_first_day_without_predictions_but_never_before_the_version_can_serve() -> None:
    late = version("d", day(20))
    assert first_day_open(day(9), B) == day(10)
    assert first_day_open(None, B) == day(2)
    assert first_day_open(day(9), late) == day(22)
    assert first_day_open(None, None) is None
    assert day_of(wish(), day(9), day(99)) == day(10)
    assert day_of(wish(in_force_from=day(12)), day(9), day(99)) == day(12)
    assert day_of(wish(None, alias="challenger"), None, day(99)) == day(99)


@pytest.mark.parametrize(
    ("name", "wanted", "says"),
    [
        (B, 9, "2026-04-14 has been predicted, and what was served stays; the first day that can still change is 2026-04-15"),
        (version("d", day(20)), 21, "knows outcomes of 2026-04-25, so it can serve from 2026-04-27 on"),
    ],
)  # fmt: skip
def test_a_day_that_was_predicted_or_that_the_version_has_seen_is_wrong_use(name: str, wanted: int, says: str) -> None:
    with pytest.raises(WrongUse, match=says):
        day_of(wish(name, in_force_from=day(wanted)), day(9), day(99))


def before(decisions: pa.Table, acts: pa.Table) -> str | None:
    found = champion_before(changes(decisions, acts), day(50))
    return found.version if found else None


@pytest.mark.parametrize(
    ("gate", "persons", "expected"),
    [
        ([], [], None),
        ([(2, A, "promoted")], [], None),
        ([(2, A, "promoted"), (9, B, "promoted")], [], A),
        ([(2, A, "promoted"), (9, B, "refused")], [], None),
        ([(2, A, "promoted")], [(9, B)], A),
        ([(2, A, "promoted")], [(9, B), (9, C)], B),
        ([(2, A, "promoted")], [(9, B), (10, A)], B),
        ([(2, A, "promoted")], [(9, B), (10, B)], A),
        ([(2, A, "promoted")], [(60, B)], None),
    ],
)
def test_the_champion_before_is_the_one_that_the_present_one_replaced(
    gate: Sequence[tuple[int, str, str]], persons: Sequence[tuple[int, str]], expected: str | None
) -> None:
    assert before(decided(*gate), acted(*persons)) == expected


def test_what_is_known_to_follow_is_told_in_order() -> None:
    known = changes(decided((2, A, "promoted"), (9, C, "promoted")), acted((5, B), (7, None, "challenger")))
    assert [change and change.version for change in later_changes(known, "champion", day(2))] == [B, C]
    assert later_changes(known, "challenger", day(2)) == [None]
    assert later_changes(known, "champion", day(9)) == []
