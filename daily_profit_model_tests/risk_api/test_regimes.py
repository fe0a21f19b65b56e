"""Market regimes: only what was known by the day's cut-off, flattened; missing stays missing."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from daily_profit_model.risk_api import (
    Decoded,
    ServiceFailing,
    ServiceUnreachable,
    SourceMissing,
    read_regime,
)
from daily_profit_model.risk_api import regimes as regimes_module
from daily_profit_model.tables.raw import RAW_MARKET_REGIMES
from daily_profit_model_tests.risk_api import scripted_service as scripted
from daily_profit_model_tests.risk_api.scripted_service import Service

DAY = date(2026, 6, 1)
DOCUMENT: dict[str, Any] = {
    "date": "2026-06-01",
    "market_news": {},
    "instruments": {
        "data": {
            "EURUSD": {"last_price": 1.0825, "daily_return": -0.002, "volatility_90d": 0.07},
            "SPX500": {"eod_price": "5321.5", "daily_return": None},
        }
    },
    "country_economic_indicators": {"treasury_10_year": 4.4, "real_gdp": "bad"},
    "news_analysis": {
        "sentiment_summary": {"average_score": 0.25, "distribution": {"bullish": 12, "bearish": 3}},
        "count": 40,
    },
    "summary": {
        "key_metrics": {"volatility_regime": " high ", "anomaly_count": 2},
        "regime_fingerprint": "hv-lo",
        "transition_probabilities": {"to_risk_on": 0.2, "to_risk_off": 0.5, "to_vol_spike": 0.3},
    },
    "created_at": "2026-06-01T22:00:00.000Z",
    "updated_at": "2026-06-02T05:30:00.000Z",
}


def read(folder: Path, document: Any, day: date = DAY) -> Decoded:
    text = document if isinstance(document, bytes) else orjson.dumps(document)
    (folder / f"{day}.json").write_bytes(text)
    return read_regime(str(folder), day)


def test_a_document_becomes_a_row_of_the_contract(tmp_path: Path) -> None:
    decoded = read(tmp_path, DOCUMENT)
    assert decoded.rows.schema == RAW_MARKET_REGIMES.schema()
    (row,) = decoded.rows.to_pylist()
    assert (row["date"], row["known_at"]) == (DAY, datetime(2026, 6, 2, 5, 30, tzinfo=UTC))
    assert (row["sentiment_score"], row["bullish_share"], row["bearish_share"], row["news_count"]) == (
        0.25,
        12,
        3,
        40,
    )
    assert (row["volatility_regime"], row["anomaly_count"], row["regime_fingerprint"]) == ("high", 2, "hv-lo")
    assert (row["to_risk_on"], row["to_risk_off"], row["to_vol_spike"]) == (0.2, 0.5, 0.3)
    assert (row["eurusd_last_price"], row["eurusd_daily_return"], row["eurusd_volatility_90d"]) == (
        1.0825,
        -0.002,
        0.07,
    )
    assert row["spx500_last_price"] == 5321.5
    assert row["treasury_10_year"] == 4.4
    # missing and unreadable stay missing
    assert row["spx500_daily_return"] is row["btcusd_last_price"] is row["liquidity_state"] is row["real_gdp"] is None
    assert decoded.unreadable == {"country_economic_indicators.real_gdp": 1}
    assert (decoded.received, decoded.late) == (1, 0)


@pytest.mark.parametrize(
    ("written", "is_used"),
    [
        ({"updated_at": "2026-06-02T06:00:00.000Z"}, True),
        ({"updated_at": "2026-06-02T06:00:00.001Z"}, False),
        ({"updated_at": "2026-09-01 00:00:00"}, False),
        ({"updated_at": None}, True),
        ({"updated_at": None, "created_at": "2026-06-03"}, False),
        ({"updated_at": "2026-06-02T08:00:00+03:00"}, True),
    ],
)
def test_a_document_written_after_the_cut_off_does_not_enter_its_day_L5(
    tmp_path: Path, written: dict[str, Any], is_used: bool
) -> None:
    decoded = read(tmp_path, DOCUMENT | written)
    assert (decoded.rows.num_rows, decoded.late) == ((1, 0) if is_used else (0, 1))
    assert decoded.quarantined.num_rows == 0


def test_no_document_is_no_row(tmp_path: Path) -> None:
    decoded = read_regime(str(tmp_path), DAY)
    assert (decoded.rows.num_rows, decoded.quarantined.num_rows, decoded.received, decoded.late) == (
        0,
        0,
        0,
        0,
    )


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b'{"date": "2026-06-', "malformed_document"),
        (b"[1]", "malformed_document"),
        (DOCUMENT | {"date": "2026-06-02"}, "wrong_day"),
        (DOCUMENT | {"date": None}, "missing_required"),
        (DOCUMENT | {"date": "June"}, "unreadable_date"),
        (DOCUMENT | {"updated_at": None, "created_at": None}, "missing_required"),
        (DOCUMENT | {"updated_at": "soon"}, "unreadable_date"),
    ],
)
def test_a_broken_document_is_quarantined_with_its_reason(tmp_path: Path, document: Any, reason: str) -> None:
    decoded = read(tmp_path, document)
    assert decoded.rows.num_rows == 0
    assert decoded.quarantined["reason"].to_pylist() == [reason]
    assert decoded.quarantined["table"].to_pylist() == ["raw/market_regimes"]


def test_parts_that_are_json_in_a_string_are_read_as_well(tmp_path: Path) -> None:
    as_text = {name: json.dumps(part) if isinstance(part, dict) else part for name, part in DOCUMENT.items()}
    assert read(tmp_path, as_text).rows == read(tmp_path, DOCUMENT).rows


def test_parts_of_other_shapes_are_missing_values(tmp_path: Path) -> None:
    (row,) = read(tmp_path, DOCUMENT | {"instruments": [], "summary": "none", "news_analysis": 3}).rows.to_pylist()
    assert row["eurusd_last_price"] is row["to_risk_on"] is row["news_count"] is None


def test_a_missing_folder_is_one_line_that_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match="REGIMES_SOURCE"):
        read_regime(str(tmp_path / "none"), DAY)


def test_documents_come_over_http_too(service: Service, tmp_path: Path) -> None:
    source = service.base_url
    service.faults = [scripted.status(503), scripted.body(orjson.dumps(DOCUMENT)), scripted.status(404)]
    assert read_regime(source, DAY).rows == read(tmp_path, DOCUMENT).rows
    assert service.asked[0][0].endswith("/external/2026-06-01.json")
    assert "apiKey" not in service.asked[0][2]
    assert read_regime(source.rstrip("/"), DAY).received == 0


def test_a_regime_service_that_fails_is_no_missing_document(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regimes_module, "ATTEMPTS", 1)
    service.faults = [scripted.status(500)]
    with pytest.raises(ServiceFailing, match="REGIMES_SOURCE"):
        read_regime(service.base_url, DAY)
    with pytest.raises(ServiceUnreachable, match="REGIMES_SOURCE"):
        read_regime("http://127.0.0.1:9/regimes", DAY)
