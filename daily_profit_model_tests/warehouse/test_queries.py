"""The operators' queries run over the contracts as they are: a renamed column breaks one here, not in the morning."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from daily_profit_model.defs.all_tables import LAKE_TABLES
from daily_profit_model.modeling.intervals import GREATEST_LEVEL, LEAST_LEVEL
from daily_profit_model.tables import Table

FOLDER = Path(__file__).parents[2] / "sql" / "warehouse" / "queries"
QUERIES = sorted(path.stem for path in FOLDER.glob("*.sql"))
TABLES = {table.name: table for table in LAKE_TABLES}
DAY, DAY_BEFORE = date(2026, 6, 2), date(2026, 6, 1)
Rows = list[dict[str, Any]]


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty warehouse: a table of the schema for each contract that any query reads."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("create schema prop_trading_model")
        for table in {table.name: table for name in QUERIES for table in tables_of(name)}.values():
            fill(connection, table, [])
        yield connection


def fill(connection: duckdb.DuckDBPyConnection, table: Table, rows: Rows) -> None:
    given = pa.Table.from_pylist(rows, schema=table.schema())
    connection.register("given", given)
    connection.execute(f"create or replace table prop_trading_model.{table.view_name} as from given")


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def parameters_of(name: str) -> list[str]:
    """A value for each parameter: a day's, or an account's."""
    text = re.sub(r"--.*", "", text_of(name))
    count = len(set(re.findall(r"\$\d", text)))
    return [DAY.isoformat() if "cast($1 as date)" in text else "a1"][:count]


def asked(connection: duckdb.DuckDBPyConnection, name: str) -> Rows:
    answer = connection.execute(text_of(name), parameters_of(name))
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def tables_of(name: str) -> list[Table]:
    """The tables that a query reads."""
    views = set(re.findall(r"prop_trading_model\.(\w+)", text_of(name)))
    assert views <= {table.view_name for table in TABLES.values()}
    return [table for table in TABLES.values() if table.view_name in views]


def columns_named(text: str, table: Table) -> set[str]:
    """The table's columns whose names stand in the query outside of its comments."""
    words = set(re.findall(r"[a-z_0-9]+", re.sub(r"--.*", "", text)))
    return words & set(table.column_names)


def prediction(account: str = "a1", **values: object) -> dict[str, Any]:
    return {
        "prediction_date": DAY,
        "account_id": account,
        "login": f"login-{account}",
        "model_version": "20260531-aaaaaaaa",
        "model_hash": "hash-a",
        "features_hash": f"features-{account}",
        "snapshot_hash": "snapshot",
        "calibration_version": "c1",
        "code_version": "3-x",
        "expected_net_profit": 10.0,
        "lower_90": -10.0,
        "upper_90": 30.0,
        "probability_trade": 0.5,
        **values,
    }


def test_the_operators_questions_each_have_a_query_that_says_what_it_answers() -> None:
    assert QUERIES == [
        "account_history", "calibration_at_bounds", "coverage_by_model", "served_day", "unexpected_origin", "width_by_group",
    ]  # fmt: skip
    for name in QUERIES:
        assert text_of(name).startswith("-- ")
        assert "prop_trading_model." in text_of(name)
        assert ("-- $1:" in text_of(name)) == bool(parameters_of(name))


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_runs_over_the_contracts_as_they_are(warehouse: duckdb.DuckDBPyConnection, name: str) -> None:
    assert asked(warehouse, name) == []


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_fails_when_a_column_that_it_reads_is_renamed(warehouse: duckdb.DuckDBPyConnection, name: str) -> None:
    tables = tables_of(name)
    for table in tables:
        named = sorted(columns_named(text_of(name), table))
        # where several tables are read, a name may be another's: only the key is surely this one's
        for column in named if len(tables) == 1 else [key for key in table.key if key in named][:1]:
            rename = f"alter table prop_trading_model.{table.view_name} rename column"
            warehouse.execute(f"{rename} {column} to renamed")
            with pytest.raises(duckdb.BinderException, match=column):
                asked(warehouse, name)
            warehouse.execute(f"{rename} renamed to {column}")


