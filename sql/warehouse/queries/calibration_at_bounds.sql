-- Days on which the level of a tail has been pushed to its bounds: calibration can no longer answer there, so the
-- model's quantiles or the data want a look. The bounds are those of daily_profit_model/modeling/intervals.py.
select
    prediction_date,
    tail,
    level,
    case when level <= 0.001 then 'least: intervals as wide as can be' else 'greatest: as narrow as can be' end as bound,
    sum(accounts) as accounts,
    max(model_version) as model_version,
    max(calibration_version) as calibration_version
from prop_trading_model.monitoring_interval_calibration
where
    plan_type = '*'
    and (level <= 0.001 or level >= 0.4)
group by
    prediction_date,
    tail,
    level
order by
    prediction_date,
    tail
