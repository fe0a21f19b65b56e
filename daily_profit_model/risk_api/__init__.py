"""The client of the risk service (RISK_API.md), and of the plan files and regime documents beside it.

Everything that turns an outside source into rows of a raw table; storing them belongs to `lake`,
judging them to `quality`. Callers import from here.
"""

from daily_profit_model.risk_api.client import RiskApi, ping
from daily_profit_model.risk_api.decode import Decoded
from daily_profit_model.risk_api.errors import (
    IncompleteFetch,
    RequestRefused,
    RiskApiError,
    ServiceFailing,
    ServiceUnreachable,
    SourceMissing,
)
from daily_profit_model.risk_api.paging import Pages, fetch_all
from daily_profit_model.risk_api.plans import in_force, read_plans, read_revisions
from daily_profit_model.risk_api.raw_tables import (
    accounts_of,
    fetch,
    fetch_accounts,
    fetch_alltime,
    fetch_days,
    stamp,
)
from daily_profit_model.risk_api.regimes import read_regime

__all__ = [
    "Decoded",
    "IncompleteFetch",
    "Pages",
    "RequestRefused",
    "RiskApi",
    "RiskApiError",
    "ServiceFailing",
    "ServiceUnreachable",
    "SourceMissing",
    "accounts_of",
    "fetch",
    "fetch_accounts",
    "fetch_all",
    "fetch_alltime",
    "fetch_days",
    "in_force",
    "ping",
    "read_plans",
    "read_regime",
    "read_revisions",
    "stamp",
]
