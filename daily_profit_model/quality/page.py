"""The quality of tables as one HTML page that needs nothing else: scores over time, rules with their history, failing
ones first, each opened to the rows that show it, and profiles. A rule's part of it is drawn by `page_rules`; what is
shown is read from `results` and `profiles`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from html import escape
from pathlib import Path

import pyarrow as pa

from daily_profit_model.lake import Lake, read
from daily_profit_model.partitions import days_between
from daily_profit_model.quality.page_rules import curve, draw_rule, grid, order_of
from daily_profit_model.quality.results import results, scores
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table
from daily_profit_model.tables.quality import profile_of

SHOWN_DAYS = 60
"""Days of history on a page."""

SHOWN_TOP_VALUES = 8
"""Commonest values of a column on a page; the profile has more."""

_STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:1100px;padding:0 1rem;color:#1d2733}
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{margin:.3rem 0}
section{border-top:2px solid #d8dee5;margin-top:2.5rem;padding-top:1rem}
.muted{color:#66717d}.bad{color:#a32018}.warn{color:#8a5a00}.good{color:#1c6b3a}
details{border:1px solid #d8dee5;border-radius:6px;margin:.4rem 0;background:#fff}
summary{padding:.5rem .8rem;cursor:pointer;display:grid;grid-template-columns:13rem 7rem 1fr auto;gap:.8rem;
align-items:center}
summary b{overflow-wrap:anywhere}.body{padding:.2rem .9rem .8rem;border-top:1px solid #eef1f4}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:12.5px}th,td{padding:.15rem .5rem;border-bottom:1px solid #eef1f4;
text-align:left;white-space:nowrap;max-width:30rem;overflow:hidden;text-overflow:ellipsis}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
svg{vertical-align:middle}
"""


def page(lake: Lake, table: Table, rules: Sequence[Rule], day: str) -> str:
    """The page of `table` on `day` with the days before it, as HTML."""
    return _document(f"{table.name}, {day}", _body(lake, table, rules, day))


def page_of_all(lake: Lake, tables: Mapping[Table, Sequence[Rule]], day: str) -> str:
    """One page of those of `tables` that were judged on `day`, the worst first; the others are named."""
    today = {row["table"]: row for table in tables for row in scores(results(lake, table, [day])).to_pylist()}
    judged = sorted(
        (table for table in tables if table.name in today),
        key=lambda table: (-today[table.name]["failed_errors"], -today[table.name]["failed_warnings"]),
    )
    absent = [table.name for table in tables if table.name not in today]
    overview = [
        f'<tr><td><a href="#{table.view_name}">{escape(table.name)}</a></td>{_score_cells(today[table.name])}</tr>'
        for table in judged
    ]
    heads = "".join(f"<th class=n>{name}</th>" for name in ("score", "rules", "errors", "warnings", "not judged yet"))
    return _document(
        f"Data quality, {day}",
        f"<h1>Data quality, {day}</h1>",
        f"<div class=wide><table><tr><th>table</th>{heads}<th>failing</th></tr>{''.join(overview)}</table></div>",
        f"<p class=muted>Not judged on this day: {escape(', '.join(absent))}.</p>" if absent else "",
        *(f'<section id="{table.view_name}">{_body(lake, table, tables[table], day)}</section>' for table in judged),
    )


def page_path(reports: Path, table: Table) -> Path:
    """Where the page of a table lies below the folder of reports: always there, so that a link to it stays good."""
    return reports / "quality" / f"{table.view_name}.html"


def write_page(path: Path, text: str) -> None:
    """Write a page in a single rename, so that nobody reads half of it. Raises OSError, which names the page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def _document(title: str, *parts: str) -> str:
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title><style>{_STYLE}</style>"
    return "".join((head, *parts, "</html>\n"))


def _body(lake: Lake, table: Table, rules: Sequence[Rule], day: str) -> str:
    first = date.fromisoformat(day) - timedelta(days=SHOWN_DAYS - 1)
    days = days_between(first, date.fromisoformat(day))
    said = results(lake, table, days)
    by_rule: dict[str, dict[str, Mapping[str, object]]] = {}
    for row in said.to_pylist():
        by_rule.setdefault(row["rule"], {})[row["date"].isoformat()] = row
    ordered = sorted(rules, key=lambda rule: order_of(rule, by_rule.get(rule.id, {}).get(day)))
    return "".join(
        (
            f"<h1>{escape(table.name)}, {day}</h1><p class=muted>{escape(table.description)}</p>",
            _summary(said, day, days),
            f"<h2>Rules ({len(rules)}), failing first; squares are the last {SHOWN_DAYS} days</h2>",
            *(draw_rule(rule, by_rule.get(rule.id, {}), days) for rule in ordered),
            "<h2>Profile of the day</h2>",
            _profile(read(lake, profile_of(table), [day])),
        )
    )


def _summary(said: pa.Table, day: str, days: Sequence[str]) -> str:
    rows = {row["date"].isoformat(): row for row in scores(said).to_pylist()}
    drawn = curve([None if (row := rows.get(shown)) is None else row["score"] for shown in days], low=0.0, high=1.0)
    today = rows.get(day)
    if today is None:
        return f"<p class=warn>No rule has judged {day} yet.</p><p>Score over time: {drawn}</p>"
    return (
        f"<p>Score <b>{_percent(today['score'])}</b>. Rules judged: {today['rules']}, not judged yet: "
        f"{today['not_judged']}. Failing: <span class=bad>errors {today['failed_errors']}</span>, "
        f"<span class=warn>warnings {today['failed_warnings']}</span>.</p>"
        f"<p>Score over time: {drawn}</p>"
    )


def _score_cells(row: Mapping[str, object]) -> str:
    numbers = [_percent(row["score"]), *(row[name] for name in ("rules", "failed_errors", "failed_warnings"))]
    cells = "".join(f"<td class=n>{number}</td>" for number in (*numbers, row["not_judged"]))
    failing = row["failing"]
    return f"{cells}<td class=bad>{escape(', '.join(failing) if isinstance(failing, list) else '')}</td>"


def _percent(score: object) -> str:
    return f"{score:.1%}" if isinstance(score, float) else "not judged"


def _profile(described: pa.Table) -> str:
    rows = [
        {
            name: _top(value) if name == "top_values" else _short(value)
            for name, value in row.items()
            if name not in ("date", "table")
        }
        for row in described.to_pylist()
    ]
    return grid(rows) if rows else "<p class=muted>The day has no profile.</p>"


def _short(value: object) -> object:
    """What describes many rows needs no more digits."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _top(values: Sequence[Mapping[str, object]] | None) -> str | None:
    shown = [f"{value['value']} ({value['rows']})" for value in values or ()]
    more = " …" if len(shown) > SHOWN_TOP_VALUES else ""
    return ", ".join(shown[:SHOWN_TOP_VALUES]) + more if shown else None
