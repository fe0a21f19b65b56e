with answered as (
    select
        *,
        started_at + to_milliseconds((latency_s * 1000)::bigint) as ended_at
    from requests
),
-- a feed that nobody called is a row of nulls, which no count counts
calls_of_feeds as (
    select *
    from feeds
    full join answered
        using (endpoint)
),
breaker as (
    select max_by(breaker_state, ended_at) as breaker_state
    from answered
),
counted as (
    select
        endpoint,
        table_name,
        coalesce(is_live, false) as is_live,
        count(outcome) as calls,
        count(*) filter (where outcome = 'ok') as ok,
        count(*) filter (where outcome not in ('ok', 'http_429')) as failures,
        count(*) filter (where outcome = 'timeout') as timeout,
        count(*) filter (where outcome = 'connection') as connection,
        count(*) filter (where outcome = 'reset') as reset,
        count(*) filter (where outcome = 'http_429') as http_429,
        count(*) filter (where outcome = 'http_5xx') as http_5xx,
        count(*) filter (where outcome = 'broken_json') as broken_json,
        count(*) filter (where outcome = 'error_envelope') as error_envelope,
        count(*) filter (where outcome = 'refused_4xx') as refused_4xx,
        quantile_cont(latency_s, 0.50) as latency_p50_s,
        quantile_cont(latency_s, 0.95) as latency_p95_s,
        quantile_cont(latency_s, 0.99) as latency_p99_s,
        coalesce(sum(bytes), 0) as bytes,
        coalesce(sum(rows), 0) as rows,
        count(*) filter (where attempt > 1) as retries,
        coalesce(sum(limited_s), 0) as limited_s,
        coalesce(sum(held_s), 0) as held_s,
        count(*) filter (where opened_breaker) as breaker_openings,
        max(ended_at) filter (where outcome = 'ok') as last_success_at,
        newest_at,
        due_at
    from calls_of_feeds
    group by endpoint, table_name, is_live, newest_at, due_at
)
select
    $first_day as date,
    counted.*,
    failures / nullif(calls, 0) as failure_rate,
    breaker.breaker_state,
    case
        when last_success_at is not null
            and newest_at is not null
            then greatest(epoch_ms(due_at) - epoch_ms(newest_at), 0) / 1000
    end as staleness_s
from counted
cross join breaker
order by endpoint
