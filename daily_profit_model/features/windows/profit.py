"""Windows over an account's daily profit: sums, spread, extremes, drawdown and weighted means.

For each window w the columns are: `n_w` days known, `s_w` sum of the profit, `m2_w` sum of squared deviations,
`mn_w` and `mx_w` worst and best day (infinite when none is known), `wins_w` days with a profit, `traded_w` known
days with a closed trade, `gp_w` sum of the winning days, `d2_w` sum of squared losses, `pk_w` and `tg_w` highest
and lowest point of the summed profit, `dd_w` its largest fall, and, per half-life h, the weighted sum `eh_w`, its
weight `wh_w` and the weighted sum of absolute profits `ah_w`. Money is in cents.

Mean and deviation merge pairwise as in Chan, Golub and LeVeque 1979.
"""

from __future__ import annotations

from daily_profit_model.engine import Stage
from daily_profit_model.features.windows.lags import LIFE, chained, days_of, joined_ago

HALF_LIVES = (3, 10)
PROFIT_LAGS = (1, 2, 3, 4, 5, 6, 13, 20, 27)
"""1–5: the features of their name; 6, 13, …: the weekday of D+1."""

MEDIAN_DAYS = 20

_SUMS = ("n", "s", "wins", "traded", "gp", "d2")
_NONE = "'infinity'::double"
_DEFAULTS = {"mn": _NONE, "mx": f"-{_NONE}"}
_DAY = ("v", "k", "t")

Parts = dict[str, str]


def single_day(v: str, k: str, t: str) -> Parts:
    """A window of one day: `v` its profit (0 when unknown), `k` 1 when it is known, `t` 1 when it traded and is."""
    parts = {
        "n": k,
        "s": v,
        "m2": "0.0",
        "mn": f"case when {k} > 0 then {v} else {_NONE} end",
        "mx": f"case when {k} > 0 then {v} else -{_NONE} end",
        "wins": f"({v} > 0)::int::double",
        "traded": t,
        "gp": f"greatest({v}, 0.0)",
        "d2": f"least({v}, 0.0) * least({v}, 0.0)",
        "pk": f"greatest({v}, 0.0)",
        "tg": f"least({v}, 0.0)",
        "dd": f"-least({v}, 0.0)",
    }
    for half_life in HALF_LIVES:
        parts |= {f"e{half_life}": v, f"w{half_life}": k, f"a{half_life}": f"abs({v})"}
    return parts


COMPONENTS = tuple(single_day("v", "k", "t"))


def merge(old: Parts, new: Parts, days_of_new: int) -> Parts:
    """An older window followed directly by a newer one of `days_of_new` days."""
    merged = {name: f"{old[name]} + {new[name]}" for name in _SUMS}
    n_old, n_new = old["n"], new["n"]
    # a window of no known day has sum and weight zero, so that nothing is added
    gap = f"({new['s']} / greatest({n_new}, 1.0) - {old['s']} / greatest({n_old}, 1.0))"
    merged["m2"] = (
        f"({old['m2']} + {new['m2']}) + {gap} * {gap} * ({n_old} * {n_new}) / greatest({n_old} + {n_new}, 1.0)"
    )
    merged["mn"] = f"least({old['mn']}, {new['mn']})"
    merged["mx"] = f"greatest({old['mx']}, {new['mx']})"
    merged["pk"] = f"greatest({old['pk']}, {old['s']} + {new['pk']})"
    merged["tg"] = f"least({old['tg']}, {old['s']} + {new['tg']})"
    merged["dd"] = f"greatest({old['dd']}, {new['dd']}, {old['pk']} - ({old['s']} + {new['tg']}))"
    for half_life in HALF_LIVES:
        decay = f"{0.5 ** (days_of_new / half_life):.17e}"  # with an exponent it is a double in any SQL
        for name in (f"e{half_life}", f"w{half_life}", f"a{half_life}"):
            merged[name] = f"{new[name]} + {decay} * {old[name]}"
    return {name: merged[name] for name in COMPONENTS}


def _of(window: int, suffix: str = "") -> Parts:
    return {name: f"{name}_{window}{suffix}" for name in COMPONENTS}


def _named(parts: Parts, window: int, suffix: str = "") -> Parts:
    return {f"{name}_{window}{suffix}": sql for name, sql in parts.items()}


def _days() -> Stage:
    """One row a day of a life: `x` profit in cents, null when unknown, and what `single_day` takes."""
    sql = """select
    account_id,
    first_seen_date,
    date,
    round(net_profit * 100) as x,
    coalesce(round(net_profit * 100), 0.0) as v,
    (net_profit is not null)::int::double as k,
    (net_profit is not null and has_traded)::int::double as t,
    has_traded::int::double as traded
from staging_accounts
where date in (select date from wanted_days)"""
    return Stage("profit_days", sql, {"staging_accounts": (0,)})


