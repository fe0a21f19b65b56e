"""Every statement once more, in plain pandas: on good and on spoiled days it counts what `evaluate` counts.

First each kind of expectation over the rows of its frame; then, for frames whose SQL compares tables, the
numbers themselves from the tables' own rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from daily_profit_model.quality.expectation import Expectation
from daily_profit_model_tests.quality.judged import Judged
from daily_profit_model_tests.quality.small_firm import RULES, day_before, good_day

Mask = Callable[[Mapping[str, Any], pd.DataFrame], pd.Series]
OF_SQL = [rule for rule in RULES if rule.frame.query is not None]


def of_column(test: Callable[[Any, Mapping[str, Any]], bool]) -> Mask:
    """Values of one column that are there and fail the test."""

    def wrong(arguments: Mapping[str, Any], rows: pd.DataFrame) -> pd.Series:
        values = rows[arguments["column"]]
        return values.notna() & ~values.map(lambda value: pd.notna(value) and test(value, arguments)).astype(bool)

    return wrong


def inside(value: Any, arguments: Mapping[str, Any]) -> bool:
    low, high = arguments["min_value"], arguments["max_value"]
    return (low is None or value >= low) and (high is None or value <= high)


def parses(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def of_pair(test: Callable[[Any, Any, Mapping[str, Any]], bool]) -> Mask:
    """Pairs that are there and fail the test."""

    def wrong(arguments: Mapping[str, Any], rows: pd.DataFrame) -> pd.Series:
        pairs = zip(rows[arguments["column_A"]], rows[arguments["column_B"]], strict=True)
        return pd.Series(
            [pd.notna(one) and pd.notna(other) and not test(one, other, arguments) for one, other in pairs],
            index=rows.index,
        )

    return wrong


def unequal(arguments: Mapping[str, Any], rows: pd.DataFrame) -> pd.Series:
    one, other = rows[arguments["column_A"]], rows[arguments["column_B"]]
    return (one != other) & (one.notna() | other.notna())


def sum_off(arguments: Mapping[str, Any], rows: pd.DataFrame) -> pd.Series:
    parts = rows[list(arguments["column_list"])].astype(float)
    return parts.notna().all(axis=1) & (parts.sum(axis=1) != arguments["sum_total"])


IN_PANDAS: dict[str, Mask] = {
    "ExpectColumnValuesToBeBetween": of_column(inside),
    "ExpectColumnValuesToBeInSet": of_column(lambda value, said: value in said["value_set"]),
    "ExpectColumnValuesToNotBeInSet": of_column(lambda value, said: value not in said["value_set"]),
    "ExpectColumnValuesToBeNull": lambda said, rows: rows[said["column"]].notna(),
    "ExpectColumnValuesToNotBeNull": lambda said, rows: rows[said["column"]].isna(),
    "ExpectColumnValuesToMatchRegex": of_column(lambda value, said: re.search(said["regex"], value) is not None),
    "ExpectColumnValuesToNotMatchRegex": of_column(lambda value, said: re.search(said["regex"], value) is None),
    "ExpectColumnValueLengthsToEqual": of_column(lambda value, said: len(value) == said["value"]),
    "ExpectColumnValueLengthsToBeBetween": of_column(lambda value, said: inside(len(value), said)),
    "ExpectColumnValuesToBeJsonParseable": of_column(lambda value, _: parses(value)),
    "ExpectCompoundColumnsToBeUnique": lambda said, rows: rows.duplicated(list(said["column_list"]), keep=False),
    "ExpectColumnPairValuesAToBeGreaterThanB": of_pair(lambda larger, smaller, _: larger >= smaller),
    "ExpectColumnPairValuesToBeEqual": unequal,
    "ExpectColumnPairValuesToBeInSet": of_pair(lambda one, other, said: (one, other) in said["value_pairs_set"]),
    "ExpectMulticolumnSumToEqual": sum_off,
}


def test_every_kind_of_statement_is_restated() -> None:
    assert {part.kind for rule in RULES for part in rule.expectations} <= set(IN_PANDAS)


@pytest.mark.parametrize("table", dict.fromkeys(rule.table for rule in OF_SQL))
def test_every_rule_counts_what_pandas_counts(judged: dict[str, Judged], table: str) -> None:
    of_table = judged[table]
    frames: dict[str, pd.DataFrame] = {}
    seen = 0
    for outcome in of_table.outcomes:
        rule = outcome.rule
        if rule.frame.query is None:
            continue
        if rule.frame.name not in frames:
            frames[rule.frame.name] = of_table.in_memory(rule.frame, of_table.days).to_pandas(date_as_object=False)
        rows = frames[rule.frame.name]
        own = rows[pd.DatetimeIndex(rows[rule.frame.day]) == pd.Timestamp(outcome.partition)].reset_index(drop=True)
        counts = [violations(part, own) for part in rule.expectations]
        assert [part.unexpected_count for part in outcome.parts] == counts, (outcome.partition, rule.id)
        limits = [part.mostly for part in rule.expectations]
        holds = all(count <= round((1 - most) * len(own), 9) for count, most in zip(counts, limits, strict=True))
        assert outcome.passed == holds
        seen += not holds
    assert seen, "no spoiled day was seen"


def violations(expectation: Expectation, rows: pd.DataFrame) -> int:
    return int(IN_PANDAS[expectation.kind](expectation.arguments, rows).sum()) if len(rows) else 0


ACCOUNT = ["platform", "broker", "login", "account_id"]
LOGIN = ["platform", "broker", "login"]
COSTS = ["commission", "fee", "swap"]


class Days:
    """The rows of a day and of the one before it, as a fault left them."""

    def __init__(self, judged: Judged, day: str) -> None:
        self._made = good_day(day)
        judged.spoiled[day](self._made)
        self._before = good_day(day_before(day))

    def rows(self, table: str) -> pd.DataFrame:
        return pd.DataFrame(self._made.rows[table])

    def before(self, table: str) -> pd.DataFrame:
        return pd.DataFrame(self._before.rows[table])


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


def unknown_plans(table: str) -> Callable[[Days], int]:
    def count(days: Days) -> int:
        plans = days.rows(table)["plan_id"].dropna()
        return int((~plans.isin(days.rows("raw/plans")["plan_id"])).sum())

    return count


def hours_against_day(column: str, tolerance: float) -> Callable[[Days], int]:
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


def in_one_alone(table: str, other: str, *, before: bool = False) -> Callable[[Days], int]:
    def count(days: Days) -> int:
        ours = set(days.rows(table)["account_id"])
        theirs = days.before(other) if before else days.rows(other)
        return len(ours ^ set(theirs["account_id"]))

    return count


def outside_the_features(days: Days) -> int:
    features = days.before("features/account_daily").set_index("account_id")
    served = days.rows("predictions/feature_snapshots").set_index("account_id")
    names = [name for name in features.columns if name in served.columns and name != "login"]
    return int((served[names] != features[names].reindex(served.index)).any(axis=1).sum())


FROM_THE_TABLES: dict[tuple[str, str, int], Callable[[Days], int]] = {
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


@pytest.mark.parametrize("which", FROM_THE_TABLES, ids=lambda which: f"{which[0]} {which[1]} {which[2]}")
def test_what_tables_say_of_one_another_is_what_their_rows_say(
    judged: dict[str, Judged], which: tuple[str, str, int]
) -> None:
    table, rule_id, place = which
    of_table = judged[table]
    counted = {}
    for outcome in of_table.outcomes:
        if outcome.rule.id == rule_id:
            expected = FROM_THE_TABLES[which](Days(of_table, outcome.partition))
            counted[outcome.partition] = (outcome.parts[place].unexpected_count, expected)
    assert all(found == expected for found, expected in counted.values()), counted
    assert any(expected for _, expected in counted.values())
