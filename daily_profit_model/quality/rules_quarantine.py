"""Rules of raw/quarantine that look at what the rejected rows say: whether losers are rejected more than others.

How many rows are rejected is a rule of `rules_raw`.
"""

from __future__ import annotations

import math

from daily_profit_model.engine import Query, Source
from daily_profit_model.quality.expectation import between
from daily_profit_model.quality.frame import Frame
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables.raw import (
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_QUARANTINE,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
)

TRAILING_DAYS = 60
"""Days looked back, the judged one included, as far as other limits that are taken from the past look."""

FALSE_ALARMS = 0.001
"""Of a table and day, when rejection and outcome have nothing to do with one another; a warning's allowance."""

BIAS_LIMIT = math.sqrt(2 * math.log(2 / FALSE_ALARMS))
"""For the sum of the days' gaps over its scale (3.9). Sums of independent gaps that are symmetric exceed it less often
than 2 exp(-limit²/2) (Efron 1969, Student's t-test under symmetry conditions). Shares far from a half are not
symmetric; the scale is therefore never less than that of days on which all rejected rows have one outcome. Simulated
with losing shares of 0.01 to 0.95, 1 to 20 rejected rows a day and 16 to 60 days, 200,000 times each: at most 0.00005
exceed it."""

DAYS_NEEDED = math.ceil(BIAS_LIMIT**2)
"""With fewer days (16) no gaps whatever could exceed the limit: a table is not judged then, and has no row."""

_PROFITS = {
    RAW_TRADES_CLOSED: ("profit", "profit"),
    RAW_TRADES_OPEN: ("profit", "unrealized_profit"),
    RAW_METRICS_DAILY: ("netProfit", "net_profit"),
    RAW_METRICS_HOURLY: ("netProfit", "net_profit"),
}
"""Table → where the profit stands in a payload, and in a stored row."""


def _stored(name: str, view: str, column: str) -> str:
    return f"""
    select date, '{name}' as table_name, avg(({column} < 0)::int) as losing_share
    from {view}
    where {column} <> 0
    group by date"""


_FIELDS = "\n            ".join(f"when '{table.name}' then '$.{field}'" for table, (field, _) in _PROFITS.items())
_SQL = f"""
with payloads as (
    select
        date,
        "table" as table_name,
        case when json_valid(payload) then payload end as payload,
        case "table"
            {_FIELDS}
        end as path
    from raw_quarantine
),
rejected as (
    select
        date,
        table_name,
        count(*) as rejected_rows,
        avg((profit < 0)::int) as losing_share
    from (
        select date, table_name, try_cast(json_extract_string(payload, path) as double) as profit
        from payloads
        where path is not null
    )
    where profit <> 0 and not isnan(profit)
    group by all
),
stored as ({" union all ".join(_stored(table.name, table.view_name, column) for table, (_, column) in _PROFITS.items())}
),
gaps as (
    select
        date,
        table_name,
        rejected.rejected_rows,
        rejected.losing_share - stored.losing_share as gap,
        stored.losing_share * (1 - stored.losing_share) as spread
    from rejected
    join stored
        using (date, table_name)
),
judged as (
    select unnest(generate_series($first_day::date, $last_day::date, interval 1 day))::date as date
),
looked_back as (
    select
        judged.date,
        tables.table_name,
        count(gap) as days,
        coalesce(sum(rejected_rows), 0)::bigint as rejected_rows,
        sum(gap order by gaps.date) / count(gap) as mean_gap,
        abs(sum(gap order by gaps.date))
        / nullif(sqrt(greatest(sum(gap * gap order by gaps.date), sum(spread order by gaps.date))), 0) as bias
    from judged
    cross join (select unnest([{", ".join(f"'{table.name}'" for table in _PROFITS)}]) as table_name) as tables
    left join gaps
        on gaps.table_name = tables.table_name
        and gaps.date between judged.date - {TRAILING_DAYS - 1} and judged.date
    group by all
)
select
    date,
    table_name,
    days,
    rejected_rows,
    mean_gap,
    bias
from looked_back
where days >= {DAYS_NEEDED}
order by date, table_name
"""

_BIAS = Frame(
    "raw/quarantine against stored rows",
    RAW_QUARANTINE,
    ("table_name", "days", "rejected_rows", "mean_gap"),
    Query(
        _SQL,
        tuple(
            Source(table, first=1 - TRAILING_DAYS, as_known="newest", optional=True)
            for table in (RAW_QUARANTINE, *_PROFITS)
        ),
    ),
    measures=True,
)

QUARANTINE_RULES = (
    Rule(
        id="quarantine_outcome_bias",
        table=RAW_QUARANTINE.name,
        dimension="consistency",
        severity="warn",
        frame=_BIAS,
        expectations=(
            between(
                "bias",
                high=BIAS_LIMIT,
                says=f"over {TRAILING_DAYS} days rejected rows lose as often as the stored ones of their day",
            ),
        ),
        reason="A rule once dropped losing accounts, and every figure looked better (L11). A day is one observation, as "
        f"its accounts share a market; with fewer than {DAYS_NEEDED} days of rejected profits it is not judged.",
        advice="Which reason rejects the losers: dpm quarantine list; mend the reader, then dpm quarantine retry.",
    ),
)
