-- What was served on a day, by model, calibration, snapshot and code: one row when all went as it should.
-- $1: the predicted day.
select
    model_version,
    calibration_version,
    snapshot_hash,
    code_version,
    count(*) as accounts,
    sum(expected_net_profit) as expected_total,
    avg(upper_90 - lower_90) as mean_width,
    avg(probability_trade) as mean_probability_trade
from prop_trading_model.predictions_account_daily
where prediction_date = cast($1 as date)
group by
    model_version,
    calibration_version,
    snapshot_hash,
    code_version
order by
    accounts desc,
    model_version,
    calibration_version
