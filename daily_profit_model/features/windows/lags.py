"""How a statement reads earlier days of a stage: a join on the same life of the same account, some days back.

`wanted_days` are the days that the statement gives (`engine.Stage`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from daily_profit_model.engine import WANTED

LIFE = ("account_id", "first_seen_date", "date")
"""The key of a day of a life. An account that comes back after its end begins a new one."""

_KEY = ", ".join(LIFE)


def days_of(view: str, columns: Sequence[str]) -> str:
    """The wanted days of a view with dense rows: its key and some columns."""
    listed = ", ".join((*LIFE, *columns))
    return f"(\n        select {listed}\n        from {view}\n        where date in (select date from {WANTED})\n    ) as now"


def joined_ago(view: str, days: int, columns: Mapping[str, str]) -> str:
    """A join of the rows `days` days earlier in the same life; `columns`: new name → column of `view`.

    Where the account's life had not begun the new columns are null.
    """
    listed = ", ".join(f"{column} as {name}" for name, column in columns.items())
    moved = f"date + {days}" if days else "date"
    wanted = f"date - {days}" if days else "date"
    return (
        f"left join (\n        select account_id, first_seen_date, {moved} as date, {listed}\n"
        f"        from {view}\n        where date in (select {wanted} from {WANTED})\n    ) as ago_{days}\n"
        f"        using ({_KEY})"
    )


def chained(first: str, links: Sequence[Mapping[str, str]], columns: Sequence[str]) -> str:
    """`first`, then each link's expressions beside all columns before it, then the key and `columns` of the last.

    A link's expression may name what earlier links made.
    """
    ctes = [f"step_0 as (\n    {first}\n)"]
    for nth, link in enumerate(links, start=1):
        listed = ",\n        ".join(f"{sql} as {name}" for name, sql in link.items())
        ctes.append(f"step_{nth} as (\n    select\n        *,\n        {listed}\n    from step_{nth - 1}\n)")
    kept = ",\n    ".join((*LIFE, *columns))
    return "with " + ",\n".join(ctes) + f"\nselect\n    {kept}\nfrom step_{len(links)}"
