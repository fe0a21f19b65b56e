"""Grouped statistics agree with the same statistics written plainly for one group at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daily_profit_model.sandbox import behaviour_statistics, metrics, profit_statistics
from daily_profit_model.sandbox import segments as seg
from daily_profit_model.sandbox.trade_groups import Trades

GROUPS = 5
ROWS = st.lists(st.tuples(st.integers(0, GROUPS - 1), st.integers(-500, 500)), min_size=0, max_size=40)


def split(rows: list[tuple[int, int]]) -> tuple[seg.Groups, np.ndarray, list[np.ndarray]]:
    rows = sorted(rows, key=lambda row: row[0])
    group = np.array([row[0] for row in rows], dtype=np.int64)
    values = np.array([row[1] for row in rows], dtype=np.float64)
    return seg.groups(group, GROUPS), values, [values[group == number] for number in range(GROUPS)]


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_grouped_statistics_equal_those_of_each_group_alone(rows: list[tuple[int, int]]) -> None:
    by, values, parts = split(rows)
    plain = {
        "mean": [part.mean() if len(part) else np.nan for part in parts],
        "median": [np.median(part) if len(part) else np.nan for part in parts],
        "deviation": [part.std(ddof=1) if len(part) > 1 else np.nan for part in parts],
        "largest": [part.max() if len(part) else np.nan for part in parts],
        "tenth": [np.quantile(part, 0.1) if len(part) else np.nan for part in parts],
    }
    found = {
        "mean": seg.mean(by, values),
        "median": seg.median(by, values),
        "deviation": seg.deviation(by, values),
        "largest": seg.extreme(by, values, np.maximum),
        "tenth": seg.quantiles(by, values, (0.1,))[0],
    }
    for name, expected in plain.items():
        np.testing.assert_allclose(found[name], expected, atol=1e-9, err_msg=name)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_running_sums_highs_and_runs_start_anew_in_each_group(rows: list[tuple[int, int]]) -> None:
    by, values, parts = split(rows)
    running = seg.running(by, values)
    np.testing.assert_allclose(running, np.concatenate([np.cumsum(part) for part in parts]))
    high = seg.running_maximum(by, running)
    plain = [np.maximum(np.maximum.accumulate(np.cumsum(part)), 0.0) for part in parts if len(part)]
    np.testing.assert_allclose(high, np.concatenate(plain) if plain else [], atol=1e-6)
    spells, _, length = seg.runs(by, values > 0)
    longest = [0 if np.isnan(most) else most for most in seg.extreme(spells, length, np.maximum)]
    assert longest == [longest_run(part > 0) for part in parts]


def longest_run(flags: np.ndarray) -> int:
    best = now = 0
    for flag in flags:
        now = now + 1 if flag else 0
        best = max(best, now)
    return best


@pytest.fixture
def trades() -> Trades:
    """One account with four trades: +10, -4, -6, +5; the second and third overlap."""
    net = np.array([10.0, -4.0, -6.0, 5.0])
    opened, closed = np.array([0.0, 2.0, 2.5, 5.0]), np.array([1.0, 3.0, 4.0, 6.0])
    none = np.full(4, np.nan)
    return Trades(
        by=seg.groups(np.zeros(4, dtype=np.int64), 2),
        net=net,
        lots=np.array([1.0, 2.0, 2.0, 1.0]),
        volume=np.array([100.0, 200.0, 200.0, 100.0]),
        opened=opened,
        closed=closed,
        stop=none,
        goal=none,
        symbol=np.array([3, 1, 1, 1]),
        account_margin=np.ones(4),
        firm_margin=np.ones(4),
    )


def figures(trades: Trades, group: int) -> dict[str, float]:
    thousand = np.full(2, 1000.0)
    every = metrics.all_fields(trades, thousand, thousand, thousand)
    return {name: float(values[group]) for name, values in every.items()}


def test_the_figures_of_four_trades_are_those_worked_out_by_hand(trades: Trades) -> None:
    found = figures(trades, 0)
    by_hand = {
        "netProfit": 5.0,
        "grossProfit": 15.0,
        "grossLoss": -10.0,
        "profitFactor": 1.5,
        "gainToPain": 0.5,
        "successRate": 50.0,
        "meanProfit": 1.25,
        "medianProfit": 0.5,
        "expectancy": 1.25,
        "relNetProfit": 0.005,
        "maxDrawDown": -10.0,
        "maxNumTradesInDD": 3.0,
        "maxNumConsecLosses": 2.0,
        "maxValConsecLosses": -10.0,
        "maxNumConsecWins": 1.0,
        "maxNumOpenPos": 2.0,
        "maxValOpenPos": 400.0,
        "maxValtoEqtyOpenPos": 0.4,
        "totalLots": 6.0,
        "meanWinningLot": 1.0,
        "meanLosingLot": 2.0,
        "multipleWinLossLots": 0.5,
        "meanDuration": 1.125,
        "numTradedSymbols": 2.0,
        "mostTradedSymbol": 1.0,
        "mostTradedSmbTrades": 3.0,
        "netProfitPerUSDVolume": 5 / 600,
        "numTrades": 4.0,
    }
    assert {name: found[name] for name in by_hand} == pytest.approx(by_hand)


def test_a_group_without_trades_has_zero_sums_and_no_averages(trades: Trades) -> None:
    found = figures(trades, 1)
    assert found["netProfit"] == found["numTrades"] == found["totalLots"] == 0.0
    for name in ("meanProfit", "profitFactor", "maxDrawDown", "meanDuration"):
        assert np.isnan(found[name])


def test_a_ratio_with_nothing_below_is_missing_not_infinite(trades: Trades) -> None:
    winners = Trades(**{**trades.__dict__, "net": np.abs(trades.net)})
    assert np.isnan(profit_statistics.performance(winners)["profitFactor"][0])
    assert np.isnan(behaviour_statistics.volumes(winners)["meanLosingLot"][0])


def test_the_series_helper_of_pandas_agrees_on_random_groups() -> None:
    rng = np.random.default_rng(1)
    group = np.sort(rng.integers(0, 50, 2000))
    values = rng.normal(size=2000)
    by, frame = seg.groups(group, 50), pd.Series(values).groupby(group)
    np.testing.assert_allclose(seg.deviation(by, values), frame.std())
    np.testing.assert_allclose(seg.quantiles(by, values, (0.9,))[0], frame.quantile(0.9))
