"""Rules that compare a day of a table with the days before it: volume, nulls, units, values and labels.

What is compared with what, and what chance may add, stands in `frames_history`: a measure above 1 (or above the limit
here) is more than the past and chance explain. With too few past days the rule says that it could not judge.
"""

from __future__ import annotations

from collections.abc import Sequence

from daily_profit_model.quality.expectation import between
from daily_profit_model.quality.frames_history import ENOUGH_DAYS, PAST_DAYS, against_its_past
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table

NEW_LABEL_SHARE = 0.05
"""Share of the day's accounts that must carry a new label before it is sudden: a first single one is growth."""

_FETCH = "Fetch the day again (dpm ingest FEED --force); if it stays, ask the service what has changed."
_REBUILD = "Look at the tables that it is made from first: their rules name the column; then make the day again."


def history_rules(table: Table, *, leaving_out: Sequence[str] = (), alike_by: str = "") -> tuple[Rule, ...]:
    """The rules that compare a day of `table` with its past, but for the columns `leaving_out`.

    `alike_by`: a text column with one label a day. Nulls, units and values are then compared with past days of the same
    label alone; fewer than ENOUGH_DAYS of them judge nothing.
    """
    advice = _FETCH if table.name.startswith("raw/") else _REBUILD
    frame = against_its_past(table, leaving_out, alike_by)
    from_the_past = f"Limits come from the {PAST_DAYS} days before; fewer than {ENOUGH_DAYS} of them judge nothing."
    return (
        Rule(
            id="rows_as_on_weekday",
            table=table.name,
            dimension="volume",
            severity="warn",
            frame=frame,
            expectations=(
                between(
                    "volume", high=1, says="about as many rows as on this weekday", shows=("rows", "expected_rows")
                ),
            ),
            reason=f"A short or doubled day misleads everything made from it. {from_the_past}",
            advice=advice,
        ),
        Rule(
            id="day_not_broken",
            table=table.name,
            dimension="distribution",
            severity="error",
            frame=frame,
            expectations=(
                between("is_lost", high=0, says="no column that had values is wholly null", shows=("column",)),
                between(
                    "unit",
                    high=1,
                    says="no column's size has jumped as by another unit",
                    shows=("column", "size_50", "least_size_50", "most_size_50"),
                ),
            ),
            reason=f"Cents for dollars, or a column that is gone, make every later number wrong. {from_the_past}",
            advice=advice,
        ),
        Rule(
            id="day_not_empty",
            table=table.name,
            dimension="volume",
            severity="error",
            frame=frame,
            expectations=(
                between(
                    "collapsed",
                    high=0,
                    says="no less than a tenth of the rows of any same weekday",
                    shows=("rows", "expected_rows"),
                ),
            ),
            reason=f"An answer that is nearly empty is a fault of the feed and no quiet day. {from_the_past}",
            advice=advice,
        ),
        Rule(
            id="nulls_as_before",
            table=table.name,
            dimension="completeness",
            severity="warn",
            frame=frame,
            expectations=(
                between(
                    "nulls", high=1, says="no column misses more values than before", shows=("column", "null_share")
                ),
            ),
            reason=f"A field that fades out is unknown to every feature that reads it. {from_the_past}",
            advice=advice,
        ),
        Rule(
            id="values_as_before",
            table=table.name,
            dimension="distribution",
            severity="warn",
            frame=frame,
            expectations=(
                between(
                    "size",
                    high=1,
                    says="no column's large values have jumped",
                    shows=("column", "size_90", "most_size_90"),
                ),
                between("zeros", high=1, says="no column has far more or fewer zeros", shows=("column", "past_days")),
                between(
                    "location",
                    high=1,
                    says="no column has two quartiles far outside all days before",
                    shows=("column", "q50", "lowest_q50", "highest_q50"),
                ),
                between(
                    "is_turned",
                    high=0,
                    says="no column that had one sign mostly has the other",
                    shows=("column", "q50", "lowest_q50", "highest_q50"),
                ),
                between("constant", high=0, says="no column has stopped varying", shows=("column", "q50")),
            ),
            reason=f"A column that says something else than before is not what the model was taught. {from_the_past}",
            advice=advice,
        ),
        Rule(
            id="labels_as_before",
            table=table.name,
            dimension="validity",
            severity="warn",
            frame=frame,
            expectations=(
                between(
                    "new_label",
                    high=NEW_LABEL_SHARE,
                    says="no new label is suddenly common",
                    shows=("column", "new_labels"),
                ),
                between(
                    "label_share",
                    high=1,
                    says="no label has grown or shrunk far beyond all days before",
                    shows=("column", "moved_label"),
                ),
            ),
            reason=f"A label in another spelling, or a new one, falls out of every mapping. {from_the_past}",
            advice=advice,
        ),
    )