def _short(name: str, longest: int, kept: tuple[int, ...], more: Parts) -> Stage:
    """The windows of 1 … `longest` days from single days; the windows `kept` and the columns `more` are given."""
    ago = range(1, longest)
    joins = "\n    ".join(
        joined_ago("profit_days", days, {f"{part}_{days}": part for part in ("x", *_DAY)}) for days in ago
    )
    known = ", ".join(f"coalesce({part}_{days}, 0.0) as {part}_{days}_known" for days in ago for part in _DAY)
    first = (
        f"select {', '.join(LIFE)}, x as x_0, v as v_0_known, k as k_0_known, t as t_0_known, "
        f"{', '.join(f'x_{days}' for days in ago)}, {known}\n    from {days_of('profit_days', ('x', *_DAY))}\n    {joins}"
    )
    singles: Parts = {}
    for days in range(longest):
        singles |= _named(single_day(*(f"{part}_{days}_known" for part in _DAY)), 1, f"_ago_{days}")
    links = [singles, {name: f"{name}_ago_0" for name in _named(_of(1), 1)}]
    links += [
        _named(merge(_of(1, f"_ago_{window - 1}"), _of(window - 1), window - 1), window)
        for window in range(2, longest + 1)
    ]
    if more:
        links.append(more)
    columns = [column for window in kept for column in _of(window).values()]
    return Stage(name, chained(first, links, [*columns, *more]), {"profit_days": tuple(range(longest))})


def _nested(name: str, window: int, source: str, small: int, ago: tuple[int, ...], lists: Parts) -> Stage:
    """The window of `window` days from windows of `small` days that end now and at each of `ago` days before.

    `lists`: further columns of the result → expression over lists of `source`, with `old` and `new` in its name.
    """
    carried = ("xs",) if lists else ()
    joins = "\n    ".join(
        joined_ago(
            source,
            days,
            {f"{part}_before_{days}": f"{part}_{small}" for part in (*COMPONENTS, *carried)},
        )
        for days in ago
    )
    known = ", ".join(
        f"coalesce({part}_before_{days}, {_DEFAULTS.get(part, '0.0')}) as {part}_known_{days}"
        for days in ago
        for part in COMPONENTS
    )
    own = [f"{part}_{small}" for part in (*COMPONENTS, *carried)]
    old_lists = ", xs_before_" + str(ago[0]) if lists else ""
    first = (
        f"select {', '.join(LIFE)}, {', '.join(own)}, {known}{old_lists}\n    from {days_of(source, own)}\n    {joins}"
    )
    links: list[Parts] = []
    newer, days_of_newer = _of(small), small
    for nth, days in enumerate(ago):
        target = window if nth == len(ago) - 1 else days_of_newer + small
        older = {part: f"{part}_known_{days}" for part in COMPONENTS}
        links.append(_named(merge(older, newer, days_of_newer), target))
        newer, days_of_newer = _of(target), target
    if lists:
        links.append(lists)
    return Stage(name, chained(first, links, [*_of(window).values(), *lists]), {source: (0, *ago)})


def _both(small: int, ago: int) -> str:
    """The single days of a window and of the one before it, oldest first."""
    return f"list_concat(coalesce(xs_before_{ago}, []::double[]), xs_{small})"


def _lags() -> Stage:
    joins = "\n    ".join(
        joined_ago("profit_days", lag, {f"x_lag_{lag}": "x", f"traded_lag_{lag}": "traded"}) for lag in PROFIT_LAGS
    )
    listed = ", ".join(f"x_lag_{lag}, traded_lag_{lag}" for lag in PROFIT_LAGS)
    sql = f"select {', '.join(LIFE)}, {listed}\nfrom {days_of('profit_days', ())}\n    {joins}"
    return Stage("profit_lags", sql, {"profit_days": (0, *PROFIT_LAGS)})


PROFIT_STAGES = (
    _days(),
    _lags(),
    _short("profit_3", 3, (1, 3), {}),
    _short("profit_5", 5, (5,), {"xs_5": "[x_4, x_3, x_2, x_1, x_0]"}),
    _nested("profit_10", 10, "profit_5", 5, (5,), {"xs_10": _both(5, 5)}),
    # a median of whole cents has the same bits in any order
    _nested("profit_20", 20, "profit_10", 10, (10,), {f"median_{MEDIAN_DAYS}": f"list_median({_both(10, 10)})"}),
    _nested("profit_60", 60, "profit_20", 20, (20, 40), {}),
)
