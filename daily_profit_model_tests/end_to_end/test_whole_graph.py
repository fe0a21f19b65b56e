"""The platform as a user meets it: a firm behind HTTP in, predictions out, day after day, killed and repeated."""

from __future__ import annotations

import dataclasses
import shutil
from datetime import date, timedelta
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from daily_profit_model.cache import statistics
from daily_profit_model.cache.collect import verify_all
from daily_profit_model.cache.entry import entries
from daily_profit_model.cache.statistics import Counts
from daily_profit_model.defs.all_tables import ALL_TABLES, ASKED_FOR, TOLD_OF_NOW
from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.contracts import MODEL_SCORES
from daily_profit_model.sandbox.world import generate
from daily_profit_model.tables.monitoring import MONITORING_OUTCOMES
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model.tables.raw import RAW_TRADES_CLOSED
from daily_profit_model.tables.staging import STAGING_ACCOUNTS
from daily_profit_model_tests.end_to_end.conftest import Platform
from daily_profit_model_tests.end_to_end.firm import (
    END,
    FIRM,
    START,
    content_hashes,
    environment,
    firm_serving,
    run,
)


def lake_of(platform: Platform) -> Lake:
    from upath import UPath

    return Lake(UPath(platform.data_dir / "lake"))


def test_every_table_of_the_graph_is_filled_and_the_coming_day_is_predicted(platform: Platform) -> None:
    lake = lake_of(platform)
    empty = [
        table.name
        for table in ALL_TABLES
        if not lake.partitions(table.name) and table not in (*TOLD_OF_NOW, *ASKED_FOR)
    ]
    assert empty == []
    assert lake.partitions(PREDICTIONS_ACCOUNT_DAILY.name)[-1] == (END + timedelta(days=1)).isoformat()


def test_predictions_hold_every_promised_column_in_order_for_every_eligible_account(platform: Platform) -> None:
    lake = lake_of(platform)
    rows = read(lake, PREDICTIONS_ACCOUNT_DAILY, [(END + timedelta(days=1)).isoformat()])
    accounts = read(lake, STAGING_ACCOUNTS, [END.isoformat()])
    eligible = accounts.filter(accounts["is_eligible"])["account_id"].to_pylist()
    assert sorted(rows["account_id"].to_pylist()) == sorted(eligible)
    assert all(rows[name].null_count == 0 for name in PREDICTIONS_ACCOUNT_DAILY.required_names)
    lower, median, upper = (rows[name].to_pylist() for name in ("lower_90", "predicted_net_profit", "upper_90"))
    assert all(a <= b <= c for a, b, c in zip(lower, median, upper, strict=True))
    assert all(len(value) == 64 for value in rows["model_hash"].to_pylist())


def test_stored_trades_are_those_of_the_firm_to_the_last_one(platform: Platform) -> None:
    lake = lake_of(platform)
    stored = read(lake, RAW_TRADES_CLOSED, lake.partitions(RAW_TRADES_CLOSED.name))
    trades = platform.world.trades
    truth = trades.filter(pc.greater_equal(trades["day"], (START - date(1970, 1, 1)).days))
    assert stored.num_rows == truth.num_rows
    assert pc.sum(stored["profit"]).as_py() == pytest.approx(pc.sum(truth["profit"]).as_py(), abs=0.01)


def test_every_training_keeps_its_matrices_in_the_cache_and_every_champion_what_is_watched_of_it(
    platform: Platform,
) -> None:
    folder, lake = platform.data_dir / "cache", lake_of(platform)
    trained = len(lake.partitions("models/net_profit"))
    champions = pc.unique(read(lake, MODEL_SCORES, lake.partitions(MODEL_SCORES.name))["model_version"])
    assert trained
    kept = 2 * len(champions)  # for drift and for degradation
    assert verify_all(entries(folder)).whole == trained + kept
    # the gate judges on the matrices that the training has made
    assert statistics.total(folder) == Counts(hits=trained, misses=trained + kept)


