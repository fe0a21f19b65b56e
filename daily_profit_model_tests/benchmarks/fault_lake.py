"""A firm's lake copied with hard links, with bars, and a partition rewritten with a fault in it."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from daily_profit_model.defs.all_tables import TABLES
from daily_profit_model.lake import Lake, read, write, write_revision
from daily_profit_model.lake.lake import REVISION_FORMAT
from daily_profit_model.lake.partition_file import store
from daily_profit_model.sandbox import symbols
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import RAW_MARKET_BARS
from daily_profit_model.tables.raw_bars import HOURLY
from daily_profit_model_tests.benchmarks.fault_kinds import Kind, Spoiled
from daily_profit_model_tests.quality.good_rows import good_rows

CODE_VERSION = "planted"

KEPT_COUNTS = ("quarantined", "test_accounts", "repeated", "late")
"""Where a fetch says that rows went which are not in its file."""

ABSENT_IN_SEEDS = ("monitoring/feed_health", "monitoring/storage")
"""Tables that tell of the day on which they are made: a firm filled in one go has none, so they get good rows."""


def copied(folder: Path, place: Path) -> Lake:
    """The lake of `folder` in `place`, file by file a hard link: what is rewritten there is a new file."""
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-al", str(folder), str(place)], check=True)
    return Lake(UPath(place))


def add_bars(lake: Lake, world: Path, days: list[str]) -> None:
    """raw/market_bars of the sandbox's world: what its server would have answered, whole days."""
    bars = pq.read_table(world / "bars.parquet").to_pandas()
    bars["bar_start"] = bars["time"].astype("datetime64[s]").dt.tz_localize("UTC")
    bars["date"] = bars["bar_start"].dt.date
    bars["symbol"] = np.asarray(symbols.NAMES)[bars["symbol"]]
    bars["interval"] = HOURLY
    wanted = bars[bars["date"].astype(str).isin(days)]
    for day, rows in wanted.groupby("date"):
        own = pa.Table.from_pandas(rows[RAW_MARKET_BARS.column_names], preserve_index=False)
        columns = [own[column.name].cast(column.type) for column in RAW_MARKET_BARS.columns]
        known = datetime(day.year, day.month, day.day, 6, tzinfo=UTC) + timedelta(days=1)
        whole = pa.table(columns, schema=RAW_MARKET_BARS.schema())
        facts = {"received": len(rows), "stored": len(rows)}
        write_revision(
            lake, RAW_MARKET_BARS, str(day), whole, ingested_at=known, code_version=CODE_VERSION, facts=facts
        )


def add_good_rows(lake: Lake, days: list[str]) -> None:
    """ABSENT_IN_SEEDS with the rows of a firm that is well."""
    for day in days:
        good = good_rows(date.fromisoformat(day))
        for name in ABSENT_IN_SEEDS:
            table = TABLES[name]
            rows = [{column: row.get(column) for column in table.column_names} for row in good[name]]
            write(lake, table, day, pa.Table.from_pylist(rows, schema=table.schema()), code_version=CODE_VERSION)


def plant(lake: Lake, table: Table, day: str, kind: Kind, seed: int) -> None:
    """Rewrite a day of `table` with the fault in it, its footer counting what is then there.

    Raises NothingToSpoil when the day has nothing that the fault could hit.
    """
    own = date.fromisoformat(day)
    before = (own - timedelta(days=1)).isoformat()
    file = lake.describe(table.name, day, "newest")
    facts = dict(file.facts) if file is not None else {}
    rows_before = _rows(lake, table, before)
    spoiled = Spoiled(own, _rows(lake, table, day), rows_before, random.Random(seed))
    spoiled.received = int(str(facts.get("received", 0)))
    kind(spoiled)
    rows = pa.Table.from_pylist(spoiled.rows, schema=table.schema())
    if "received" in facts:
        facts |= {"stored": rows.num_rows, **_known(spoiled.facts)}
        facts["received"] = facts["stored"] + sum(int(str(facts.get(name, 0))) for name in KEPT_COUNTS)
        facts |= spoiled.facts
    if table.revisions:
        later = datetime.now(UTC) if file is None or file.revision is None else file.revision + timedelta(hours=1)
        name = f"revision={later.strftime(REVISION_FORMAT)}.parquet"
        # stored even where only the footer differs
        store(lake.partition_folder(table.name, day) / name, table, day, rows, CODE_VERSION, {}, facts)
    elif file is not None:
        write(lake, table, day, rows, code_version=file.code_version, inputs=file.inputs, facts=facts)


def _rows(lake: Lake, table: Table, day: str) -> list[dict[str, Any]]:
    return list(read(lake, table, [day], as_known="newest").to_pylist())


def _known(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name in KEPT_COUNTS}
