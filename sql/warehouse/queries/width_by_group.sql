-- How wide the 90 % intervals are, by week and activity group: the mean over all account-days, and the widest day's.
-- The rows of both tails tell the same width, so one of them is taken; `*` is the activity group whole.
select
    cast(date_trunc('week', prediction_date) as date) as week,
    activity,
    count(*) as days,
    sum(accounts) as account_days,
    sum(mean_width * accounts) / nullif(sum(accounts), 0) as mean_width,
    max(mean_width) as widest_day
from prop_trading_model.monitoring_interval_calibration
where
    tail = 'lower'
    and plan_type = '*'
group by
    cast(date_trunc('week', prediction_date) as date),
    activity
order by
    week,
    activity
