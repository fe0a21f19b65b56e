"""What the benchmarks of ingestion judge by: each measure says no where it should."""

from __future__ import annotations

from datetime import date

import pytest

from daily_profit_model.risk_api.decode import decode
from daily_profit_model.sandbox.faults.truth import DayTruth
from daily_profit_model.tables.raw import RAW_TRADES_CLOSED
from daily_profit_model_tests.benchmarks.killed_ingestion import GRACE_S, asked_pages
from daily_profit_model_tests.benchmarks.request_rate import Case, figures, most_in_a_window
from daily_profit_model_tests.benchmarks.trade_pages import ROW_BYTES, TradePages
from daily_profit_model_tests.sandbox.expected import differing_rows, expected_rows

FIRST = date(2026, 6, 1)


@pytest.fixture(scope="module")
def trades() -> TradePages:
    return TradePages(FIRST, 1500)


def test_a_row_is_the_same_in_whichever_page_it_comes(trades: TradePages) -> None:
    whole = trades.rows(0, 3000)
    assert len(whole) == 3000 * (ROW_BYTES + 1) - 1
    assert whole == b",".join([trades.rows(0, 1000), trades.rows(1000, 1407), trades.rows(1407, 3000)])


def test_rows_have_keys_of_their_own_and_lie_on_their_day(trades: TradePages) -> None:
    records = trades.records(1400, 1600)
    assert len({record["position"] for record in records}) == 200
    for name in ("tradeDate", "openTime", "closeTime"):
        assert [record[name][:10] for record in records] == ["2026-06-01"] * 100 + ["2026-06-02"] * 100


def test_rows_are_good_trades_and_a_changed_one_differs(trades: TradePages) -> None:
    expected = expected_rows(RAW_TRADES_CLOSED, DayTruth(trades.records(0, 1500)), FIRST)
    decoded = decode(RAW_TRADES_CLOSED, [b"[" + trades.rows(0, 1500) + b"]"], day=FIRST)
    assert decoded.quarantined.num_rows == 0
    assert differing_rows(decoded.rows, expected) == 0
    assert differing_rows(decoded.rows.slice(1), expected) == 1
    other = expected_rows(RAW_TRADES_CLOSED, DayTruth(trades.records(1, 1501)), FIRST)
    assert differing_rows(decoded.rows, other) == 2


def page(skip: int, arrived: float, sent: float | None) -> tuple[float, str, int, int, float | None]:
    return arrived, f"/trades?limit=1000&skip={skip}", 200, 0, sent


def test_a_page_asked_for_again_is_excused_only_by_a_kill_at_which_it_was_under_way() -> None:
    log = [page(0, 1.0, 1.1), page(1000, 4.8, None), page(1000, 9.0, 9.1), page(2000, 9.2, 9.3)]
    assert asked_pages(log, [5.0]) == {"pages": 3, "requests": 4, "most again after a kill": 1, "without need": 0}
    assert asked_pages([*log, page(0, 9.4, 9.5)], [5.0])["without need"] == 1
    assert asked_pages([*log, page(1000, 9.4, 9.5)], [5.0])["without need"] == 1
    sent_long_before = [page(0, 1.0, 5.0 - 2 * GRACE_S), page(0, 9.0, 9.1)]
    assert asked_pages(sent_long_before, [5.0])["without need"] == 1


def test_a_page_is_the_same_whether_or_not_its_total_is_asked_for() -> None:
    log = [page(0, 1.0, 1.1), (9.0, "/trades?limit=1000&skip=0&include-total=1", 200, 0, 9.1)]
    assert asked_pages(log, [])["without need"] == 1


def test_the_fullest_window_is_found_wherever_it_lies() -> None:
    steady = [number / 15 for number in range(100)]
    assert most_in_a_window(steady, 15.0) == pytest.approx(1.0)
    assert most_in_a_window([*steady, *[50.0] * 21], 15.0) == pytest.approx(21.0)
    assert most_in_a_window([0.0] * 20 + [1.0] * 16, 15.0) == pytest.approx(21.0)


@pytest.mark.parametrize(
    ("rate", "is_refused", "holds"),
    [(15.0, False, True), (14.0, False, False), (15.0, True, False), (16.0, False, False)],
)
def test_the_configured_rate_is_reached_without_a_refusal_and_not_exceeded(
    rate: float, is_refused: bool, holds: bool
) -> None:
    log = [(number / rate, 200) for number in range(round(rate * 100))]
    if is_refused:
        log[50] = (log[50][0], 429)
    assert figures(Case(15.0, 20, True), log, 100.0)["holds"] is holds


@pytest.mark.parametrize(
    ("rate", "refused_every", "holds"), [(5.0, 1000, True), (4.0, 1000, False), (6.0, 1000, False), (5.0, 20, False)]
)
def test_a_lower_rate_is_met_within_a_tenth_and_with_few_refusals(rate: float, refused_every: int, holds: bool) -> None:
    log = [(number / rate, 429 if number % refused_every == 7 else 200) for number in range(round(rate * 200))]
    assert figures(Case(5.0, 20, True), log, 200.0)["holds"] is holds
