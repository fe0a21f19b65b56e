"""The jobs that schedules and sensors start: selections of the graph by layer."""

import dagster as dg

from daily_profit_model.defs.all_tables import ALL_TABLES, ASKED_FOR, NEEDS
from daily_profit_model.defs.calendars import CUT_OFFS, DAILY, JUDGED_DAYS, MEASURED_DAYS, SERVED_DAYS, calendar_of
from daily_profit_model.defs.monitoring.storage import COLLECT_TAG
from daily_profit_model.modeling.shadow_contracts import SHADOW_TABLES
from daily_profit_model.risk_api.raw_tables import QUESTIONS

_OF_DATA = dg.AssetSelection.assets(
    *(
        table.name
        for table in ALL_TABLES
        if table.name.startswith("monitoring/") and calendar_of(table) is not JUDGED_DAYS
    )
)
"""What tells of the data and of the lake, and what predictions are made with; the rest of the monitoring layer tells
of predictions that are over."""

_SHADOWS = dg.AssetSelection.assets(*(table.name for table in SHADOW_TABLES))
"""Apart from what serves, which no shadow may hold up; made on days with a deployment alone."""

_AFTER_PREDICTIONS = {"dagster/priority": "-1"}
"""Nothing waits for these runs, and today's predictions do not wait for them."""

daily_bars = dg.define_asset_job(
    "daily_bars",
    selection=dg.AssetSelection.assets("raw/market_bars"),
    partitions_def=DAILY,
    description="The market's bars of a day. Apart from daily_data, which neither their lack nor their outage stops.",
)

daily_data = dg.define_asset_job(
    "daily_data",
    selection=dg.AssetSelection.groups("raw", "staging", "features") - dg.AssetSelection.assets(*NEEDS),
    partitions_def=DAILY,
    description="Everything that is known of a day: raw, staging, features.",
)

daily_corrections = dg.define_asset_job(
    "daily_corrections",
    selection=dg.AssetSelection.assets(*QUESTIONS, "raw/quarantine"),
    partitions_def=DAILY,
    tags=_AFTER_PREDICTIONS,
    description="Days that the service still corrects, read again: a revision is stored where the content differs.",
)

late_accounts = dg.define_asset_job(
    "late_accounts",
    selection=dg.AssetSelection.assets("staging/trades", "features/trade_daily"),
    partitions_def=DAILY,
    tags=_AFTER_PREDICTIONS,
    description="Days with unresolved trades whose account has appeared since.",
)

daily_outcomes = dg.define_asset_job(
    "daily_outcomes",
    selection=dg.AssetSelection.groups("monitoring") - _OF_DATA - _SHADOWS,
    partitions_def=JUDGED_DAYS,
    description="What came of a day's predictions, and what calibration learns from it.",
)

daily_segments = dg.define_asset_job(
    "daily_segments",
    selection=dg.AssetSelection.assets("monitoring/segment_performance"),
    partitions_def=JUDGED_DAYS,
    tags=_AFTER_PREDICTIONS,
    description="How predictions did by segment, once more where outcomes of the days before were corrected.",
)

daily_reconciliation = dg.define_asset_job(
    "daily_reconciliation",
    selection=dg.AssetSelection.assets("monitoring/reconciliation"),
    partitions_def=DAILY,
    tags=_AFTER_PREDICTIONS,
    description="A day's raw tables against the service's counts and against one another.",
)

daily_feeds = dg.define_asset_job(
    "daily_feeds",
    selection=dg.AssetSelection.assets("monitoring/feed_health"),
    partitions_def=DAILY,
    tags=_AFTER_PREDICTIONS,
    description="How the calls of a day went, whether its data could be had or not.",
)

daily_quality = dg.define_asset_job(
    "daily_quality",
    selection=dg.AssetSelection.assets("monitoring/profiles", "monitoring/quality"),
    partitions_def=DAILY,
    tags=_AFTER_PREDICTIONS,
    description="How much of what must hold of a day does, and what each table looked like.",
)

nightly_collection = dg.define_asset_job(
    "nightly_collection",
    selection=dg.AssetSelection.assets("monitoring/storage"),
    partitions_def=MEASURED_DAYS,
    tags={**_AFTER_PREDICTIONS, COLLECT_TAG: "true"},
    description="Removes what nobody needs any more from lake, spools and cache, then measures the lake.",
)

daily_predictions = dg.define_asset_job(
    "daily_predictions",
    selection=(dg.AssetSelection.groups("predictions") | dg.AssetSelection.assets("monitoring/interval_calibration"))
    - _SHADOWS,
    partitions_def=SERVED_DAYS,
    description="The predictions of a day, from the features of the day before.",
)

daily_drift = dg.define_asset_job(
    "daily_drift",
    selection=dg.AssetSelection.assets("monitoring/drift", "monitoring/degradation"),
    partitions_def=SERVED_DAYS,
    tags=_AFTER_PREDICTIONS,
    description="Whether a predicted day's features and predictions have drifted, and whether the champion does worse.",
)

daily_shadows = dg.define_asset_job(
    "daily_shadows",
    selection=_SHADOWS & dg.AssetSelection.groups("predictions"),
    partitions_def=SERVED_DAYS,
    tags=_AFTER_PREDICTIONS,
    description="What the active shadow deployments predict of a day, from the rows that the champion scored.",
)

daily_shadow_evaluation = dg.define_asset_job(
    "daily_shadow_evaluation",
    selection=_SHADOWS & dg.AssetSelection.groups("monitoring"),
    partitions_def=JUDGED_DAYS,
    tags=_AFTER_PREDICTIONS,
    description="How the shadow deployments did on a day beside the champion, and what is decided by it.",
)

weekly_training = dg.define_asset_job(
    "weekly_training",
    selection=dg.AssetSelection.groups("training", "models")
    - dg.AssetSelection.assets(*(table.name for table in ASKED_FOR)),
    partitions_def=CUT_OFFS,
    description="Training set, model version and promotion decision of a weekly cut-off.",
)

JOBS = (
    daily_bars,
    daily_data,
    daily_corrections,
    late_accounts,
    daily_outcomes,
    daily_segments,
    daily_reconciliation,
    daily_feeds,
    daily_quality,
    nightly_collection,
    daily_predictions,
    daily_drift,
    daily_shadows,
    daily_shadow_evaluation,
    weekly_training,
)
