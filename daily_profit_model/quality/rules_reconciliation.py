"""Rules of monitoring/reconciliation: which disagreement is an alarm.

The disagreements are found, and their severity is said, by `monitoring.reconciliation`.
"""

from __future__ import annotations

from daily_profit_model.quality.expectation import Expectation, between
from daily_profit_model.quality.frame import rows_of
from daily_profit_model.quality.rule import Dimension, Rule, Severity
from daily_profit_model.tables.reconciliation import MONITORING_RECONCILIATION

_SHOWN = ("measure", "expected", "found", "detail")
_SEEN = {
    "missing_day": "finding = 'missing_day'",
    "row_count": "finding = 'row_count_mismatch'",
    "wrong_trades": "finding = 'trade_count_mismatch' and severity = 'error'",
    "nearly_right_trades": "finding = 'trade_count_mismatch' and severity = 'warn'",
    "wrong_profit": "finding = 'net_profit_mismatch' and severity = 'error'",
    "missing_hours": "finding = 'missing_hours'",
    "few_hours": "finding = 'suspiciously_few_hours'",
    "unresolved": "finding = 'unresolved_login'",
}
_FRAME = rows_of(
    MONITORING_RECONCILIATION, _SHOWN, **{name: f"({condition})::int" for name, condition in _SEEN.items()}
)


def _none(name: str, says: str) -> Expectation:
    return between(name, high=0, says=says)


def _rule(
    rule_id: str,
    dimension: Dimension,
    severity: Severity,
    expectations: tuple[Expectation, ...],
    reason: str,
    advice: str,
) -> Rule:
    return Rule(rule_id, MONITORING_RECONCILIATION.name, dimension, severity, _FRAME, expectations, reason, advice)


RECONCILIATION_RULES = (
    _rule(
        "rows_complete",
        "completeness",
        "error",
        (
            _none("missing_day", "every raw table of the day is there"),
            _none("row_count", "a table holds as many rows as the service counts now"),
        ),
        "A day that is missing, or was complete once and no longer is, misleads everything made from it.",
        "Fetch the day (again): dpm ingest FEED --force with the day. If it stays, the service's count is wrong.",
    ),
    _rule(
        "trade_counts_agree",
        "consistency",
        "error",
        (_none("wrong_trades", "trades counted by account differ by no more than one, or by a tenth"),),
        "All-time, daily and hourly metrics and the closed trades tell of the same trades.",
        "Look at compared_with: the table that stands against both others is the wrong one. Fetch its day again.",
    ),
    _rule(
        "trade_counts_exact",
        "consistency",
        "warn",
        (_none("nearly_right_trades", "trades counted by account agree exactly"),),
        "One trade too few is one that moved over midnight, or the first sign of a feed that loses rows.",
        "Watch whether it is the same account or table every day; fetch the day again after the corrections.",
    ),
    _rule(
        "profits_agree",
        "consistency",
        "error",
        (_none("wrong_profit", "net profits agree to the cent once the service corrects them no more"),),
        "The target is the sum of profit, commission, fee and swap of the closed trades.",
        "Fetch the day again: a correction may have come late (DPM_CORRECTION_DAYS). If it stays, ask the service.",
    ),
    _rule(
        "hours_complete",
        "completeness",
        "warn",
        (
            _none("missing_hours", "every hour with closed trades has its row"),
            _none("few_hours", "no account has fewer hours than any with as many trades in four weeks"),
        ),
        "An hour that is missing is a loss or a gain that features by the hour do not see.",
        "Fetch the hourly metrics again: dpm ingest metrics hourly --force with the day.",
    ),
    _rule(
        "logins_resolved",
        "referential",
        "warn",
        (_none("unresolved", "the login of every trade belongs to an account or to a test account"),),
        "A trade without an account is missing from every feature of its trader.",
        "Accounts opened today appear tomorrow, and their trades resolve themselves; a login that stays is unknown "
        "to the all-time metrics: ask the service whose it is.",
    ),
)
