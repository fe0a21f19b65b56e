"""What is poisoned is nowhere as it was, except for the names by which rows are found; what is kept of it is said."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from daily_profit_model.features.audit.poison import LINKS, STRANGERS, identities, poisoned

COUNT = 12
ROWS = pa.table({
    "account_id": [f"a{place}" for place in range(COUNT)],
    "platform": [4] * COUNT,
    "first_seen_date": [date(2026, 3, 1)] * COUNT,
    "profit": [None, *(float(place) for place in range(1, COUNT))],
    "status": [1, 2, 3, None] * 3,
    "is_live": [True, False, None, True] * 3,
    "side": ["buy", "sell", "buy", None] * 3,
    "country": ["FI"] * COUNT,
    "symbols": [[place] for place in range(COUNT)],
    "close_time": pa.array([datetime(2026, 3, 2, 9, tzinfo=UTC)] * COUNT, pa.timestamp("ms", tz="UTC")),
    "state_date": [date(2026, 3, 2)] * COUNT,
})  # fmt: skip


def test_rows_are_lost_and_strangers_come_and_types_stay() -> None:
    made = poisoned(ROWS)
    assert made.schema == ROWS.schema
    assert made.num_rows == COUNT - COUNT // 3 + STRANGERS
    assert [name for name in made["account_id"].to_pylist() if name not in ROWS["account_id"].to_pylist()] == [
        f"stranger-{place}" for place in range(STRANGERS)
    ]


@pytest.mark.parametrize("name", ["profit", "side", "country", "symbols", "close_time", "state_date"])
def test_every_value_is_another_one_also_where_there_was_none(name: str) -> None:
    made = poisoned(ROWS, keep_rows=True).slice(0, COUNT)[name].to_pylist()
    assert all(new is not None and new != old for new, old in zip(made, ROWS[name].to_pylist(), strict=True))


@pytest.mark.parametrize("name", ["status", "is_live"])
def test_some_states_change_and_some_do_not_so_that_neither_looks_like_nothing(name: str) -> None:
    made = poisoned(ROWS, keep_rows=True).slice(0, COUNT)[name].to_pylist()
    changed = [new != old for new, old in zip(made, ROWS[name].to_pylist(), strict=True)]
    assert any(changed)
    assert not all(changed)
    assert set(made) <= ({True, False} if name == "is_live" else {0, 1, 2, 3, 1000})


def test_names_by_which_rows_are_found_stay() -> None:
    made = poisoned(ROWS, keep_rows=True).slice(0, COUNT)
    for name in LINKS & set(ROWS.column_names):
        assert made[name].to_pylist() == ROWS[name].to_pylist()


def test_a_table_of_one_row_keeps_it_poisoned() -> None:
    one = poisoned(ROWS.select(["profit", "country"]).slice(0, 1))
    assert one.num_rows == 1
    assert one["country"].to_pylist() == ["poisoned"]
    assert one["profit"].null_count == 0


def test_of_identities_nothing_but_the_names_is_left() -> None:
    made = identities(ROWS, ("account_id", "platform"))
    assert made.schema == ROWS.schema
    assert made["account_id"].equals(ROWS["account_id"])
    assert all(made[name].null_count == COUNT for name in ROWS.column_names if name not in ("account_id", "platform"))
