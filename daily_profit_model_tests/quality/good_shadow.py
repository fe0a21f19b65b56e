"""A good day of the shadow deployments' tables: one deployment, to be promoted. No tests here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

TRAFFIC = 15
"""%: of the four accounts `a3` alone is in it, by the hash of deployment and account."""


def served_by_shadow(row: Mapping[str, object]) -> dict[str, object]:
    """A row of predictions/account_daily as the deployment serves it."""
    (shadow,) = good_shadow_rows(date(2026, 3, 1), [{}], str(row["model_hash"]))["predictions/shadow"]
    own = {name: value for name, value in shadow.items() if name in row}
    return {**row, **own, "served_by": shadow["deployment"], "model_version": shadow["model_version"]}


def good_shadow_rows(
    today: date, keys: Sequence[Mapping[str, object]], model_hash: str
) -> dict[str, list[dict[str, object]]]:
    """The rows of a day with one deployment, right in every respect. `keys`: prediction_date and account_id."""
    deployed = {"deployment": "s1-20260201-0a0a0a0a", "model_version": "20260201-0a0a0a0a", "model_hash": model_hash}
    chances = {"probability_trade": 0.7, "probability_profit": 0.4}
    scored = {**deployed, **chances, "median": 10.0, "mean": 12.0, "q05": -50.0, "q95": 90.0, "profit_scale": 20.0}
    predicted = {**deployed, **chances, "predicted_net_profit": 10.0, "expected_net_profit": 12.0}
    predicted |= {"q05": -50.0, "q95": 90.0, "lower_90": -55.0, "upper_90": 95.0, "calibration_version": "0" * 16}
    losses = {"champion_loss": 60.0, "shadow_loss": 50.0, "difference": 10.0, "accounts": 4, "champion_version": "v"}
    losses |= {"champion_miss": 0.25, "shadow_miss": 0.25, "excess_miss": 0.0}
    evaluated = {"decision": "promote", "decided_on": today, "rule": "r", "days": 30, "planned_days": 60}
    evaluated |= {"comparisons": 1, "mean_difference": 10.0, "lower_95": 1.0, "upper_95": 19.0}
    evaluated |= {"evidence_better": 50.0, "threshold_better": 50.0, "evidence_worse": 0.1, "threshold_worse": 10.0}
    evaluated |= {"evidence_guard": 50.0}
    serving = {"number": 1, "traffic": TRAFFIC, "calibration_version": "0" * 16, "calibration": "[]"}
    return {
        "predictions/traffic": [{"prediction_date": today, **deployed, **serving}],
        "predictions/shadow_scores": [{**key, **scored} for key in keys],
        "predictions/shadow": [{**key, **predicted} for key in keys],
        "monitoring/shadow_losses": [{"prediction_date": today, **deployed, **losses}],
        "monitoring/shadow_evaluation": [{"prediction_date": today, **deployed, **evaluated}],
    }
