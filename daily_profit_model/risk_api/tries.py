"""How often one question is asked again, and how long after a fault.

Failures and refusals have budgets of their own: HTTP 429 says that the service works and is to be asked less
often. Which faults may pass is decided in `faults`, when the next request may leave in `gate`.
"""

from __future__ import annotations

import random

import tenacity

from daily_profit_model.risk_api.faults import PassingFault

ATTEMPTS = 12
"""More than the failures that open the breaker, so that a request alone opens it in an outage instead of failing."""
STORM = 20
"""Refusals in a row of one question; more are a failure. The rate falls meanwhile, so that they take half a minute."""
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 4.0
"""Of back-off. Longer outages are the breaker's business; ten failures take 14 s on average, 28 s at most."""


class Tries:
    """The faults of one question so far. Those of the breaker's probes are not the question's own."""

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts
        self.made = 0
        self._failures = self._refusals_in_a_row = 0

    def count(self, fault: PassingFault) -> None:
        """A request of the question came to a fault."""
        if fault.is_refusal:
            self._refusals_in_a_row += 1
            return
        self._refusals_in_a_row = 0
        self._failures += not fault.is_of_probe

    @property
    def is_storm(self) -> bool:
        return self._refusals_in_a_row > STORM

    def are_spent(self, state: tenacity.RetryCallState) -> bool:
        """Whether to give up after the newest fault."""
        return not _fault_of(state).is_worth_asking or self._failures >= self._attempts or self.is_storm

    def wait(self, state: tenacity.RetryCallState) -> float:
        """Seconds of back-off: exponential with full jitter, so that threads do not return together.

        0 where the gate waits anyway: for the rate, for Retry-After, or for the next probe.
        """
        fault = _fault_of(state)
        if fault.is_refusal or fault.is_of_probe or fault.is_held:
            return 0.0
        return random.uniform(0.0, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (self._failures - 1)))


def _fault_of(state: tenacity.RetryCallState) -> PassingFault:
    """Why the question is to be asked again: tenacity is told to do so for PassingFault alone."""
    fault = state.outcome.exception() if state.outcome else None
    assert isinstance(fault, PassingFault)
    return fault