def test_a_day_served_twice_by_different_models_shows_as_two_rows(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = [prediction("a1"), prediction("a2"), prediction("a3", model_version="20260524-bbbbbbbb")]
    fill(warehouse, TABLES["predictions/account_daily"], [*rows, prediction("a4", prediction_date=DAY_BEFORE)])
    found = asked(warehouse, "served_day")
    assert [(row["model_version"], row["accounts"], row["expected_total"], row["mean_width"]) for row in found] == [
        ("20260531-aaaaaaaa", 2, 20.0, 40.0),
        ("20260524-bbbbbbbb", 1, 10.0, 40.0),
    ]


def test_an_accounts_history_has_its_reasons_and_what_came_of_it(warehouse: duckdb.DuckDBPyConnection) -> None:
    reasons = [{"name": "x", "value": "1", "contribution": -2.0}]
    rows = [prediction(top_features=reasons), prediction(prediction_date=DAY_BEFORE), prediction("a2")]
    fill(warehouse, TABLES["predictions/account_daily"], rows)
    settled = {"prediction_date": DAY_BEFORE, "account_id": "a1", "outcome_status": "idle", "net_profit": 0.0}
    fill(warehouse, TABLES["monitoring/outcomes"], [settled])
    found = asked(warehouse, "account_history")
    assert [(row["prediction_date"], row["outcome_status"], row["net_profit"]) for row in found] == [
        (DAY, None, None),
        (DAY_BEFORE, "idle", 0.0),
    ]
    assert found[0]["top_features"] == reasons


def test_coverage_counts_days_and_leaves_out_what_is_not_settled(warehouse: duckdb.DuckDBPyConnection) -> None:
    def outcome(day: date, account: str, is_covered: bool | None) -> dict[str, Any]:
        known = {
            "is_covered": is_covered,
            "is_below": False,
            "is_above": None if is_covered is None else not is_covered,
        }
        return {"prediction_date": day, "account_id": account, "model_version": "v", **known}

    rows = [outcome(DAY_BEFORE, "a1", False), outcome(DAY, "a1", None)]
    rows += [outcome(DAY, account, True) for account in ("a2", "a3", "a4")]
    fill(warehouse, TABLES["monitoring/outcomes"], rows)
    (found,) = asked(warehouse, "coverage_by_model")
    assert (found["days"], int(found["outcomes"])) == (2, 4)
    assert (found["coverage"], found["missed_below"], found["missed_above"], found["worst_day"]) == (0.5, 0.0, 0.5, 0.0)


def calibration(**values: object) -> dict[str, Any]:
    row = {"prediction_date": DAY, "tail": "lower", "activity": "usual", "plan_type": "*",
           "level": 0.05, "accounts": 10}  # fmt: skip
    return {**row, "mean_width": 100.0, "calibration_version": "c1", "model_version": "v", **values}


def test_levels_at_the_bounds_of_the_code_are_told_and_others_not(warehouse: duckdb.DuckDBPyConnection) -> None:
    levels = {"lower": LEAST_LEVEL, "upper": GREATEST_LEVEL}
    rows = [
        calibration(tail=tail, level=level, activity=group)
        for tail, level in levels.items()
        for group in ("rare", "usual")
    ]
    inside = [
        calibration(prediction_date=DAY_BEFORE, level=level) for level in (LEAST_LEVEL * 1.01, GREATEST_LEVEL * 0.99)
    ]
    fill(warehouse, TABLES["monitoring/interval_calibration"], [*rows, *inside])
    found = asked(warehouse, "calibration_at_bounds")
    assert [(row["tail"], row["bound"].split(":")[0], int(row["accounts"])) for row in found] == [
        ("lower", "least", 20),
        ("upper", "greatest", 20),
    ]


def test_width_is_the_mean_over_account_days_of_the_week(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = [
        calibration(),
        calibration(tail="upper"),
        calibration(prediction_date=DAY_BEFORE, accounts=30, mean_width=200.0),
        calibration(activity="rare", accounts=0, mean_width=None),
        calibration(plan_type="Standard P1", mean_width=900.0),
    ]
    fill(warehouse, TABLES["monitoring/interval_calibration"], rows)
    rare, usual = asked(warehouse, "width_by_group")
    assert (usual["week"], usual["days"], usual["mean_width"], usual["widest_day"]) == (DAY_BEFORE, 2, 175.0, 200.0)
    assert (rare["mean_width"], int(rare["account_days"])) == (None, 0)


def test_a_prediction_of_another_model_snapshot_or_calibration_than_expected_is_told(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    decided = {
        "in_force_from": DAY_BEFORE,
        "version": "20260531-aaaaaaaa",
        "model_hash": "hash-a",
        "decision": "promoted",
    }
    refused = {
        **decided,
        "in_force_from": DAY,
        "version": "20260601-cccccccc",
        "model_hash": "hash-c",
        "decision": "refused",
    }
    fill(warehouse, TABLES["models/champion"], [decided, refused])
    rows = [
        prediction("a1"),
        prediction("a2", model_hash="hash-b"),
        prediction("a3", features_hash="other"),
        prediction("a4", calibration_version="c2"),
    ]
    fill(warehouse, TABLES["predictions/account_daily"], rows)
    frozen = [{**prediction(account), "features_hash": f"features-{account}"} for account in ("a1", "a2", "a3", "a4")]
    of_snapshot = TABLES["predictions/feature_snapshots"]
    fill(
        warehouse,
        of_snapshot,
        [{name: row[name] for name in row if name in of_snapshot.column_names} for row in frozen],
    )
    fill(warehouse, TABLES["monitoring/interval_calibration"], [calibration()])
    flags = ("is_other_model", "is_other_snapshot", "is_other_calibration")

    def told() -> Mapping[str, tuple[bool, ...]]:
        return {row["account_id"]: tuple(row[flag] for flag in flags) for row in asked(warehouse, "unexpected_origin")}

    assert told() == {"a2": (True, False, False), "a3": (False, True, False), "a4": (False, False, True)}
    act = {
        "number": 1,
        "alias": "champion",
        "version": "20260524-bbbbbbbb",
        "model_hash": "hash-b",
        "in_force_from": DAY,
    }
    fill(warehouse, TABLES["models/transitions"], [act])
    assert told() == {"a1": (True, False, False), "a3": (True, True, False), "a4": (True, False, True)}
    shadow = {"model_hash": "hash-s", "calibration_version": "c3"}
    deployed = {"prediction_date": DAY, "deployment": "s1-20260524", "model_version": "20260524-dddddddd", **shadow}
    fill(warehouse, TABLES["predictions/traffic"], [deployed])
    served = [prediction(account, served_by="s1-20260524", **shadow) for account in ("a1", "a2")]
    served[1]["calibration_version"] = "c1"  # the champion's
    fill(warehouse, TABLES["predictions/account_daily"], served)
    assert told() == {"a2": (False, False, True)}
