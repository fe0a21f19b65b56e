"""A feature row has the same bits however it is computed: alone, in a range, among others, in any order of rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from importlib import import_module

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from upath import UPath

from daily_profit_model.engine import Query, run_table
from daily_profit_model.features import CATALOGUE, FEATURES_ACCOUNT_DAILY, account_daily_query, look_back_days
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY
from daily_profit_model.lake import Lake, content_hash, write, write_revision
from daily_profit_model.lake.lake import cut_off
from daily_profit_model.tables import Table
from daily_profit_model.tables.contract import FLAG, FLOAT, INT, TEXT
from daily_profit_model.tables.raw import RAW_MARKET_REGIMES
from daily_profit_model.tables.staging import STAGING_ACCOUNTS
from daily_profit_model_tests.features.histories import DAYS, FIRST, LAST, features_of, histories, iso
from daily_profit_model_tests.features.trading import random_regimes, random_trades, trade_days

RANGE_DAYS = 30
LOOK_BACK = {STAGING_ACCOUNTS: 60, FEATURES_TRADE_DAILY: 20, RAW_MARKET_REGIMES: 1}
TABLES = tuple(LOOK_BACK)


@dataclass(frozen=True)
class Inputs:
    """The tables that features are made of."""

    staging: pa.Table
    trades: pa.Table
    regimes: pa.Table

    @property
    def tables(self) -> tuple[pa.Table, pa.Table, pa.Table]:
        """In the order of TABLES."""
        return self.staging, self.trades, self.regimes

    def features(self, first_ago: int, last_ago: int) -> pa.Table:
        return features_of(self.staging, iso(first_ago), iso(last_ago), self.trades, self.regimes)


def _inputs(accounts: int, seed: int, first_name: int = 0) -> Inputs:
    staging = histories(accounts, seed, first_name)
    traded = trade_days(random_trades(staging, seed + 1), FIRST.isoformat(), LAST.isoformat())
    return Inputs(staging, traded, random_regimes(FIRST, DAYS, seed=3))


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return _inputs(accounts=15, seed=23)


@pytest.fixture(scope="module")
def backfill(inputs: Inputs) -> pa.Table:
    return inputs.features(RANGE_DAYS - 1, 0)


def _of(rows: pa.Table, first: str, last: str) -> pa.Table:
    bounds = [pa.scalar(date.fromisoformat(day), pa.date32()) for day in (first, last)]
    return rows.filter(pc.and_(pc.greater_equal(rows["date"], bounds[0]), pc.less_equal(rows["date"], bounds[1])))


def _needed(inputs: Inputs, first_ago: int, last_ago: int) -> Inputs:
    """The days of each table that its look-back names."""
    firsts = [first_ago + LOOK_BACK[table] - 1 for table in TABLES]
    return Inputs(*(_of(rows, iso(first), iso(last_ago)) for rows, first in zip(inputs.tables, firsts, strict=True)))


def _poisoned(rows: pa.Table) -> pa.Table:
    """Every number another, every text another, every flag true, one symbol traded; keys and days as they are."""
    symbol = {"symbol": "EURUSD", "trades": 99, "volume_usd": 1e9}
    symbols = FEATURES_TRADE_DAILY.column("symbols").type
    poisons = {FLOAT: -7_654_321.0, INT: 77, FLAG: True, TEXT: "poison", symbols: [symbol]}
    for place, column in enumerate(rows.schema):
        if column.type in poisons and column.name not in ("account_id", "login"):
            poison = pa.repeat(pa.scalar(poisons[column.type], column.type), rows.num_rows)
            rows = rows.set_column(place, column, poison)
    return rows


def test_the_look_back_of_each_table_is_the_longest_window_over_it() -> None:
    assert dict(look_back_days()) == LOOK_BACK
    sources = {source.table: (source.first, source.last) for source in account_daily_query().sources}
    assert sources == {table: (1 - days, 0) for table, days in LOOK_BACK.items()}


@pytest.mark.parametrize("ago", [0, RANGE_DAYS - 1])
def test_a_day_alone_from_its_look_back_equals_the_same_day_of_a_backfill_L13(
    inputs: Inputs, backfill: pa.Table, ago: int
) -> None:
    alone = _needed(inputs, ago, ago).features(ago, ago)
    assert alone.num_rows > 3
    assert content_hash(alone) == content_hash(_of(backfill, iso(ago), iso(ago)))


def test_history_before_the_look_back_changes_nothing_L13(inputs: Inputs, backfill: pa.Table) -> None:
    needed, poisoned = _needed(inputs, RANGE_DAYS - 1, 0), []
    for rows, kept in zip(inputs.tables, needed.tables, strict=True):
        edge = pc.min(kept["date"]).as_py() - timedelta(days=1)
        poisoned.append(pa.concat_tables([_poisoned(_of(rows, FIRST.isoformat(), edge.isoformat())), kept]))
    assert content_hash(Inputs(*poisoned).features(RANGE_DAYS - 1, 0)) == content_hash(backfill)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_first_day_of_the_look_back_does_count(inputs: Inputs, backfill: pa.Table, table: Table) -> None:
    """Else the tests before this one could not fail."""
    short = list(_needed(inputs, 0, 0).tables)
    first = iso(LOOK_BACK[table] - 2) if LOOK_BACK[table] > 1 else iso(-1)
    short[TABLES.index(table)] = _of(short[TABLES.index(table)], first, iso(0))
    assert content_hash(Inputs(*short).features(0, 0)) != content_hash(_of(backfill, iso(0), iso(0)))


def test_accounts_of_other_plan_types_change_nothing_L13(inputs: Inputs, backfill: pa.Table) -> None:
    others = _inputs(accounts=10, seed=99, first_name=500)
    elsewhere = pa.repeat(pa.scalar("elsewhere"), others.staging.num_rows)
    named = others.staging.set_column(others.staging.schema.get_field_index("plan_type"), "plan_type", elsewhere)
    more = Inputs(
        pa.concat_tables([named, inputs.staging]), pa.concat_tables([others.trades, inputs.trades]), inputs.regimes
    )
    made = more.features(RANGE_DAYS - 1, 0)
    own = made.filter(pc.is_in(made["account_id"], backfill["account_id"].combine_chunks().unique()))
    assert made.num_rows > own.num_rows
    assert content_hash(own) == content_hash(backfill)


def test_accounts_of_the_same_plan_type_change_the_peers_alone(inputs: Inputs, backfill: pa.Table) -> None:
    others = histories(accounts=10, seed=99, first_name=500)
    more = Inputs(pa.concat_tables([others, inputs.staging]), inputs.trades, inputs.regimes)
    made = more.features(RANGE_DAYS - 1, 0)
    own = made.filter(pc.is_in(made["account_id"], backfill["account_id"].combine_chunks().unique()))
    changed = {name for name in own.column_names if not own[name].equals(backfill[name])}
    assert changed == {feature.name for feature in CATALOGUE if feature.family == "peers"}


def test_the_order_of_rows_changes_nothing_L13(inputs: Inputs, backfill: pa.Table) -> None:
    rng = np.random.default_rng(4)
    shuffled = Inputs(*(rows.take(rng.permutation(rows.num_rows)) for rows in inputs.tables))
    assert content_hash(shuffled.features(RANGE_DAYS - 1, 0)) == content_hash(backfill)


def test_poisoning_every_later_day_leaves_each_day_as_it_was_L12(inputs: Inputs, backfill: pa.Table) -> None:
    edge = 12
    tables = []
    for rows in inputs.tables:
        past, future = _of(rows, FIRST.isoformat(), iso(edge)), _of(rows, iso(edge - 1), iso(0))
        tables.append(pa.concat_tables([past, _poisoned(future)]))
    poisoned = Inputs(*tables).features(RANGE_DAYS - 1, 0)
    kept = _of(poisoned, iso(RANGE_DAYS - 1), iso(edge))
    assert kept.num_rows > 50
    assert content_hash(kept) == content_hash(_of(backfill, iso(RANGE_DAYS - 1), iso(edge)))
    assert content_hash(poisoned) != content_hash(backfill)


@pytest.fixture(scope="module")
def filled(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake of the newest days of all three tables, enough for six days of features."""
    lake = Lake(UPath(tmp_path_factory.mktemp("bits")))
    for table, rows in zip(TABLES, inputs.tables, strict=True):
        for ago in range(LOOK_BACK[table] + 5):
            day, part = iso(ago), _of(rows, iso(ago), iso(ago))
            if table.revisions:
                write_revision(lake, table, day, part, ingested_at=cut_off(date.fromisoformat(day)), code_version="1")
            else:
                write(lake, table, day, part, code_version="1")
    return lake


