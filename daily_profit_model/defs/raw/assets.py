"""The raw layer: what the outside said of each day, complete or not at all, every fetch kept as a revision."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import Any, TypeVar

import dagster as dg
import pyarrow as pa

from daily_profit_model.defs.raw.quarantined import shown
from daily_profit_model.defs.resources.lake_io import Fetched, Fetches, Made, ReadAgain
from daily_profit_model.defs.resources.services import RiskApiService
from daily_profit_model.defs.table_asset import on, table_asset
from daily_profit_model.engine import Source
from daily_profit_model.lake import Lake, LakeError, read
from daily_profit_model.lake.lake import cut_off
from daily_profit_model.risk_api.asking import fetch_accounts, fetch_days
from daily_profit_model.risk_api.bars import fetch_bars, market_api
from daily_profit_model.risk_api.decoded import Decoded
from daily_profit_model.risk_api.plans import Revisions, in_force, read_revisions
from daily_profit_model.risk_api.raw_tables import logins_of_tests, stamp
from daily_profit_model.risk_api.regimes import read_regime
from daily_profit_model.risk_api.retry import Retry, retry, store_retry
from daily_profit_model.risk_api.spool import Spools
from daily_profit_model.settings import Settings
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_MARKET_BARS,
    RAW_MARKET_REGIMES,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_PLANS,
    RAW_QUARANTINE,
    RAW_TEST_LOGINS,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
    rejects_of,
)

KEEP_COMPLETE_TAG = "dpm/keep_complete"
"""Run tag: partitions that are complete in the lake are not fetched again. `dpm run` sets it."""

RETRY_TAG = "dpm/retry_quarantine"
"""Run tag: nothing is fetched, rejected rows are read again. `dpm quarantine retry` sets it."""

CODE_VERSION = "1"
LIVE_GRACE = timedelta(hours=1)
FETCHED = (
    RAW_PLANS,
    RAW_ACCOUNTS,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
    RAW_MARKET_REGIMES,
    RAW_MARKET_BARS,
)


@table_asset(
    RAW_PLANS, code_version=CODE_VERSION, kinds=("csv", "parquet"), required_resource_keys={"lake", "settings"}
)
def plans(context: dg.AssetExecutionContext) -> Fetches:
    @once
    def revisions() -> Revisions:
        return read_revisions(settings_of(context).dpm_plans_dir)

    return fetches(context, RAW_PLANS, each(lambda day: in_force(revisions(), cut_off(day), day=day)))


@table_asset(
    RAW_ACCOUNTS,
    code_version=CODE_VERSION,
    kinds=("rest", "parquet"),
    required_resource_keys={"lake", "settings", "risk_api"},
)
def accounts(context: dg.AssetExecutionContext) -> Fetches:
    @once
    def now() -> Decoded:  # one answer serves every day: the service only says how things are now
        return fetch_accounts(api_of(context).client, newest_complete_day(), spools_of(context))

    return fetches(context, RAW_ACCOUNTS, each(lambda day: stamp(now(), day, is_live=is_live(day, datetime.now(UTC)))))


def _dated_asset(table: Table) -> dg.AssetsDefinition:
    """A raw table that the service answers by day."""

    @table_asset(
        table,
        code_version=CODE_VERSION,
        kinds=("rest", "parquet"),
        required_resource_keys={"lake", "settings", "risk_api"},
    )
    def dated(context: dg.AssetExecutionContext) -> Fetches:
        def read(days: Sequence[date]) -> Iterator[tuple[date, Decoded | None]]:
            return fetch_days(api_of(context).client, table.name, days, spools_of(context), stored_since)

        def stored_since(day: date, instant: datetime) -> bool:
            file = lake_of(context).describe(table.name, day.isoformat(), "newest")
            keep = context.run.tags.get(KEEP_COMPLETE_TAG) == "true"
            return file is not None and (keep or (file.revision or instant) > instant)

        return fetches(context, table, read)

    return dated


metrics_daily = _dated_asset(RAW_METRICS_DAILY)
metrics_hourly = _dated_asset(RAW_METRICS_HOURLY)
trades_closed = _dated_asset(RAW_TRADES_CLOSED)
trades_open = _dated_asset(RAW_TRADES_OPEN)


@table_asset(
    RAW_MARKET_REGIMES,
    code_version=CODE_VERSION,
    kinds=("json", "parquet"),
    required_resource_keys={"lake", "settings"},
)
def market_regimes(context: dg.AssetExecutionContext) -> Fetches:
    source = settings_of(context).regimes_source
    return fetches(context, RAW_MARKET_REGIMES, each(lambda day: read_regime(source, day)))


@table_asset(
    RAW_MARKET_BARS,
    code_version=CODE_VERSION,
    kinds=("rest", "parquet"),
    required_resource_keys={"lake", "settings"},
)
def market_bars(context: dg.AssetExecutionContext) -> Fetches:
    address = settings_of(context).market_api_base_url

    def read(days: Sequence[date]) -> Iterator[tuple[date, Decoded]]:
        with market_api(address) as api:
            yield from fetch_bars(api, days)

    return fetches(context, RAW_MARKET_BARS, read)


@table_asset(RAW_QUARANTINE, code_version="2", deps=[on(table) for table in FETCHED], required_resource_keys={"lake"})
def quarantine(context: dg.AssetExecutionContext) -> Made:
    """Everything that any raw table of the day rejected, with its reason and as it was received."""
    lake = lake_of(context)
    sources = [Source(rejects_of(table), as_known="newest", optional=True) for table in FETCHED]

    metadata: dict[str, Mapping[str, Any]] = {}

    def days() -> Iterator[tuple[str, pa.Table]]:
        for day in context.partition_keys:
            rows = pa.concat_tables([read(lake, source.table, [day], as_known="newest") for source in sources])
            metadata[day] = shown(rows, FETCHED)
            yield day, rows

    return Made(days(), sources, metadata=metadata)


T = TypeVar("T")
Reader = Callable[[Sequence[date]], Iterator[tuple[date, Decoded | None]]]
"""Reads days, each whole; None: another process has just stored the day."""


def once(make: Callable[[], T]) -> Callable[[], T]:
    """What `make` gives, made at the first call, whichever thread it comes from."""
    lock = Lock()
    made: list[T] = []

    def get() -> T:
        with lock:
            if not made:
                made.append(make())
            return made[0]

    return get


def each(of_day: Callable[[date], Decoded]) -> Reader:
    """A reader that reads day by day."""
    return lambda days: ((day, of_day(day)) for day in days)


def fetches(context: dg.AssetExecutionContext, table: Table, reader: Reader) -> Fetches:
    """The run's days of a raw table, stored as they arrive; complete ones are left alone when the run says so."""
    lake = lake_of(context)
    if context.run.tags.get(RETRY_TAG) == "true":
        return Fetches((key, reread_of(lake, table, key)) for key in context.partition_keys)
    refuse_unfinished(table, context.partition_keys)
    keep = context.run.tags.get(KEEP_COMPLETE_TAG) == "true"
    kept = [key for key in context.partition_keys if keep and lake.file(table.name, key, "newest") is not None]
    wanted = [date.fromisoformat(key) for key in context.partition_keys if key not in set(kept)]

    def days() -> Iterator[tuple[str, Fetched | ReadAgain | None]]:
        yield from ((key, None) for key in kept)
        for day, decoded in reader(wanted):
            yield day.isoformat(), None if decoded is None else fetched(table, day, decoded)

    return Fetches(days())


