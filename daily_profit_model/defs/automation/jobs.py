"""The jobs that schedules and sensors start: selections of the graph by layer."""

import dagster as dg

from daily_profit_model.defs.calendars import CUT_OFFS, DAILY, JUDGED_DAYS, SERVED_DAYS

daily_data = dg.define_asset_job(
    "daily_data",
    selection=dg.AssetSelection.groups("raw", "staging", "features"),
    partitions_def=DAILY,
    description="Everything that is known of a day: raw, staging, features.",
)

daily_outcomes = dg.define_asset_job(
    "daily_outcomes",
    selection=dg.AssetSelection.groups("monitoring"),
    partitions_def=JUDGED_DAYS,
    description="What came of a day's predictions, and what calibration learns from it.",
)

daily_predictions = dg.define_asset_job(
    "daily_predictions",
    selection=dg.AssetSelection.groups("predictions"),
    partitions_def=SERVED_DAYS,
    description="The predictions of a day, from the features of the day before.",
)

weekly_training = dg.define_asset_job(
    "weekly_training",
    selection=dg.AssetSelection.groups("training", "models"),
    partitions_def=CUT_OFFS,
    description="Training set, model version and promotion decision of a weekly cut-off.",
)

JOBS = (daily_data, daily_outcomes, daily_predictions, weekly_training)