@pytest.mark.parametrize(("rows_at_once", "days"), [(1, 1), (600_000, 6)])
def test_files_of_a_lake_give_the_same_bits_in_stretches_of_any_length_L13(
    filled: Lake, backfill: pa.Table, monkeypatch: pytest.MonkeyPatch, rows_at_once: int, days: int
) -> None:
    """One row at once is a day at a time, so that each stage is made and forgotten day by day."""
    monkeypatch.setattr(import_module("daily_profit_model.engine.run"), "ROWS_AT_ONCE", rows_at_once)
    made = run_table(account_daily_query(), filled, FEATURES_ACCOUNT_DAILY, [iso(ago) for ago in range(days)][::-1])
    rows = pa.concat_tables(made.values()).sort_by([("date", "ascending"), ("account_id", "ascending")])
    assert content_hash(rows) == content_hash(_of(backfill, iso(days - 1), iso(0)))


def test_only_eligible_rows_are_given_and_all_rows_are_looked_at(inputs: Inputs, backfill: pa.Table) -> None:
    eligible = _of(inputs.staging, iso(RANGE_DAYS - 1), iso(0)).filter(pc.field("is_eligible"))
    assert backfill.num_rows == eligible.num_rows < _of(inputs.staging, iso(RANGE_DAYS - 1), iso(0)).num_rows
    assert isinstance(account_daily_query(), Query)
