-- What was served on a day, and by whom: one row when all went as it should, and one more for each shadow deployment with
-- traffic. Rows without `served_by` are of before there was traffic.
-- $1: the predicted day.
select
    served_by,
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
    served_by,
    model_version,
    calibration_version,
    snapshot_hash,
    code_version
order by
    accounts desc,
    served_by,
    model_version,
    calibration_version
