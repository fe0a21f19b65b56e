"""A feature row has the same bits however it is computed: alone, in a range, among others, in any order of rows."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from daily_profit_model.engine import Query, run_table
from daily_profit_model.features import FEATURES_ACCOUNT_DAILY, LOOK_BACK_DAYS, account_daily_query
from daily_profit_model.lake import Lake, content_hash, read, write
from daily_profit_model.tables.staging import STAGING_ACCOUNTS
from daily_profit_model_tests.features.histories import FIRST, LAST, features_of, histories, iso

RANGE_DAYS = 30


@pytest.fixture(scope="module")
def staging() -> pa.Table:
    return histories(accounts=15, seed=23)


@pytest.fixture(scope="module")
def backfill(staging: pa.Table) -> pa.Table:
    return features_of(staging, iso(RANGE_DAYS - 1), iso(0))


def _of(rows: pa.Table, first: str, last: str) -> pa.Table:
    bounds = [pa.scalar(date.fromisoformat(day), pa.date32()) for day in (first, last)]
    return rows.filter(pc.and_(pc.greater_equal(rows["date"], bounds[0]), pc.less_equal(rows["date"], bounds[1])))


def test_the_look_back_is_the_longest_window() -> None:
    assert LOOK_BACK_DAYS == 60
    (source,) = account_daily_query().sources
    assert (source.table.name, source.first, source.last) == ("staging/accounts", -59, 0)


@pytest.mark.parametrize("ago", [0, 7, RANGE_DAYS - 1])
def test_a_day_alone_equals_the_same_day_of_a_backfill_L13(staging: pa.Table, backfill: pa.Table, ago: int) -> None:
    first_needed = (LAST - timedelta(days=ago + LOOK_BACK_DAYS - 1)).isoformat()
    alone = features_of(_of(staging, first_needed, iso(ago)), iso(ago), iso(ago))
    assert alone.num_rows > 3
    assert content_hash(alone) == content_hash(_of(backfill, iso(ago), iso(ago)))


def test_history_before_the_look_back_changes_nothing_L13(staging: pa.Table, backfill: pa.Table) -> None:
    rng = np.random.default_rng(1)
    edge = LAST - timedelta(days=RANGE_DAYS - 1 + LOOK_BACK_DAYS)
    old, needed = _of(staging, FIRST.isoformat(), edge.isoformat()), _of(staging, _after(edge), iso(0))
    noise = pa.array(rng.normal(0, 1e6, old.num_rows))
    poisoned = old.set_column(old.schema.get_field_index("net_profit"), "net_profit", noise)
    assert content_hash(features_of(needed, iso(RANGE_DAYS - 1), iso(0))) == content_hash(backfill)
    poisoned_too = features_of(pa.concat_tables([poisoned, needed]), iso(RANGE_DAYS - 1), iso(0))
    assert content_hash(poisoned_too) == content_hash(backfill)


def test_the_first_day_of_the_look_back_does_count(staging: pa.Table) -> None:
    """Else the test before this one could not fail."""
    edge = LAST - timedelta(days=LOOK_BACK_DAYS - 1)
    whole = _of(staging, edge.isoformat(), iso(0))
    assert content_hash(features_of(whole, iso(0), iso(0))) != content_hash(
        features_of(_of(whole, _after(edge), iso(0)), iso(0), iso(0))
    )


def test_other_accounts_change_nothing_L13(staging: pa.Table, backfill: pa.Table) -> None:
    more = pa.concat_tables([histories(accounts=25, seed=99, first_name=500), staging])
    made = features_of(more, iso(RANGE_DAYS - 1), iso(0))
    own = made.filter(pc.is_in(made["account_id"], backfill["account_id"].combine_chunks().unique()))
    assert made.num_rows > own.num_rows
    assert content_hash(own) == content_hash(backfill)


def test_the_order_of_rows_changes_nothing_L13(staging: pa.Table, backfill: pa.Table) -> None:
    shuffled = staging.take(np.random.default_rng(4).permutation(staging.num_rows))
    assert content_hash(features_of(shuffled, iso(RANGE_DAYS - 1), iso(0))) == content_hash(backfill)


def test_poisoning_every_later_day_leaves_each_day_as_it_was_L12(staging: pa.Table, backfill: pa.Table) -> None:
    edge = 12
    past, future = _of(staging, FIRST.isoformat(), iso(edge)), _of(staging, iso(edge - 1), iso(0))
    for name in ("net_profit", "equity", "balance", "equity_high", "starting_balance"):
        future = future.set_column(
            future.schema.get_field_index(name), name, pa.array(np.full(future.num_rows, -7_654_321.0))
        )
    flags = pa.array(np.ones(future.num_rows, dtype=bool))
    future = future.set_column(future.schema.get_field_index("has_traded"), "has_traded", flags)
    poisoned = features_of(pa.concat_tables([past, future]), iso(RANGE_DAYS - 1), iso(0))
    kept = _of(poisoned, iso(RANGE_DAYS - 1), iso(edge))
    assert kept.num_rows > 50
    assert content_hash(kept) == content_hash(_of(backfill, iso(RANGE_DAYS - 1), iso(edge)))
    assert content_hash(poisoned) != content_hash(backfill)


def test_files_of_a_lake_give_the_same_bits_as_a_frame_L13(lake: Lake, staging: pa.Table, backfill: pa.Table) -> None:
    for offset in range(LOOK_BACK_DAYS + 2, -1, -1):
        write(lake, STAGING_ACCOUNTS, iso(offset), _of(staging, iso(offset), iso(offset)), code_version="1")
    made = run_table(account_daily_query(), lake, FEATURES_ACCOUNT_DAILY, [iso(0)])
    write(lake, FEATURES_ACCOUNT_DAILY, iso(0), made[iso(0)], code_version="1")
    assert content_hash(read(lake, FEATURES_ACCOUNT_DAILY, [iso(0)])) == content_hash(_of(backfill, iso(0), iso(0)))


def test_only_eligible_rows_are_given_and_all_rows_are_looked_at(staging: pa.Table, backfill: pa.Table) -> None:
    eligible = _of(staging, iso(RANGE_DAYS - 1), iso(0)).filter(pc.field("is_eligible"))
    assert backfill.num_rows == eligible.num_rows < _of(staging, iso(RANGE_DAYS - 1), iso(0)).num_rows
    assert isinstance(account_daily_query(), Query)


def _after(day: date) -> str:
    return (day + timedelta(days=1)).isoformat()
