"""Which partitions of an asset cannot be made, since a blocking rule of what they read does not hold.

In a run over many days the others are made all the same: a bad day stops what is downstream of it, and no other day.
What the rules said is read from the lake, so that a later run knows it as well. How days are judged is `quality`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from daily_profit_model.engine import Source
from daily_profit_model.lake import Lake, read
from daily_profit_model.quality.judge import judge, outdated
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table
from daily_profit_model.tables.quality import rule_results_of

NAMED = 3
"""Partitions that a message names; the others are counted."""


class PartitionsBlocked(Exception):
    """Some partitions of a run were not made; the others are stored. The message: which, and why."""


def blocked(
    lake: Lake, sources: Sequence[Source], partitions: Sequence[str], rules: Mapping[str, Sequence[Rule]]
) -> dict[str, str]:
    """Those of `partitions` (ascending) that may not be made → why. `rules`: all those of each table that has any.

    One that reads a day of its own table that is blocked here, or a day of another that was not made for that reason,
    is blocked as well.
    """
    found: dict[str, str] = {}
    for source in sources:
        of_table = rules.get(source.table.name, ())
        if any(rule.blocking for rule in of_table):
            failed = failed_days(lake, source.table, source.days_of_range(partitions), of_table)
            for partition in partitions:
                for day in source.days(partition):
                    if day in failed:
                        found.setdefault(partition, failed[day])
    for source in (source for source in sources if source.is_own_past):
        for partition in partitions:
            if before := [day for day in source.days(partition) if day in found]:
                found.setdefault(partition, f"{source.table.name} of {before[0]} is not made: {found[before[0]]}")
    return {partition: found[partition] for partition in partitions if partition in found}


def failed_days(lake: Lake, table: Table, days: Sequence[str], rules: Sequence[Rule]) -> Mapping[str, str]:
    """Day → the blocking rule of `table` that does not hold of it, and what it saw. `rules`: all those of the table.

    A day that was stored again since it was last judged is judged here, by its blocking rules, and that is kept.
    What was said of other rows counts neither way: a mended day would stay blocked for ever, and a day that was spoiled
    after it had passed would go on. A day that nobody has judged is not judged here: in the run that stores it the graph
    judges it before anything is made of it. A day that is no longer there blocks nothing: what may do without it does.
    """
    blocking = [rule for rule in rules if rule.blocking]
    if again := outdated(lake, table, blocking, days):
        judge(lake, table, blocking, rules, again)
    said = read(lake, rule_results_of(table), days, columns=["date", "rule", "is_blocking", "passed", "message"])
    failed = [row for row in said.to_pylist() if row["is_blocking"] and not row["passed"]]
    return {
        row["date"].isoformat(): f"{table.name} of {row['date']}: {row['rule']} does not hold: {row['message']}"
        for row in failed
        if lake.file(table.name, row["date"].isoformat(), "newest") is not None
    }


def message(table: Table, why: Mapping[str, str]) -> str:
    """In one line: what was not made and why."""
    told = "; ".join(f"{partition} since {reason}" for partition, reason in list(why.items())[:NAMED])
    more = f"; and {len(why) - NAMED} more" if len(why) > NAMED else ""
    return f"{table.name} is not made of {told}{more}"
