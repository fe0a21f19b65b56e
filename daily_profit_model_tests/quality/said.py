"""Made-up rules of the ledger and what they said of a day. No tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from daily_profit_model.quality.expectation import between
from daily_profit_model.quality.frame import rows_of
from daily_profit_model.quality.outcome import Outcome, Part
from daily_profit_model.quality.rule import Rule, Severity
from daily_profit_model_tests.quality.ledger import LEDGER

DAY = "2026-03-04"


def a_rule(rule_id: str, severity: Severity = "error", says: str = "the amount is small") -> Rule:
    expectation = between("amount", 0, 1, says=says)
    frame = rows_of(LEDGER, ("amount",))
    return Rule(rule_id, LEDGER.name, "validity", severity, frame, (expectation,), "Because.", "Look at it.")


def said(
    rule: Rule,
    *,
    passed: bool = True,
    day: str = DAY,
    judged: bool = True,
    samples: Sequence[Mapping[str, object]] = (),
    observed: float = 0.25,
) -> Outcome:
    """Of four rows; one violates when it does not hold."""
    bad = 0 if passed else 1
    part = Part(rule.expectations[0].says, passed, observed, 0.0, bad, bad / 4, is_judged=judged)
    shown = tuple({"violates": part.says, **sample} for sample in samples or ([{}] if bad else []))
    return Outcome(rule, day, passed, 4, observed, 0.0, bad, bad / 4, shown, (part,))
