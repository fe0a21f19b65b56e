"""`dpm features` says what the catalogue declares, and the page in docs/ is made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from daily_profit_model.features import CATALOGUE
from daily_profit_model.features.command import describe_feature, list_features, page, write_page
from daily_profit_model.settings import WrongUse

PAGE = Path(__file__).parents[2] / "docs" / "features.md"


def test_the_page_in_docs_is_what_the_catalogue_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `dpm features docs`"


def test_the_page_can_be_written_anywhere(tmp_path: Path) -> None:
    write_page(tmp_path / "new" / "features.md")
    assert (tmp_path / "new" / "features.md").read_text(encoding="utf-8") == page()


def test_a_folder_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"is a folder: name a file in it, such as .*features\.md$"):
        write_page(tmp_path)


def test_every_feature_is_listed_with_what_is_declared_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    list_features("", as_json=True)
    listed = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in listed] == [feature.name for feature in CATALOGUE]
    assert all(each["description"] and each["null means"] and each["inputs"] for each in listed)


def test_a_family_is_listed_alone(capsys: pytest.CaptureFixture[str]) -> None:
    list_features("calendar", as_json=True)
    assert {each["family"] for each in json.loads(capsys.readouterr().out)} == {"calendar"}


def test_one_feature_is_told_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    describe_feature("pnl_sum_5d", as_json=False)
    said = capsys.readouterr().out
    for part in ("performance", "USD", "no day of the window is known", "net_profit", "s_5"):
        assert part in said


def test_a_name_that_is_none_is_told_with_the_nearest_ones() -> None:
    with pytest.raises(WrongUse, match="did you mean pnl_sum_5d"):
        describe_feature("pnl_sum_5", as_json=False)
    with pytest.raises(WrongUse, match="choose one of static, state"):
        list_features("weather", as_json=False)
