"""What `dpm run` has to do: for each step the partitions that are missing or no longer say what their inputs say.

A footer records the hash of everything it was made from, so this reads footers alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import dagster as dg

from daily_profit_model.defs.all_tables import NEEDS, TABLES
from daily_profit_model.defs.calendars import calendar_of
from daily_profit_model.defs.launch.repeated import not_made_since
from daily_profit_model.defs.models.registry import first_in_force, hash_lookup, known_changes
from daily_profit_model.defs.models.shadows import Active
from daily_profit_model.defs.table_asset import asset_key
from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.lake import Lake, LakeError, changes_since_written
from daily_profit_model.lake.served import is_over, reopened
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model.modeling.splits import SplitSettings
from daily_profit_model.partitions import correction_window, days_between, weekly_cut_offs
from daily_profit_model.risk_api.raw_tables import QUESTIONS
from daily_profit_model.settings import WrongUse, load_settings
from daily_profit_model.staging.trades import resolvable_days
from daily_profit_model.tables.monitoring import MONITORING_OUTCOMES
from daily_profit_model.tables.raw import RAW_METRICS_DAILY
from daily_profit_model.tables.staging import STAGING_TRADES

STAGES = ("raw", "staging", "features", "training", "models", "predictions", "monitoring", "shadows")


@dataclass(frozen=True)
class Step:
    """Assets that run together over one calendar, as part of a stage."""

    stage: str
    tables: tuple[str, ...]
    calendar: str
    """`days`: start … end; `next_days`: the days predicted from them; `served_days`: those of them that were
    predicted; `cut_offs`: the weekly ones among them; `corrected_days`: those that the service may still
    correct, when `end` is the newest complete day; `shadowed_days`, `shadow_judged_days`: those of the `next_days` and
    of the `served_days` on which a shadow deployment is active and whose inputs are there; `traffic_days`: those of the
    first on which one serves a share of the accounts."""
    is_chained: bool = False
    """True: a partition reads the one before it, so that a new one makes all later ones new."""
    is_repeated: bool = False
    """True: made again once a day, whatever is there."""
    may_fail: bool = False
    """True: what comes after it can do without, so that its failure is told at the end."""


STEPS = (
    *(Step("raw", (name,), "days") for name in NEEDS),  # first: checks of what follows look into them
    Step("raw", tuple(name for name in TABLES if name.startswith("raw/") and name not in NEEDS), "days"),
    Step("raw", (*QUESTIONS, "raw/quarantine"), "corrected_days", is_repeated=True),
    Step("staging", ("staging/accounts",), "days", is_chained=True),
    Step("staging", ("staging/trades",), "days"),
    Step("features", ("features/trade_daily",), "days"),
    Step("features", ("features/account_daily",), "days"),
    Step("training", ("training/account_daily",), "cut_offs"),
    Step("models", ("models/net_profit",), "cut_offs"),
    Step("models", ("models/champion",), "cut_offs", is_chained=True),
    Step("predictions", ("predictions/feature_snapshots", "predictions/model_scores"), "next_days"),
    Step("predictions", ("monitoring/conformity",), "served_days"),
    # only while a shadow serves: what it said of a day, which calibrates what it serves on the days after it
    Step("predictions", ("predictions/shadow_scores",), "traffic_days", may_fail=True),
    Step("predictions", ("predictions/traffic",), "next_days"),
    Step(
        "predictions",
        ("monitoring/interval_calibration", "predictions/account_daily", "predictions/portfolio_daily"),
        "next_days",
    ),
    Step("monitoring", ("monitoring/outcomes", "monitoring/model_performance"), "served_days"),
    # by itself: it reads what the one before made of earlier days
    Step("monitoring", ("monitoring/segment_performance",), "served_days"),
    # what a shadow said goes into the sums of drift, if it is promoted later
    Step("monitoring", ("predictions/shadow_scores",), "shadowed_days", may_fail=True),
    Step("monitoring", ("monitoring/drift", "monitoring/degradation"), "next_days", is_chained=True),
    Step("monitoring", ("monitoring/feed_health",), "days"),
    Step("monitoring", ("monitoring/reconciliation",), "days"),
    Step("monitoring", ("monitoring/reconciliation",), "corrected_days", is_repeated=True),
    Step("monitoring", ("monitoring/profiles", "monitoring/quality"), "days"),
    # last: nothing waits for a shadow, and a bundle that is broken stops nobody's predictions; a step each, since the
    # second and the fourth read what the one before made of earlier days
    Step("shadows", ("predictions/shadow_scores",), "shadowed_days"),
    Step("shadows", ("predictions/shadow",), "shadowed_days"),
    Step("shadows", ("monitoring/shadow_losses",), "shadow_judged_days"),
    Step("shadows", ("monitoring/shadow_evaluation",), "shadow_judged_days"),
)


_SERVED = frozenset(name for name, table in TABLES.items() if table.is_served)


@dataclass(frozen=True)
class Work:
    """The partitions of a step that have to be made, and why the first of them."""

    step: Step
    partitions: list[str]
    reason: str = ""
    counts: dict[str, int] = field(default_factory=dict)


def steps_of(stages: Sequence[str]) -> list[Step]:
    """The steps of the given stages in the order of the flow. Raises WrongUse for an unknown stage."""
    if unknown := [stage for stage in stages if stage not in STAGES]:
        raise WrongUse(f"unknown stage {unknown[0]!r}; the stages are {', '.join(STAGES)}")
    return [step for step in STEPS if step.stage in stages]


def unset_of(step: Step) -> str:
    """The variable without which a step is skipped, if it is not set; else nothing."""
    names = [NEEDS[table] for table in step.tables if table in NEEDS]
    return next((name.upper() for name in names if not getattr(load_settings(), name)), "")


def partitions_of(step: Step, lake: Lake, start: date, end: date, today: date) -> list[str]:
    """The partitions of a step's calendar that can exist for the data days `start` … `end`."""
    exist = set(calendar_of(TABLES[step.tables[0]]).get_partition_keys())
    return [partition for partition in _wanted(step, lake, start, end, today) if partition in exist]