def test_outcomes_are_the_profits_that_the_firm_reports(platform: Platform) -> None:
    lake = lake_of(platform)
    days = lake.partitions(MONITORING_OUTCOMES.name)
    outcomes = read(lake, MONITORING_OUTCOMES, days)
    assert len(days) > 5
    assert set(outcomes["outcome_status"].to_pylist()) <= {"traded", "idle", "closed"}
    idle = outcomes.filter(pc.equal(outcomes["outcome_status"], "idle"))
    assert set(idle["net_profit"].to_pylist()) == {0.0}


def test_a_second_run_finds_everything_in_place(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, platform.variables, "", START, END)
    assert "everything is in place" in capsys.readouterr().out


def test_a_deleted_partition_is_made_again_with_the_same_content(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(platform.data_dir, copy)
    before = content_hashes(copy, "staging", "features", "predictions", "monitoring")
    for lost in (
        "staging/trades/date=2026-04-20",
        "features/account_daily/date=2026-05-01",
        "predictions/account_daily/date=2026-05-04",
        "monitoring/outcomes/date=2026-05-05",
    ):
        shutil.rmtree(copy / "lake" / lost)
    run(monkeypatch, {**platform.variables, "DPM_DATA_DIR": str(copy)}, "", START, END)
    assert content_hashes(copy, "staging", "features", "predictions", "monitoring") == before


def test_daily_runs_equal_the_backfill_bit_for_bit_L13(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    daily = tmp_path / "daily"
    shutil.copytree(platform.data_dir / "lake" / "raw", daily / "lake" / "raw")
    last = START + timedelta(days=2)
    variables = {**platform.variables, "DPM_DATA_DIR": str(daily)}
    for offset in range(3):
        day = START + timedelta(days=offset)
        run(monkeypatch, variables, "staging,features", day, day)
    made = content_hashes(daily, "staging", "features")
    backfilled = content_hashes(platform.data_dir, "staging", "features")
    assert len(made) == 4 * 3
    assert made == {name: backfilled[name] for name in made}
    assert max(name.partition("@")[2] for name in made) == last.isoformat()


def test_whatever_happens_after_a_day_leaves_all_of_it_bit_identical_L12(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The firm goes on for twenty days more, and everything after D in it is then multiplied and moved."""
    last = START + timedelta(days=3)
    longer = generate(dataclasses.replace(FIRM, days=FIRM.days + 20, end=END + timedelta(days=20)))
    cut = (last - date(1970, 1, 1)).days
    is_later = pc.greater(longer.trades["day"], cut)
    profit = pc.if_else(is_later, pc.multiply(longer.trades["profit"], -37.0), longer.trades["profit"])
    place = longer.trades.column_names.index("profit")
    poisoned = dataclasses.replace(longer, trades=longer.trades.set_column(place, "profit", profit))
    with firm_serving(poisoned) as address:
        variables = environment(tmp_path / "poisoned", poisoned, address)
        run(monkeypatch, variables, "raw,staging,features", START, last)
    made = content_hashes(tmp_path / "poisoned", "staging", "features")
    clean = content_hashes(platform.data_dir, "staging", "features")
    assert len(made) == 4 * 4
    assert {name for name in made if made[name] != clean[name]} == set()


def test_any_parquet_reader_that_knows_hive_folders_reads_the_lake(platform: Platform) -> None:
    rows = pq.read_table(platform.data_dir / "lake" / "features" / "account_daily")
    assert rows.num_rows > 1000
    assert {str(value) for value in rows["date"].to_pylist()} >= {"2026-03-12", "2026-05-07"}


def test_the_key_stands_in_no_file_that_a_run_leaves(platform: Platform) -> None:
    secret = platform.variables["RISK_API_KEY"].encode()
    files = [path for path in platform.data_dir.rglob("*") if path.is_file()]
    assert len(files) > 500
    assert [path for path in files if secret in path.read_bytes()] == []
