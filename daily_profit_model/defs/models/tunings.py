"""Which tuned parameters a training uses: those of the newest models/tuning partition up to its cut-off.

Here: finding them and saying so in footers. How they are found by search is `modeling.tuning`'s.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from daily_profit_model.cache.key import digest_of
from daily_profit_model.lake import Lake, read
from daily_profit_model.lake.staleness import Derived, HashLookup
from daily_profit_model.modeling.contracts import MODELS_TUNING
from daily_profit_model.modeling.forecasters import FORECASTERS, forecaster

if TYPE_CHECKING:
    from daily_profit_model.modeling.training import TrainSettings


@dataclass(frozen=True)
class Tuning:
    """The chosen trial of one search: the best, or the defaults where it is not surely better."""

    cutoff: str
    study: str
    trial: int
    value: float
    defaults_value: float
    """USD, as in MODELS_TUNING; those of the trial and of the defaults."""
    parameters: dict[str, int | float]

    @property
    def described(self) -> dict[str, Any]:
        """For a manifest."""
        return dict(vars(self))

    @property
    def words(self) -> str:
        return f"trial {self.trial} of {MODELS_TUNING.name} {self.cutoff}"


def settings_of(objective: str) -> TrainSettings:
    """The default settings of a training, of the default objective when it is empty.

    Raises ValueError for one that there is not.
    """
    from daily_profit_model.modeling.training import TrainSettings

    settings = TrainSettings()
    forecaster(objective or settings.objective)
    return replace(settings, objective=objective or settings.objective)


def tuned_settings(settings: TrainSettings, tuning: Tuning | None) -> TrainSettings:
    """`settings` with the parameters of `tuning`, when there is one."""
    from daily_profit_model.modeling.tuning_space import with_parameters

    return settings if tuning is None else with_parameters(settings, tuning.parameters)


def tuning_in_use(lake: Lake, cutoff: str, objective: str) -> Tuning | None:
    """What a training of `objective` at `cutoff` takes; None: the defaults."""
    for partition in reversed(lake.partitions(MODELS_TUNING.name)):
        if partition <= cutoff:
            rows = read(lake, MODELS_TUNING, [partition])
            rows = rows.filter(pc.equal(rows["objective"], objective))
            if rows.num_rows:
                return _chosen(partition, rows)
    return None


def _chosen(partition: str, rows: pa.Table) -> Tuning:
    chosen = rows.filter(rows["is_chosen"]).to_pylist()[0]
    defaults = rows.filter(pc.equal(rows["trial"], 0)).to_pylist()[0]
    return Tuning(
        cutoff=partition,
        study=chosen["study"],
        trial=chosen["trial"],
        value=chosen["value"],
        defaults_value=defaults["value"],
        parameters=json.loads(chosen["parameters"]),
    )


def tuning_inputs(cutoff: str, objective: str, tuning: Tuning | None) -> dict[str, str | None]:
    """What a footer records of the choice; None: there was none. `tuning_lookups` tell what it is by now."""
    return {f"{_choice(objective)}@{cutoff}": _hash(tuning)}


def tuning_lookups(lake: Lake) -> dict[str, Derived]:
    """By the names that footers have for the choice, who answers it for a cut-off (see `HashLookup`)."""

    def now(objective: str, cutoff: str) -> str | None:
        return _hash(tuning_in_use(lake, cutoff, objective))

    return {_choice(objective): partial(now, objective) for objective in FORECASTERS}


def _choice(objective: str) -> str:
    return f"{MODELS_TUNING.name}#{objective}"


def _hash(tuning: Tuning | None) -> str | None:
    return None if tuning is None else digest_of(tuning.described)


def beside_others(lake: Lake, tuned: pa.Table, cutoff: str) -> pa.Table:
    """The rows of one objective with those of the others that were tuned on the same training set."""
    objective = tuned["objective"][0].as_py()
    before = lake.describe(MODELS_TUNING.name, cutoff)
    if before is None or any(HashLookup(lake)(*_parts(name)) != then for name, then in before.inputs.items()):
        return tuned
    rows = read(lake, MODELS_TUNING, [cutoff])
    return pa.concat_tables([rows.filter(pc.not_equal(rows["objective"], objective)), tuned.cast(rows.schema)])


def _parts(name: str) -> tuple[str, str]:
    table, _, partition = name.rpartition("@")
    return table, partition
