"""A table's quality as one HTML page that needs nothing else: its rules with their history, failing ones first, each
opened to the rows that show it, and the day's profile. What is shown is read from `results` and `profiles`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from html import escape

import pyarrow as pa

from daily_profit_model.lake import Lake, read
from daily_profit_model.partitions import days_between
from daily_profit_model.quality.results import results, scores
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table
from daily_profit_model.tables.quality import profile_of

SHOWN_DAYS = 60
"""Days of history on a page."""

_STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:1100px;padding:0 1rem;color:#1d2733}
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.3rem 0}
.muted{color:#66717d}.bad{color:#a32018}.warn{color:#8a5a00}.good{color:#1c6b3a}
details{border:1px solid #d8dee5;border-radius:6px;margin:.4rem 0;background:#fff}
summary{padding:.5rem .8rem;cursor:pointer;display:flex;gap:.8rem;align-items:center;flex-wrap:wrap}
summary b{min-width:16rem}.body{padding:.2rem .9rem .8rem;border-top:1px solid #eef1f4;overflow-x:auto}
table{border-collapse:collapse;font-size:12.5px}th,td{padding:.15rem .5rem;border-bottom:1px solid #eef1f4;
text-align:left;white-space:nowrap}td.n{text-align:right;font-variant-numeric:tabular-nums}
svg{vertical-align:middle}
"""
_COLOURS = {"good": "#5fae7c", "warn": "#e0a030", "bad": "#cc3b30", "unknown": "#cfd6dd", "absent": "#f2f4f6"}


def page(lake: Lake, table: Table, rules: Sequence[Rule], day: str) -> str:
    """The page of `table` on `day` with the days before it, as HTML."""
    first = date.fromisoformat(day) - timedelta(days=SHOWN_DAYS - 1)
    days = days_between(first, date.fromisoformat(day))
    said = results(lake, table, days)
    by_rule: dict[str, dict[str, Mapping[str, object]]] = {}
    for row in said.to_pylist():
        by_rule.setdefault(row["rule"], {})[row["date"].isoformat()] = row
    ordered = sorted(rules, key=lambda rule: (_state(by_rule.get(rule.id, {}).get(day)), rule.severity, rule.id))
    described = read(lake, profile_of(table), [day])
    return "".join(
        (
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(table.name)} {day}</title>",
            f"<style>{_STYLE}</style>",
            f"<h1>{escape(table.name)}, {day}</h1><p class=muted>{escape(table.description)}</p>",
            _summary(said, day, days),
            f"<h2>Rules ({len(rules)}), failing first; squares are the last {SHOWN_DAYS} days</h2>",
            *(_rule(rule, by_rule.get(rule.id, {}), days) for rule in ordered),
            "<h2>Profile of the day</h2>",
            _profile(described),
            "</html>",
        )
    )


def _state(row: Mapping[str, object] | None) -> int:
    """Failing first, then what holds, then what was not judged."""
    if row is None:
        return 3
    return 0 if not row["passed"] else 1 if row["is_judged"] else 2


def _summary(said: pa.Table, day: str, days: Sequence[str]) -> str:
    rows = {row["date"].isoformat(): row for row in scores(said).to_pylist()}
    drawn = _line([None if (row := rows.get(shown)) is None else row["score"] for shown in days], low=0.0, high=1.0)
    today = rows.get(day)
    if today is None:
        return f"<p class=warn>No rule has judged {day} yet.</p><p>Score over time: {drawn}</p>"
    score = "not judged" if today["score"] is None else f"{today['score']:.1%}"
    return (
        f"<p>Score <b>{score}</b>: {today['rules']} rules judged, "
        f"<span class=bad>{today['failed_errors']} errors</span>, "
        f"<span class=warn>{today['failed_warnings']} warnings</span>, {today['not_judged']} not judged yet.</p>"
        f"<p>Score over time: {drawn}</p>"
    )


