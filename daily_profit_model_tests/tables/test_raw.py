"""The raw contracts: names, keys and fields are those that RISK_API.md documents."""

from __future__ import annotations

import pyarrow as pa
import pytest

from daily_profit_model.tables.contract import DAY, FLOAT, INT, TEXT, Column, Table, snake_case
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_MARKET_REGIMES,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_PLANS,
    RAW_QUARANTINE,
    RAW_TABLES,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
)

METRICS = (RAW_ACCOUNTS, RAW_METRICS_DAILY, RAW_METRICS_HOURLY)
RENAMED = {"mt_version", "trader", "mngr", "tradeDate", "makeDrawdownStatic"}


@pytest.mark.parametrize(
    ("api_name", "name"),
    [
        ("netProfit", "net_profit"),
        ("profitTop10PrcntTrades", "profit_top10_prcnt_trades"),
        ("profitPerc10", "profit_perc10"),
        ("netProfitPerUSDVolume", "net_profit_per_usd_volume"),
        ("meanTPvsSL", "mean_tp_vs_sl"),
        ("maxValtoEqtyOpenPos", "max_val_to_eqty_open_pos"),
        ("maxNumTradesInDD", "max_num_trades_in_dd"),
        ("qtyInBaseCrncy", "qty_in_base_crncy"),
        ("relMaxDrawDown", "rel_max_draw_down"),
        ("approved_payouts", "approved_payouts"),
        ("allowEAs", "allow_eas"),
        ("cvSL", "cv_sl"),
    ],
)
def test_a_field_has_the_documented_name_in_the_lake(api_name: str, name: str) -> None:
    assert snake_case(api_name) == name


@pytest.mark.parametrize("table", RAW_TABLES, ids=lambda table: table.name)
def test_every_raw_table_is_a_dated_layer_of_described_columns(table: Table) -> None:
    assert table.name.startswith("raw/")
    assert table.partitioning == "date"
    assert table.revisions is (table is not RAW_QUARANTINE)
    assert (table.columns[0].name, table.columns[0].type) == ("date", DAY)
    for column in table.columns:
        assert column.description.strip() == column.description != ""
        assert "\n" not in column.description


@pytest.mark.parametrize("table", RAW_TABLES, ids=lambda table: table.name)
def test_every_column_but_the_renamed_is_the_snake_case_of_its_source(table: Table) -> None:
    for column in table.columns:
        if column.source and table is not RAW_MARKET_REGIMES and column.source not in RENAMED:
            assert column.name in (snake_case(column.source), "unrealized_profit")


def test_keys_are_the_natural_keys_under_the_day() -> None:
    account = ("date", "platform", "broker", "login", "account_id")
    trade = ("date", "platform", "broker", "login", "position", "ticket")
    assert RAW_ACCOUNTS.key == RAW_METRICS_DAILY.key == account
    assert RAW_METRICS_HOURLY.key == (*account, "hour")
    assert RAW_TRADES_CLOSED.key == RAW_TRADES_OPEN.key == trade
    assert RAW_PLANS.key == ("date", "plan_id")
    assert RAW_MARKET_REGIMES.key == ("date",)


@pytest.mark.parametrize("table", METRICS, ids=lambda table: table.name)
def test_ids_are_text_and_enums_stay_ints(table: Table) -> None:
    types = {column.name: column.type for column in table.columns}
    assert {types[name] for name in ("account_id", "login", "plan_id", "trader_id")} == {TEXT}
    assert {types[name] for name in ("platform", "broker", "status", "type", "phase", "price_stream")} == {INT}
    assert types["net_profit"] == types["max_val_to_eqty_open_pos"] == FLOAT


def test_scopes_of_the_metric_fields_are_those_of_the_page() -> None:
    alltime, daily, hourly = ({column.name for column in table.columns} for table in METRICS)
    only_alltime = alltime - daily - {"is_live"}
    assert daily - alltime == {"days_to_next_payout", "todays_payouts"}
    assert hourly - daily == {"hour", "datetime"}
    assert daily <= hourly
    assert only_alltime == {
        "first_trade_open",
        "last_trade_open",
        "last_trade_close",
        "life_time_in_days",
        "updated_date",
        "total_ret",
        "daily_mean_ret",
        "daily_std_ret",
        "daily_sharpe",
        "daily_downside_std_ret",
        "daily_sortino",
        "mean_trades_per_day",
        "median_trades_per_day",
        "min_trades_per_day",
        "max_trades_per_day",
        "cv_trades_per_day",
        "mean_idle_days",
        "median_idle_days",
        "max_idle_days",
        "min_idle_days",
    }


def test_open_trades_are_closed_trades_without_the_close() -> None:
    closed, opened = set(RAW_TRADES_CLOSED.column_names), set(RAW_TRADES_OPEN.column_names)
    assert closed - opened == {"close_time", "close_price", "profit"}
    assert opened - closed == {"unrealized_profit"}


def test_required_trade_fields_are_the_documented_ones() -> None:
    assert set(RAW_TRADES_CLOSED.required_names) == {
        "date",
        "platform",
        "broker",
        "login",
        "position",
        "side",
        "lots",
        "open_time",
        "open_price",
        "close_time",
        "close_price",
        "profit",
    }


def test_a_contract_that_cannot_hold_is_refused() -> None:
    column = Column("a", pa.int64(), "A")
    with pytest.raises(ValueError, match="declared twice: a"):
        Table("raw/x", "X", ("a",), (column, column))
    with pytest.raises(ValueError, match="not declared: b"):
        Table("raw/x", "X", ("b",), (column,))
    with pytest.raises(KeyError, match="no column b"):
        Table("raw/x", "X", ("a",), (column,)).column("b")
