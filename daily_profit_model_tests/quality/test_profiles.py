"""Profiles against a plain computation, and that each is made once a content."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from daily_profit_model.lake import Lake, write
from daily_profit_model.quality import profiles as module
from daily_profit_model.quality.profiles import QUANTILES, TOP, profile, profiles
from daily_profit_model.tables import Table
from daily_profit_model.tables.contract import DAY, FLOAT, INT, TEXT, TIMESTAMP, Column
from daily_profit_model.tables.quality import profile_of
from daily_profit_model_tests.quality.ledger import LEDGER, keep_day, keep_ledger, ledger_of

DAYS = [date(2026, 3, 4), date(2026, 3, 5)]
TEXTS = [day.isoformat() for day in DAYS]
MANY = Table(
    name="staging/many",
    description="Rows of accounts, several each.",
    key=("date", "row"),
    columns=(
        Column("date", DAY, "Day", required=True),
        Column("row", INT, "Number", "rows"),
        Column("account_id", TEXT, "Account"),
        Column("profit", FLOAT, "Profit", "USD"),
        Column("lots", INT, "Size", "lots"),
        Column("symbol", TEXT, "Symbol"),
        Column("code", INT, "Code"),
        Column("opened", TIMESTAMP, "When"),
        Column("empty", FLOAT, "Nothing", "USD"),
    ),
)


def many(day: date, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    count = int(generator.integers(60, 120))
    profit = np.where(generator.random(count) < 0.3, 0.0, generator.normal(0, 1000, count))
    symbols = generator.choice([f"S{number:03d}" for number in range(TOP + 20)], count)
    return pd.DataFrame(
        {
            "date": day,
            "row": np.arange(count),
            "account_id": generator.choice([f"a{number}" for number in range(15)], count),
            "profit": np.where(generator.random(count) < 0.1, np.nan, profit),
            "lots": generator.integers(-3, 4, count),
            "symbol": np.where(generator.random(count) < 0.2, None, symbols),
            "code": pd.array(np.where(generator.random(count) < 0.1, None, generator.integers(0, 3, count)), "Int64"),
            "opened": pd.Series(np.where(generator.random(count) < 0.5, np.datetime64("NaT"), np.datetime64(day, "ms")))
            .astype("datetime64[ms]")
            .dt.tz_localize("UTC"),
            "empty": np.nan,
        }
    )


def plain(rows: pd.DataFrame, column: str) -> dict[str, Any]:
    """What the profile of a column must say, in pandas."""
    values = rows[column]
    told: dict[str, Any] = {"rows": len(rows), "holders": rows["account_id"].nunique(), "known": int(values.count())}
    if column in ("profit", "lots", "empty", "row"):
        known = values.dropna().astype(float)
        sizes = known[known != 0].abs()
        told |= {"zeros": int((known == 0).sum()), "minimum": known.min(), "maximum": known.max()}
        told |= {name: known.quantile(share) for name, share in QUANTILES.items()}
        told |= {"size_q50": sizes.quantile(0.5), "size_q90": sizes.quantile(0.9)}
        return told
    if column in ("symbol", "code"):
        known = values.dropna().astype(str)
        counted = [
            {"value": value, "rows": len(own), "holders": rows.loc[own.index, "account_id"].nunique()}
            for value, own in known.groupby(known)
        ]
        told["distinct_values"] = len(counted)
        told["top_values"] = sorted(counted, key=lambda one: (-one["rows"], one["value"]))[:TOP]
    return told


@pytest.mark.parametrize(("seed", "unknown_is_nan"), [(1, False), (2, True)])
def test_a_profile_is_what_pandas_computes_and_what_is_no_number_is_no_value(
    lake: Lake, seed: int, *, unknown_is_nan: bool
) -> None:
    days = {text: many(day, seed * 10 + number) for number, (day, text) in enumerate(zip(DAYS, TEXTS, strict=True))}
    for text, rows in days.items():
        table = pa.Table.from_pandas(rows, schema=MANY.schema(), preserve_index=False)
        if unknown_is_nan:
            place = table.column_names.index("profit")
            table = table.set_column(place, "profit", pa.array(rows["profit"].to_numpy(), from_pandas=False))
        write(lake, MANY, text, table, code_version="1")
    for text, found in profile(lake, MANY, TEXTS).items():
        by_column = {row.pop("column"): row for row in found.to_pylist()}
        assert set(by_column) == {"", *MANY.stored_names}
        assert by_column[""]["rows"] == by_column[""]["known"] == len(days[text])
        assert by_column[""]["holders"] == days[text]["account_id"].nunique()
        for name in ("row", "profit", "lots", "symbol", "code", "opened", "empty"):
            expected = plain(days[text], name)
            for key, value in by_column[name].items():
                if key in ("date", "table"):
                    continue
                wanted = expected.get(key)
                if wanted is None or (isinstance(wanted, float) and np.isnan(wanted)):
                    assert value is None, (name, key)
                else:
                    assert value == (pytest.approx(wanted) if isinstance(wanted, float) else wanted), (name, key)


def made(lake: Lake, monkeypatch: pytest.MonkeyPatch, *days: str) -> list[str]:
    """The days that had to be computed when profiles of `days` were asked for."""
    computed: list[str] = []

    def counted(of: Lake, table: Table, wanted: list[str]) -> dict[str, pa.Table]:
        computed.extend(wanted)
        return profile(of, table, wanted)

    monkeypatch.setattr(module, "profile", counted)
    profiles(lake, LEDGER, days or TEXTS)
    return computed


def test_a_profile_is_made_once_a_content_and_again_when_the_rows_change(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_ledger(lake, DAYS, 20)
    assert made(lake, monkeypatch) == TEXTS
    assert made(lake, monkeypatch) == []
    keep_ledger(lake, DAYS, 20)  # the same rows written again
    assert made(lake, monkeypatch) == []
    keep_day(lake, DAYS[1], ledger_of(DAYS[1], 20).assign(amount=1.0))
    assert made(lake, monkeypatch) == TEXTS[1:]
    (amount,) = (row for row in profiles(lake, LEDGER, TEXTS[1:]).to_pylist() if row["column"] == "amount")
    assert (amount["minimum"], amount["maximum"]) == (1.0, 1.0)


def test_another_way_of_computing_makes_profiles_again(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_ledger(lake, DAYS[:1], 20)
    assert made(lake, monkeypatch) == TEXTS[:1]
    monkeypatch.setattr(module, "code_version", lambda: "another")
    assert made(lake, monkeypatch) == TEXTS[:1]


def test_days_that_are_not_in_the_lake_have_no_profile(lake: Lake) -> None:
    assert profiles(lake, LEDGER, ["2026-03-01"]).num_rows == 0  # nor when there is no day at all
    keep_ledger(lake, DAYS[:1], 20)
    assert {str(day) for day in profiles(lake, LEDGER, TEXTS)["date"].to_pylist()} == {TEXTS[0]}
    assert lake.partitions(profile_of(LEDGER).name) == TEXTS[:1]


def test_of_a_table_without_accounts_each_row_is_its_own(lake: Lake) -> None:
    columns = tuple(column for column in LEDGER.columns if column.name != "account_id")
    quotes = replace(LEDGER, name="raw/quotes", key=("date", "price"), columns=columns)
    rows = ledger_of(DAYS[0], 30).drop(columns="account_id")
    table = pa.Table.from_pandas(rows, schema=quotes.schema(), preserve_index=False)
    write(lake, quotes, TEXTS[0], table, code_version="1")
    found = {row["column"]: row for row in profiles(lake, quotes, TEXTS[:1]).to_pylist()}
    assert {row["holders"] for row in found.values()} == {len(rows)}
    counts = rows["symbol"].value_counts()
    assert {top["value"]: top["holders"] for top in found["symbol"]["top_values"]} == counts.to_dict()


def test_a_day_without_rows_says_that_it_has_none(lake: Lake) -> None:
    keep_day(lake, DAYS[0], ledger_of(DAYS[0], 20).head(0))
    (row,) = profiles(lake, LEDGER, TEXTS).to_pylist()
    assert (row["date"], row["column"], row["rows"], row["holders"]) == (DAYS[0], "", 0, 0)
