"""What `dpm health` measures: lake, service, database, disk, memory, stored rule results, hashes.

What a value means is said by `health`. Nothing is contacted but RISK_API_BASE_URL, and DPM_DATABASE_URL when it is set.
"""

from __future__ import annotations

import contextlib
import resource
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from daily_profit_model.lake import Lake, LakeError, PartitionFile, content_hash, read
from daily_profit_model.lake.lake import damaged
from daily_profit_model.lake.storage import tables_in
from daily_profit_model.risk_api.client import RiskApi
from daily_profit_model.risk_api.errors import RiskApiError
from daily_profit_model.settings import Settings
from daily_profit_model.tables import Table

API_TIMEOUT_S = 10.0
"""For one row; a page of a thousand usually comes in a part of two seconds (DPM_FEED_LATENCY_WARN)."""
DATABASE_TIMEOUT_S = 5
RULE_RESULTS = "monitoring/rule_results/"
"""Where the tables lie that hold what rules said, one for each judged table."""


def storage(root: UPath) -> str | None:
    """Write a file below the lake's folder, read it, remove it; what went wrong, or None."""
    probe = root / f".health-{uuid.uuid4().hex}.tmp"
    try:
        if not root.exists():
            return f"there is no lake at {root}"
        try:
            probe.write_bytes(b"ok")
            if probe.read_bytes() != b"ok":
                return f"{root} gives back other bytes than were written"
        finally:
            with contextlib.suppress(FileNotFoundError):
                probe.unlink()
    except Exception as error:  # whatever an object store's client raises
        return f"{root} cannot be written: {' '.join(str(error).split()) or type(error).__name__}"
    return None


def service(settings: Settings) -> tuple[str | None, float]:
    """Ask the Risk Analytics API for one row, once: what went wrong (or None), and the seconds it took."""
    started = time.monotonic()
    try:
        with RiskApi(
            settings.risk_api_base_url,
            settings.required_key(),
            rate=settings.risk_api_rate,
            burst=settings.risk_api_burst,
            timeout=min(settings.risk_api_timeout, API_TIMEOUT_S),
            attempts=1,
        ) as api:
            api.get("v2/metrics/alltime", {"limit": 1, "include-total": 1}, attempts=1)
    except RiskApiError as error:
        return str(error), time.monotonic() - started
    return None, time.monotonic() - started


def database(url: str) -> str | None:
    """Connect to PostgreSQL and ask it for a one; what went wrong, or None. The password is never repeated."""
    import sqlalchemy

    try:
        engine = sqlalchemy.create_engine(
            sqlalchemy.make_url(url).set(drivername="postgresql+psycopg"),
            connect_args={"connect_timeout": DATABASE_TIMEOUT_S},
        )
    except ModuleNotFoundError:
        return "psycopg is not installed"
    except (sqlalchemy.exc.ArgumentError, ValueError):
        return "DPM_DATABASE_URL is no address of a database"
    try:
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("select 1"))
    except sqlalchemy.exc.SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or type(error).__name__
        return " ".join(str(cause).split())
    finally:
        engine.dispose()
    return None


def disk_free(folder: Path) -> int:
    """Bytes free on the disk of `folder`, or of the nearest folder above it that exists."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free


def memory_left(system: Path = Path("/")) -> int | None:
    """Bytes that this process can still get: the least of the machine's, the container's and its own limit.

    `system`: where `proc` and `sys` lie. None: nothing tells.
    """
    left = [*_of_machine(system), *_of_container(system), *_of_process(system)]
    return min(left) if left else None


def rule_results(lake: Lake) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Of each table the newest day that rules judged, and the (table, rule) of severity error that do not hold on it.

    Both are empty when no results are stored. Raises LakeError when a file of them is damaged.
    """
    newest: dict[str, str] = {}
    failed: list[tuple[str, str]] = []
    for kept in (name for name in tables_in(lake) if name.startswith(RULE_RESULTS)):
        day = lake.partitions(kept)[-1:]
        path = lake.file(kept, day[0]) if day else None
        if path is None:
            continue
        try:
            with path.open("rb") as stream:
                rows = pq.ParquetFile(stream).read(["table", "rule", "severity", "passed"]).to_pylist()
        except (OSError, ValueError) as error:
            raise damaged(path, kept, day[0], error) from error
        newest |= {row["table"]: day[0] for row in rows}
        failed += [(row["table"], row["rule"]) for row in rows if row["severity"] == "error" and not row["passed"]]
    return newest, failed


def damaged_partitions(lake: Lake, tables: Sequence[Table]) -> tuple[int, list[str]]:
    """How many newest partitions of `tables` there are, and which do not hold what their footer's hash says."""
    looked_at, problems = 0, []
    for table in tables:
        for partition in lake.partitions(table.name)[-1:]:
            looked_at += 1
            try:
                file = lake.describe(table.name, partition, "newest")
                if file is not None and file.content_hash != content_hash(_rows_of(lake, table, file)):
                    problems.append(f"{table.name} of {partition}")
            except LakeError as error:
                problems.append(str(error))
    return looked_at, problems


def damaged_bundles(models: Path) -> tuple[int, list[str]]:
    """How many bundles there are, and what is wrong with those that are not whole, every file's sha256 checked."""
    from daily_profit_model.modeling.bundle import BundleError, load

    folders = sorted(entry for entry in models.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    problems = []
    for folder in folders:
        try:
            load(folder)
        except BundleError as error:
            problems.append(str(error))
    return len(folders), problems


def _rows_of(lake: Lake, table: Table, file: PartitionFile) -> pa.Table:
    """All rows of a file; of a contract that has grown since the columns that were hashed."""
    with file.path.open("rb") as stream:
        there = {*pq.read_schema(stream).names, table.partitioning}
    columns = [name for name in table.column_names if name in there]
    return read(lake, table, [file.partition], as_known="newest", columns=columns)


def _of_machine(system: Path) -> Iterator[int]:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in (system / "proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                yield int(line.split()[1]) * 1024


def _of_container(system: Path) -> Iterator[int]:
    """Of cgroup v2; `max` is no number: no limit."""
    with contextlib.suppress(OSError, ValueError):
        folder = system / "sys/fs/cgroup"
        limit, used = (int((folder / name).read_text(encoding="ascii")) for name in ("memory.max", "memory.current"))
        yield max(0, limit - used)


def _of_process(system: Path) -> Iterator[int]:
    """The address space that the process may have (`ulimit -v`), less what it has."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        with contextlib.suppress(OSError, ValueError, IndexError):
            pages = int((system / "proc/self/statm").read_text(encoding="ascii").split()[0])
            yield max(0, limit - pages * resource.getpagesize())
