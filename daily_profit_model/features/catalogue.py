"""The catalogue: every feature, in order, and the contract of features/account_daily made from it."""

from __future__ import annotations

import hashlib

from daily_profit_model.features.families.behaviour import BEHAVIOUR
from daily_profit_model.features.families.calendar import CALENDAR
from daily_profit_model.features.families.market import MARKET
from daily_profit_model.features.families.memory import MEMORY
from daily_profit_model.features.families.peers import PEERS
from daily_profit_model.features.families.performance import PERFORMANCE
from daily_profit_model.features.families.state import STATE
from daily_profit_model.features.families.static import STATIC
from daily_profit_model.features.feature import Feature
from daily_profit_model.tables import Column, Table
from daily_profit_model.tables.contract import DAY, TEXT

CATALOGUE: tuple[Feature, ...] = (*STATIC, *STATE, *PERFORMANCE, *MEMORY, *BEHAVIOUR, *MARKET, *CALENDAR, *PEERS)

IDENTITY = (
    Column("date", DAY, "Day D at whose end this was known; the prediction is for D+1", required=True),
    Column("account_id", TEXT, "Account", required=True),
    Column("login", TEXT, "Login", required=True),
    Column("plan_id", TEXT, "Plan"),
)

FEATURES_ACCOUNT_DAILY = Table(
    name="features/account_daily",
    description="Everything known about each eligible account at the end of the day, for predicting the next one.",
    key=("date", "account_id"),
    columns=(*IDENTITY, *(feature.column() for feature in CATALOGUE)),
)


def catalogue_hash() -> str:
    """sha256 (hex) over every declaration: another formula, type or order is another code version."""
    return hashlib.sha256(repr(CATALOGUE).encode()).hexdigest()