def _rule(rule: Rule, history: Mapping[str, Mapping[str, object]], days: Sequence[str]) -> str:
    today = history.get(days[-1])
    kind = _kind(rule, today)
    words = {"good": "holds", "warn": "fails", "bad": "fails", "unknown": "not judged yet", "absent": "not evaluated"}
    observed = [_number_of(history.get(shown), "observed") for shown in days]
    said = "" if today is None or today["message"] is None else f"<p class={kind}>{escape(str(today['message']))}</p>"
    holds = "; ".join(part.says for part in rule.expectations)
    blocking = ", blocking" if rule.blocking else ""
    return "".join(
        (
            f"<details{' open' if kind in ('bad', 'warn') else ''}><summary><b>{escape(rule.id)}</b>",
            f"<span class={kind}>{words[kind]}</span>",
            f"<span class=muted>{rule.dimension}, {rule.severity}{blocking}</span>",
            _squares(rule, history, days),
            "</summary><div class=body>",
            said,
            f"<p>Holds when: {escape(holds)}.</p>",
            f"<p class=muted>{escape(rule.reason)} <b>What to do:</b> {escape(rule.advice)}</p>",
            f"<p>Observed {_limit(today)}: {_line(observed)}</p>",
            _samples(today),
            "</div></details>",
        )
    )


def _kind(rule: Rule, row: Mapping[str, object] | None) -> str:
    if row is None:
        return "absent"
    if not row["passed"]:
        return "bad" if rule.severity == "error" else "warn"
    return "good" if row["is_judged"] else "unknown"


def _squares(rule: Rule, history: Mapping[str, Mapping[str, object]], days: Sequence[str]) -> str:
    def square(place: int, day: str) -> str:
        row = history.get(day)
        said = "" if row is None or row["message"] is None else f": {row['message']}"
        return (
            f'<rect x="{place * 7}" width="6" height="12" fill="{_COLOURS[_kind(rule, row)]}">'
            f"<title>{day}{escape(str(said))}</title></rect>"
        )

    cells = "".join(square(place, day) for place, day in enumerate(days))
    return f'<svg width="{len(days) * 7}" height="12">{cells}</svg>'


def _line(values: Sequence[float | None], low: float | None = None, high: float | None = None) -> str:
    """A small curve; days without a value are gaps."""
    known = [value for value in values if value is not None]
    if not known:
        return "<span class=muted>nothing measured yet</span>"
    bottom = min(known) if low is None else low
    top = max(known) if high is None else high
    span = (top - bottom) or 1.0
    dots = "".join(
        f'<circle cx="{4 + place * 7}" cy="{38 - 34 * (value - bottom) / span:.1f}" r="2" fill="#1f5fa8"/>'
        for place, value in enumerate(values)
        if value is not None
    )
    ends = f"<span class=muted>{bottom:.4g} … {top:.4g}</span>"
    return f'<svg width="{len(values) * 7 + 8}" height="42">{dots}</svg> {ends}'


def _limit(row: Mapping[str, object] | None) -> str:
    limit = _number_of(row, "limit")
    return "over time" if limit is None else f"over time (limit {limit:.6g})"


def _number_of(row: Mapping[str, object] | None, name: str) -> float | None:
    value = None if row is None else row[name]
    return float(value) if isinstance(value, (int, float)) else None


def _samples(row: Mapping[str, object] | None) -> str:
    if row is None or row["samples"] is None:
        return ""
    rows = json.loads(str(row["samples"]))
    total = row["unexpected_count"]
    return f"<p>{len(rows)} of {total} violating rows:</p>{_grid(rows)}"


def _profile(described: pa.Table) -> str:
    rows = [
        {
            name: _top(value) if name == "top_values" else value
            for name, value in row.items()
            if name not in ("date", "table")
        }
        for row in described.to_pylist()
    ]
    return _grid(rows) if rows else "<p class=muted>The day has no profile.</p>"


def _top(values: Sequence[Mapping[str, object]] | None) -> str | None:
    shown = [f"{value['value']} ({value['rows']})" for value in values or ()]
    return ", ".join(shown[:8]) + (" …" if len(shown) > 8 else "") if shown else None


def _grid(rows: Sequence[Mapping[str, object]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(_cells(row, names))}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _cells(row: Mapping[str, object], names: Sequence[str]) -> Iterator[str]:
    for name in names:
        value = row.get(name)
        if value is None:
            yield "<td></td>"
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield f"<td class=n>{value:,.6g}</td>" if isinstance(value, float) else f"<td class=n>{value:,}</td>"
        else:
            yield f"<td>{escape(str(value))}</td>"
