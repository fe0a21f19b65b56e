"""A rule on the page of a table: its state, its days as squares, what it says, what was observed, the rows that show it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from daily_profit_model.quality.outcome import SAMPLES
from daily_profit_model.quality.rule import Rule

Row = Mapping[str, object]
"""A row of `tables.quality.rule_results_of`."""

_COLOURS = {"good": "#5fae7c", "warn": "#e0a030", "bad": "#cc3b30", "unknown": "#cfd6dd", "absent": "#f2f4f6"}
_WORDS = {"good": "holds", "warn": "fails", "bad": "fails", "unknown": "not judged yet", "absent": "not evaluated"}
_DAY_PX = 6
"""Width of a day in squares and curves."""
_CURVE_PX = 42


def order_of(rule: Rule, row: Row | None) -> tuple[int, str, str]:
    """Failing first, errors before warnings; then what holds, what was not judged, what was not evaluated."""
    state = 3 if row is None else 0 if not row["passed"] else 1 if row["is_judged"] else 2
    return state, rule.severity, rule.id


def draw_rule(rule: Rule, history: Mapping[str, Row], days: Sequence[str]) -> str:
    """The rule's part of the page on the last of `days`, opened when it fails; `history` by day."""
    today = history.get(days[-1])
    kind = _kind(rule, today)
    said = "" if today is None or today["message"] is None else f"<p class={kind}>{escape(str(today['message']))}</p>"
    holds = "; ".join(part.says for part in rule.expectations)
    blocking = ", blocking" if rule.blocking else ""
    limit = _number(today, "limit")
    bounded = "" if limit is None else f" (limit {limit:,.6g}, the line)"
    return "".join(
        (
            f"<details{' open' if kind in ('bad', 'warn') else ''}><summary><b>{escape(rule.id)}</b>",
            f"<span class={kind}>{_WORDS[kind]}</span>",
            f"<span class=muted>{rule.dimension}, {rule.severity}{blocking}</span>",
            _squares(rule, history, days),
            "</summary><div class=body>",
            said,
            f"<p>Holds when: {escape(holds)}.</p>",
            f"<p class=muted>{escape(rule.reason)} <b>What to do:</b> {escape(rule.advice)}</p>",
            f"<p>Observed over time{bounded}: ",
            f"{curve([_number(history.get(shown), 'observed') for shown in days], limit=limit)}</p>",
            _samples(today),
            "</div></details>",
        )
    )


def curve(
    values: Sequence[float | None], *, low: float | None = None, high: float | None = None, limit: float | None = None
) -> str:
    """A dot a day, with the limit as a line; days without a finite value are gaps."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return "<span class=muted>nothing measured yet</span>"
    bounds = known if limit is None else [*known, limit]
    bottom = min(bounds) if low is None else low
    top = max(bounds) if high is None else high
    span = (top - bottom) or 1.0

    def height(value: float) -> str:
        return f"{_CURVE_PX - 4 - (_CURVE_PX - 8) * (value - bottom) / span:.1f}"

    width = len(values) * _DAY_PX + 4
    line = ""
    if limit is not None:
        line = f'<line x1="0" x2="{width}" y1="{height(limit)}" y2="{height(limit)}" stroke="#cc3b30" opacity=".6"/>'
    dots = "".join(
        f'<circle cx="{4 + place * _DAY_PX}" cy="{height(value)}" r="2" fill="#1f5fa8"/>'
        for place, value in enumerate(values)
        if value is not None and math.isfinite(value)
    )
    ends = f"<span class=muted>{min(known):,.4g} … {max(known):,.4g}</span>"
    return f'<svg width="{width}" height="{_CURVE_PX}">{line}{dots}</svg> {ends}'


def grid(rows: Sequence[Row]) -> str:
    """Rows as a table; columns in the order in which they first come."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    numeric = {name for name in names if any(_is_number(row.get(name)) for row in rows)}
    head = "".join(f"<th{' class=n' if name in numeric else ''}>{escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(_cells(row, names))}</tr>" for row in rows)
    return f"<div class=wide><table><tr>{head}</tr>{body}</table></div>"


def _kind(rule: Rule, row: Row | None) -> str:
    if row is None:
        return "absent"
    if not row["passed"]:
        return "bad" if rule.severity == "error" else "warn"
    return "good" if row["is_judged"] else "unknown"


def _squares(rule: Rule, history: Mapping[str, Row], days: Sequence[str]) -> str:
    def square(place: int, day: str) -> str:
        row = history.get(day)
        said = "" if row is None or row["message"] is None else f": {row['message']}"
        return (
            f'<rect x="{place * _DAY_PX}" width="{_DAY_PX - 1}" height="12" fill="{_COLOURS[_kind(rule, row)]}">'
            f"<title>{day}{escape(said)}</title></rect>"
        )

    cells = "".join(square(place, day) for place, day in enumerate(days))
    return f'<svg width="{len(days) * _DAY_PX}" height="12">{cells}</svg>'


def _number(row: Row | None, name: str) -> float | None:
    value = None if row is None else row[name]
    return float(value) if isinstance(value, (int, float)) else None


def _samples(row: Row | None) -> str:
    if row is None or row["samples"] is None:
        return ""
    rows = json.loads(str(row["samples"]))
    return f"<p>Rows that show it ({len(rows)}; at most {SAMPLES} are kept):</p>{grid(rows)}"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _cells(row: Row, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        value = row.get(name)
        if value is None:
            yield "<td></td>"
        elif isinstance(value, bool) or not isinstance(value, (int, float)):
            text = escape(str(value))
            yield f'<td title="{text}">{text}</td>'
        else:
            yield f"<td class=n>{value:,.10g}</td>" if isinstance(value, float) else f"<td class=n>{value:,}</td>"
