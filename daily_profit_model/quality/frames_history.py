"""Days of a table beside the days before it: how far each column's values, nulls and labels lie outside of what was usual.

What must hold of them stands in `rules_history`. Nothing here is an absolute number of the firm: each limit comes from
the table's own past days, taken robustly, plus what chance may add on a day of so many accounts (accounts, not rows:
those of one account move together). With too few past days there is no limit, and what is measured by it is null. A
column that holds one value a day (weekday, model, regime) tells of the day and not of its rows, and is left alone.
Profiles of days are made by `profiles`.
"""

from __future__ import annotations

from collections.abc import Sequence

from daily_profit_model.engine import Query
from daily_profit_model.quality.frame import Frame
from daily_profit_model.quality.profiles import TOP
from daily_profit_model.tables import Table

PAST_DAYS = 60
"""Days looked back: some eight of each weekday, and a season's change does not count as a fault."""

ENOUGH_DAYS = 14
"""Past days before anything is judged: two of each weekday."""

SMALLEST_DAY = 30
"""Rows of a day, and values of a column, below which a median moves by chance alone."""

CHANCE = 4.0
"""Standard deviations that a share of so many accounts may lie off by chance: some 100 columns are looked at a day, and
0.006 % of days of one lie further off."""

FURTHEST = 6.0
"""Robust standard deviations of the days before that a day may lie off: days have heavy tails."""

LEAST_JUMP = 1.0
"""Powers of ten beyond all days before: a unit changes by a hundred (percent, cents) or a thousand; half of the way to
the least of these. Days differ (weekends trade other symbols), so that the nearest of them counts and not their middle."""

FURTHEST_QUARTILE = 3.0
"""Widths of all days before that a quartile may lie outside them. One that lies where a twentieth of the values of some
day lay is not judged: few accounts move it there, where values come in steps (contract sizes, prices of symbols)."""

LEAST_CHANGE_OF_ROWS = 0.3
"""Logarithm: a third more rows or a quarter less is a day like others, however alike the past was."""

COLLAPSE = 0.1
"""Share of the smallest of the past same weekdays: fewer rows than that are no quiet day."""

NEW_LABEL_HOLDERS = 5
"""Accounts that must carry a new label before it counts at all."""

SHARE_CHANGE = 0.15
"""Beyond all past days: share of the day's accounts by which a label may grow or shrink."""

_QUARTILES = ("q25", "q50", "q75")
_DISTANCES = ", ".join(
    f"case when {q} not between lowest_q05 and highest_q95 then greatest({q} - highest_{q}, lowest_{q} - {q}) else 0 end"
    f" / nullif({FURTHEST_QUARTILE} * (highest_{q} - lowest_{q}) + usual_size * (0.5 + 10 * chance), 0)"
    for q in _QUARTILES
)
_RANGES = ", ".join(f"min({q}) as lowest_{q}, max({q}) as highest_{q}" for q in _QUARTILES)

_PAST = f"""
with described as (
    select
        *,
        1 - known / rows as null_share,
        zeros / nullif(known, 0) as zero_share,
        case when known - zeros >= {SMALLEST_DAY} then log10(size_q50) end as size_50,
        case when known - zeros >= {SMALLEST_DAY} then log10(size_q90) end as size_90,
        case when known >= {SMALLEST_DAY} then (minimum = maximum)::int end as is_constant
    from profiles
    where rows > 0
),
wanted as (
    select * from described where date between $first_day and $last_day
),
kinds as (
    select date, top_values[1].value as kind from profiles where "column" = '$alike_by'
),
-- each wanted column of a day with each of its past days of the same kind
pairs as (
    select wanted.date as day, wanted."column" as name, past.*
    from wanted
    join described as past
        on past."column" = wanted."column"
        and past.date between wanted.date - {PAST_DAYS} and wanted.date - 1
    left join kinds as own on own.date = wanted.date
    left join kinds as earlier on earlier.date = past.date
    where own.kind is not distinct from earlier.kind
),
past as (
    select
        day as date,
        name as "column",
        count(*) as past_days,
        max(null_share) as most_nulls,
        coalesce(min(is_constant) = 1, max(distinct_values) <= 1, false) as is_of_the_day,
        min(q75 - q25) > 0 as always_varied,
        min(size_50) as least_size_50,
        max(size_50) as most_size_50,
        min(size_90) as least_size_90,
        max(size_90) as most_size_90,
        count(size_50) as sized_days,
        min(zero_share) as fewest_zeros,
        max(zero_share) as most_zeros,
        {_RANGES},
        min(q05) as lowest_q05,
        max(q95) as highest_q95,
        coalesce(median(size_q50), 0) as usual_size
    from pairs
    group by all
)"""

