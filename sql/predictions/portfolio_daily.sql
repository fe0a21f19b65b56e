-- What all accounts, and those of each plan, will probably make together on each wanted day. Means are summed;
-- interval ends never are, for the accounts of a day share one market. How far such a sum goes astray is told by
-- the errors of whole past days, each in units of that day's summed interval widths, so that a quiet Sunday and a
-- loud Wednesday can be compared. The day is the unit: with n days of evidence the ends are the order statistics
-- floor((n + 1) * 5 %) and ceil((n + 1) * 95 %), whose promise holds for any n (split conformal prediction), and
-- there are none while n is too small for both.
with settlements as (
    {staging/settlements}
),
forecasts as (
    select
        prediction_date, model_version, served_by, plan_id, expected_net_profit,
        predicted.upper_90 - predicted.lower_90 as width,
        case when settlements.account_id is null then 0.0 else settlements.net_profit end as net_profit
    from predicted
    left join settlements
        on settlements.account_id = predicted.account_id
        and settlements.date = predicted.prediction_date
),
-- of all accounts: those of a plan may all be served by shadow deployments
champions as (
    select
        prediction_date,
        coalesce(
            max(model_version) filter (where coalesce(served_by, 'champion') = 'champion'), max(model_version)
        ) as model_version
    from forecasts
    group by prediction_date
),
today as (
    select
        prediction_date,
        grouping(plan_id) = 1 as is_firm,
        plan_id,
        count(*) as accounts,
        -- ordered: a sum's bits depend on the order of its rows
        sum(expected_net_profit order by expected_net_profit) as expected_net_profit,
        sum(width order by width) as width
    from forecasts
    semi join wanted_days
        on wanted_days.date = prediction_date
    group by grouping sets ((prediction_date), (prediction_date, plan_id))
),
past as (
    select
        prediction_date,
        grouping(plan_id) = 1 as is_firm,
        plan_id,
        sum(net_profit - expected_net_profit order by net_profit, expected_net_profit)
            / sum(width order by width) as relative_error
    from forecasts
    semi join complete_days
        on complete_days.date = prediction_date
    -- closed, or the service does not say
    where net_profit is not null
    group by grouping sets ((prediction_date), (prediction_date, plan_id))
    having sum(width) > 0
),
evidence as (
    select
        today.prediction_date, today.is_firm, today.plan_id,
        count(*) as days,
        list_sort(list(past.relative_error)) as errors
    from today
    join past
        on past.is_firm = today.is_firm
        and past.plan_id is not distinct from today.plan_id
        and past.prediction_date between today.prediction_date - $evidence_days and today.prediction_date - 1
    group by all
)
select
    today.prediction_date,
    case when today.is_firm then 'firm' else 'plan' end as level,
    case when not today.is_firm then coalesce(today.plan_id, 'unknown') else 'all' end as member,
    today.accounts,
    today.expected_net_profit,
    case when floor((days + 1) * 0.05) >= 1
        then today.expected_net_profit + width * errors[floor((days + 1) * 0.05)::bigint] end as lower_90,
    case when ceil((days + 1) * 0.95) <= days
        then today.expected_net_profit + width * errors[ceil((days + 1) * 0.95)::bigint] end as upper_90,
    coalesce(days, 0) as days_of_evidence,
    champions.model_version
from today
join champions
    on champions.prediction_date = today.prediction_date
left join evidence
    on evidence.prediction_date = today.prediction_date
    and evidence.is_firm = today.is_firm
    and evidence.plan_id is not distinct from today.plan_id
