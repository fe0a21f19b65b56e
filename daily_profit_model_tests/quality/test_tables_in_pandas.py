"""What tables say of one another, once more in plain pandas: from the tables' own rows, without the frames' SQL."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from daily_profit_model_tests.quality.days_in_pandas import Count, Days, Which, agree, named
from daily_profit_model_tests.quality.good_rows import FEATURES, hash_of
from daily_profit_model_tests.quality.judged import Judged

ACCOUNT = ["platform", "broker", "login", "account_id"]
LOGIN = ["platform", "broker", "login"]
COSTS = ["commission", "fee", "swap"]


def few(wrong: pd.Series) -> int:
    """Up to three rows of a day are no pattern."""
    return int(wrong.sum()) if wrong.sum() > 3 else 0


def with_row_before(days: Days) -> pd.DataFrame:
    own = days.rows("raw/metrics_daily").drop_duplicates(ACCOUNT, keep=False)
    return own.merge(days.before("raw/metrics_daily"), on=ACCOUNT, suffixes=("", "_before"))


def balance_breaks(days: Days) -> int:
    rows = with_row_before(days)
    paid = rows["approved_payouts"] - rows["approved_payouts_before"]
    gap = rows["current_balance_before"] + rows["net_profit"] - paid - rows["current_balance"]
    return few(gap.round(2).abs() > 0.01)


def prior_breaks(days: Days) -> int:
    rows = with_row_before(days)
    return few((rows["prior_days_balance"].astype(float) - rows["current_balance_before"]).round(2).abs() > 0.01)


def revived(days: Days) -> int:
    rows = with_row_before(days)
    return int(((rows["status_before"] != 1) & (rows["status"] == 1)).sum())


def restarted(days: Days) -> int:
    rows = with_row_before(days)
    known = rows["starting_balance"].notna()
    return int((known & (rows["starting_balance"] != rows["starting_balance_before"])).sum())


def with_trades(days: Days) -> pd.DataFrame:
    trades = days.rows("raw/trades_closed")
    paid = trades.reindex(columns=["profit", *COSTS]).astype(float).fillna(0.0).sum(axis=1)
    sums = trades.assign(paid=paid).groupby(LOGIN, as_index=False).agg(paid=("paid", "sum"), closed=("paid", "size"))
    return days.rows("raw/metrics_daily").merge(sums, on=LOGIN, how="left").fillna({"paid": 0.0, "closed": 0})


def profit_gaps(days: Days) -> int:
    rows = with_trades(days)
    return int(((rows["net_profit"].astype(float) - rows["paid"]).round(2).abs() > 0.01).sum())


def count_gaps(days: Days) -> int:
    rows = with_trades(days)
    trades = rows["num_trades"].astype(float)
    return int((trades.notna() & (trades != rows["closed"])).sum())


def sizes_elsewhere(days: Days) -> int:
    trades = (
        days.rows("raw/trades_closed")
        .groupby(LOGIN, as_index=False)
        .agg(sum_of_lots=("lots", "sum"), usd=("volume_usd", "sum"))
    )
    rows = days.rows("raw/metrics_daily").merge(trades, on=LOGIN)
    lots, volume = rows["total_lots"] / rows["sum_of_lots"], rows["total_volume"] / rows["usd"]
    return int((lots.notna() & ~lots.between(1 / 3, 3) | volume.notna() & ~volume.between(1 / 3, 3)).sum())


def told_otherwise(days: Days) -> int:
    metrics = days.rows("raw/metrics_daily").set_index("account_id")
    staged = days.rows("staging/accounts").set_index("account_id").query("state_source == 'metrics'")
    theirs = metrics.reindex(staged.index)
    names = {"balance": "current_balance", "equity": "current_equity", "trades_closed": "num_trades"}
    same = ("net_profit", "status", "phase", "plan_id", "starting_balance", "approved_payouts", "pending_payouts")
    differs = [staged[ours] != theirs[names.get(ours, ours)] for ours in (*names, *same)]
    return int(np.logical_or.reduce(differs).sum())


def served_otherwise(days: Days) -> int:
    thresholds = days.rows("monitoring/interval_calibration").set_index("tail")["threshold"]
    version = days.rows("monitoring/interval_calibration")["calibration_version"].iloc[0]
    rows = days.rows("predictions/account_daily").merge(
        days.rows("predictions/model_scores"), on="account_id", suffixes=("", "_scored")
    )
    rows = rows[rows["served_by"] == "champion"]
    slack = 0.02 * rows["profit_scale"]
    lower = rows["median"] - thresholds["lower"] * (rows["median"] - rows["q05"] + slack)
    upper = rows["median"] + thresholds["upper"] * (rows["q95"] - rows["median"] + slack)
    expected = {
        "predicted_net_profit": rows["median"],
        "lower_90": lower,
        "upper_90": upper,
        "expected_net_profit": rows["mean"],
    }
    differs = [~((rows[name] - value).abs() <= 0.01) for name, value in expected.items()]
    differs += [rows[name] != rows[f"{name}_scored"] for name in ("probability_trade", "probability_profit")]
    differs += [rows["model_hash"].notna() & (rows["model_hash"] != rows["model_hash_scored"])]
    return int(np.logical_or.reduce([*differs, rows["calibration_version"] != version]).sum())


def traders_without_row(days: Days) -> int:
    traded = set(days.rows("raw/trades_closed")["login"]) & set(days.rows("raw/accounts")["login"])
    return len(traded - set(days.rows("raw/metrics_daily")["login"]))


def unknown_plans(table: str) -> Count:
    def count(days: Days) -> int:
        plans = days.rows(table)["plan_id"].dropna()
        return int((~plans.isin(days.rows("raw/plans")["plan_id"])).sum())

    return count


def hours_against_day(column: str, tolerance: float) -> Count:
    def count(days: Days) -> int:
        hours = days.rows("raw/metrics_hourly").groupby(ACCOUNT)[column].sum()
        own = days.rows("raw/metrics_daily").set_index(ACCOUNT)[column].astype(float)
        return few((hours.reindex(own.index).fillna(0.0) - own).round(2).abs() > tolerance)

    return count


def hours_untold(days: Days) -> int:
    trades = days.rows("raw/trades_closed")
    traded = trades.assign(hour=[close.hour for close in trades["close_time"]]).groupby("login")["hour"].nunique()
    hours = days.rows("raw/metrics_hourly")
    told = hours[hours["num_trades"] > 0].groupby("login")["hour"].nunique()
    return int((traded > told.reindex(traded.index).fillna(0)).sum())


def vanished(days: Days) -> int:
    today = set(map(tuple, days.rows("raw/accounts")[ACCOUNT].to_numpy()))
    return len(set(map(tuple, days.before("raw/accounts")[ACCOUNT].to_numpy())) - today)


def open_and_closed(days: Days) -> int:
    key = [*LOGIN, "position"]  # no ticket is told in these days
    closed = set(map(tuple, days.rows("raw/trades_closed")[key].to_numpy()))
    return sum(tuple(row) in closed for row in days.rows("raw/trades_open")[key].to_numpy())


def trades_uncounted(days: Days) -> int:
    trades = days.rows("staging/trades")
    ours = days.rows("features/trade_daily").set_index("account_id")["trades"]
    theirs = trades[trades["is_resolved"]].groupby("account_id").size()
    joined = pd.concat([ours[~ours.index.duplicated()], theirs], axis=1).fillna(0)
    wrong = joined.iloc[:, 0] != joined.iloc[:, 1]
    return int(wrong.sum())


def cents_uncounted(days: Days) -> int:
    trades, rows = days.rows("staging/trades"), days.rows("features/trade_daily")
    ours = (rows["gross_profit"] + rows["gross_loss"]).round(2)
    theirs = trades.groupby("account_id")["net_profit"].sum().round(2).reindex(rows["account_id"]).to_numpy()
    return int((np.abs(ours - theirs) > 0.001).sum())


def in_one_alone(table: str, other: str, *, before: bool = False) -> Count:
    def count(days: Days) -> int:
        ours = set(days.rows(table)["account_id"])
        theirs = days.before(other) if before else days.rows(other)
        return len(ours ^ set(theirs["account_id"]))

    return count


def other_features_served(days: Days) -> int:
    features = days.before("features/account_daily").to_dict("records")
    ours = {row["account_id"]: hash_of({name: row[name] for name in FEATURES}) for row in features}
    theirs = days.rows("predictions/feature_snapshots")
    unserved = ours.keys() - set(theirs["account_id"])
    return int((theirs["features_hash"] != theirs["account_id"].map(ours)).sum()) + len(unserved)


FROM_THE_TABLES: dict[Which, Count] = {
    ("raw/metrics_daily", "balance_carried_on", 0): balance_breaks,
    ("raw/metrics_daily", "balance_carried_on", 1): prior_breaks,
    ("raw/metrics_daily", "ended_stay_ended", 0): revived,
    ("raw/metrics_daily", "start_is_constant", 0): restarted,
    ("raw/metrics_daily", "net_profit_equals_trades", 0): profit_gaps,
    ("raw/metrics_daily", "trades_counted", 0): count_gaps,
    ("raw/metrics_daily", "trades_counted", 1): sizes_elsewhere,
    ("raw/metrics_daily", "traders_have_rows", 0): traders_without_row,
    ("raw/metrics_daily", "plan_known", 0): unknown_plans("raw/metrics_daily"),
    ("raw/accounts", "plan_known", 0): unknown_plans("raw/accounts"),
    ("raw/accounts", "accounts_stay", 0): vanished,
    ("raw/metrics_hourly", "hours_add_up", 0): hours_against_day("num_trades", 0.0),
    ("raw/metrics_hourly", "hours_add_up", 1): hours_against_day("net_profit", 0.01),
    ("raw/metrics_hourly", "hours_add_up", 2): hours_untold,
    ("raw/trades_open", "open_is_not_closed", 0): open_and_closed,
    ("features/trade_daily", "trade_days_equal_trades", 0): trades_uncounted,
    ("features/trade_daily", "trade_days_equal_trades", 1): cents_uncounted,
    ("staging/accounts", "state_as_told", 0): told_otherwise,
    ("predictions/account_daily", "served_as_scored", 0): served_otherwise,
    ("predictions/model_scores", "snapshot_scored", 0): in_one_alone(
        "predictions/model_scores", "predictions/feature_snapshots"
    ),
    ("predictions/feature_snapshots", "snapshots_equal_features", 0): other_features_served,
    ("predictions/shadow_scores", "shadow_scores_all", 0): in_one_alone(
        "predictions/shadow_scores", "predictions/feature_snapshots"
    ),
    ("predictions/account_daily", "every_eligible_account_predicted", 0): in_one_alone(
        "predictions/account_daily", "staging/accounts", before=True
    ),
    ("monitoring/outcomes", "every_prediction_settled", 0): in_one_alone(
        "monitoring/outcomes", "predictions/account_daily"
    ),
    ("features/account_daily", "population_equals_eligible", 0): in_one_alone(
        "features/account_daily", "staging/accounts"
    ),
}


@pytest.mark.parametrize("which", FROM_THE_TABLES, ids=named)
def test_what_tables_say_of_one_another_is_what_their_rows_say(judged: dict[str, Judged], which: Which) -> None:
    agree(judged, which, FROM_THE_TABLES[which])
