"""`dpm features compare`: what DuckDB and another engine make of the same days, column by column."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.engine import Query, Runner, run_days
from daily_profit_model.features.catalogue import FEATURES_ACCOUNT_DAILY
from daily_profit_model.features.compiler import account_daily_query
from daily_profit_model.features.trade_daily import FEATURES_TRADE_DAILY, trade_daily_query
from daily_profit_model.lake import Lake, LakeError
from daily_profit_model.settings import WrongUse
from daily_profit_model.tables import Column, Table

LARGEST_RELATIVE = 1e-9
"""By how much a fraction may differ: engines may round the same formula otherwise. All else is equal bit for bit."""


@dataclass(frozen=True)
class Compared:
    """How a column of a table differs on some days."""

    table: str
    column: str
    rows: int
    unequal: int
    """Rows that are not equal bit for bit."""
    apart: int
    """Rows that differ by more than they may."""
    largest_relative: float
    """Largest relative difference; 0 for what is no fraction."""


def compare_days(lake: Lake, other: Runner, days: Sequence[str], *, engine: str, as_json: bool) -> int:
    """Print how the feature tables of the days differ between DuckDB and `other`; returns the exit code."""
    if not days:
        raise WrongUse("no day of features/account_daily is in the lake: dpm run fills it")
    found = [
        compared
        for table, query in (
            (FEATURES_TRADE_DAILY, trade_daily_query()),
            (FEATURES_ACCOUNT_DAILY, account_daily_query()),
        )
        for compared in compared_columns(
            table, _rows(run_days, query, lake, table, days), _rows(other, query, lake, table, days)
        )
    ]
    apart = [compared for compared in found if compared.apart]
    if as_json:
        report = {"engine": engine, "days": list(days), "agrees": not apart, "columns": [asdict(one) for one in found]}
        print(json.dumps(report, indent=2))
        return 1 if apart else 0
    for table in dict.fromkeys(one.table for one in found):
        own = [one for one in found if one.table == table]
        unequal = sum(1 for one in own if one.unequal)
        print(
            f"{table}: {own[0].rows:,} rows of {len(days)} days, {len(own)} columns; {len(own) - unequal} equal bit for "
            f"bit, {sum(1 for one in own if one.apart)} apart, largest relative difference "
            f"{max(one.largest_relative for one in own):.1e}"
        )
    for one in apart:
        print(f"apart: {one.table} {one.column}: {one.apart:,} rows, by up to {one.largest_relative:.1e}")
    print(f"duckdb and {engine} {'do not agree' if apart else 'agree'}")
    return 1 if apart else 0


def compared_columns(table: Table, left: pa.Table, right: pa.Table) -> list[Compared]:
    """Each column of two makings of the same rows. Raises LakeError when they are not the same rows."""
    order = [(name, "ascending") for name in table.key]
    left, right = left.sort_by(order), right.sort_by(order)
    if not left.select(table.key).equals(right.select(table.key)):
        raise LakeError(f"{table.name}: the engines do not give the same rows ({left.num_rows} and {right.num_rows})")
    return [
        _compared(table, column, left[column.name].combine_chunks(), right[column.name].combine_chunks())
        for column in table.columns
    ]


def _compared(table: Table, column: Column, left: pa.Array, right: pa.Array) -> Compared:
    rows = len(left)
    if left.equals(right):
        return Compared(table.name, column.name, rows, 0, 0, 0.0)
    if not pa.types.is_floating(column.type):
        unequal = sum(one != other for one, other in zip(left.to_pylist(), right.to_pylist(), strict=True))
        return Compared(table.name, column.name, rows, unequal, unequal, 0.0)
    is_known = pc.is_valid(left).to_numpy(zero_copy_only=False)
    differs = is_known != pc.is_valid(right).to_numpy(zero_copy_only=False)
    one, other = (pc.fill_null(side, 0.0).to_numpy(zero_copy_only=False) for side in (left, right))
    gap = np.abs(one - other) / np.maximum(np.maximum(np.abs(one), np.abs(other)), np.finfo(np.float64).tiny)
    gap = np.where((one == other) | differs, 0.0, gap)
    apart = differs | ~(gap <= LARGEST_RELATIVE)
    return Compared(
        table.name, column.name, rows, int(((one != other) | differs).sum()), int(apart.sum()), float(gap.max())
    )


def _rows(runner: Runner, query: Query, lake: Lake, table: Table, days: Sequence[str]) -> pa.Table:
    return pa.concat_tables([rows for _, rows in runner(query, lake, table, days)])
