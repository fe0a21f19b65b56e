"""Whose login something later may tell: the logins of a day's trades, since these carry no account. Nothing else may.

A snapshot of accounts that was taken later knows who is still there, who is new, and how many there are. What may
be learnt from it is the account of a login that is asked for; all else of it is the future.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.engine import Source
from daily_profit_model.lake import Lake, read
from daily_profit_model.staging.trades import KNOWN_LOGINS, LOGIN

ACCOUNT = "account_id"
IS_LIVE = "is_live"
"""A column that tells a snapshot of its day from one that was taken later."""


@dataclass(frozen=True)
class Asked:
    """Logins that are looked up for a day, a row each, in the columns LOGIN."""

    named: pa.Table
    """All that stand in rows without an account."""
    unanswered: pa.Table
    """Those of them whose account no row of the same day says to whoever asks, so that a later one may be asked."""


def asked(view: Lake, steps: Iterable[Sequence[Source]], identities: Collection[str], day: str) -> Asked:
    """What the raw sources of each of `steps`, as `view` has them, ask for `day` with every day that is read for it.

    A step's question is answered by what the step itself reads. `view` is the lake of the morning after `day`: what
    later rows ask does not count. Tables of `identities` ask nothing.
    """
    named, unanswered = [_NOBODY], [_NOBODY]
    for sources in steps:
        with_login = [source for source in sources if set(LOGIN) <= set(source.table.column_names)]
        naming = [source for source in with_login if ACCOUNT in source.table.column_names]
        nameless = [source for source in with_login if source not in naming and source.table.name not in identities]
        for one in sorted({one for source in nameless for one in source.days(day) if one <= day}):
            logins = _distinct([_logins(view, source, one) for source in nameless if one in source.days(day)])
            answers = _distinct([_logins(view, source, one) for source in naming])
            named.append(logins)
            unanswered.append(logins.join(answers, list(LOGIN), join_type="left anti"))
    return Asked(_distinct(named), _distinct(unanswered))


def are_among(rows: pa.Table, logins: pa.Table) -> npt.NDArray[np.bool_]:
    """For every row with the columns LOGIN whether its login is one of `logins`."""
    placed = rows.select(list(LOGIN)).append_column("place", pa.array(np.arange(rows.num_rows)))
    found = placed.join(logins, list(LOGIN), join_type="left semi")
    among = np.zeros(rows.num_rows, dtype=bool)
    among[found["place"].to_numpy()] = True
    return among


_NOBODY = KNOWN_LOGINS.empty_table().select(list(LOGIN))


def _logins(view: Lake, source: Source, day: str) -> pa.Table:
    """Logins of one day; of a table that names accounts those with one."""
    named = [ACCOUNT] if ACCOUNT in source.table.column_names else []
    rows = read(view, source.table, [day], as_known=source.as_known, columns=[*LOGIN, *named])
    kept = rows.filter(pc.is_valid(rows[ACCOUNT])) if named else rows
    return kept.select(list(LOGIN)).cast(_NOBODY.schema)


def _distinct(found: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables([_NOBODY, *found]).group_by(list(LOGIN)).aggregate([])
