"""The page of a table: failing rules first and opened to their rows, everything escaped, nothing from outside."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from daily_profit_model.lake import Lake
from daily_profit_model.quality.page import SHOWN_DAYS, page, page_of_all, write_page
from daily_profit_model.quality.page_rules import curve
from daily_profit_model.quality.profiles import profiles
from daily_profit_model.quality.results import keep
from daily_profit_model_tests.quality.ledger import LEDGER, keep_ledger
from daily_profit_model_tests.quality.said import DAY, a_rule, said

NASTY = "<script>alert('x')</script> & \"more\""
HOLDS, WARNS = a_rule("amounts_small"), a_rule("notes_there", "warn")
FAILS = a_rule("prices_known", says=f"no price is {NASTY}")
UNJUDGED, UNKNOWN = a_rule("as_before"), a_rule("brand_new")
RULES = (HOLDS, WARNS, FAILS, UNJUDGED, UNKNOWN)
BEFORE = "2026-03-03"


class Parts(HTMLParser):
    """The page as a browser reads it: rules in their order and whether they are opened, all tags and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rules: list[tuple[str, bool]] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self._within = ""
        self._is_open = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        self._within = tag
        if tag == "details":
            self._is_open = "open" in dict(attrs)

    def handle_data(self, data: str) -> None:
        if self._within == "b" and re.fullmatch(r"[a-z_]+", data):
            self.rules.append((data, self._is_open))
        if self._within != "style":
            self.text += data


@pytest.fixture
def drawn(lake: Lake) -> Parts:
    """Two days judged of sixty: a rule that holds, two that fail, one without a past, one never evaluated."""
    keep_ledger(lake, [date.fromisoformat(DAY)], 20)
    profiles(lake, LEDGER, [DAY])
    keep(lake, LEDGER, [said(rule, day=BEFORE) for rule in (HOLDS, WARNS, FAILS)], RULES)
    failed = said(FAILS, passed=False, samples=[{"account_id": "a7", "price": 50033.61, "note": NASTY}])
    keep(lake, LEDGER, [said(HOLDS), said(WARNS, passed=False), failed, said(UNJUDGED, judged=False)], RULES)
    return Parts(page(lake, LEDGER, RULES, DAY))


def test_failing_rules_come_first_and_are_opened(drawn: Parts) -> None:
    assert drawn.rules == [
        ("prices_known", True),
        ("notes_there", True),
        ("amounts_small", False),
        ("as_before", False),
        ("brand_new", False),
    ]


def test_a_failing_rule_shows_its_rows_and_what_to_do(drawn: Parts) -> None:
    for shown in ("a7", "50,033.61", "Because.", "Look at it.", "is violated by 1 of 4 rows", "Holds when: "):
        assert shown in drawn.text


def test_what_rows_and_rules_say_is_text_and_nothing_else(drawn: Parts) -> None:
    assert "script" not in drawn.tags
    assert drawn.text.count(NASTY) >= 3  # in the message, in the statement, in the row


def test_the_page_needs_nothing_from_elsewhere(drawn: Parts) -> None:
    assert drawn.tags.isdisjoint({"script", "link", "img", "iframe", "object", "base", "form"})
    assert [pair for pair in drawn.attributes if pair[0] in ("href", "src", "srcset") or pair[0].startswith("on")] == []


def test_days_that_nobody_judged_are_empty_squares_with_their_date(lake: Lake, drawn: Parts) -> None:
    colours = [value for name, value in drawn.attributes if name == "fill" and value != "#1f5fa8"]
    assert len(colours) == SHOWN_DAYS * len(RULES)
    assert colours.count("#f2f4f6") == SHOWN_DAYS * len(RULES) - 7
    assert "2026-01-04" in drawn.text  # the first of sixty days
    nobody = Parts(page(lake, LEDGER, RULES, "2026-06-30"))
    assert "No rule has judged 2026-06-30 yet" in nobody.text
    assert "The day has no profile" in nobody.text
    assert not any(is_open for _, is_open in nobody.rules)


def test_the_score_and_the_profile_are_shown(drawn: Parts) -> None:
    assert "Score 42.9%. Rules judged: 3, not judged yet: 1. Failing: errors 1, warnings 1." in drawn.text
    assert "is_live" in drawn.text
    assert re.search(r"true \(\d+\), false \(\d+\)", drawn.text)


def test_a_curve_leaves_out_what_cannot_be_drawn() -> None:
    assert curve([1.0, None, math.inf, 3.0]).count("<circle") == 2
    assert "nan" not in curve([1.0, math.inf], limit=2.0)
    assert "nothing measured yet" in curve([None, math.inf])


def test_one_page_of_all_tables_leads_to_each_that_was_judged_and_names_the_others(lake: Lake, drawn: Parts) -> None:
    silent = replace(LEDGER, name="raw/silent")
    text = page_of_all(lake, {silent: (), LEDGER: RULES}, DAY)
    assert 'href="#raw_ledger"' in text
    assert 'id="raw_ledger"' in text
    assert "Not judged on this day: raw/silent." in text
    links = [value for name, value in Parts(text).attributes if name in ("href", "src")]
    assert links == ["#raw_ledger"]


def test_writing_a_page_again_replaces_it_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "page.html"
    write_page(path, "first")
    write_page(path, "second")
    assert [(found.name, found.read_text(encoding="utf-8")) for found in path.parent.iterdir()] == [
        ("page.html", "second")
    ]


def test_a_page_that_cannot_be_written_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    (path := tmp_path / "page.html").mkdir()
    with pytest.raises(OSError, match=r": '[^']*/page\.html'$"):
        write_page(path, "text")
    assert list(tmp_path.iterdir()) == [path]
