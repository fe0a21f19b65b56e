-- monitoring/reconciliation: everything that can be compared of a day, as known now, and what does not agree.
-- Frames: held (date, table_name, is_there, service_rows, our_rows, test_rows, went), known_logins, and
-- complete_days (date) with all days of raw/metrics_daily. Days are compared where both of their sides are there.
with both_sides as (
    select
        one.date,
        one.table_name as left_table,
        other.table_name as right_table
    from held as one
    join held as other
        on one.date = other.date
    where one.is_there
        and other.is_there
),
daily as (
    select
        date, platform, broker, login,
        max(account_id) as account_id,
        -- null where any row says nothing
        case when count(num_trades) = count(*) then sum(num_trades) end as trades,
        case when count(net_profit) = count(*) then sum(round(net_profit * 100)::hugeint) end as cents
    from raw_metrics_daily
    group by all
),
hourly as (
    select
        date, platform, broker, login,
        max(account_id) as account_id,
        sum(num_trades) as trades,
        sum(round(net_profit * 100)::hugeint) as cents,
        count(distinct hour) as hours
    from raw_metrics_hourly
    group by all
),
closed_hours as (
    select
        date, platform, broker, login,
        hour(close_time) as hour,
        count(*) as trades,
        sum(round((profit + coalesce(commission, 0) + coalesce(fee, 0) + coalesce(swap, 0)) * 100)::hugeint) as cents
    from raw_trades_closed
    where date between $first_day and $last_day
    group by all
),
closed as (
    select date, platform, broker, login, sum(trades) as trades, sum(cents) as cents
    from closed_hours
    group by all
),
-- whose logins these are; the day's own rows tell of accounts too
logins as (
    select closed.*, known_logins.is_test, coalesce(daily.account_id, known_logins.account_id) as account_id
    from closed
    left join known_logins
        using (login, platform, broker)
    left join daily
        using (date, login, platform, broker)
),
missing_days as (
    select
        date, table_name, 'missing_day' as finding, 'error' as severity, 'service' as compared_with, 'rows' as measure,
        service_rows as expected
    from held
    where not is_there
),
row_counts as (
    select
        date, table_name, 'row_count_mismatch' as finding, 'error' as severity, 'service' as compared_with,
        'rows' as measure, service_rows as expected, our_rows as found, went as detail
    from held
    where is_there
        and service_rows <> our_rows
),
unresolved as (
    select
        date, 'raw/trades_closed' as table_name, 'unresolved_login' as finding, 'warn' as severity,
        'accounts' as compared_with, 'trades' as measure, 0 as expected, trades as found, platform, broker, login
    from logins
    where account_id is null
        and not coalesce(is_test, false)
),
daily_against_closed as (
    select
        date, platform, broker, login,
        coalesce(daily.account_id, logins.account_id) as account_id,
        case when daily.date is null then 0 else daily.trades end as expected_trades,
        coalesce(logins.trades, 0) as found_trades,
        daily.cents as expected_cents,
        coalesce(logins.cents, 0) as found_cents
    from daily
    full join logins
        using (date, platform, broker, login)
    semi join both_sides
        on both_sides.date = date
        and left_table = 'raw/metrics_daily'
        and right_table = 'raw/trades_closed'
    where date between $first_day and $last_day
        -- an unresolved login and a test account's have no daily row
        and (daily.date is not null or logins.account_id is not null)
),
-- hours in which trades closed and of which there is no row
missing_hours as (
    select
        closed_hours.date, closed_hours.platform, closed_hours.broker, closed_hours.login,
        max(logins.account_id) as account_id,
        count(*) as expected,
        count(raw_metrics_hourly.hour) as found,
        'hours ' || string_agg(closed_hours.hour::varchar, ', ' order by closed_hours.hour)
            filter (where raw_metrics_hourly.hour is null) as detail
    from closed_hours
    join logins
        using (date, platform, broker, login)
    left join (select distinct date, platform, broker, login, hour from raw_metrics_hourly) as raw_metrics_hourly
        using (date, platform, broker, login, hour)
    semi join both_sides
        on both_sides.date = closed_hours.date
        and left_table = 'raw/metrics_hourly'
        and right_table = 'raw/trades_closed'
    where logins.account_id is not null
    group by all
    having count(raw_metrics_hourly.hour) < count(*)
),
daily_against_hourly as (
    select
        date, platform, broker, login,
        coalesce(daily.account_id, hourly.account_id) as account_id,
        case when daily.date is null then 0 else daily.trades end as expected_trades,
        coalesce(hourly.trades, 0) as found_trades,
        daily.cents as expected_cents,
        case when hourly.date is null then 0 else hourly.cents end as found_cents,
        coalesce(hourly.hours, 0) as hours,
        floor(log2(nullif(daily.trades, 0))) as size_band
    from daily
    full join hourly
        using (date, platform, broker, login)
    semi join both_sides
        on both_sides.date = date
        and left_table = 'raw/metrics_daily'
        and right_table = 'raw/metrics_hourly'
    -- what the hours miss is told by the hour
    anti join missing_hours
        using (date, platform, broker, login)
    where date between $first_day and $last_day
),
-- for account-days with about as many trades (1, 2 to 3, 4 to 7, …): the fewest hours seen on a day
fewest_of_days as (
    select
        past.date,
        floor(log2(past.trades)) as size_band,
        min(coalesce(hourly.hours, 0)) as hours,
        count(*) as account_days
    from daily as past
    left join hourly
        using (date, platform, broker, login)
    where past.trades > 0
        and past.date in (select date from hourly)
    group by all
),
fewest as (
    select
        held.date,
        fewest_of_days.size_band,
        min(fewest_of_days.hours) as hours
    from held
    join fewest_of_days
        on fewest_of_days.date between held.date - $reference_days and held.date - 1
    where held.table_name = 'raw/metrics_hourly'
    group by all
    having sum(fewest_of_days.account_days) >= $fewest_references
),
few_hours as (
    select
        date, platform, broker, login, account_id,
        -- an account that traded has at least one
        greatest(coalesce(fewest.hours, 1), 1) as expected,
        daily_against_hourly.hours as found,
        format('{} trades', daily_against_hourly.expected_trades) as detail
    from daily_against_hourly
    left join fewest
        using (date, size_band)
    where daily_against_hourly.expected_trades > 0
        and daily_against_hourly.hours < greatest(coalesce(fewest.hours, 1), 1)
        -- where all closed trades lie in hours that are there, a busy hour is no gap
        and not exists (
            select 1
            from daily_against_closed as closed
            where closed.date = daily_against_hourly.date
                and closed.platform = daily_against_hourly.platform
                and closed.broker = daily_against_hourly.broker
                and closed.login = daily_against_hourly.login
                and closed.found_trades >= closed.expected_trades
        )
),
-- since when the days up to each one have no gap
without_gap as (
    select date, min(date) over (partition by island) as since
    from (select date, date - (row_number() over (order by date))::int as island from complete_days)
),
-- lifetimes that lie in the lake whole, as the live snapshot of the day told them before the next day's trades
lifetimes as (
    select raw_accounts.date, platform, broker, login, account_id, num_trades as trades, since
    from raw_accounts
    join without_gap
        using (date)
    where is_live
        and num_trades is not null
        and first_trade_date::date >= since
        and coalesce(last_trade_close < raw_accounts.date + interval 1 day, true)
),
alltime_against_daily as (
    select
        lifetimes.date, lifetimes.platform, lifetimes.broker, lifetimes.login, lifetimes.account_id,
        any_value(lifetimes.trades) as expected_trades,
        coalesce(sum(past.num_trades), 0) as found_trades,
        format('daily rows since {}', any_value(since)) as detail
    from lifetimes
    left join raw_metrics_daily as past
        on past.platform = lifetimes.platform
        and past.broker = lifetimes.broker
        and past.login = lifetimes.login
        and past.account_id = lifetimes.account_id
        and past.date <= lifetimes.date
    group by all
),
trade_counts as (
    select * exclude (expected_cents, found_cents), 'raw/trades_closed' as table_name, 'raw/metrics_daily' as compared_with
    from daily_against_closed
    union all by name
    select * exclude (expected_cents, found_cents, hours, size_band), 'raw/metrics_hourly' as table_name,
        'raw/metrics_daily' as compared_with
    from daily_against_hourly
    -- too few hours tell it already
    anti join few_hours
        using (date, platform, broker, login)
    union all by name
    select *, 'raw/metrics_daily' as table_name, 'raw/accounts' as compared_with
    from alltime_against_daily
),
trade_count_mismatches as (
    select
        * exclude (expected_trades, found_trades),
        'trade_count_mismatch' as finding,
        case
            when abs(found_trades - expected_trades)
                > greatest($small_trades, $small_share * greatest(expected_trades, found_trades)) then 'error'
            else 'warn'
        end as severity,
        'trades' as measure,
        expected_trades as expected,
        found_trades as found
    from trade_counts
    where expected_trades <> found_trades
),
-- where the trades agree: else their profits cannot
profits as (
    select *, 'raw/trades_closed' as table_name
    from daily_against_closed
    union all by name
    select * exclude (hours, size_band), 'raw/metrics_hourly' as table_name
    from daily_against_hourly
),
net_profit_mismatches as (
    select
        * exclude (expected_trades, found_trades, expected_cents, found_cents),
        'net_profit_mismatch' as finding,
        -- the service corrects the newest days, one table before the other
        case when date <= $final_until then 'error' else 'warn' end as severity,
        'raw/metrics_daily' as compared_with,
        'net_profit' as measure,
        expected_cents::double / 100 as expected,
        found_cents::double / 100 as found
    from profits
    where expected_trades = found_trades
        and abs(found_cents - expected_cents) > $cents
),
findings as (
    select * from missing_days
    union all by name
    select * from row_counts
    union all by name
    select * from unresolved
    union all by name
    select * from trade_count_mismatches
    union all by name
    select * from net_profit_mismatches
    union all by name
    select
        *, 'raw/metrics_hourly' as table_name, 'missing_hours' as finding, 'warn' as severity,
        'raw/trades_closed' as compared_with, 'hours' as measure
    from missing_hours
    union all by name
    select
        *, 'raw/metrics_hourly' as table_name, 'suspiciously_few_hours' as finding, 'warn' as severity,
        'history' as compared_with, 'hours' as measure
    from few_hours
),
of_tables as (
    select date, table_name, count(*) as findings, bool_or(severity = 'error') as has_error
    from findings
    group by all
),
trades_of_tests as (
    select date, 'raw/trades_closed' as table_name, sum(trades) as trades
    from logins
    where account_id is null
        and is_test
    group by all
),
summaries as (
    select
        held.date, held.table_name, 'summary' as finding,
        case when has_error then 'error' when findings > 0 then 'warn' else 'ok' end as severity,
        'service' as compared_with, 'rows' as measure, service_rows as expected, our_rows as found,
        went as detail,
        coalesce(findings, 0) as findings,
        test_rows + coalesce(trades_of_tests.trades, 0) as test_rows
    from held
    left join of_tables
        using (date, table_name)
    left join trades_of_tests
        using (date, table_name)
),
told as (
    select * from findings
    union all by name
    select * from summaries
)
select
    date, table_name, finding, severity, compared_with, measure,
    expected::double as expected,
    found::double as found,
    round(found::double - expected::double, 2) as difference,
    platform, broker, login, account_id, detail, findings::bigint as findings, test_rows::bigint as test_rows
from told
where date between $first_day and $last_day
