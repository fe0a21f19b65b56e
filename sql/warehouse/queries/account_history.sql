-- What was predicted for an account, why, and what came of it, newest day first. No outcome: the day is not settled.
-- $1: the account's id, or its login.
select
    predictions.prediction_date,
    predictions.account_id,
    predictions.predicted_net_profit,
    predictions.expected_net_profit,
    predictions.lower_90,
    predictions.upper_90,
    predictions.probability_trade,
    predictions.probability_profit,
    predictions.top_features,
    outcomes.outcome_status,
    outcomes.net_profit,
    outcomes.is_covered,
    predictions.model_version,
    predictions.calibration_version
from prop_trading_model.predictions_account_daily as predictions
left join prop_trading_model.monitoring_outcomes as outcomes
    on outcomes.prediction_date = predictions.prediction_date
    and outcomes.account_id = predictions.account_id
where
    predictions.account_id = $1
    or predictions.login = $1
order by
    predictions.prediction_date desc,
    predictions.account_id
