"""predictions/feature_snapshots: the rows to be scored for a day, frozen as served."""

from __future__ import annotations

from daily_profit_model.engine import Query, Source
from daily_profit_model.features.catalogue import CATALOGUE, FEATURES_ACCOUNT_DAILY
from daily_profit_model.tables import Column, Table
from daily_profit_model.tables.contract import DAY, TEXT, TIMESTAMP

FEATURE_SNAPSHOTS = Table(
    name="predictions/feature_snapshots",
    description="The feature rows of D−1 that are scored for the predicted day D, as they were served.",
    key=("prediction_date", "account_id"),
    day_column="prediction_date",
    is_served=True,
    columns=(
        Column("prediction_date", DAY, "The predicted day D", required=True),
        Column("feature_date", DAY, "D−1, the day whose end the features describe", required=True),
        Column("account_id", TEXT, "Account", required=True),
        Column("login", TEXT, "Login", required=True),
        Column("plan_id", TEXT, "Plan"),
        *(feature.column() for feature in CATALOGUE),
        Column("features_hash", TEXT, "sha256 of the row's feature values in the catalogue's order", required=True),
        Column("as_of", TIMESTAMP, "Logical time of the prediction: the cut-off of D−1", required=True),
    ),
)


def snapshot_query() -> Query:
    """The snapshot of the days `$first_day` … `$last_day`, each from the features of the day before."""
    values = ", ".join(f"coalesce({feature.name}::varchar, '∅')" for feature in CATALOGUE)
    sql = f"""
select
    date + 1 as prediction_date,
    date as feature_date,
    * exclude (date),
    sha256(concat_ws('|', {values})) as features_hash,
    (date + 1)::timestamp + interval 6 hour as as_of
from features_account_daily
where date + 1 between $first_day and $last_day
"""
    return Query(sql, (Source(FEATURES_ACCOUNT_DAILY, first=-1, last=-1),))
