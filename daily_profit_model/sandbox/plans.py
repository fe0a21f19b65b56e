"""The plan book as the firm hands it out: one CSV file of 94 columns, all text, with its usual dirt.

What the plans are is decided in plan_book.py.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from daily_profit_model.sandbox import plan_book
from daily_profit_model.sandbox.plan_book import Plan

if TYPE_CHECKING:
    from daily_profit_model.sandbox.world import World

FILE_NAME: Final = "plans.csv"
#: Dirty plans at the end of the book; archived, so no account is on one of them.
DIRTY_PLANS: Final = 6

_USED: Final = (
    "planId",
    "type",
    "description",
    "startingBalance",
    "profitTargetPct",
    "maxTrailingDrawdownPct",
    "dailyLossLimitPct",
    "profitSharePct",
    "leverage",
    "minimumRequiredActiveTradingDays",
    "maximumTime",
    "makeDrawdownStatic",
    "liquidateFriday",
    "inactivityPeriod",
    "dailyDrawdownByBalanceEquity",
    "enableConsistency",
    "requireStopLoss",
    "allowEAs",
    "isSwing",
    "platform",
    "broker",
    "price",
    "archived",
    "inserted",
    "updated",
    "initialWithdrawalDelayDays",
    "subsequentWithdrawalDelayDays",
    "upgradeDelayHours",
    "dailyCapProfitLimitPct",
    "dailyLossCapLimitPct",
)
# Columns that exist and that nobody here reads: flags, amounts, and free text.
_FLAGS: Final = (
    "allowNewsTrading",
    "allowWeekendHolding",
    "allowHedging",
    "allowCopyTrading",
    "allowReset",
    "allowRollover",
    "allowExtension",
    "allowScaling",
    "allowRefund",
    "allowMartingale",
    "isPublic",
    "isTrial",
    "isRetryEnabled",
    "isUpgradeAutomatic",
    "isHidden",
    "isRenewable",
    "isSubscription",
    "sendWelcomeMail",
    "sendBreachMail",
    "requireKyc",
    "requireContract",
    "showInShop",
    "hasAddons",
    "hasCoupon",
    "resetBalanceOnUpgrade",
    "countWeekendDays",
    "closeOnTarget",
    "lockTrailingAtStart",
    "tradeOnUpgrade",
    "excludeFromLeaderboard",
)
_AMOUNTS: Final = (
    "maxOpenLots",
    "maxOpenPositions",
    "maxTradesPerDay",
    "scalingPct",
    "scalingDays",
    "resetPrice",
    "extensionPrice",
    "extensionDays",
    "affiliatePct",
    "refundPct",
    "minimumWithdrawal",
    "maximumWithdrawal",
    "withdrawalFeePct",
    "consistencyPct",
    "commissionPerLot",
    "swapMultiplier",
    "marginCallPct",
    "stopOutPct",
    "forexLeverage",
    "metalLeverage",
    "indexLeverage",
    "cryptoLeverage",
    "energyLeverage",
    "maxAllocation",
)
_TEXTS: Final = (
    "currency",
    "group",
    "server",
    "nextPlanId",
    "tags",
    "notes",
    "region",
    "template",
    "createdBy",
    "updatedBy",
)
COLUMNS: Final = _USED + _FLAGS + _AMOUNTS + _TEXTS


def table() -> pa.Table:
    """The plan book, one row a plan, every one of the 94 columns as text."""
    rng = np.random.default_rng([plan_book.BOOK_SEED, 1])
    rows = [_row(plan, rng) for plan in plan_book.book()]
    rows += [_dirty(rows[number * 17], number) for number in range(DIRTY_PLANS)]
    return pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in COLUMNS})


def write_csv(world: World, folder: str | Path, *, copies: int = 1) -> list[Path]:
    """Write the world's plan file into `folder`, atomically, and return the paths.

    With `copies` > 1 the same file lies there again under other names, as was seen.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / (FILE_NAME if copy == 0 else f"plans_{copy + 1}.csv") for copy in range(copies)]
    columns = [column.to_pylist() for column in world.plans.columns]
    for path in paths:
        fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
        with fresh.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(world.plans.column_names)
            writer.writerows(zip(*columns, strict=True))
        fresh.rename(path)
    return paths


def decimal(value: float) -> str:
    """A number as the file writes it: ten places."""
    return f"{value:.10f}"


def _row(plan: Plan, rng: np.random.Generator) -> dict[str, str]:
    month, day = int(rng.integers(1, 13)), int(rng.integers(1, 29))
    row = dict.fromkeys(_FLAGS, "0") | dict.fromkeys(_AMOUNTS, decimal(0.0)) | dict.fromkeys(_TEXTS, "")
    return row | {
        "planId": str(plan.plan_id),
        "type": f"{plan.family} {plan.stage}".strip(),
        "description": f"{plan.family} {plan.start:,.0f} {plan.stage}".strip(),
        "startingBalance": decimal(plan.start),
        "profitTargetPct": decimal(plan.target_pct),
        "maxTrailingDrawdownPct": decimal(plan.drawdown_pct),
        "dailyLossLimitPct": decimal(plan.daily_limit_pct),
        "profitSharePct": decimal(plan.profit_share_pct),
        "leverage": decimal(plan.leverage),
        "minimumRequiredActiveTradingDays": str(plan.min_days),
        "maximumTime": str(plan.max_time),
        "makeDrawdownStatic": "0" if plan.trailing else "1",
        "liquidateFriday": str(int(plan.liquidate_friday)),
        "inactivityPeriod": str(plan.inactivity),
        "dailyDrawdownByBalanceEquity": str(int(plan.daily_by_equity)),
        "enableConsistency": str(int(plan.family == "Dragon")),
        "requireStopLoss": "0",
        "allowEAs": str(int(plan.family != "Royal")),
        "isSwing": str(int(not plan.liquidate_friday)),
        "platform": plan_book.PLATFORMS[plan.platform],
        "broker": str(plan.broker),
        "price": decimal(0.0 if plan.phase != 1 else round(plan.start * 0.006 + 29.0)),
        "archived": str(int(plan.archived)),
        "inserted": f"{month:02d}/{day:02d}/2024 09:30:00",
        "updated": f"{month:02d}/{day:02d}/2025 14:05:10",
        "initialWithdrawalDelayDays": str(plan.first_payout_delay),
        "subsequentWithdrawalDelayDays": str(plan.payout_delay),
        "upgradeDelayHours": str(plan.upgrade_delay_hours),
        "dailyCapProfitLimitPct": decimal(0.0),
        "dailyLossCapLimitPct": decimal(0.0),
        "currency": "USD",
        "nextPlanId": str(plan.next_plan) if plan.next_plan else "",
    }


def _dirty(row: dict[str, str], number: int) -> dict[str, str]:
    """A retired copy of a plan with one of the faults that were seen."""
    faults: tuple[dict[str, str], ...] = (
        {"platform": "DXTRADE"},
        {"platform": " DXtrade"},
        {"maximumTime": "999"},
        {"startingBalance": decimal(1.0)},
        {"startingBalance": decimal(5_365_656.0)},
        {"profitSharePct": "", "price": ""},
    )
    retired = {"planId": str(9001 + number), "archived": "1", "nextPlanId": ""}
    return row | retired | faults[number % len(faults)]
