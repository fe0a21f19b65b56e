"""Judge days of a table and keep what was said, with the content of which it was said.

So that whoever asks later knows whether it still is about what is there. The judging itself is `evaluate`'s, where it
is kept `results`'; what a blocked day means for others belongs to the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from daily_profit_model.lake import Lake, LakeError
from daily_profit_model.lake.staleness import HashLookup, input_table
from daily_profit_model.quality.evaluate import evaluate
from daily_profit_model.quality.frame import newest
from daily_profit_model.quality.load import load
from daily_profit_model.quality.outcome import Outcome
from daily_profit_model.quality.results import contents_judged, keep
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table

UNREADABLE = "unreadable"
"""In the place of a content hash: there is a file, and nobody can read it."""


def judge(
    lake: Lake, table: Table, rules: Sequence[Rule], of_table: Sequence[Rule], days: Sequence[str]
) -> list[Outcome]:
    """What `rules` say of `days`, kept in the lake beside what the others of `of_table` said; as `evaluate` gives it."""
    content = content_of(lake, table)
    # before they are read: what is replaced meanwhile must look as if it had not been judged
    contents = {day: content(day) for day in days}
    outcomes = evaluate(rules, partial(load, lake), days)
    keep(lake, table, outcomes, of_table, contents)
    return outcomes


def content_of(lake: Lake, table: Table) -> Callable[[str], str | None]:
    """Answers for a day the hash of the content that rules judge, which is the newest; None when there is no file."""
    hashes, name = HashLookup(lake), input_table(table.name, newest(table).as_known)

    def content(day: str) -> str | None:
        try:
            return hashes(name, day)
        except LakeError:
            return UNREADABLE

    return content


def outdated(lake: Lake, table: Table, rules: Sequence[Rule], days: Sequence[str]) -> list[str]:
    """Those of `days` of which one of `rules` was last said of another content than the one that is there.

    Not those of which nothing is there, and not those of which nobody knows what was judged.
    """
    content = content_of(lake, table)
    found = []
    for day in days:
        judged = contents_judged(lake, table, day)
        said_of = {judged[rule.id] for rule in rules if rule.id in judged}
        if said_of and content(day) is not None and said_of != {content(day)}:
            found.append(day)
    return found
