"""The contracts of what is known of a table's quality: profiles of its days, what its rules said, and the score.

How profiles are computed and rules are judged belongs to `quality`.
"""

from __future__ import annotations

import pyarrow as pa

from daily_profit_model.tables.contract import DAY, FLAG, FLOAT, INT, TEXT, Column, Table

TOP_VALUES = pa.list_(pa.struct([("value", pa.string()), ("rows", pa.int64()), ("holders", pa.int64())]))

_PROFILE_COLUMNS = (
    Column("date", DAY, "The partition that is described", required=True),
    Column("table", TEXT, "Table", required=True),
    Column("column", TEXT, "Column; empty: the row tells of the table's rows as a whole", required=True),
    Column("rows", INT, "Rows of the day", "rows", required=True),
    Column("holders", INT, "Accounts (or logins) that have rows; of tables without accounts the rows", required=True),
    Column("known", INT, "Rows with a value", "rows", required=True),
    Column("zeros", INT, "Rows with a zero; null: no number", "rows"),
    Column("distinct_values", INT, "Different values; null: a number, or not counted"),
    Column("minimum", FLOAT, "Smallest value; null: no number"),
    Column("q01", FLOAT, "1 % quantile"),
    Column("q05", FLOAT, "5 % quantile"),
    Column("q25", FLOAT, "25 % quantile"),
    Column("q50", FLOAT, "Median"),
    Column("q75", FLOAT, "75 % quantile"),
    Column("q95", FLOAT, "95 % quantile"),
    Column("q99", FLOAT, "99 % quantile"),
    Column("maximum", FLOAT, "Largest value; null: no number"),
    Column("size_q50", FLOAT, "Median of the sizes of values that are not zero"),
    Column("size_q90", FLOAT, "90 % quantile of the same"),
    Column("top_values", TOP_VALUES, "Commonest values with their rows and holders; null: no category"),
)

_RESULT_COLUMNS = (
    Column("date", DAY, "The partition that was judged", required=True),
    Column("table", TEXT, "Table", required=True),
    Column("rule", TEXT, "The rule's id, as the asset check is called", required=True),
    Column("dimension", TEXT, "What of quality it is about", required=True),
    Column("severity", TEXT, "`error` or `warn`", required=True),
    Column("is_blocking", FLAG, "True: nothing downstream is made when it does not hold", required=True),
    Column("passed", FLAG, "It holds", required=True),
    Column(
        "is_judged", FLAG, "False: too little of the past is known yet, so it holds for want of a limit", required=True
    ),
    Column("rows", INT, "Rows judged", "rows", required=True),
    Column("observed", FLOAT, "The measured value, or the share of rows that violate"),
    Column("limit", FLOAT, "Its limit"),
    Column("unexpected_count", INT, "Rows that violate", "rows", required=True),
    Column("unexpected_share", FLOAT, "Their share", "share", required=True),
    Column("message", TEXT, "What was seen, in one line; null: it holds"),
    Column("samples", TEXT, "Up to 20 violating rows as JSON; null: none"),
)

MONITORING_PROFILES = Table(
    name="monitoring/profiles",
    description="Each column of each table's day in few numbers: counts, nulls, quantiles, commonest values. What rules "
    "that compare a day with its past go by.",
    key=("date", "table", "column"),
    is_report=True,
    columns=_PROFILE_COLUMNS,
)

MONITORING_QUALITY = Table(
    name="monitoring/quality",
    description="How much of what must hold of a table's day does: the share of its rules that hold, those of severity "
    "error weighing three times.",
    key=("date", "table"),
    is_report=True,
    columns=(
        Column("date", DAY, "The partition that was judged", required=True),
        Column("table", TEXT, "Table", required=True),
        Column("rules", INT, "Rules judged", "rules", required=True),
        Column("not_judged", INT, "Further rules for which too little of the past is known", "rules", required=True),
        Column("failed_errors", INT, "Rules of severity error that do not hold", "rules", required=True),
        Column("failed_warnings", INT, "Rules of severity warn that do not hold", "rules", required=True),
        Column("score", FLOAT, "Weighted share of the judged rules that hold; null: none judged", "share"),
        Column("failing", pa.list_(pa.string()), "Ids of the rules that do not hold, errors first", required=True),
    ),
)

WITHOUT_RULES = (MONITORING_PROFILES.name, MONITORING_QUALITY.name)
"""What tells of quality is not judged itself: of these daily tables there is no page."""


def profile_of(table: Table) -> Table:
    """Where the profiles of one table are kept until monitoring/profiles collects them all."""
    return Table(
        name=f"monitoring/profile/{table.view_name}",
        description=f"What the days of {table.name} look like, column by column.",
        key=("date", "column"),
        columns=_PROFILE_COLUMNS,
    )


def rule_results_of(table: Table) -> Table:
    """Where what the rules of one table said is kept; monitoring/quality sums it up."""
    return Table(
        name=f"monitoring/rule_results/{table.view_name}",
        description=f"What each rule of {table.name} said of its days.",
        key=("date", "rule"),
        columns=_RESULT_COLUMNS,
    )
