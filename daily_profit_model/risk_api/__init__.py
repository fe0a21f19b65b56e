"""The client of the risk service (RISK_API.md), and of the plan files, regime documents and market bars beside it.

Everything that turns an outside source into rows of a raw table; storing them belongs to `lake`,
judging them to `quality`. Callers import from here.
"""

from daily_profit_model.risk_api.asking import ask, fetch, fetch_accounts, fetch_days, questions
from daily_profit_model.risk_api.client import RiskApi, ping
from daily_profit_model.risk_api.decoded import Decoded
from daily_profit_model.risk_api.errors import (
    IncompleteFetch,
    RequestRefused,
    RiskApiError,
    ServiceFailing,
    ServiceUnreachable,
    SourceMissing,
)
from daily_profit_model.risk_api.paging import fetch_all
from daily_profit_model.risk_api.plans import in_force, read_plans, read_revisions
from daily_profit_model.risk_api.raw_tables import stamp
from daily_profit_model.risk_api.regimes import read_regime
from daily_profit_model.risk_api.spool import Spools

__all__ = [
    "Decoded",
    "IncompleteFetch",
    "RequestRefused",
    "RiskApi",
    "RiskApiError",
    "ServiceFailing",
    "ServiceUnreachable",
    "SourceMissing",
    "Spools",
    "ask",
    "fetch",
    "fetch_accounts",
    "fetch_all",
    "fetch_days",
    "in_force",
    "ping",
    "questions",
    "read_plans",
    "read_regime",
    "read_revisions",
    "stamp",
]
