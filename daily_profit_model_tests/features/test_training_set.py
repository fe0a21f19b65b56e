"""The training set and the snapshot: the same features rows, joined to what came of the next day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pyarrow as pa

from daily_profit_model.engine import run_table
from daily_profit_model.features import CATALOGUE
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS, snapshot_query
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY, training_query
from daily_profit_model.lake import Lake, read
from daily_profit_model.lake.lake import cut_off
from daily_profit_model.tables.raw import RAW_MARKET_REGIMES, RAW_METRICS_DAILY
from daily_profit_model_tests.staging.firm_days import Record, day, make_features, metrics, store, store_day

CUT_OFF = day(6)  # the Sunday of the first week


def _fill(lake: Lake, rows: dict[int, list[Record]], days: int = 8) -> None:
    """Raw, staging and features of the first days; the account `a` trades on each unless said otherwise."""
    named = [day(offset) for offset in range(days)]
    for offset, one in enumerate(named):
        store_day(lake, one, rows=rows.get(offset, [metrics("a", float(offset))]))
    make_features(lake, named)


def _train(lake: Lake, known: Sequence[str] | None = None, feature_days: int = 365) -> list[Record]:
    complete = lake.partitions(RAW_METRICS_DAILY.name) if known is None else list(known)
    made = run_table(training_query(feature_days, complete), lake, TRAINING_ACCOUNT_DAILY, [CUT_OFF])
    rows: list[Record] = made[CUT_OFF].sort_by([("target_date", "ascending"), ("account_id", "ascending")]).to_pylist()
    return rows


def test_features_of_a_day_meet_the_profit_of_the_next(lake: Lake) -> None:
    _fill(lake, {})
    rows = _train(lake)
    assert [str(row["feature_date"]) for row in rows] == [day(offset) for offset in range(6)]
    for offset, row in enumerate(rows):
        assert row["target_date"] == row["feature_date"] + timedelta(days=1)
        assert (row["target_net_profit"], row["target_status"]) == (float(offset + 1), "traded")
        assert (row["pnl_sum_1d"], str(row["cutoff"])) == (float(offset), CUT_OFF)


def test_no_target_lies_after_the_cut_off(lake: Lake) -> None:
    _fill(lake, {}, days=10)
    assert max(str(row["target_date"]) for row in _train(lake)) == CUT_OFF


def test_an_account_that_ends_the_next_day_is_trained_on_with_its_loss_L1(lake: Lake) -> None:
    _fill(lake, {3: [metrics("a", -1_500.0, 4, status=3)], 4: [], 5: [], 6: [], 7: []})
    rows = _train(lake)
    assert [str(row["target_date"]) for row in rows] == [day(1), day(2), day(3)]
    assert (rows[-1]["target_net_profit"], rows[-1]["target_status"]) == (-1_500.0, "traded")


def test_traded_idle_and_closed_are_told_apart_L9(lake: Lake) -> None:
    both = [metrics("a", 1.0), metrics("b", 1.0), metrics("c", 1.0), metrics("d", 1.0), metrics("e", 1.0)]
    after = [
        metrics("a", 0.0, 2),  # break-even
        metrics("c", None, 0, status=2),  # ended without a trade
        metrics("d", None, 3),  # traded, and the service does not say what it made
        metrics("e", None, None),  # the row says nothing
    ]
    _fill(lake, {0: both, 1: after, **{offset: [] for offset in range(2, 8)}})
    targets = [row for row in _train(lake) if str(row["target_date"]) == day(1)]
    found = {row["account_id"]: (row["target_status"], row["target_net_profit"]) for row in targets}
    assert found == {"a": ("traded", 0.0), "b": ("idle", 0.0), "c": ("closed", None)}


def test_a_day_that_has_not_arrived_is_left_out_L9(lake: Lake) -> None:
    _fill(lake, {})
    known = [one for one in lake.partitions(RAW_METRICS_DAILY.name) if one != day(4)]
    assert day(4) not in {str(row["target_date"]) for row in _train(lake, known)}
    assert len(_train(lake, known)) == 5


def test_a_correction_after_its_cut_off_is_no_target_L6(lake: Lake) -> None:
    _fill(lake, {})
    before = _train(lake)
    late = cut_off(date.fromisoformat(day(3))) + timedelta(days=2)
    store(lake, RAW_METRICS_DAILY, day(3), [metrics("a", 12_345.0)], late)
    assert _train(lake) == before


def test_only_the_wanted_days_of_features_are_read(lake: Lake) -> None:
    _fill(lake, {})
    assert [str(row["feature_date"]) for row in _train(lake, feature_days=2)] == [day(4), day(5)]


def test_a_regime_written_after_the_cut_off_enters_nothing_L5(lake: Lake) -> None:
    regime: Record = {"known_at": cut_off(date.fromisoformat(day(1))) - timedelta(hours=2), "sentiment_score": 0.1}
    store(lake, RAW_MARKET_REGIMES, day(1), [regime])
    late = cut_off(date.fromisoformat(day(1))) + timedelta(days=3)
    store(lake, RAW_MARKET_REGIMES, day(1), [{**regime, "known_at": late, "sentiment_score": 0.9}], late)
    assert read(lake, RAW_MARKET_REGIMES, [day(1)])["sentiment_score"].to_pylist() == [0.1]
    assert read(lake, RAW_MARKET_REGIMES, [day(1)], as_known="newest")["sentiment_score"].to_pylist() == [0.9]


def test_training_and_serving_take_the_same_rows_by_one_rule_L10(lake: Lake) -> None:
    ended = [metrics("a", 1.0), metrics("gone", 1.0, status=2), metrics("odd", 1.0, starting_balance=None)]
    _fill(lake, dict.fromkeys(range(8), ended))
    names = ["account_id", "login", "plan_id", *(feature.name for feature in CATALOGUE)]
    trained = [row for row in _train(lake) if str(row["target_date"]) == day(5)]
    served = run_table(snapshot_query(), lake, FEATURE_SNAPSHOTS, [day(5)])[day(5)].to_pylist()
    assert [row["account_id"] for row in served] == ["a"]
    assert [{name: row[name] for name in names} for row in trained] == [
        {name: row[name] for name in names} for row in served
    ]


def test_the_snapshot_says_when_it_was_made_and_hashes_its_values(lake: Lake) -> None:
    _fill(lake, {offset: [metrics("a", 1.0), metrics("b", 1.0)] for offset in range(3)}, days=3)
    snapshots = run_table(snapshot_query(), lake, FEATURE_SNAPSHOTS, [day(1), day(2), day(3)])
    (first, twin) = snapshots[day(3)].sort_by("account_id").to_pylist()
    assert (str(first["prediction_date"]), str(first["feature_date"])) == (day(3), day(2))
    assert first["as_of"] == cut_off(date.fromisoformat(day(2)))
    assert first["features_hash"] == twin["features_hash"]  # the same values, whoever's they are
    hashes = [snapshots[one].sort_by("account_id")["features_hash"][0].as_py() for one in snapshots]
    assert len(set(hashes)) == 3
    alone = run_table(snapshot_query(), lake, FEATURE_SNAPSHOTS, [day(3)])[day(3)]
    assert pa.table(alone).sort_by("account_id").equals(snapshots[day(3)].sort_by("account_id"))
