"""Two engines, one text: what DuckDB and Spark make of the same lake; and that a difference would be told."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from upath import UPath

from daily_profit_model.engine import Query, Source, run_days, runner_of
from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
from daily_profit_model.features.compare import compare_days, compared_columns
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY
from daily_profit_model.lake import Lake, LakeError, write, write_revision
from daily_profit_model.settings import WrongUse
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import RAW_MARKET_REGIMES
from daily_profit_model.tables.staging import STAGING_ACCOUNTS, STAGING_TRADES
from daily_profit_model_tests.engine.test_run import GROWN, RAW, fetch
from daily_profit_model_tests.features.histories import LAST, histories, iso
from daily_profit_model_tests.features.trading import random_regimes, random_trades, trade_days

LOOK_BACK = 60
DAYS = [iso(0)]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with all that the features of DAYS are made from."""
    lake = Lake(UPath(tmp_path_factory.mktemp("compare") / "lake"))
    staging = histories(accounts=12, seed=41)
    trades = random_trades(staging, seed=42)
    regimes = random_regimes(LAST - timedelta(days=LOOK_BACK), LOOK_BACK + 1, seed=43)
    traded = trade_days(trades, iso(LOOK_BACK), iso(0))
    for offset in range(LOOK_BACK, -1, -1):
        day = iso(offset)
        for table, rows in ((STAGING_ACCOUNTS, staging), (STAGING_TRADES, trades), (FEATURES_TRADE_DAILY, traded)):
            write(lake, table, day, _of(rows, day), code_version="1")
        write_revision(
            lake,
            RAW_MARKET_REGIMES,
            day,
            _of(regimes, day),
            ingested_at=datetime(2026, 1, 1, tzinfo=UTC),
            code_version="1",
        )
    return lake


def _of(rows: pa.Table, day: str) -> pa.Table:
    return rows.filter(pc.equal(pc.cast(rows["date"], pa.string()), day))


def test_spark_makes_the_features_of_duckdb(filled: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    if "CI" not in os.environ:
        pytest.importorskip("pyspark")
    assert compare_days(filled, runner_of("spark", "local[2]"), DAYS, engine="spark", as_json=True) == 0
    report = json.loads(capsys.readouterr().out)
    tables = {one["table"] for one in report["columns"]}
    assert (report["agrees"], report["days"], tables) == (
        True,
        DAYS,
        {FEATURES_TRADE_DAILY.name, FEATURES_ACCOUNT_DAILY.name},
    )
    assert min(one["rows"] for one in report["columns"]) >= 4
    assert max(one["largest_relative"] for one in report["columns"]) <= 1e-12


@pytest.mark.parametrize("grown", [[1], []])
def test_spark_too_reads_days_fetched_before_their_contract_grew_with_nulls_in_what_was_added(
    lake: Lake, grown: list[int]
) -> None:
    if "CI" not in os.environ:
        pytest.importorskip("pyspark")
    days = ["2026-03-01", "2026-03-02"]
    for place in range(2):
        fetch(lake, GROWN if place in grown else RAW, place)
    query = Query("select date, name, value, added from raw_numbers", (Source(GROWN),), is_portable=True)
    made = runner_of("spark", "local[2]")(query, lake, GROWN, days)
    assert [rows["added"].to_pylist() for _, rows in made] == [["x" if place in grown else None] for place in range(2)]


def _spoiled(query: Query, lake: Lake, table: Table, partitions: Sequence[str]) -> Iterator[tuple[str, pa.Table]]:
    """An engine that is wrong in the eleventh digit of one column and in the third of another."""
    for day, rows in run_days(query, lake, table, partitions):
        made = rows
        for name, factor in (("equity", 1 + 1e-11), ("balance", 1.001)):
            if name in made.column_names:
                made = made.set_column(made.column_names.index(name), name, pc.multiply(made[name], factor))
        yield day, made


def test_a_difference_beyond_rounding_is_told_by_column(filled: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare_days(filled, _spoiled, DAYS, engine="spoiled", as_json=False) == 1
    told = capsys.readouterr().out.splitlines()
    assert [line.split(":")[1].split()[-1] for line in told if line.startswith("apart")] == ["balance"]
    assert told[-1] == "duckdb and spoiled do not agree"


def test_counts_texts_and_nulls_may_not_differ_at_all(filled: Lake) -> None:
    ((_, made),) = run_days_of(filled)
    for name, other in (
        ("trades", pa.array([None] * made.num_rows, pa.int64())),
        ("lots", pa.nulls(made.num_rows, pa.float64())),
    ):
        changed = made.set_column(made.column_names.index(name), name, other)
        (found,) = [one for one in compared_columns(FEATURES_TRADE_DAILY, made, changed) if one.apart]
        assert (found.column, found.apart) == (name, made.num_rows)


def test_other_rows_are_no_comparison(filled: Lake) -> None:
    ((_, made),) = run_days_of(filled)
    with pytest.raises(LakeError, match="the engines do not give the same rows"):
        compared_columns(FEATURES_TRADE_DAILY, made, made.slice(1))


def test_an_empty_lake_has_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="dpm run"):
        compare_days(Lake(UPath(tmp_path)), run_days, [], engine="spark", as_json=False)


def run_days_of(lake: Lake) -> list[tuple[str, pa.Table]]:
    from daily_profit_model.features.trade_daily import trade_daily_query

    return list(run_days(trade_daily_query(), lake, FEATURES_TRADE_DAILY, DAYS[-1:]))
