"""An account that trades under several logins is one account: its profit is the sum, its trades are all its own."""

from __future__ import annotations

from daily_profit_model.engine import Query, Source, run
from daily_profit_model.engine.sql_text import sql_text
from daily_profit_model.lake import Lake
from daily_profit_model.tables.raw import RAW_METRICS_DAILY
from daily_profit_model_tests.staging.firm_days import metrics, stage, stage_trades, store_day, trade

DAY = "2026-03-02"


def two_logins(lake: Lake) -> None:
    first = metrics("a", net_profit=100.25, num_trades=2)
    second = {**metrics("a", net_profit=-30.5, num_trades=1), "login": "other-login"}
    store_day(
        lake, DAY, rows=[first, second], closed=[trade("a"), {**trade("a", position="2"), "login": "other-login"}]
    )


def test_profit_and_trades_of_all_logins_count(lake: Lake) -> None:
    two_logins(lake)
    row = stage(lake, DAY)[DAY]["a"]
    assert row["net_profit"] == 69.75
    assert row["trades_closed"] == 3


def test_what_a_day_settles_is_the_sum_over_logins(lake: Lake) -> None:
    two_logins(lake)
    (settled,) = run(Query(sql_text("staging/settlements"), (Source(RAW_METRICS_DAILY),)), lake, [DAY]).to_pylist()
    assert (settled["settlement"], settled["net_profit"]) == ("traded", 69.75)


def test_trades_of_every_login_find_their_account(lake: Lake) -> None:
    two_logins(lake)
    stage(lake, DAY)
    assert [row["account_id"] for row in stage_trades(lake, DAY)] == ["a", "a"]
