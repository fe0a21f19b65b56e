"""Why a run failed, from its events, as one line for people."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import dagster as dg

_OURS = "daily_profit_model."
"""How the message of an error of ours begins: it is the one that says what and where."""
_CLASS_NAME = re.compile(r"^[\w.]+: ")


@dataclass(frozen=True)
class Reason:
    """Why a run failed."""

    message: str
    cls_name: str | None = None
    """Of the error's class; None: there was no error."""


def failure_reasons(events: Iterable[dg.DagsterEvent]) -> list[Reason]:
    """Each failing step's own error, in one line, in the order in which they failed; never empty."""
    failures = [event for event in events if event.event_type == dg.DagsterEventType.STEP_FAILURE]
    return [_reason(event) for event in failures] or [Reason("the run failed before its first step")]


def _reason(event: dg.DagsterEvent) -> Reason:
    error = event.step_failure_data.error
    while error is not None and error.cause is not None and not error.message.startswith(_OURS):
        error = error.cause
    said = " ".join(error.message.split()) if error is not None else "no error was recorded"
    return Reason(f"{event.step_key}: {_CLASS_NAME.sub('', said)}", error.cls_name if error else None)
