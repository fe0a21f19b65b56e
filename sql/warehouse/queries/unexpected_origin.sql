-- Served predictions that do not come from what they should: the champion in force on the day, or the shadow deployment
-- that has its traffic; the frozen snapshot of the account; the stored calibration. None is expected. After a retraining of past cut-offs, or a forced rewrite of a
-- snapshot, days served before stand here: they stay as they were served.
with changes as (
    select
        in_force_from,
        version,
        model_hash,
        0 as act
    from prop_trading_model.models_champion
    where decision = 'promoted'
    union all
    select
        in_force_from,
        version,
        model_hash,
        number as act
    from prop_trading_model.models_transitions
    where alias = 'champion'
),
served_days as (
    select distinct prediction_date
    from prop_trading_model.predictions_account_daily
),
in_force as (
    -- the latest day counts, on a tie acts before the gate, of two acts the later one
    select
        served_days.prediction_date,
        changes.version,
        changes.model_hash,
        row_number() over (
            partition by served_days.prediction_date
            order by
                changes.in_force_from desc,
                changes.act desc,
                changes.version desc
        ) as place
    from served_days
    join changes
        on changes.in_force_from <= served_days.prediction_date
),
calibrations as (
    select distinct
        prediction_date,
        calibration_version
    from prop_trading_model.monitoring_interval_calibration
),
compared as (
    select
        predictions.prediction_date,
        predictions.account_id,
        predictions.model_version,
        coalesce(traffic.model_version, in_force.version) as expected_model_version,
        predictions.snapshot_hash,
        coalesce(coalesce(traffic.model_hash, in_force.model_hash) <> predictions.model_hash, true) as is_other_model,
        coalesce(snapshots.features_hash <> predictions.features_hash, true) as is_other_snapshot,
        coalesce(
            traffic.calibration_version <> predictions.calibration_version,
            calibrations.calibration_version is null
        ) as is_other_calibration
    from prop_trading_model.predictions_account_daily as predictions
    left join in_force
        on in_force.prediction_date = predictions.prediction_date
        and in_force.place = 1
    left join prop_trading_model.predictions_feature_snapshots as snapshots
        on snapshots.prediction_date = predictions.prediction_date
        and snapshots.account_id = predictions.account_id
    left join prop_trading_model.predictions_traffic as traffic
        on traffic.prediction_date = predictions.prediction_date
        and traffic.deployment = predictions.served_by
    left join calibrations
        on calibrations.prediction_date = predictions.prediction_date
        and calibrations.calibration_version = predictions.calibration_version
)
select *
from compared
where
    is_other_model
    or is_other_snapshot
    or is_other_calibration
order by
    prediction_date,
    account_id
