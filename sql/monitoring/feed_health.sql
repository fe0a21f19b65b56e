with answered as (
    select
        *,
        started_at + to_milliseconds((latency_s * 1000)::bigint) as ended_at
    from requests
),
calls as (
    select
        endpoint,
        count(*) as calls,
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
        sum(bytes) as bytes,
        sum(rows) as rows,
        count(*) filter (where attempt > 1) as retries,
        sum(limited_s) as limited_s,
        sum(held_s) as held_s,
        count(*) filter (where opened_breaker) as breaker_openings,
        max(ended_at) filter (where outcome = 'ok') as last_success_at
    from answered
    group by endpoint
),
breaker as (
    select max_by(breaker_state, ended_at) as breaker_state
    from answered
)
select
    $first_day as date,
    endpoint,
    feeds.table_name,
    coalesce(feeds.is_live, false) as is_live,
    coalesce(calls.calls, 0) as calls,
    coalesce(calls.ok, 0) as ok,
    coalesce(calls.failures, 0) as failures,
    coalesce(calls.timeout, 0) as timeout,
    coalesce(calls.connection, 0) as connection,
    coalesce(calls.reset, 0) as reset,
    coalesce(calls.http_429, 0) as http_429,
    coalesce(calls.http_5xx, 0) as http_5xx,
    coalesce(calls.broken_json, 0) as broken_json,
    coalesce(calls.error_envelope, 0) as error_envelope,
    coalesce(calls.refused_4xx, 0) as refused_4xx,
    calls.failures / calls.calls as failure_rate,
    calls.latency_p50_s,
    calls.latency_p95_s,
    calls.latency_p99_s,
    coalesce(calls.bytes, 0) as bytes,
    coalesce(calls.rows, 0) as rows,
    coalesce(calls.retries, 0) as retries,
    coalesce(calls.limited_s, 0) as limited_s,
    coalesce(calls.held_s, 0) as held_s,
    coalesce(calls.breaker_openings, 0) as breaker_openings,
    breaker.breaker_state,
    calls.last_success_at,
    feeds.newest_at,
    feeds.due_at,
    case
        when calls.last_success_at is not null
            and feeds.newest_at is not null
            then greatest(epoch_ms(feeds.due_at) - epoch_ms(feeds.newest_at), 0) / 1000
    end as staleness_s
from feeds
full join calls
    using (endpoint)
cross join breaker
