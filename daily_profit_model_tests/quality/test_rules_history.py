"""A day against its past: each statement holds on a good firm and fails on its own fault, and none speaks too early."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from upath import UPath

from daily_profit_model.engine import run
from daily_profit_model.lake import Lake
from daily_profit_model.quality.evaluate import evaluate
from daily_profit_model.quality.frames_history import ENOUGH_DAYS
from daily_profit_model.quality.load import load
from daily_profit_model.quality.outcome import Outcome
from daily_profit_model.quality.profiles import profile, profiles
from daily_profit_model.quality.rule import Rule
from daily_profit_model.quality.rules_history import history_rules
from daily_profit_model_tests.quality.ledger import LEDGER, keep_day, keep_ledger, ledger_of

ACCOUNTS = 240
FIRST = date(2026, 3, 2)
DAYS = [FIRST + timedelta(days=number) for number in range(44)]
LAST = DAYS[-1]  # a Tuesday, as the first day is a Monday
RULES = history_rules(LEDGER)
Spoil = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Fault:
    """What is done to the last day, and who must say so of which column ("": of the rows)."""

    rule: str
    says: str
    column: str
    spoil: Spoil
    also: frozenset[str] = frozenset()
    """Further rules that see it."""


def times(column: str, factor: float) -> Spoil:
    return lambda rows: rows.assign(**{column: rows[column] * factor})


def every(column: str, nth: int, value: object) -> Spoil:
    """Every nth row has `value`."""
    return lambda rows: rows.assign(**{column: rows[column].where(np.arange(len(rows)) % nth > 0, value)})


FAULTS: Mapping[str, Fault] = {
    "rows halved": Fault("rows_as_on_weekday", "about as many rows", "", lambda rows: rows.iloc[::2]),
    "rows doubled": Fault(
        "rows_as_on_weekday",
        "about as many rows",
        "",
        lambda rows: pd.concat([rows, rows.assign(account_id="b" + rows["account_id"])]),
    ),
    "nearly empty": Fault(
        "day_not_empty", "no less than a tenth", "", lambda rows: rows.head(8), frozenset({"rows_as_on_weekday"})
    ),
    "empty": Fault(
        "day_not_empty", "no less than a tenth", "", lambda rows: rows.head(0), frozenset({"rows_as_on_weekday"})
    ),
    "column lost": Fault(
        "day_not_broken", "wholly null", "amount", times("amount", np.nan), frozenset({"nulls_as_before"})
    ),
    "cents for dollars": Fault(
        "day_not_broken", "another unit", "price", times("price", 100), frozenset({"values_as_before"})
    ),
    "hundreds of dollars": Fault("day_not_broken", "another unit", "price", times("price", 0.01)),
    "half missing": Fault("nulls_as_before", "misses more values", "note", every("note", 2, np.nan)),
    "some large values": Fault(
        "values_as_before",
        "large values",
        "amount",
        lambda rows: rows.assign(amount=rows["amount"] * np.where(np.arange(len(rows)) % 4 > 0, 1, 1000)),
    ),
    "many zeros": Fault(
        "values_as_before",
        "zeros",
        "amount",
        lambda rows: rows.assign(amount=rows["amount"].where(np.arange(len(rows)) % 4 == 0, 0.0)),
    ),
    "moved": Fault("values_as_before", "quartiles", "note", lambda rows: rows.assign(note=rows["note"] + 6)),
    "sign flipped": Fault("values_as_before", "one sign", "price", times("price", -1)),
    "constant": Fault("values_as_before", "stopped varying", "price", lambda rows: rows.assign(price=100.0)),
    "new label": Fault("labels_as_before", "new label", "symbol", every("symbol", 4, "E")),
    "label of a number": Fault("labels_as_before", "new label", "phase", every("phase", 4, 4)),
    "one label": Fault("labels_as_before", "grown or shrunk", "is_live", lambda rows: rows.assign(is_live=False)),
}


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with good days."""
    lake = Lake(UPath(tmp_path_factory.mktemp("lake")))
    keep_ledger(lake, DAYS, ACCOUNTS)
    return lake


def texts(days: Sequence[date]) -> list[str]:
    return [day.isoformat() for day in days]


def judged_last_days(past: pa.Table, spoiled: Sequence[pa.Table], lake: Lake) -> list[Outcome]:
    """Each of `spoiled` (profiles of LAST) after the same past, judged in one validation as days of their own."""
    frame = RULES[0].frame
    assert frame.query is not None
    found = []
    for number, own in enumerate(spoiled):
        rows = run(replace(frame.query, frames={"profiles": pa.concat_tables([past, own])}), lake, [LAST.isoformat()])
        day = pa.array([LAST + timedelta(days=number)] * rows.num_rows, pa.date32())
        found.append(rows.set_column(rows.schema.get_field_index("date"), "date", day))
    days = texts([LAST + timedelta(days=number) for number in range(len(found))])
    return evaluate(RULES, lambda _, chosen: pa.concat_tables(found), days)


