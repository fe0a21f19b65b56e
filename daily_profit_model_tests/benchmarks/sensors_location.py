"""The graph of `sensors_end_to_end`: the platform's own, with a gate that lets every version be a challenger, lower bars
of promotion, and where drift of any feature counts.

On some sixty accounts no version's skill excludes zero, so the real gate would refuse all of them, and one that is much
better than the champion it would promote at once. The share of outcomes outside an interval varies by several per cent
from day to day, so that two months would pass before the real guard is sure of its 2 %; with the levels here evidence and
guard are there after about two weeks. A version that has learnt from three weeks uses few features, so the drift of all
of them counts. What is measured is what the sensors do with an alarm, a challenger and a decision, and not how sure
these are: that is measured by `drift_simulation`, `gate_on_noise` and `shadow_simulation`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from daily_profit_model.modeling import gate
from daily_profit_model.modeling.gate import GateSettings, Incumbent, transition
from daily_profit_model.modeling.registry import Transition
from daily_profit_model.monitoring import retraining, shadow_test


def always_a_challenger(
    manifest: Mapping[str, Any],
    settings: GateSettings | None = None,
    *,
    champion: Incumbent | None,
    failed_checks: Sequence[str] = (),
) -> Transition:
    """As `gate.decide`, whatever the figures say."""
    return transition(manifest, "challenger", "every version is a challenger here", {})


gate.decide = always_a_challenger
shadow_test.MISS_MARGIN = 0.1
shadow_test.EVIDENCE_LEVEL, shadow_test.GUARD_LEVEL = 0.4, 0.25
retraining.LEAST_IMPORTANCE = -1.0

from daily_profit_model.definitions import defs  # noqa: E402  # the gate is replaced before

__all__ = ["defs"]
