"""Which days of which stage are made when: enough of them, each once, and kept exactly as long as somebody reads them."""

from __future__ import annotations

import functools
from datetime import date
from importlib import import_module
from itertools import pairwise
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from daily_profit_model.engine import WANTED, Query, Stage, run_table
from daily_profit_model.engine.query import OUTPUT, Reads
from daily_profit_model.engine.sweep import Statement, needs, sweep
from daily_profit_model.lake import Lake
from daily_profit_model.tables import Column, Table
from daily_profit_model.tables.contract import DAY, INT

NOWHERE = Lake(UPath("memory://no-lake-is-needed"))
RUN = import_module("daily_profit_model.engine.run")
NUMBERS = Table(
    name="features/numbers",
    description="For tests.",
    key=("date",),
    columns=(Column("date", DAY, "Day"), Column("value", INT, "Value")),
)
FIRST = date(2026, 3, 1).toordinal()
PRIME = 1_000_003
"""Values stay whole and small, so that one read too few or too many is another value."""


def _sql(reads: Reads) -> str:
    """One more than the sum of all values that are read, each times its place."""
    terms = [(name, lag) for name, lags in reads.items() for lag in lags]
    values = " + ".join(
        f"{place} * (select value from {name} where date = {WANTED}.date - {lag})"
        for place, (name, lag) in enumerate(terms, start=1)
    )
    return f"select date, (1 + {values}) % {PRIME} as value from {WANTED}"


def _given(day: int) -> int:
    return day * day % PRIME


def _query(*stages: tuple[str, Reads]) -> Query:
    """The last of the stages is the output; `given` is a value for every day."""
    made = [Stage(name, _sql(reads), reads) for name, reads in stages]
    days = range(FIRST - 100, FIRST + 100)
    frame = pa.table({"date": [date.fromordinal(day) for day in days], "value": [_given(day) for day in days]})
    return Query(made[-1].sql, (), stages=tuple(made[:-1]), reads=made[-1].reads, frames={"given": frame})


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """Up to four stages and the output, each over some of those before it; some are read by nobody."""
    names = ["given"]
    stages: list[tuple[str, Reads]] = []
    for place in range(draw(st.integers(1, 5))):
        read = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
        lags = st.lists(st.integers(0, 6), min_size=1, max_size=3, unique=True)
        stages.append((f"s{place}", {name: tuple(draw(lags)) for name in read}))
        names.append(f"s{place}")
    return _query(*stages)


OUTPUTS = st.lists(st.integers(FIRST, FIRST + 25), min_size=1, max_size=8, unique=True).map(sorted)
AT_ONCE = st.integers(1, 9)


def _obvious(query: Query, day: int) -> int:
    """The output's value by plain recursion: no order, no stretches, nothing forgotten."""
    reads = {stage.name: stage.reads for stage in query.stages}

    @functools.cache
    def value(name: str, day: int) -> int:
        return _given(day) if name == "given" else total(reads[name], day)

    def total(of: Reads, day: int) -> int:
        terms = [(name, lag) for name, lags in of.items() for lag in lags]
        return (1 + sum(place * value(name, day - lag) for place, (name, lag) in enumerate(terms, start=1))) % PRIME

    return total(query.reads, day)


@settings(max_examples=25, deadline=None)
@given(queries(), OUTPUTS, AT_ONCE)
def test_a_run_in_stretches_gives_what_plain_recursion_gives(query: Query, outputs: list[int], at_once: int) -> None:
    days = [date.fromordinal(day).isoformat() for day in outputs]
    with patch.object(RUN, "ROWS_AT_ONCE", at_once):
        made = run_table(query, NOWHERE, NUMBERS, days)
    values = [made[day]["value"].to_pylist() for day in days]
    assert values == [[_obvious(query, day)] for day in outputs]


@settings(max_examples=60, deadline=None)
@given(queries(), OUTPUTS, AT_ONCE)
def test_each_needed_day_is_made_once_after_all_that_it_reads(query: Query, outputs: list[int], at_once: int) -> None:
    needed, made = needs(query, outputs), dict[str, list[int]]()
    for statements in sweep(query, outputs, at_once):
        for statement in statements:
            for name, lags in statement.stage.reads.items():
                read = {day - lag for day in statement.days for lag in lags}
                assert name == "given" or read <= set(made[name])
            made.setdefault(statement.stage.name, []).extend(statement.days)
    for stage in (*query.stages, query.final):
        assert made.get(stage.name, []) == sorted(needed[stage.name])


@settings(max_examples=60, deadline=None)
@given(queries(), OUTPUTS, AT_ONCE)
def test_no_statement_has_more_days_than_asked_for_and_stretches_are_as_long_as_they_may_be(
    query: Query, outputs: list[int], at_once: int
) -> None:
    stretches = list(sweep(query, outputs, at_once))
    assert all(len(statement.days) <= at_once for statements in stretches for statement in statements)
    for statements, following in pairwise(stretches):
        assert max(_days(statements)) < min(_days(following))
        assert any(len(statement.days) == at_once for statement in statements)


def test_what_is_needed_reaches_through_every_stage() -> None:
    query = _query(("five", {"given": (0, 1, 2, 3, 4)}), ("ten", {"five": (0, 5)}), ("out", {"ten": (0, 20)}))
    assert needs(query, [100]) == {
        OUTPUT: {100}, "ten": {80, 100}, "five": {75, 80, 95, 100}, "given": {*range(71, 81), *range(91, 101)},
    }  # fmt: skip


def test_a_stage_that_nobody_reads_is_not_made() -> None:
    query = _query(("idle", {"given": (0,)}), ("out", {"given": (0,)}))
    statements = [statement for stretch in sweep(query, [FIRST], 10) for statement in stretch]
    assert [statement.stage.name for statement in statements] == [OUTPUT]
    assert [statement.is_output for statement in statements] == [True]


def test_without_outputs_there_is_nothing_to_do() -> None:
    assert list(sweep(_query(("s", {"given": (0,)}), ("out", {"s": (0,)})), [], 10)) == []


@pytest.mark.parametrize("at_once", [1, 4, 100])
def test_a_day_is_forgotten_as_soon_as_no_later_one_reads_it(at_once: int) -> None:
    """The output counts the days of the stage that are there: those that it reads, and those of its own stretch."""
    query = Query(
        f"select date, (select count(*) from s where date <= {WANTED}.date) as value from {WANTED}",
        (),
        stages=(Stage("s", f"select date, 1 as value from {WANTED}", {}),),
        reads={"s": (0, 3)},
    )
    days = [date.fromordinal(FIRST + offset).isoformat() for offset in range(20)]
    with patch.object(RUN, "ROWS_AT_ONCE", at_once):
        made = run_table(query, NOWHERE, NUMBERS, days)
    there = [rows["value"][0].as_py() for rows in made.values()]
    assert min(there) >= min(4, at_once)
    assert max(there) <= (3 + 2 * at_once if at_once < 20 else 23)


def _days(statements: list[Statement]) -> list[int]:
    return [day for statement in statements for day in statement.days]