@pytest.fixture(scope="module")
def spoiled(firm: Lake, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Sequence[Outcome]]:
    """By fault what every rule says of the last day."""
    past = profiles(firm, LEDGER, texts(DAYS[:-1]))
    days = []
    for fault in FAULTS.values():
        lake = Lake(UPath(tmp_path_factory.mktemp("day")))
        keep_day(lake, LAST, fault.spoil(ledger_of(LAST, ACCOUNTS)))
        days.append(profile(lake, LEDGER, [LAST.isoformat()])[LAST.isoformat()])
    outcomes = judged_last_days(past, days, firm)
    size = len(RULES)
    return {name: outcomes[place * size : (place + 1) * size] for place, name in enumerate(FAULTS)}


def test_good_days_weekends_and_growth_are_no_fault(firm: Lake) -> None:
    outcomes = evaluate(RULES, partial(load, firm), texts(DAYS[2 * ENOUGH_DAYS :]))
    assert [(outcome.partition, outcome.rule.id, outcome.samples) for outcome in outcomes if not outcome.passed] == []
    of_values = [outcome for outcome in outcomes if outcome.rule.id == "values_as_before"]
    assert all(part.is_judged for part in of_values[-1].parts)  # so they hold because they were looked at


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_by_its_statement_and_names_the_column(
    name: str, spoiled: Mapping[str, Sequence[Outcome]]
) -> None:
    fault = FAULTS[name]
    failed = {outcome.rule.id: outcome for outcome in spoiled[name] if not outcome.passed}
    assert set(failed) == {fault.rule, *fault.also}
    shown = [(str(sample["violates"]), sample["column"]) for sample in failed[fault.rule].samples]
    assert [column for says, column in shown if fault.says in says] == [fault.column]


def test_every_statement_has_its_fault() -> None:
    statements = [(rule.id, part.says) for rule in RULES for part in rule.expectations]
    covered = [any(fault.rule == rule and fault.says in says for fault in FAULTS.values()) for rule, says in statements]
    assert [statement for statement, is_covered in zip(statements, covered, strict=True) if not is_covered] == []


def test_a_column_of_one_value_a_day_is_left_alone(firm: Lake) -> None:
    past = profiles(firm, LEDGER, texts(DAYS))
    rows = run(replace(RULES[0].frame.query, frames={"profiles": past}), firm, [LAST.isoformat()])  # type: ignore[type-var]  # a frame's query may be None
    own = rows.filter(pc.is_in(rows["column"], pa.array(["regime", "level"]))).sort_by("column").to_pylist()
    measures = ("nulls", "is_lost", "unit", "size", "zeros", "location", "new_label", "label_share")
    assert [(row["column"], [row[name] for name in measures]) for row in own] == [
        (column, [None] * len(measures)) for column in ("level", "regime")
    ]


def test_days_are_compared_with_days_alike_where_a_column_tells_their_kind(tmp_path: Path) -> None:
    lake, change = Lake(UPath(tmp_path)), DAYS[22]
    of_kind = history_rules(LEDGER, alike_by="regime")

    def keep(day: date, regime: str, unit: float) -> None:
        rows = ledger_of(day, 60)
        keep_day(lake, day, rows.assign(regime=regime, price=rows["price"] * unit))

    def failed(rules: Sequence[Rule], day: date) -> set[str]:
        return {outcome.rule.id for outcome in evaluate(rules, partial(load, lake), texts([day])) if not outcome.passed}

    for day in DAYS:
        keep(day, *(("first", 1) if day < change else ("second", 1000)))
    assert {"day_not_broken", "values_as_before"} <= failed(RULES, change)
    assert failed(of_kind, change) == failed(of_kind, LAST) == set()
    keep(LAST, "second", 1)
    assert failed(of_kind, LAST) == {"day_not_broken"}


def test_with_too_few_past_days_nothing_is_judged_and_that_is_said(firm: Lake) -> None:
    outcomes = evaluate(RULES, partial(load, firm), texts([DAYS[ENOUGH_DAYS - 4]]))
    assert {(outcome.passed, outcome.is_judged, outcome.error) for outcome in outcomes} == {(True, False, "")}


def test_half_of_a_firm_of_forty_accounts_may_stay_away_by_chance(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    keep_ledger(lake, DAYS[-4 * 7 :], 40)
    keep_day(lake, LAST, ledger_of(LAST, 40).iloc[::2])
    (outcome,) = evaluate([RULES[0]], partial(load, lake), [LAST.isoformat()])
    assert (outcome.rule.id, outcome.passed, outcome.is_judged) == ("rows_as_on_weekday", True, True)
