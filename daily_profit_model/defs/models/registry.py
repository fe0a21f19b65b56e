"""Which model serves a day, and its bundle: the gate's decisions (models/champion) and the acts of persons
(models/transitions) in the lake, joined to the models' folder. What they mean together is `modeling.acts`'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from daily_profit_model.defs.models.tunings import tuning_lookups
from daily_profit_model.lake import Lake, LakeError, create_once, read
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model.modeling.acts import Alias, Wish, changes, day_of, holder, next_act
from daily_profit_model.modeling.acts import cutoff_of as cutoff_of
from daily_profit_model.modeling.contracts import MODELS_CHAMPION, MODELS_TRANSITIONS
from daily_profit_model.settings import load_settings
from daily_profit_model.tables import Table
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY

ACT_CODE_VERSION = "1"
IN_FORCE = f"{MODELS_CHAMPION.name}#in_force"
"""The input that a footer names with a day: who serves it, whichever decision or act says so."""
LISTINGS = 5
"""A listing that is made while acts are created may show one and miss the one before; the next shows both."""

if TYPE_CHECKING:
    from daily_profit_model.modeling.bundle import Model


@dataclass(frozen=True)
class Champion:
    """A model version and the cut-off of its training."""

    version: str
    model_hash: str
    cutoff: date


def transitions(lake: Lake) -> pa.Table:
    """Every decision of the gate so far, a row each."""
    return read(lake, MODELS_CHAMPION, lake.partitions(MODELS_CHAMPION.name))


def acts(lake: Lake, known: pa.Table | None = None) -> pa.Table:
    """Every act on the aliases so far, a row each, by number; `known` and errors as of `numbered`."""
    return numbered(lake, MODELS_TRANSITIONS, known)


def numbered(lake: Lake, table: Table, known: pa.Table | None = None) -> pa.Table:
    """The rows of a table of acts, by number. Raises LakeError when one of them is missing.

    `known`: the acts of a moment ago; as none is ever changed, only later ones are read.
    """
    for _ in range(LISTINGS):
        partitions = lake.partitions(table.name)
        numbers = [int(partition) for partition in partitions]
        if numbers == list(range(1, len(numbers) + 1)):
            first = [] if known is None else [known]
            return pa.concat_tables([*first, read(lake, table, partitions[sum(map(len, first)) :])])
        lake.root.fs.invalidate_cache()
    gone = min(set(range(1, max(numbers) + 1)) - set(numbers))
    raise LakeError(
        f"{table.name}: act {gone} is missing, though act {max(numbers)} is there, so nobody can say who serves; "
        f"restore its folder {table.partitioning}={partition_of(gone)}"
    )


def known_changes(lake: Lake) -> pa.Table:
    """All changes of the aliases, by the gate and by persons, as `modeling.acts` orders them."""
    return changes(transitions(lake), acts(lake))


def champion_of(lake: Lake, day: date, known: pa.Table | None = None) -> Champion:
    """The champion in force on `day`, by the changes `known`. Raises LakeError when there is none."""
    known = known_changes(lake) if known is None else known
    found = _version_of(known, "champion", day)
    if found is None:
        first = first_in_force(known)
        hint = f"the first is in force from {first}" if first else "train one: dpm run --stages training,models"
        raise LakeError(f"no champion is in force on {day}: {hint}")
    return found


def challenger_of(lake: Lake, day: date) -> Champion | None:
    """The version that challenges the champion of `day`, if there is one."""
    return _version_of(known_changes(lake), "challenger", day)


def first_in_force(known: pa.Table) -> date | None:
    """The first day on which any champion is in force."""
    days: list[date] = [row["in_force_from"] for row in known.to_pylist() if row["alias"] == "champion"]
    return min(days, default=None)


def _version_of(known: pa.Table, alias: Alias, day: date) -> Champion | None:
    found = holder(known, alias, day)
    return None if found is None else Champion(found.version, found.model_hash, cutoff_of(found.version))


def champion_inputs(lake: Lake, champion: Champion, day: date) -> dict[str, str | None]:
    """What a footer records of the choice: whoever served the day. `hash_lookup` tells who serves it by now."""
    return {f"{IN_FORCE}@{day}": champion.model_hash}


def hash_lookup(lake: Lake) -> HashLookup:
    """Content hashes of this lake, who serves a day as the hash of the model, and which tuning a training uses."""

    @cache
    def known() -> pa.Table:
        return known_changes(lake)

    def in_force(day: str) -> str | None:
        found = holder(known(), "champion", date.fromisoformat(day))
        return None if found is None else found.model_hash

    from daily_profit_model.defs.models.shadows import shadow_lookups  # it reads who serves from here

    return HashLookup(lake, {IN_FORCE: in_force, **tuning_lookups(lake), **shadow_lookups(lake)})


def now_utc() -> datetime:
    return datetime.now(UTC)


def record(lake: Lake, wish: Wish, *, now: Callable[[], datetime] = now_utc) -> dict[str, Any]:
    """Carry out `wish` as the next act, and return its row: compare and set, whoever else acts at the same time.

    Where another act takes the number first, everything is looked at again; so each act knows the one before it.
    Raises WrongUse for a day that cannot change any more, ActRefused when what was expected does not hold.
    """
    known = None
    while True:
        at = now()
        known = acts(lake, known)
        day = day_of(wish, last_predicted(lake), at.date())
        row = next_act(transitions(lake), known, wish, day, at)
        number = partition_of(row["number"][0].as_py())
        if create_once(lake, MODELS_TRANSITIONS, number, row, code_version=ACT_CODE_VERSION) is not None:
            written: dict[str, Any] = row.to_pylist()[0]
            return written


def last_predicted(lake: Lake) -> date | None:
    """The last day that has served predictions."""
    days = lake.partitions(PREDICTIONS_ACCOUNT_DAILY.name)
    return date.fromisoformat(days[-1]) if days else None


def partition_of(number: int) -> str:
    """The partition of an act."""
    return f"{number:06d}"


def load_model(champion: Champion) -> Model:
    """The champion's bundle, every file checked against its hash."""
    return _loaded(load_settings().models_dir / champion.version, champion.model_hash)


@lru_cache(maxsize=8)
def _loaded(folder: Path, model_hash: str) -> Model:
    from daily_profit_model.modeling.bundle import load

    model = load(folder)
    if model.hash != model_hash:
        raise LakeError(f"{folder} holds the model {model.hash[:12]}…, but {model_hash[:12]}… was promoted")
    return model
