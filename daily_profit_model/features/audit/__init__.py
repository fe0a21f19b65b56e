"""The leak detector: days made once more in lakes that end with them, or whose future is poisoned, and compared."""

from daily_profit_model.features.audit.audit import audit
from daily_profit_model.features.audit.report import CHECKS, Check, Finding, Report

__all__ = ["CHECKS", "Check", "Finding", "Report", "audit"]
