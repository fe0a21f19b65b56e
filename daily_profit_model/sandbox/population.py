"""Who trades: traders drawn with latent traits, and accounts opened for them on plans.

Distributions only; what a trader then does on a day lives in orders.py. The figures are assumptions,
chosen so that a little is learnable (docs/sandbox.md).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from daily_profit_model.sandbox import symbols
from daily_profit_model.sandbox.plan_book import FUNDED_PHASE, Plan
from daily_profit_model.sandbox.state import Accounts, Ints, Ledger, Terms, Traits

#: Style: scalper, day trader, swing trader — share, trades a trading day, hours held (medians).
STYLE_SHARE: Final = (0.42, 0.40, 0.18)
STYLE_TRADES: Final = np.array([36.0, 13.0, 2.4])
STYLE_HOURS: Final = np.array([0.25, 1.6, 15.0])

#: Sessions: Asia, London, New York — centre (UTC) and share.
SESSION_HOURS: Final = (4.0, 9.5, 15.0)
SESSION_SHARE: Final = (0.2, 0.4, 0.4)

#: Mean of a trading day over its deviation, before costs: across traders about N(-0.03, 0.30).
SKILL_MEAN: Final = -0.03
SKILL_DEVIATION: Final = 0.30
#: A tilt `a` towards the coming move gains about 0.8 · a deviations a trade.
GAIN_PER_TILT: Final = 0.8

#: Stages of the accounts that live at the start: evaluation first stage, later stages, funded.
START_STAGES: Final = (0.60, 0.22, 0.18)


def draw_traits(count: int, rng: np.random.Generator) -> Traits:
    """`count` traders."""
    style = rng.choice(3, size=count, p=STYLE_SHARE)
    trades = STYLE_TRADES[style] * np.exp(rng.normal(0.0, 0.5, count))
    liked = _liked_symbols(count, rng)
    crypto_fan = symbols.CRYPTO[liked].any(axis=1)
    p_on = rng.beta(9.0, 1.6, count)
    weekday = np.clip(p_on[:, None] * rng.beta(9.0, 1.2, (count, 7)) * 1.08, 0.0, 0.99)
    weekday[:, 5:] *= np.where(crypto_fan, 0.55, 0.03)[:, None]
    ratio = rng.normal(SKILL_MEAN, SKILL_DEVIATION, count)
    return Traits(
        skill=ratio / (GAIN_PER_TILT * np.sqrt(np.minimum(trades, 40.0))),
        trend=rng.normal(0.0, 0.5, count),
        follows_crowd=rng.uniform(0.2, 1.6, count),
        trades=np.clip(trades, 1.0, 110.0),
        risk=np.clip(0.0062 * np.exp(rng.normal(0.0, 0.65, count)), 0.0008, 0.035),
        hold_hours=STYLE_HOURS[style] * np.exp(rng.normal(0.0, 0.5, count)),
        session_hour=rng.choice(SESSION_HOURS, size=count, p=SESSION_SHARE) + rng.normal(0.0, 1.0, count),
        weekday=weekday,
        resting=rng.uniform(0.02, 0.25, count),
        keep_on=rng.beta(30.0, 2.2, count),
        keep_off=rng.beta(8.0, 3.0, count),
        symbols=liked,
        crypto=np.where(symbols.CRYPTO[liked[:, 0]], liked[:, 0], rng.choice(symbols.CRYPTO_INDEX, size=count)),
        stop_habit=np.where(rng.random(count) < 0.35, 0.0, rng.beta(4.0, 1.5, count)),
        profit_habit=np.where(rng.random(count) < 0.5, 0.0, rng.beta(3.0, 2.0, count)),
        martingale=np.where(rng.random(count) < 0.7, 0.0, rng.uniform(0.2, 1.0, count)),
        caution=rng.uniform(0.0, 1.0, count),
        quits=np.where(rng.random(count) < 0.5, 0.001, 0.008),
    )


def _liked_symbols(count: int, rng: np.random.Generator) -> Ints:
    # Gumbel's trick: the three largest of log-weight plus noise are a draw without replacement.
    noise = rng.gumbel(size=(count, symbols.COUNT)) + np.log(symbols.POPULARITY)
    return np.argsort(-noise, axis=1)[:, :3].astype(np.int64)


def open_accounts(
    uid: Ints, plan_rows: Ints, traits: Traits, table: dict[str, NDArray[Any]], rng: np.random.Generator
) -> Accounts:
    """New accounts on the plans at `plan_rows` of `table` (from `plan_table`), at their starting balance."""
    count = len(uid)
    terms = Terms(plan=plan_rows, **{name: column[plan_rows] for name, column in table.items()})
    start = terms.start
    zeros, days = np.zeros(count), np.zeros(count, dtype=np.int64)
    no = np.zeros(count, dtype=np.bool_)
    ledger = Ledger(
        balance=start.copy(),
        equity=start.copy(),
        prior_balance=start.copy(),
        prior_equity=start.copy(),
        peak=start.copy(),
        age=days,
        active_days=days,
        idle_days=days,
        on=rng.random(count) < 0.85,
        gone=no,
        lost=no,
        approved=zeros,
        pending=zeros,
        pending_days=days,
        payout_wait=np.where(terms.funded, terms.first_payout_delay, -1),
    )
    return Accounts(uid=uid, terms=terms, traits=traits, ledger=ledger)


def plan_table(book: tuple[Plan, ...]) -> dict[str, NDArray[Any]]:
    """The plan book as columns of Terms (all but `plan`), shares as 0 to 1."""

    def column(name: str, dtype: Any) -> NDArray[Any]:
        return np.array([getattr(plan, name) for plan in book], dtype=dtype)

    return {
        "phase": column("phase", np.int64),
        "start": column("start", np.float64),
        "target": column("target_pct", np.float64) / 100.0,
        "drawdown": column("drawdown_pct", np.float64) / 100.0,
        "trailing": column("trailing", np.bool_),
        "daily_limit": column("daily_limit_pct", np.float64) / 100.0,
        "daily_by_equity": column("daily_by_equity", np.bool_),
        "leverage": column("leverage", np.float64),
        "min_days": column("min_days", np.int64),
        "max_time": column("max_time", np.int64),
        "inactivity": column("inactivity", np.int64),
        "liquidate_friday": column("liquidate_friday", np.bool_),
        "funded": column("phase", np.int64) == FUNDED_PHASE,
        "first_payout_delay": column("first_payout_delay", np.int64),
        "payout_delay": column("payout_delay", np.int64),
        "upgrade_delay": np.maximum(1, column("upgrade_delay_hours", np.int64) // 24),
    }


def choose_plans(book: tuple[Plan, ...], count: int, rng: np.random.Generator, *, at_start: bool) -> Ints:
    """Rows of the book for `count` newcomers; at the start some are in later stages already."""
    offered = np.array([not plan.archived for plan in book])
    phase = np.array([plan.phase for plan in book])
    kinds = [phase == 1, (phase > 1) & (phase < FUNDED_PHASE), phase == FUNDED_PHASE]
    kind = rng.choice(3, size=count, p=START_STAGES) if at_start else np.zeros(count, dtype=np.int64)
    rows = np.empty(count, dtype=np.int64)
    for number, members in enumerate(kinds):
        chosen = kind == number
        rows[chosen] = rng.choice(np.flatnonzero(members & offered), size=int(chosen.sum()))
    return rows
