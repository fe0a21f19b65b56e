"""What is poisoned is nowhere as it was, except for the names by which rows are found; what is kept of it is said."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest

from daily_profit_model.features.audit.poison import (
    LINKS,
    STRANGERS,
    identities,
    poisoned,
    poisoned_identities,
    thinned,
)

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


NOBODY = np.zeros(COUNT, dtype=bool)


def _all_poisoned() -> pa.Table:
    """Every row of ROWS poisoned and in its place: with all asked for, none is gone."""
    return poisoned_identities(ROWS, ~NOBODY).slice(0, COUNT)


def test_rows_are_lost_and_strangers_come_and_types_stay() -> None:
    made = poisoned(ROWS)
    assert made.schema == ROWS.schema
    assert made.num_rows == COUNT - COUNT // 3 + STRANGERS
    assert [name for name in made["account_id"].to_pylist() if name not in ROWS["account_id"].to_pylist()] == [
        f"stranger-{place}" for place in range(STRANGERS)
    ]


@pytest.mark.parametrize("name", ["profit", "side", "country", "symbols", "close_time", "state_date"])
def test_every_value_is_another_one_also_where_there_was_none(name: str) -> None:
    made = _all_poisoned()[name].to_pylist()
    assert all(new is not None and new != old for new, old in zip(made, ROWS[name].to_pylist(), strict=True))


@pytest.mark.parametrize("name", ["status", "is_live"])
def test_some_states_change_and_some_do_not_so_that_neither_looks_like_nothing(name: str) -> None:
    made = _all_poisoned()[name].to_pylist()
    changed = [new != old for new, old in zip(made, ROWS[name].to_pylist(), strict=True)]
    assert any(changed)
    assert not all(changed)
    assert set(made) <= ({True, False} if name == "is_live" else {0, 1, 2, 3, 1000})


def test_names_by_which_rows_are_found_stay() -> None:
    made = _all_poisoned()
    for name in LINKS & set(ROWS.column_names):
        assert made[name].to_pylist() == ROWS[name].to_pylist()


def test_a_table_of_one_row_keeps_it_poisoned() -> None:
    one = poisoned(ROWS.select(["profit", "country"]).slice(0, 1))
    assert one.num_rows == 1
    assert one["country"].to_pylist() == ["poisoned"]
    assert one["profit"].null_count == 0


@pytest.mark.parametrize("count", range(1, 15))
def test_of_identities_that_nobody_asks_for_neither_accounts_nor_logins_nor_their_number_stay(count: int) -> None:
    rows = pa.table({"account_id": [f"a{place}" for place in range(count)], "login": [str(n) for n in range(count)]})
    made = poisoned_identities(rows, np.zeros(count, dtype=bool))
    assert made.num_rows != count
    for name in rows.column_names:
        assert 0 < len(set(rows[name].to_pylist()) - set(made[name].to_pylist())) <= (count + 1) // 2
    owners = set(zip(made["login"].to_pylist(), made["account_id"].to_pylist(), strict=True))
    assert owners.isdisjoint(zip(rows["login"].to_pylist(), rows["account_id"].to_pylist(), strict=True))


def test_of_identities_that_are_asked_for_the_names_stay_and_all_else_is_poisoned() -> None:
    made = poisoned_identities(ROWS, np.arange(COUNT) < 4)
    kept = [f"a{place}" for place in (0, 1, 2, 3, 4, 6, 8, 10)]
    assert made["account_id"].to_pylist() == [*kept, *(f"stranger-{place}" for place in range(STRANGERS))]
    assert set(made["profit"].to_pylist()).isdisjoint(ROWS["profit"].to_pylist())


@pytest.mark.parametrize("count", range(3, 13))
def test_a_days_own_snapshot_taken_later_loses_those_that_nobody_asks_for_and_the_others_stay(count: int) -> None:
    made = thinned(ROWS.slice(0, count), np.arange(count) < 2)
    kept = [0, 1, *range(3, count, 2)]
    assert made.slice(0, len(kept)).equals(ROWS.take(kept))
    assert made.schema == ROWS.schema
    assert made.num_rows != count


def test_of_identities_nothing_but_the_names_is_left() -> None:
    made = identities(ROWS, ("account_id", "platform"))
    assert made.schema == ROWS.schema
    assert made["account_id"].equals(ROWS["account_id"])
    assert all(made[name].null_count == COUNT for name in ROWS.column_names if name not in ("account_id", "platform"))