def _wanted(step: Step, lake: Lake, start: date, end: date, today: date) -> list[str]:
    if step.calendar == "days":
        return days_between(start, end)
    if step.calendar == "corrected_days":
        is_newest = end == today - timedelta(days=1)
        window = correction_window(end, load_settings().dpm_correction_days) if is_newest else []
        return [day for day in window if day >= start.isoformat()]
    if step.calendar == "cut_offs":
        return [cutoff for cutoff in weekly_cut_offs(start, end) if has_history(lake, cutoff)]
    first = first_served_day(lake)
    if first is None:
        return []
    ahead = timedelta(days=1)
    last = end if step.calendar in ("served_days", "shadow_judged_days") else end + ahead
    days = days_between(max(start + ahead, first), last)
    return _shadowed(lake, days, step) if step.calendar in _INPUT_OF else days


_INPUT_OF = {
    "shadowed_days": FEATURE_SNAPSHOTS.name,
    "shadow_judged_days": MONITORING_OUTCOMES.name,
    "traffic_days": FEATURE_SNAPSHOTS.name,
}


def _shadowed(lake: Lake, days: Sequence[str], step: Step) -> list[str]:
    """Those of `days` that have a deployment as the step's calendar wants one, and the input of what is made on them."""
    try:
        active = Active(lake)
    except LakeError:
        if step.may_fail:  # nothing waits for it: where nobody can say who has traffic, the champion serves
            return []
        raise
    wanted = active.serving if step.calendar == "traffic_days" else active.on
    return [day for day in days if wanted(date.fromisoformat(day)) and lake.file(_INPUT_OF[step.calendar], day)]


def first_served_day(lake: Lake) -> date | None:
    """The first day on which any champion is in force."""
    return first_in_force(known_changes(lake))


def has_history(lake: Lake, cutoff: str) -> bool:
    """Enough days with outcomes up to the cut-off to train on?"""
    return days_with_targets(lake, cutoff) >= days_needed()


def days_needed() -> int:
    """Days with outcomes before the first training."""
    return max(SplitSettings().days_needed, load_settings().dpm_first_training_days)


def days_with_targets(lake: Lake, cutoff: str) -> int:
    """Days up to the cut-off that have outcomes and accounts with features the day before; empty days do not count."""
    complete = set(lake.partitions(RAW_METRICS_DAILY.name))
    count = 0
    for day in lake.partitions(FEATURES_ACCOUNT_DAILY.name):
        following = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
        if following <= cutoff and following in complete:
            file = lake.describe(FEATURES_ACCOUNT_DAILY.name, day)
            count += file is not None and file.rows > 0
    return count


def work_of(
    step: Step,
    lake: Lake,
    instance: dg.DagsterInstance,
    graph: dg.AssetGraph,
    wanted: Sequence[str],
    force: bool,
    today: date,
) -> Work:
    """Which of the `wanted` partitions a step has to make."""
    if step.is_repeated:
        midnight = datetime.combine(today, time(), UTC)
        partitions = not_made_since(instance, step.tables, wanted, midnight)
        return Work(step, partitions, f"not read again since {midnight:%Y-%m-%d %H:%M} UTC" if partitions else "")
    if force:
        return Work(step, list(wanted), "forced")
    hashes = hash_lookup(lake)
    reasons: dict[str, str] = {}
    for name in step.tables:
        key = asset_key(TABLES[name])
        recorded = set(instance.get_materialized_partitions(key))
        code_version = graph.get(key).code_version or "unversioned"
        for partition in wanted:
            reason = _reason(lake, hashes, name, partition, code_version, partition in recorded, today)
            if reason and partition not in reasons:
                reasons[partition] = f"{name} of {partition}: {reason}"
        if name == STAGING_TRADES.name:
            for partition in resolvable_days(lake, [day for day in wanted if day not in reasons]):
                reasons[partition] = f"{name} of {partition}: the account of an unresolved trade is known by now"
    partitions = [partition for partition in wanted if partition in reasons]
    if step.is_chained and partitions:
        partitions = [partition for partition in wanted if partition >= partitions[0]]
    return Work(step, partitions, reasons[partitions[0]] if partitions else "")


def _reason(
    lake: Lake, hashes: HashLookup, table: str, partition: str, code_version: str, is_recorded: bool, today: date
) -> str:
    try:
        file = lake.describe(table, partition, "newest")
    except LakeError as error:
        return str(error)
    if file is None:
        return "missing"
    if not is_recorded:
        return "in the lake, but not yet recorded"
    if TABLES[table].revisions:
        return ""  # what was fetched stays as it was until it is fetched again
    if TABLES[table].is_served and is_over(partition, today):
        changes = reopened(file, hashes, _SERVED)  # else what was served stays, whatever was corrected since
    else:
        changes = changes_since_written(file, hashes, code_version)
    return f"{changes[0].what} has changed" if changes else ""
