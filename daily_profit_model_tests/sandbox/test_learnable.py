"""There is a little to learn, not much; days are shared; and the truth is honest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from daily_profit_model.sandbox import truth
from daily_profit_model.sandbox.world import World

DAYS = 30


@pytest.fixture(scope="module")
def conditional(world: World) -> pd.DataFrame:
    tables = truth.conditional(world, days=DAYS + 1, draws=200)
    frame = pd.concat([table.to_pandas().assign(date=day) for day, table in tables])
    known: pd.DataFrame = frame.dropna(subset="realised")
    return known


def test_a_third_to_three_fifths_of_account_days_have_no_profit(account_days: pd.DataFrame) -> None:
    assert 0.30 < (account_days["net"] == 0).mean() < 0.60


def test_weekends_are_quiet_but_not_empty(account_days: pd.DataFrame) -> None:
    weekend = (account_days["day"] + 3) % 7 >= 5
    active = account_days["trades"] > 0
    assert 0.03 < active[weekend].mean() < 0.5 * active[~weekend].mean()


def test_about_ten_trades_close_by_account_and_day(account_days: pd.DataFrame) -> None:
    assert 7.0 < account_days["trades"].mean() < 13.0


def test_accounts_on_one_day_move_together(account_days: pd.DataFrame) -> None:
    active = account_days[account_days["trades"] > 0]
    active = active[active.groupby("uid")["net"].transform("size") >= 10]
    by_account = active.groupby("uid")["net"]
    score = (active["net"] - by_account.transform("mean")) / by_account.transform("std")
    days = score.groupby(active["day"]).agg(["mean", "size"])
    days = days[days["size"] >= 40]
    assert len(days) > 40
    # Independent accounts would give their day's mean a variance of one over their number.
    correlation = days["mean"].var() - (1.0 / days["size"]).mean()
    assert 0.005 < correlation < 0.2


def test_scales_differ_between_accounts_and_last(account_days: pd.DataFrame) -> None:
    active = account_days[account_days["trades"] > 0]
    half = active["day"] < active["day"].median()
    size = active["net"].abs()
    early, late = size[half].groupby(active["uid"]).mean(), size[~half].groupby(active["uid"]).mean()
    both = pd.concat([np.log(early), np.log(late)], axis=1).replace(-np.inf, np.nan).dropna()
    assert both.iloc[:, 0].std() > 1.0
    assert both.corr().iloc[0, 1] > 0.8


def test_the_realised_value_lies_under_q05_and_over_q95_a_twentieth_of_the_time(
    conditional: pd.DataFrame,
) -> None:
    # Accounts that hardly ever trade have quantiles of zero, under which nothing can lie.
    likely = conditional[conditional["probability_trade"] > 0.25]
    under = (likely["realised"] < likely["q05"]).groupby(likely["date"]).mean()
    over = (likely["realised"] > likely["q95"]).groupby(likely["date"]).mean()
    for share in (under, over):
        error = share.std() / np.sqrt(len(share))
        assert abs(share.mean() - 0.05) < 0.01 + 3 * error, share.mean()


def test_the_probability_of_trading_is_calibrated(
    conditional: pd.DataFrame, world: World, account_days: pd.DataFrame
) -> None:
    days = account_days.assign(date=pd.to_datetime(account_days["day"], unit="D").dt.date)
    joined = conditional.merge(days[["account_id", "date", "trades"]], on=["account_id", "date"])
    assert len(joined) == len(conditional)
    bins = pd.cut(joined["probability_trade"], [0.0, 0.2, 0.6, 0.8, 1.0], include_lowest=True)
    stated = joined.groupby(bins, observed=True)["probability_trade"].mean()
    seen = (joined["trades"] > 0).groupby(bins, observed=True).mean()
    assert (stated - seen).abs().max() < 0.05
    assert seen.is_monotonic_increasing


def test_the_conditional_median_beats_every_naive_forecast_by_a_little(
    conditional: pd.DataFrame, account_days: pd.DataFrame
) -> None:
    frame = account_days.assign(date=pd.to_datetime(account_days["day"], unit="D").dt.date)
    by_account = frame.groupby("uid")["net"]
    frame["last"] = by_account.shift(1)
    frame["median"] = by_account.transform(lambda net: net.shift(1).rolling(20, min_periods=1).median())
    joined = conditional.merge(frame[["account_id", "date", "last", "median"]], on=["account_id", "date"])
    realised = joined["realised"]
    naive = min(
        realised.abs().mean(),
        (realised - joined["last"].fillna(0.0)).abs().mean(),
        (realised - joined["median"].fillna(0.0)).abs().mean(),
    )
    gain = 1 - (realised - joined["q50"]).abs().mean() / naive
    assert 0.02 < gain < 0.12


def test_interval_widths_differ_by_account(conditional: pd.DataFrame) -> None:
    width = (conditional["q95"] - conditional["q05"])[conditional["probability_trade"] > 0.5]
    assert width.quantile(0.9) > 8 * width.quantile(0.1)


def test_the_truth_is_one_file_a_predicted_day_and_leaves_test_accounts_out(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("truth")
    paths = truth.write(world, folder, days=2, draws=20)
    assert [path.name for path in paths] == ["date=2026-06-30.parquet", "date=2026-07-01.parquet"]
    known, coming = (pq.ParquetFile(path).read() for path in paths)
    assert known["realised"].null_count == 0
    assert coming["realised"].null_count == coming.num_rows
    assert known["account_id"].null_count == 0
    again = truth.write(world, tmp_path_factory.mktemp("again"), days=2, draws=20)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in paths]
