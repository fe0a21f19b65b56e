"""Partitions as Parquet files: where they lie, how they are written, read, kept as revisions, compared and collected."""

from daily_profit_model.lake.collect import Collected, CollectedTable, collect
from daily_profit_model.lake.content_hash import combined_hash, content_hash
from daily_profit_model.lake.create_once import create_once
from daily_profit_model.lake.lake import Lake, LakeError, PartitionFile
from daily_profit_model.lake.partition_file import SortedRows, read, write, write_revision
from daily_profit_model.lake.staleness import Change, changes_since_written

__all__ = [
    "Change",
    "Collected",
    "CollectedTable",
    "Lake",
    "LakeError",
    "PartitionFile",
    "SortedRows",
    "changes_since_written",
    "collect",
    "combined_hash",
    "content_hash",
    "create_once",
    "read",
    "write",
    "write_revision",
]
