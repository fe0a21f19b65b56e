"""The known part of the next day's profit: what positions that are open tonight will realise tomorrow.

Here: learning which share of their unrealised profit that is, and the amount for rows. Boosters learn only
what is left: trees that must keep many rows in a leaf cannot follow a straight line of slope 0.7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from daily_profit_model.modeling.matrix import EncodedFeature, Floats, floats

OPEN_PROFIT, WEEKEND = "open_pnl", "is_weekend"
"""Features: unrealised profit at the end of D (USD, missing: nothing open), and whether D+1 is a weekend."""

LARGEST_OPEN, LARGEST_PROFIT = 5.0, 8.0
"""Bounds, in profit scales, of what one row says of the share: a few accounts must not decide it."""

PRIOR_MASS = 50.0
"""Squared profit scales of open profit with which a share of zero is believed beforehand (ridge)."""


def learn_carry(rows: pa.Table, encoding: Sequence[EncodedFeature]) -> dict[str, float]:
    """The share of open profit that the next day realises, `weekday` and `weekend` apart (0 to 1).

    Learnt by ridge regression through zero of target_net_profit on open profit, both in profit scales and
    bounded. Empty when the model lacks either feature.
    """
    if not {OPEN_PROFIT, WEEKEND} <= {feature.name for feature in encoding}:
        return {}
    scale = floats(rows["profit_scale"])
    opened = np.clip(_open_profit(rows) / scale, -LARGEST_OPEN, LARGEST_OPEN)
    profit = np.clip(floats(rows["target_net_profit"]) / scale, -LARGEST_PROFIT, LARGEST_PROFIT)
    weekend = floats(rows[WEEKEND]) > 0
    return {
        name: float(np.clip((opened * profit)[chosen].sum() / ((opened**2)[chosen].sum() + PRIOR_MASS), 0.0, 1.0))
        for name, chosen in (("weekday", ~weekend), ("weekend", weekend))
    }


def carried(rows: pa.Table, shares: Mapping[str, float]) -> Floats:
    """The profit in USD that open positions are expected to realise on D+1; 0 without any, or without shares."""
    if not shares:
        return np.zeros(rows.num_rows)
    weekend = floats(rows[WEEKEND]) > 0
    return np.where(weekend, shares["weekend"], shares["weekday"]) * _open_profit(rows)


def _open_profit(rows: pa.Table) -> Floats:
    return np.nan_to_num(floats(rows[OPEN_PROFIT]), nan=0.0)
