"""Windows of 1 to 60 days over an account's daily profit, built from lags in a fixed order.

`staging/accounts` has a row for every day of an account's life, so the row k places back is the day
k days back, and long windows nest: twenty days are ten days merged with the ten before. Each merge
is one fixed expression, so a day computed from its look-back has the bits that it has in a backfill
(a window aggregate does not: its order of summation depends on where a row lies). Mean and deviation
merge pairwise as in Chan, Golub and LeVeque 1979; sums of money are whole cents and exact.

What the features say with these columns is declared in `families`.
"""

from __future__ import annotations

LIFE = "partition by account_id, first_seen_date order by date"
"""Rows of one life are dense. An account that comes back after its end begins a new one."""

WINDOWS = (1, 3, 5, 10, 20, 60)
NESTED: dict[int, tuple[int, ...]] = {10: (5,), 20: (10,), 60: (40, 20)}
"""Window → lags (farthest first) at which the next smaller window is merged into it."""
SMALLER = {10: 5, 20: 10, 60: 20}

HALF_LIVES = (3, 10)
PROFIT_LAGS = (1, 2, 3, 4, 5, 6, 13, 20, 27)
"""1–5: the features of their name, and the parts of the five-day window; 6, 13, …: the weekday of D+1."""

MEDIAN_DAYS = 20

_SUMS = ("n", "s", "wins", "traded", "gp", "gl", "d2")


def single_day(x: str, traded: str) -> dict[str, str]:
    """The components of a one-day window over `x` (profit in whole cents, null when unknown)."""
    value = f"coalesce({x}, 0)"
    parts = {
        "n": f"({x} is not null)::bigint",
        "s": value,
        "m2": "0.0",
        "mn": x,
        "mx": x,
        "wins": f"({value} > 0)::bigint",
        "traded": f"({x} is not null and coalesce({traded}, false))::bigint",
        "gp": f"greatest({value}, 0)",
        "gl": f"least({value}, 0)",
        "d2": f"least({value}, 0)::double * least({value}, 0)::double",
        "pk": f"greatest({value}, 0)",
        "tg": f"least({value}, 0)",
        "dd": f"-least({value}, 0)",
    }
    for half_life in HALF_LIVES:
        parts[f"e{half_life}"] = f"{value}::double"
        parts[f"a{half_life}"] = f"abs({value})::double"
        parts[f"w{half_life}"] = f"({x} is not null)::double"
    return parts


COMPONENTS = tuple(single_day("x", "t"))


def merge(old: dict[str, str], new: dict[str, str], days_of_new: int) -> dict[str, str]:
    """The components of an older window followed directly by a newer one of `days_of_new` days.

    An older window before the account's life is null throughout and leaves the newer one as it is.
    """
    known = {name: f"coalesce({sql}, 0)" for name, sql in old.items()}
    merged = {name: f"{known[name]} + {new[name]}" for name in _SUMS}
    n_old, n_new = known["n"], new["n"]
    gap = f"({new['s']}::double / {n_new} - {known['s']}::double / {n_old})"
    merged["m2"] = (
        f"case when {n_old} = 0 then {new['m2']} when {n_new} = 0 then {old['m2']} "
        f"else ({old['m2']} + {new['m2']}) + {gap} * {gap} * ({n_old} * {n_new}) / ({n_old} + {n_new}) end"
    )
    merged["mn"] = f"least({old['mn']}, {new['mn']})"
    merged["mx"] = f"greatest({old['mx']}, {new['mx']})"
    merged["pk"] = f"greatest({known['pk']}, {known['s']} + {new['pk']})"
    merged["tg"] = f"least({known['tg']}, {known['s']} + {new['tg']})"
    merged["dd"] = f"greatest({known['dd']}, {new['dd']}, {known['pk']} - ({known['s']} + {new['tg']}))"
    for half_life in HALF_LIVES:
        decay = repr(0.5 ** (days_of_new / half_life))
        for name in (f"e{half_life}", f"a{half_life}", f"w{half_life}"):
            merged[name] = f"{new[name]} + {decay} * {known[name]}"
    return merged


