"""The plan book: about 250 plans by the marginals of RISK_API.md, the same in every sandbox.

The book has a seed of its own, so `data/plans/plans.csv` describes the plans of every world.
The 94-column CSV form is in plans.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

BOOK_SEED: Final = 20_240_126
LADDERS: Final = 88
FUNDED_PHASE: Final = 4
PLATFORMS: Final = {4: "MT4", 5: "MT5", 7: "DXtrade", 8: "cTrader"}
BALANCES: Final = (5e3, 10e3, 25e3, 50e3, 100e3, 200e3, 300e3, 400e3, 600e3)
BALANCE_SHARES: Final = (0.13, 0.13, 0.13, 0.15, 0.15, 0.14, 0.07, 0.07, 0.03)


@dataclass(frozen=True)
class Plan:
    """One plan; percentages as in the CSV (10.0 is 10 %), 0 = none."""

    plan_id: int
    type_code: int
    family: str
    stage: str
    phase: int
    start: float
    target_pct: float
    drawdown_pct: float
    trailing: bool
    daily_limit_pct: float
    daily_by_equity: bool
    profit_share_pct: float
    leverage: int
    min_days: int
    max_time: int
    inactivity: int
    liquidate_friday: bool
    first_payout_delay: int
    payout_delay: int
    upgrade_delay_hours: int
    platform: int
    broker: int
    archived: bool
    next_plan: int  # plan_id of the next stage; 0: none


@dataclass(frozen=True)
class Family:
    name: str
    weight: float  # how many ladders, relative
    targets: tuple[float, ...]  # of the evaluation stages; a funded stage follows unless `demo`
    leverages: tuple[int, ...]
    drawdowns: tuple[tuple[float, float], ...]  # (maximum drawdown, daily limit) in percent
    trailing: bool = False
    demo: bool = False


FAMILIES: Final = (
    Family("Standard", 0.150, (10.0, 5.0), (100, 100, 100, 200, 200), ((12.0, 6.0), (10.0, 5.0))),
    Family("Rapid", 0.060, (8.0, 5.0), (30, 30, 50), ((8.0, 5.0),)),
    Family("Royal", 0.040, (8.0, 5.0), (30, 60, 60), ((10.0, 5.0),)),
    Family("Dragon", 0.020, (8.0, 5.0, 5.0), (30, 60), ((10.0, 5.0),)),
    Family("Royal Pro", 0.020, (8.0, 5.0), (30, 60), ((10.0, 0.0),)),
    Family("Knight", 0.035, (10.0,), (30,), ((6.0, 3.0), (7.0, 4.0)), trailing=True),
    Family("Knight Pro", 0.010, (10.0,), (30,), ((10.0, 0.0),), trailing=True),
    Family("Free Demo", 0.020, (10.0,), (100,), ((10.0, 5.0),), demo=True),
)


def book() -> tuple[Plan, ...]:
    """All plans, ordered by plan_id; a ladder's stages follow one another."""
    rng = np.random.default_rng(BOOK_SEED)
    weights = np.array([family.weight for family in FAMILIES])
    counts = np.maximum(1, np.rint(LADDERS * weights / weights.sum()).astype(int))
    plans: list[Plan] = []
    for number, family in enumerate(FAMILIES):
        for _ in range(counts[number]):
            plans.extend(_ladder(number, family, 5001 + len(plans), rng))
    return tuple(plans)


def _ladder(number: int, family: Family, first_id: int, rng: np.random.Generator) -> list[Plan]:
    start = float(rng.choice(BALANCES, p=BALANCE_SHARES))
    drawdown, daily = family.drawdowns[int(rng.integers(len(family.drawdowns)))]
    leverage = int(rng.choice(family.leverages))
    platform = int(rng.choice(list(PLATFORMS), p=[0.2, 0.45, 0.25, 0.1]))
    # Funded stages ask for none, so the share over all plans is 61, 27 and 12 %.
    min_days = int(rng.choice([0, 3, 5], p=[0.41, 0.41, 0.18]))
    max_time = int(rng.choice([0, 60, 90], p=[0.96, 0.02, 0.02]))
    inactivity = int(rng.choice([30, 14, 60], p=[0.9, 0.05, 0.05]))
    friday = bool(rng.random() < 0.25)
    by_equity = bool(rng.random() < 0.6) and family.name != "Rapid"
    archived = bool(rng.random() < 0.08)
    targets = family.targets if family.demo else (*family.targets, 0.0)
    plans = []
    for stage, target in enumerate(targets):
        funded = not family.demo and stage == len(targets) - 1
        plans.append(
            Plan(
                plan_id=first_id + stage,
                type_code=10 * (number + 1) + (FUNDED_PHASE if funded else stage + 1),
                family=family.name,
                stage="" if family.demo else ("Funded" if funded else f"P{stage + 1}"),
                phase=FUNDED_PHASE if funded else stage + 1,
                start=start,
                target_pct=target,
                drawdown_pct=drawdown,
                trailing=family.trailing,
                daily_limit_pct=daily,
                daily_by_equity=by_equity,
                profit_share_pct=80.0 if funded else 0.0,
                leverage=leverage,
                min_days=0 if funded else min_days,
                max_time=0 if funded else max_time,
                inactivity=inactivity,
                liquidate_friday=friday,
                first_payout_delay=14 if funded else 0,
                payout_delay=14 if funded else 0,
                upgrade_delay_hours=24,
                platform=platform,
                broker=1 + platform % 3,
                archived=archived,
                next_plan=first_id + stage + 1 if stage + 1 < len(targets) else 0,
            )
        )
    return plans
