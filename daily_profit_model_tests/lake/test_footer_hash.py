"""The hash from the end of a footer is the one that the whole footer tells, or the whole footer is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from daily_profit_model.lake import Lake, LakeError, footer_hash, write
from daily_profit_model.lake.footer_hash import content_hash_of
from daily_profit_model_tests.lake.small_table import DAY_1, SMALL, small_rows


@pytest.fixture
def asked_whole(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    asked: list[Any] = []
    describe = footer_hash.describe_file
    monkeypatch.setattr(footer_hash, "describe_file", lambda *given: (asked.append(given), describe(*given))[1])
    return asked


@pytest.mark.parametrize("inputs", [0, 1, 2, 365], ids=lambda count: f"{count} inputs")
def test_the_hash_is_that_of_the_whole_footer_without_parsing_it(
    lake: Lake, asked_whole: list[Any], inputs: int
) -> None:
    names = {f"features/account_daily@{number}": "0" * 64 for number in range(inputs)}
    file = write(lake, SMALL, DAY_1, small_rows(accounts=500), code_version="1", inputs=names)
    assert content_hash_of(file.path, SMALL.name, DAY_1) == file.content_hash
    assert asked_whole == []


def test_a_text_like_a_description_among_the_values_is_not_taken_for_it(lake: Lake) -> None:
    rows = small_rows(accounts=1)
    text = (footer_hash._MARK + b'\x19{"content_hash": "wrong"}').decode("latin-1")
    rows = rows.set_column(rows.column_names.index("account_id"), "account_id", [[text]])
    file = write(lake, SMALL, DAY_1, rows, code_version=text)
    assert content_hash_of(file.path, SMALL.name, DAY_1) == file.content_hash


def test_a_description_longer_than_what_is_read_is_asked_of_the_whole_footer(
    lake: Lake, asked_whole: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(footer_hash, "TAIL_BYTES", 300)
    file = write(lake, SMALL, DAY_1, small_rows(), code_version="1")
    assert content_hash_of(file.path, SMALL.name, DAY_1) == file.content_hash
    assert len(asked_whole) == 1


@pytest.mark.parametrize("left", [0, 3, 11, 0.5, 0.99])
def test_a_file_that_was_cut_is_a_lake_error_that_names_it(lake: Lake, left: float) -> None:
    file = write(lake, SMALL, DAY_1, small_rows(), code_version="1")
    path = Path(str(file.path))
    content = path.read_bytes()
    path.write_bytes(content[: int(left * len(content)) if isinstance(left, float) else left])
    with pytest.raises(LakeError, match="part-0.parquet cannot be read"):
        content_hash_of(file.path, SMALL.name, DAY_1)
