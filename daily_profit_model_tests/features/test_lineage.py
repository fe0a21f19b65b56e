"""What a feature declares that it rests on is what its SQL reads, through every stage, no column more or less."""

from __future__ import annotations

from dataclasses import replace

import pytest

from daily_profit_model.engine import Query, Source, Stage
from daily_profit_model.features import CATALOGUE, account_daily_query
from daily_profit_model.features.feature import Feature
from daily_profit_model.tables.staging import STAGING_ACCOUNTS
from daily_profit_model_tests.features.lineage import Columns, lineage

OWN = STAGING_ACCOUNTS.name
KEYS = ("account_id", "date")
"""Columns of any table that tell whose day it is: no value rests on them but the calendar's, on the day itself."""
DAY = (OWN, "date")


def wrongly_declared(catalogue: tuple[Feature, ...]) -> dict[str, tuple[Columns, Columns]]:
    """Feature → columns that its SQL reads and it does not declare, and the other way round."""
    read = lineage(account_daily_query(catalogue))
    wrong = {}
    for feature in catalogue:
        told = frozenset((table, column) for table, column in read[feature.name] if column not in KEYS)
        rests_on, declared = told or read[feature.name] & {DAY}, frozenset(feature.read)
        if rests_on != declared:
            wrong[feature.name] = rests_on - declared, declared - rests_on
    return wrong


def test_every_feature_declares_exactly_the_columns_that_its_sql_reads() -> None:
    assert wrongly_declared(CATALOGUE) == {}


@pytest.mark.parametrize("name", ["rel_pnl_std_20d", "rel_volume_sum_5d", "peer_rank_equity_to_start"])
def test_a_column_that_is_read_and_not_declared_is_told(name: str) -> None:
    (feature,) = (feature for feature in CATALOGUE if feature.name == name)
    forgotten = replace(feature, inputs=feature.inputs[1:])
    assert wrongly_declared((forgotten,)) == {name: (frozenset(feature.read[:1]), frozenset())}


def test_a_column_that_is_declared_and_not_read_is_told() -> None:
    (feature,) = (feature for feature in CATALOGUE if feature.name == "pnl_sum_5d")
    too_many = replace(feature, inputs=(*feature.inputs, "leverage"))
    assert wrongly_declared((too_many,)) == {"pnl_sum_5d": (frozenset(), frozenset({(OWN, "leverage")}))}


def test_columns_are_followed_through_stages_stars_structures_and_the_choice_of_rows() -> None:
    stage = Stage(
        "chosen",
        "with step as (select *, balance + equity as both from staging_accounts where is_eligible) "
        "select * exclude (both), both / leverage as scaled, count(*) as n from step",
        {},
    )
    sql = "select scaled * 2 as twice, n, now.platform, named.broker from (select *, login as named from chosen) as now"
    found = lineage(Query(sql, (Source(STAGING_ACCOUNTS),), stages=(stage,)))
    expected = {
        "twice": {"balance", "equity", "leverage"},
        "n": {"is_eligible"},
        "platform": {"platform"},
        "broker": {"login"},
    }
    assert {name: {column for _, column in columns} for name, columns in found.items()} == expected


def test_a_column_of_nowhere_is_an_error() -> None:
    with pytest.raises(KeyError, match="no source has unheard_of"):
        lineage(Query("select unheard_of from staging_accounts", (Source(STAGING_ACCOUNTS),)))
