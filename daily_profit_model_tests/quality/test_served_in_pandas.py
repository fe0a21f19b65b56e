"""Rules of segments and of traffic once more in plain pandas: who is served by whom, and how segments did.

Nothing is taken over from the rules or from what makes the rows: names, bounds and the hash are told here again.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest

from daily_profit_model_tests.quality.days_in_pandas import Count, Days, Which, agree, named
from daily_profit_model_tests.quality.judged import Judged
from daily_profit_model_tests.quality.small_firm import RULES

SEGMENTS, PERFORMANCE = "monitoring/segment_performance", "monitoring/model_performance"
TRAFFIC, PREDICTED, SHADOW = "predictions/traffic", "predictions/account_daily", "predictions/shadow"

LOSSES = ("mean_absolute_error", "pinball", "winkler_90")
"""USD, as is the bias, which may be negative."""
SHARES = (
    *("coverage_90", "miss_lower", "miss_upper"),
    *("probability_trade", "traded", "brier_trade"),
    *("probability_profit", "profited", "brier_profit"),
)


def with_trailing(names: tuple[str, ...]) -> list[str]:
    return [*names, *(f"{name}_28d" for name in names)]


def repeated(table: str, *key: str) -> Count:
    return lambda days: int(days.rows(table).duplicated(list(key), keep=False).sum())


def impossible_segments(days: Days) -> int:
    rows = days.rows(SEGMENTS)
    shares, losses, bias = (rows[with_trailing(names)].astype(float) for names in (SHARES, LOSSES, ("bias",)))
    possible = ((shares >= 0) & (shares <= 1)).all(axis=1)
    possible &= ((losses >= 0) & (losses < np.inf)).all(axis=1)
    possible &= (bias.abs() < np.inf).all(axis=1)
    possible &= (rows["accounts"] >= 1) & rows["days_28d"].between(1, 28)
    return int((~possible).sum())


def outcomes_lost(days: Days) -> int:
    rows = days.rows(SEGMENTS)
    covered = rows["coverage_90"] + rows["miss_lower"] + rows["miss_upper"]
    return int((~np.isclose(covered, 1.0, rtol=0.0, atol=1e-9)).sum())


def kinds_short_of_accounts(days: Days) -> int:
    """Kinds of segments that have fewer or more accounts than all models together."""
    judged = days.rows(PERFORMANCE)["accounts"].sum()
    return int((days.rows(SEGMENTS).groupby("segment_by")["accounts"].sum() != judged).sum())


def kinds_with_another_loss(days: Days) -> int:
    """Kinds of segments whose loss, an account counting as one, is not that of all models."""
    judged, rows = days.rows(PERFORMANCE), days.rows(SEGMENTS)
    of_all = np.average(judged["pinball"], weights=judged["accounts"])
    gaps = [
        abs(np.average(own["pinball"], weights=own["accounts"]) - of_all) / max(of_all, 1.0)
        for _, own in rows.groupby("segment_by")
    ]
    return sum(gap > 1e-9 for gap in gaps)


def incomplete_traffic(days: Days) -> int:
    required = ["prediction_date", "deployment", "number", "traffic", "model_version", "model_hash"]
    return int(days.complete(TRAFFIC)[required].isna().any(axis=1).sum())


def no_share(days: Days) -> int:
    return int((~days.rows(TRAFFIC)["traffic"].isin(range(1, 101))).sum())


def more_than_all(days: Days) -> int:
    """Every deployment of a day that gives away more accounts than there are."""
    shares = days.rows(TRAFFIC)["traffic"]
    return len(shares) if shares.sum() > 100 else 0


def half_failed(days: Days) -> int:
    rows = days.complete(TRAFFIC)
    works, failed = rows[["calibration_version", "calibration"]].notna(), rows["failure"].notna()
    return int((~((works.all(axis=1) & ~failed) | (~works.any(axis=1) & failed))).sum())


def no_sha256(days: Days) -> int:
    return int((~days.rows(TRAFFIC)["model_hash"].str.fullmatch("[0-9a-f]{64}")).sum())


def place(deployment: str, account: str) -> int:
    """Of the account among the hundred of the deployment."""
    return int(hashlib.sha256(f"{deployment}:{account}".encode()).hexdigest()[:16], 16) % 100


def with_chosen(days: Days) -> pd.DataFrame:
    """Who serves each predicted account, and who is to by its place: of several deployments the earliest created."""
    rows = days.complete(PREDICTED)
    deployments = days.rows(TRAFFIC).sort_values("number")[["deployment", "traffic"]].to_numpy()
    chosen = [
        next((name for name, traffic in deployments if place(name, account) < traffic), "champion")
        for account in rows["account_id"]
    ]
    return rows.assign(server=rows["served_by"].fillna("champion"), chosen=chosen)


def served_by_a_stranger(days: Days) -> int:
    rows = with_chosen(days)
    return int(((rows["server"] != "champion") & (rows["server"] != rows["chosen"])).sum())


def served_by_the_champion_instead(days: Days) -> int:
    rows = with_chosen(days)
    return int(((rows["server"] == "champion") & (rows["chosen"] != "champion")).sum())


def served_other_than_shadowed(days: Days) -> int:
    numbers = ["predicted_net_profit", "expected_net_profit", "lower_90", "upper_90"]
    shown = [*numbers, "probability_trade", "probability_profit", "calibration_version", "model_version", "model_hash"]
    served = with_chosen(days).query("server != 'champion'")
    both = served.merge(
        days.rows(SHADOW),
        how="left",
        left_on=["server", "account_id"],
        right_on=["deployment", "account_id"],
        suffixes=("", "_shadow"),
    )
    differs = [both[name] != both[f"{name}_shadow"] for name in shown]
    return int(np.logical_or.reduce(differs).sum())


FROM_THE_ROWS: dict[Which, Count] = {
    (SEGMENTS, "segments_possible", 0): repeated(SEGMENTS, "prediction_date", "segment_by", "segment"),
    (SEGMENTS, "segments_possible", 1): impossible_segments,
    (SEGMENTS, "segments_possible", 2): outcomes_lost,
    (SEGMENTS, "segments_add_up", 0): kinds_short_of_accounts,
    (SEGMENTS, "segments_add_up", 1): kinds_with_another_loss,
    (TRAFFIC, "traffic_valid", 0): repeated(TRAFFIC, "prediction_date", "deployment"),
    (TRAFFIC, "traffic_valid", 1): incomplete_traffic,
    (TRAFFIC, "traffic_valid", 2): no_share,
    (TRAFFIC, "traffic_valid", 3): more_than_all,
    (TRAFFIC, "traffic_valid", 4): half_failed,
    (TRAFFIC, "traffic_valid", 5): no_sha256,
    (PREDICTED, "traffic_by_hash", 0): served_by_a_stranger,
    (PREDICTED, "traffic_served", 0): served_by_the_champion_instead,
    (SHADOW, "served_as_shadowed", 0): served_other_than_shadowed,
}


def test_every_statement_of_segments_and_traffic_is_restated() -> None:
    told = {
        (rule.table, rule.id, at)
        for rule in RULES
        for at, _ in enumerate(rule.expectations)
        if rule.table in (SEGMENTS, TRAFFIC)
    }
    assert told
    assert told <= set(FROM_THE_ROWS)


@pytest.mark.parametrize("which", FROM_THE_ROWS, ids=named)
def test_what_rules_of_segments_and_traffic_count_is_what_the_rows_say(judged: dict[str, Judged], which: Which) -> None:
    agree(judged, which, FROM_THE_ROWS[which])