_VALUES = f"""
chosen_days as (
    select
        wanted.date,
        wanted."column",
        wanted.rows,
        wanted.holders,
        wanted.null_share,
        wanted.zero_share,
        wanted.q25,
        wanted.q50,
        wanted.q75,
        wanted.size_50,
        wanted.size_90,
        wanted.is_constant,
        past.* exclude (date, "column", past_days),
        coalesce(past_days, 0) as past_days,
        coalesce(past_days, 0) >= {ENOUGH_DAYS} as is_known,
        {CHANCE} / 2 / sqrt(wanted.holders) as chance
    from wanted
    left join past
        using (date, "column")
    where wanted."column" not in ($left_out)
),
of_values as (
select
    date,
    "column",
    past_days,
    null_share,
    case when is_known and not is_of_the_day then null_share / (
        most_nulls + 0.01 + {CHANCE} * sqrt(greatest(most_nulls * (1 - most_nulls), 1 / holders) / holders)
    ) end as nulls,
    case when is_known and not is_of_the_day and most_nulls < 0.5 and rows >= {
    SMALLEST_DAY
} then (null_share = 1)::int end as is_lost,
    case when is_known and sized_days >= {ENOUGH_DAYS} and not is_of_the_day then greatest(
        least(size_50 - most_size_50, size_90 - most_size_90),
        least(least_size_50 - size_50, least_size_90 - size_90),
        0
    ) / {LEAST_JUMP} end as unit,
    case when is_known and sized_days >= {ENOUGH_DAYS} and not is_of_the_day then
        greatest(size_90 - most_size_90, 0) / {LEAST_JUMP}
    end as size,
    case when is_known and not is_of_the_day and rows >= {SMALLEST_DAY} then
        greatest(zero_share - most_zeros, fewest_zeros - zero_share, 0) / (most_zeros - fewest_zeros + 0.1 + chance)
    end as zeros,
    -- the second of three: between two clusters of values one quartile may jump by chance
    case when is_known and not is_of_the_day and past_days >= {2 * ENOUGH_DAYS} and rows >= {SMALLEST_DAY} then
        list_sort([{_DISTANCES}])[2]
    end as location,
    case when is_known and not is_of_the_day and rows >= {SMALLEST_DAY} then (
        (lowest_q05 >= 0 and lowest_q50 > 0 and q50 < 0) or (highest_q95 <= 0 and highest_q50 < 0 and q50 > 0)
    )::int end as is_turned,
    case when is_known and always_varied then is_constant end as constant,
    size_50,
    least_size_50,
    most_size_50,
    size_90,
    most_size_90,
    q50,
    lowest_q50,
    highest_q50
from chosen_days
)"""

_VOLUME = f"""
sizes as (
    select date, rows, holders, ln(rows + 1) as size from profiles where "column" = ''
),
-- a day against the one a week before, by the last of the two
changes as (
    select later.date, later.size - earlier.size as change
    from sizes as later
    join sizes as earlier on earlier.date = later.date - 7
),
growth as (
    select wanted.date, median(change) as growth, mad(change) as spread
    from sizes as wanted
    join changes
        on changes.date between wanted.date - {PAST_DAYS} and wanted.date - 1
    where wanted.date between $first_day and $last_day
    group by all
),
same_weekday as (
    select
        wanted.date,
        count(*) as past_days,
        median(earlier.size + growth * (wanted.date - earlier.date) / 7)
            filter (earlier.date >= wanted.date - 21) as expected,
        min(earlier.rows) as fewest
    from sizes as wanted
    join sizes as earlier
        on earlier.date between wanted.date - {PAST_DAYS} and wanted.date - 7
        and (wanted.date - earlier.date) % 7 = 0
    join growth on growth.date = wanted.date
    group by all
),
of_volume as (
select
    sizes.date,
    '' as "column",
    sizes.rows,
    coalesce(past_days, 0) as same_weekdays,
    exp(expected) - 1 as expected_rows,
    case when past_days >= 3 then
        abs(size - expected)
        / (greatest({FURTHEST} * 1.4826 * spread, {LEAST_CHANGE_OF_ROWS}) + {CHANCE} / sqrt(greatest(holders, 1)))
    end as volume,
    case when past_days >= 3 and fewest >= {SMALLEST_DAY} then (sizes.rows < {COLLAPSE} * fewest)::int end as collapsed
from sizes
left join same_weekday using (date)
left join growth using (date)
where sizes.date between $first_day and $last_day
)"""

