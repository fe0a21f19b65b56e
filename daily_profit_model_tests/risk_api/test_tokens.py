"""Counting tokens says what parsing would, or says that it cannot."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daily_profit_model.risk_api import tokens
from daily_profit_model.risk_api.tokens import values_in

cells = st.none() | st.integers(-9, 9) | st.floats(-1, 1) | st.text(max_size=8) | st.booleans()
odd = st.sampled_from(['"', '":', '": null', "null", "true", " ", "\\", '" :'])
rows = st.lists(st.dictionaries(st.text(max_size=4) | odd, cells | odd, max_size=5), max_size=5)


def lines(found: list[dict[str, Any]], is_spaced: bool) -> bytes:
    return b"".join((json.dumps(row).encode() if is_spaced else orjson.dumps(row)) + b"\n" for row in found)


@given(found=rows, is_spaced=st.booleans(), block=st.integers(4, 40))
def test_a_count_is_the_number_of_values_other_than_null(
    found: list[dict[str, Any]], is_spaced: bool, block: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "BLOCK", block)
        counted = values_in(lines(found, is_spaced))
    assert counted in (None, sum(value is not None for row in found for value in row.values()))


@pytest.mark.parametrize("is_spaced", [False, True])
def test_plain_records_are_counted(is_spaced: bool) -> None:
    found = [{"login": "7", "profit": 1.5, "comment": None, "symbol": "null: 5"}] * 3
    assert values_in(lines(found, is_spaced)) == 9
    assert values_in(b"") == 0