def fetched(table: Table, day: date, decoded: Decoded) -> Fetched:
    """A day's rows and rejects with the counts that must add up."""
    facts: dict[str, object] = {
        "received": decoded.received,
        "stored": decoded.rows.num_rows,
        "quarantined": decoded.quarantined.num_rows,
        "test_accounts": decoded.test_accounts,
        "repeated": decoded.repeated,
        "late": decoded.late,
        "unknown_fields": decoded.unknown_fields,
        "unreadable": decoded.unreadable,
    }
    if table is RAW_MARKET_BARS:
        facts["missing"] = decoded.missing
    metadata = {"requests": decoded.requests} if decoded.requests else {}
    beside = [(rejects_of(table), decoded.quarantined)]
    if table is RAW_ACCOUNTS:
        beside.append((RAW_TEST_LOGINS, logins_of_tests(decoded, day)))
    return Fetched(decoded.rows, beside, facts=facts, metadata=metadata)


def retry_of(lake: Lake, table: Table, partition: str) -> Retry | None:
    """What the rejected rows of a partition are by now. Raises LakeError."""
    file = lake.describe(table.name, partition, "newest")
    fetched_at = None if file is None else file.revision
    was_live = fetched_at is not None and is_live(date.fromisoformat(partition), fetched_at)
    return retry(lake, table, partition, was_live=was_live)


def reread_of(lake: Lake, table: Table, partition: str) -> ReadAgain | None:
    """The partition with those rejected rows stored that are valid by now; None: no row leaves the quarantine."""
    found = retry_of(lake, table, partition)
    if found is None or not found.moves:
        return None
    return ReadAgain(
        store_retry(lake, found, code_version=CODE_VERSION), {f"retried_{k}": v for k, v in found.counts().items()}
    )


def is_live(day: date, now: datetime) -> bool:
    """Whether the all-time answer of this instant may stand for the end of `day`: from the day's end to its
    cut-off, and as long after as the morning's run may take. Later it tells of the day that is to be predicted."""
    return day == now.date() - timedelta(days=1) and now <= cut_off(day) + LIVE_GRACE


def newest_complete_day() -> date:
    """Yesterday (UTC): the newest day of which the service can know everything."""
    return datetime.now(UTC).date() - timedelta(days=1)


def refuse_unfinished(table: Table, days: list[str]) -> None:
    """Raise LakeError for a day that is not over yet: a partial day never becomes a partition."""
    newest = newest_complete_day().isoformat()
    if unfinished := [day for day in days if day > newest]:
        raise LakeError(
            f"{table.name} of {unfinished[0]} cannot be complete: the newest complete day is {newest} (UTC)"
        )


def settings_of(context: dg.AssetExecutionContext) -> Settings:
    settings: Settings = context.resources.settings
    return settings


def lake_of(context: dg.AssetExecutionContext) -> Lake:
    lake: Lake = context.resources.lake
    return lake


def spools_of(context: dg.AssetExecutionContext) -> Spools:
    return Spools(settings_of(context).spool_dir)


def api_of(context: dg.AssetExecutionContext) -> RiskApiService:
    service: RiskApiService = context.resources.risk_api
    return service