def _columns(window: int, suffix: str = "") -> dict[str, str]:
    return {name: f"{name}_{window}{suffix}" for name in COMPONENTS}


def _select(previous: str, parts: dict[str, str], window: int) -> str:
    listed = ",\n        ".join(f"{sql} as {name}_{window}" for name, sql in parts.items())
    return f"select\n        *,\n        {listed}\n    from {previous}"


def _lagged(previous: str, window: int, lags: tuple[int, ...]) -> str:
    listed = ",\n        ".join(
        f"lag({name}_{window}, {lag}) over life as {name}_{window}_lag_{lag}" for lag in lags for name in COMPONENTS
    )
    return f"select\n        *,\n        {listed}\n    from {previous}\n    window life as ({LIFE})"


def common_table_expressions(source: str) -> list[tuple[str, str]]:
    """The chain of (name, select) from `source` (rows with `profit_cents`, `has_traded`) to the last window.

    The last of them holds, for every window w, the components `n_w` (days known), `s_w` (sum, cents),
    `m2_w` (sum of squared deviations, cents²), `mn_w`, `mx_w`, `wins_w`, `traded_w`, `gp_w`, `gl_w` (gross
    profit and loss, cents), `d2_w` (sum of squared losses), `dd_w` (largest drawdown of the window's
    profit path, cents), and, per half-life h, the weighted sums `eh_w`, `ah_w` (absolute) and weights `wh_w`.
    """
    lags = ",\n        ".join(f"lag(profit_cents, {lag}) over life as profit_cents_lag_{lag}" for lag in PROFIT_LAGS)
    trades = ",\n        ".join(f"lag(has_traded, {lag}) over life as has_traded_lag_{lag}" for lag in PROFIT_LAGS)
    # a median of whole cents has the same bits in any order, so this one window aggregate is safe
    rows = f"rows between {MEDIAN_DAYS - 1} preceding and current row"
    listed = ",\n        ".join(("*", lags, trades, f"median(profit_cents) over (life {rows}) as median_cents"))
    first = f"select\n        {listed}\n    from {source}\n    window life as ({LIFE})"
    chain = [("lagged_days", first)]

    day = [single_day("profit_cents", "has_traded")]
    day += [single_day(f"profit_cents_lag_{lag}", f"has_traded_lag_{lag}") for lag in (1, 2, 3, 4)]
    listed = ",\n        ".join(
        f"{sql} as {name}_1{_ago(ago)}" for ago, parts in enumerate(day) for name, sql in parts.items()
    )
    chain.append(("windows_1", f"select\n        *,\n        {listed}\n    from lagged_days"))
    for window, span, newest in ((2, (1, 0), 1), (3, (2,), 2), (4, (3,), 3), (5, (4,), 4)):
        old = _columns(1, _ago(span[0]))
        new = _columns(1) if window == 2 else _columns(window - 1)
        chain.append((f"windows_{window}", _select(f"windows_{window - 1}", merge(old, new, newest), window)))

    previous = "windows_5"
    for window, offsets in NESTED.items():
        small = SMALLER[window]
        chain.append((f"lagged_{window}", _lagged(previous, small, tuple(reversed(offsets)))))
        newest_first = list(reversed(offsets))
        parts = _columns(small)
        days = small
        source_name = f"lagged_{window}"
        for index, offset in enumerate(newest_first):
            target = window if index == len(newest_first) - 1 else days + small
            merged = merge(_columns(small, f"_lag_{offset}"), parts, days)
            chain.append((f"windows_{target}", _select(source_name, merged, target)))
            source_name, parts, days = f"windows_{target}", _columns(target), days + small
        previous = f"windows_{window}"
    return chain


def _ago(days: int) -> str:
    return f"_ago_{days}" if days else ""
