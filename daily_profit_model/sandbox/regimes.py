"""The daily market-regime documents: what the day's market looked like, as JSON.

A share of the documents is written again later; until then the first version is served, afterwards
only the second, whose `updated_at` tells.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa

from daily_profit_model.sandbox import symbols
from daily_profit_model.sandbox.firm import FirmDay
from daily_profit_model.sandbox.market import REGIMES

#: Chance that a document is written again, one to three days later.
REWRITE_CHANCE: Final = 0.06
#: The first version is written at 01:30 UTC after the day.
WRITTEN_AFTER: Final = timedelta(days=1, hours=1, minutes=30)
#: Half-life of the average behind `volatility_90d`, close to a window of 90 days.
MEMORY: Final = 0.97


def documents(history: list[FirmDay], seed: int) -> pa.Table:
    """One row a day: day, when its versions were written, and their JSON text (second null if none)."""
    rng = np.random.default_rng([seed, 5])
    variance = symbols.DAILY_VOL**2
    rows: dict[str, list[Any]] = {"day": [], "created": [], "updated": [], "first": [], "second": []}
    rates = np.array([5.33, 3.1, 4.6, 4.3, 4.0, 23_000.0])
    for item in history:
        path = item.day.path
        opening, closing = path.price[0, :, 0], path.price[0, :, -1]
        change = closing / opening - 1.0
        variance = np.where(path.opened, MEMORY * variance + (1 - MEMORY) * change**2, variance)
        rates = rates + rng.normal(0.0, 1.0, 6) * np.array([0.0, 0.01, 0.03, 0.03, 0.01, 20.0])
        base = _content(item, change, np.sqrt(variance), rates, rng)
        created = datetime.combine(item.date, datetime.min.time(), tzinfo=UTC) + WRITTEN_AFTER
        rewritten = rng.random() < REWRITE_CHANCE
        updated = created + timedelta(days=int(rng.integers(1, 4))) if rewritten else None
        rows["day"].append(item.date)
        rows["created"].append(created)
        rows["updated"].append(updated)
        rows["first"].append(_document(item.date, base, created, created))
        rows["second"].append(
            _document(item.date, _content(item, change, np.sqrt(variance), rates, rng), created, updated)
            if updated
            else None
        )
    stamp = pa.timestamp("us", tz="UTC")
    return pa.table(
        {
            "day": pa.array(rows["day"], pa.date32()),
            "created": pa.array(rows["created"], stamp),
            "updated": pa.array(rows["updated"], stamp),
            "first": pa.array(rows["first"], pa.string()),
            "second": pa.array(rows["second"], pa.string()),
        }
    )


def _content(
    item: FirmDay,
    change: np.ndarray[Any, Any],
    deviation: np.ndarray[Any, Any],
    rates: np.ndarray[Any, Any],
    rng: np.random.Generator,
) -> dict[str, Any]:
    closing, regime = item.day.path.price[0, :, -1], int(item.day.market.regime[0])
    mood = float(np.clip(8.0 * change[:3].mean() + rng.normal(0.0, 0.15), -1.0, 1.0))
    count = int(rng.integers(20, 60))
    to_vol = (0.02, 0.08, 0.7)[regime] + 0.05 * float(rng.random())
    level = "bullish" if mood > 0.15 else "bearish" if mood < -0.15 else "neutral"
    curve = "inverted" if rates[2] > rates[3] else "normal"
    return {
        "market_news": [{"headline": f"Markets {level} on {item.date.isoformat()}"}],
        "instruments": {
            "data": {
                name: {
                    "last_price": round(float(closing[at]), int(symbols.DIGITS[at])),
                    "daily_return": round(float(change[at]), 6),
                    "volatility_90d": round(float(deviation[at] * np.sqrt(252.0)), 6),
                }
                for at, name in enumerate(symbols.NAMES)
            }
        },
        "country_economic_indicators": {
            name: round(float(value), 2)
            for name, value in zip(
                (
                    "fed_funds_rate_effective",
                    "inflation_us_consumer_prices",
                    "treasury_2_year",
                    "treasury_10_year",
                    "unemployment_rate",
                    "real_gdp",
                ),
                rates,
                strict=True,
            )
        },
        "news_analysis": {
            "count": count,
            "sentiment_summary": {
                "average_score": round(mood, 4),
                "distribution": {
                    "bullish": round(count * (0.5 + mood / 3)),
                    "bearish": round(count * (0.5 - mood / 3)),
                },
            },
        },
        "summary": {
            "key_metrics": {
                "volatility_regime": REGIMES[regime],
                "sentiment_level": level,
                "yield_curve_shape": curve,
                "liquidity_state": "thin" if item.date.weekday() >= 5 or regime == 2 else "normal",
                "anomaly_count": int(rng.poisson((0.2, 0.6, 2.0)[regime])),
            },
            "regime_fingerprint": f"{REGIMES[regime]}-{level}-{curve}",
            "transition_probabilities": {
                "to_risk_on": round(0.3 + 0.2 * mood, 4),
                "to_risk_off": round(0.3 - 0.2 * mood, 4),
                "to_vol_spike": round(to_vol, 4),
            },
        },
        "vector_daily_regime": None,
    }


def _document(day: date, content: dict[str, Any], created: datetime, updated: datetime) -> str:
    stamps = {"created_at": _stamp(created), "updated_at": _stamp(updated)}
    return orjson.dumps({"date": day.isoformat(), **content, **stamps}).decode()


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
