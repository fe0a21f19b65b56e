"""The contract of monitoring/storage: what the tables of the lake take on disk. Measuring belongs to `lake.storage`."""

from __future__ import annotations

from daily_profit_model.tables.contract import DAY, FLAG, INT, TEXT, Column, Table


def _count(name: str, description: str, unit: str | None = None) -> Column:
    return Column(name, INT, description, unit, required=True)


MONITORING_STORAGE = Table(
    name="monitoring/storage",
    description="What each table of the lake takes on disk, measured at the moment of materialisation. It tells of now "
    "alone: only today (UTC) can be materialised, and a day that was not measured stays without a partition. The job "
    "nightly_collection collects first; materialising by hand measures, and removes nothing.",
    key=("date", "table"),
    columns=(
        Column("date", DAY, "Day (UTC) on which it was measured", required=True),
        Column("table", TEXT, "Table", required=True),
        Column("has_contract", FLAG, "A contract describes it; one without is never collected", required=True),
        _count("partitions", "Partitions with at least one complete file"),
        _count("files", "All files, temporary and damaged ones included", "files"),
        _count(
            "rows", "In the newest revision of each partition, or in all complete files where there are none", "rows"
        ),
        _count("bytes", "Size of all files on disk", "bytes"),
        _count(
            "superseded_files",
            "Revisions that a newer one has replaced, and versions of what was served that do not count",
            "files",
        ),
        _count("superseded_bytes", "Size of these", "bytes"),
        _count("temporary_files", "Files being written, or left by writers that were killed", "files"),
        _count("damaged_files", "Revisions set aside as damaged, and files that cannot be read", "files"),
    ),
)
