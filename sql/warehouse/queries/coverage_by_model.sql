-- How often outcomes lay in the 90 % interval, by model version: promised are 0.90, and 0.05 beyond each end.
-- Accounts of one day share its market, so a day is one observation: `worst_day` tells more than many rows do.
with by_day as (
    select
        model_version,
        prediction_date,
        count(*) as outcomes,
        avg(case when is_covered then 1.0 else 0.0 end) as coverage,
        avg(case when is_below then 1.0 else 0.0 end) as missed_below,
        avg(case when is_above then 1.0 else 0.0 end) as missed_above
    from prop_trading_model.monitoring_outcomes
    where is_covered is not null
    group by
        model_version,
        prediction_date
)
select
    model_version,
    min(prediction_date) as first_day,
    max(prediction_date) as last_day,
    count(*) as days,
    sum(outcomes) as outcomes,
    avg(coverage) as coverage,
    avg(missed_below) as missed_below,
    avg(missed_above) as missed_above,
    min(coverage) as worst_day
from by_day
group by model_version
order by
    first_day,
    model_version
