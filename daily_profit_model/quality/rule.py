"""The form of a rule. The rules themselves stand in `rules_raw` … `rules_predictions`, by table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from daily_profit_model.quality.expectation import Expectation
from daily_profit_model.quality.frame import Frame

Dimension = Literal[
    "completeness", "uniqueness", "validity", "consistency", "referential", "timeliness", "volume", "distribution"
]
Severity = Literal["error", "warn"]


@dataclass(frozen=True)
class Rule:
    """What must hold of a table's day. It holds when each of its expectations does."""

    id: str
    """Unique within the table; the asset check's name."""
    table: str
    dimension: Dimension
    severity: Severity
    frame: Frame
    """The rows that are judged."""
    expectations: tuple[Expectation, ...]
    reason: str
    """Why it must hold, and where a threshold comes from."""
    advice: str
    """What to do when it does not."""
    blocking: bool = False
    """True: nothing downstream of the day is made when it does not hold."""

    def __post_init__(self) -> None:
        if self.blocking and self.severity != "error":
            raise ValueError(f"{self.table}: {self.id} blocks, so its severity must be error")
