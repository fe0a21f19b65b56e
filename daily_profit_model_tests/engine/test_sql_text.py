"""SQL texts: one may stand in another, so that what is said once is written once."""

from __future__ import annotations

import re

import pytest

from daily_profit_model.engine.sql_text import SQL_FOLDER, sql_text

TEXTS = sorted(str(path.relative_to(SQL_FOLDER).with_suffix("")) for path in SQL_FOLDER.rglob("*.sql"))


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_is_left_to_be_filled_in(name: str) -> None:
    assert re.search(r"\{\w+/\w+\}", sql_text(name)) is None


def test_all_readers_of_account_days_hold_its_one_text() -> None:
    assert [name for name in TEXTS if sql_text("staging/account_days") in sql_text(name)] == [
        "predictions/portfolio_daily", "staging/account_days", "staging/accounts", "staging/settlements",
    ]  # fmt: skip
