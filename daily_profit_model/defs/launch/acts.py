"""`dpm models promote|rollback|withdraw`: acts of a person on the aliases, recorded in the lake and told to the UI."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date
from typing import Any

from daily_profit_model.defs.launch.versions import known_versions, resolve
from daily_profit_model.defs.models.deployments import with_bundle
from daily_profit_model.defs.models.registry import known_changes, last_predicted, record
from daily_profit_model.lake import Lake
from daily_profit_model.modeling.acts import (
    NOBODY,
    ActRefused,
    Alias,
    Wish,
    champion_before,
    first_day_open,
    holder,
    later_changes,
)
from daily_profit_model.settings import Settings, WrongUse


def promote(
    settings: Settings, text: str, *, alias: Alias, reason: str, author: str, expect: str, first_day: date | None
) -> None:
    """Give an alias to a version. `expect`: who must hold it now, `none` for nobody, empty for whoever does.

    Raises WrongUse, ActRefused, and what `load` raises of a bundle that may not be used.
    """
    lake = Lake(settings.lake_root)
    known = known_versions(lake, settings.models_dir)
    expected = (NOBODY if expect == NOBODY else resolve(expect, known)) if expect else None
    wish = Wish(alias, resolve(text, known), reason, author, in_force_from=first_day, expected=expected)
    carry_out(settings, lake, with_bundle(lake, settings.models_dir, wish))


def rollback(settings: Settings, *, reason: str, author: str) -> None:
    """Make the champion before the present one champion again, unless somebody has changed the present one meanwhile.

    Raises ActRefused when there is none, WrongUse, and what `load` raises.
    """
    lake = Lake(settings.lake_root)
    known, last = known_changes(lake), last_predicted(lake)
    day = first_day_open(last, None) or date.max
    present, before = holder(known, "champion", day), champion_before(known, day)
    if present is None:
        raise ActRefused("nobody is champion, so there is nothing to go back to; nothing was changed")
    if before is None:
        raise ActRefused(
            f"{present.version} is the first champion, {present.by}: there is none before it; nothing was changed"
        )
    # before any prediction the whole time of the present champion is still open
    since = max(present.since, first_day_open(None, before.version) or present.since) if last is None else None
    wish = Wish(
        "champion",
        before.version,
        reason,
        author,
        in_force_from=since,
        expected=present.version,
        evidence={"rollback_of": present.version},
    )
    carry_out(settings, lake, with_bundle(lake, settings.models_dir, wish))


def withdraw(settings: Settings, *, reason: str, author: str) -> None:
    """Leave the champion without a challenger. Raises ActRefused when it has none."""
    carry_out(settings, Lake(settings.lake_root), Wish("challenger", None, reason, author))


def user_name() -> str:
    """Who is asking. Raises WrongUse when the machine does not know."""
    import getpass

    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        raise WrongUse("this machine does not know your name: say --author NAME") from None


def carry_out(settings: Settings, lake: Lake, wish: Wish) -> dict[str, Any]:
    """Record the act, say what it changes, tell the UI, and return its row. Raises ActRefused and WrongUse."""
    act = record(lake, wish)
    before = f"before: {act['previous_version'] or 'nobody'}"
    print(
        f"act {act['number']}: {act['version'] or 'nobody'} is {act['alias']} from {act['in_force_from']} on ({before})"
    )
    gate = wish.evidence.get("gate")
    if gate and gate["decision"] == "refused":
        print(f"the gate has refused it: {gate['reason']}")
    for change in later_changes(known_changes(lake), wish.alias, act["in_force_from"]):
        print(f"known already: then {change.version + ', ' + change.by if change else 'nobody'}")
    _tell(settings, act)
    return act


def _tell(settings: Settings, act: Mapping[str, Any]) -> None:
    """The act stands, whatever becomes of the line about it in the UI."""
    from daily_profit_model.defs.launch.instance import stored_instance
    from daily_profit_model.defs.models.transitions import tell

    try:
        tell(stored_instance(settings), act)
    except Exception as error:
        reason = " ".join(str(error).split())
        print(f"dpm: act {act['number']} stands, but the UI could not be told of it: {reason}", file=sys.stderr)