_LABELS = f"""
labelled as (
    select date, "column", rows, holders, distinct_values, top_values
    from profiles
    where top_values is not null and rows > 0 and "column" not in ($left_out) and distinct_values <= {TOP}
),
labels as (
    select date, "column", holders as all_holders, unnest(top_values, recursive := true) from labelled
),
labelled_wanted as (
    select * from labelled where date between $first_day and $last_day
),
known_days as (
    select wanted.date, wanted."column", count(*) as past_days, max(earlier.distinct_values) > 1 as varies
    from labelled_wanted as wanted
    join labelled as earlier
        on earlier."column" = wanted."column"
        and earlier.date between wanted.date - {PAST_DAYS} and wanted.date - 1
    group by all
),
past_labels as (
    select
        wanted.date,
        wanted."column",
        earlier.value,
        min(earlier.date) as first_seen,
        count(*) as days_seen,
        max(earlier.holders / earlier.all_holders) as most,
        min(earlier.holders / earlier.all_holders) as fewest
    from labelled_wanted as wanted
    join labels as earlier
        on earlier."column" = wanted."column"
        and earlier.date between wanted.date - {PAST_DAYS} and wanted.date - 1
    group by all
),
-- a set that grew within the last two weeks is not closed: what it holds tells nothing of what it may hold
closed as (
    select date, "column", max(first_seen) < date - {ENOUGH_DAYS} as is_closed
    from past_labels
    group by date, "column"
),
compared as (
    select
        date,
        "column",
        value,
        coalesce(labels.holders, 0) as holders,
        wanted.holders as all_holders,
        past.value is null as is_new,
        coalesce(past.most, 0) as most,
        case when past.days_seen = known_days.past_days then past.fewest else 0 end as fewest
    from past_labels as past
    full join (select labels.* from labels where date between $first_day and $last_day) as labels
        using (date, "column", value)
    join labelled_wanted as wanted
        using (date, "column")
    left join known_days
        using (date, "column")
),
of_labels as (
select
    date,
    "column",
    case when past_days >= {ENOUGH_DAYS} and varies and is_closed then
        coalesce(max(holders / all_holders) filter (is_new and holders >= {NEW_LABEL_HOLDERS}), 0)
    end as new_label,
    string_agg(value, ', ' order by value) filter (is_new) as new_labels,
    case when past_days >= {ENOUGH_DAYS} and varies and max(all_holders) >= 2 * {NEW_LABEL_HOLDERS} then
        max(greatest(holders / all_holders - most, fewest - holders / all_holders, 0))
        / ({SHARE_CHANGE} + {CHANCE} / 2 / sqrt(max(all_holders)))
    end as label_share,
    arg_max(value, greatest(holders / all_holders - most, fewest - holders / all_holders, 0)) as moved_label
from compared
left join known_days
    using (date, "column")
left join closed
    using (date, "column")
group by date, "column", past_days, varies, is_closed
)"""

_ALL = f"""{_PAST},{_VALUES},{_VOLUME},{_LABELS}
select *
from of_values
full join of_volume
    using (date, "column")
full join of_labels
    using (date, "column")
"""


def against_its_past(table: Table, leaving_out: Sequence[str], alike_by: str) -> Frame:
    """A row a day and column (empty: the rows as a whole), but for the columns `leaving_out`.

    `alike_by`: a text column with one label a day. Nulls, units and values are then compared with past days of the same
    label alone.
    """
    left_out = ", ".join(f"'{name}'" for name in ("", *leaving_out))
    query = Query(_ALL.replace("$left_out", left_out).replace("$alike_by", alike_by), ())
    return Frame(f"{table.name} against its past", table, ("column",), query, measures=True, past_days=PAST_DAYS)
