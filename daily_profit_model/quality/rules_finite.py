"""The rule that every figure of a table is a number: NaN is neither null nor within or beyond any bound.

The readers refuse it; what comes from another writer, or from a division in SQL, would pass all other rules of its
column, since those do not judge what has no value.
"""

from __future__ import annotations

from dataclasses import replace

from daily_profit_model.quality.conditions import figures_not_finite
from daily_profit_model.quality.expectation import absent
from daily_profit_model.quality.frame import rows_of
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table


def finite_rule(table: Table) -> Rule:
    """The rule of `table`'s own figures."""
    frame = rows_of(table, figure_not_finite=figures_not_finite(table))
    return Rule(
        id="figures_finite",
        table=table.name,
        dimension="validity",
        severity="error",
        # a frame of its own: others read few of the columns
        frame=replace(frame, name=f"{table.name} figures"),
        expectations=(absent("figure_not_finite", says="no figure is infinite or not a number"),),
        reason="Sums and means with one such value are no numbers either, and no bound is ever exceeded.",
        advice="The sample names the columns. Fetch the day again; if it stays, see what else writes to the lake.",
    )
