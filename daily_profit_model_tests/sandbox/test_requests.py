"""Which requests are refused, and what the filters choose."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import requests

from daily_profit_model.sandbox.server import Address
from daily_profit_model_tests.sandbox.client import DAY, KEY, NUMBER, every, get

ENDPOINTS = (
    "accounts",
    "v2/metrics/alltime",
    "v2/metrics/daily",
    "v2/metrics/hourly",
    "v2/trades/closed",
    "v2/trades/open",
)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_wrong_or_missing_key_is_401(address: Address, endpoint: str) -> None:
    for key in (None, "", "wrong"):
        answer = get(address, endpoint, key=key)
        assert answer.status_code == 401
        assert answer.json()["Status"] == "fail"


def test_the_key_in_the_query_string_is_not_accepted(address: Address) -> None:
    assert requests.get(f"{address.base_url}accounts?apiKey={KEY}", timeout=30).status_code == 401


@pytest.mark.parametrize(
    ("endpoint", "parameters"),
    [
        ("v2/trades/closed", {"limit": 1001}),
        ("accounts", {"limit": 501}),
        ("v2/metrics/daily", {"limit": 0}),
        ("v2/metrics/daily", {"skip": -1}),
        ("v2/metrics/daily", {"dates": "2026-06-01"}),
        ("v2/metrics/daily", {"dates": "20260231"}),
        ("v2/trades/closed", {"trade-date": "yesterday"}),
        ("v2/metrics/daily", {"hours": "3"}),
        ("v2/metrics/hourly", {"hours": "24"}),
        ("v2/metrics/alltime", {"dates": DAY}),
        ("v2/trades/open", {"close-time-from": DAY}),
        ("v2/metrics/alltime", {"platforms": "MT5"}),
        ("accounts", {"sort": "login"}),
    ],
)
def test_a_bad_request_is_400_and_says_why(address: Address, endpoint: str, parameters: dict[str, Any]) -> None:
    answer = get(address, endpoint, **parameters)
    assert answer.status_code == 400
    assert next(iter(parameters)) in answer.json()["Error"]


@pytest.mark.parametrize(
    ("endpoint", "most"),
    [
        ("v2/metrics/daily", 100),
        ("v2/metrics/alltime", 100),
        ("v2/metrics/hourly", 25),
    ],
)
def test_too_many_ids_are_414(address: Address, endpoint: str, most: int) -> None:
    dated = {} if endpoint.endswith("alltime") else {"dates": DAY}
    for count, status in ((most, 200), (most + 1, 414)):
        logins = ",".join(str(250_000 + number) for number in range(count))
        assert get(address, endpoint, logins=logins, **dated).status_code == status


def test_an_unknown_endpoint_is_404_and_another_method_405(address: Address) -> None:
    assert get(address, "v2/metrics/weekly").status_code == 404
    url = address.base_url + "accounts"
    assert requests.post(url, headers={"apiKey": KEY}, timeout=30).status_code == 405


def test_metrics_filters_choose_just_their_rows(address: Address) -> None:
    everything = every(address, "v2/metrics/daily", dates=DAY)
    sample = everything[0]
    for parameter, column in (
        ("logins", "login"),
        ("accountIds", "accountId"),
        ("types", "type"),
        ("phases", "phase"),
        ("providers", "broker"),
        ("platforms", "mt_version"),
    ):
        wanted = [row for row in everything if row[column] == sample[column]]
        assert every(address, "v2/metrics/daily", dates=DAY, **{parameter: sample[column]}) == wanted
    two = every(address, "v2/metrics/daily", dates=f"{DAY},20260602", phases="1,2")
    assert {row["date"][:10] for row in two} == {"2026-06-01", "2026-06-02"}
    assert {row["phase"] for row in two} == {1, 2}
    hours = every(address, "v2/metrics/hourly", dates=DAY, hours="9,14")
    assert {row["hour"] for row in hours} == {9, 14}


def test_trade_filters_are_inclusive_ranges(address: Address, trades: pd.DataFrame) -> None:
    rows = every(address, "v2/trades/closed", trade_date_from=DAY, trade_date_to="20260602")
    assert len(rows) == trades["day"].between(NUMBER, NUMBER + 1).sum()
    closed = every(address, "v2/trades/closed", close_time_from=DAY, close_time_to=DAY)
    assert len(closed) == (trades["day"] == NUMBER).sum()
    opened = trades["open_ms"] // 86_400_000
    rows = every(address, "v2/trades/closed", open_time_from="20260528", open_time_to="20260529", trade_date_from=DAY)
    assert len(rows) == ((trades["day"] >= NUMBER) & opened.between(NUMBER - 4, NUMBER - 3)).sum()
    gold = every(address, "v2/trades/closed", trade_date=DAY, symbols="XAUUSD,BTCUSD")
    assert {row["stdSymbol"] for row in gold} == {"XAUUSD", "BTCUSD"}
    login = gold[0]["login"]
    mine = every(address, "v2/trades/closed", trade_date=DAY, logins=login)
    assert mine
    assert {row["login"] for row in mine} == {login}
