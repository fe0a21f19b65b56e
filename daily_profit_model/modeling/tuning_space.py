"""Which parameters a search tries and within what bounds, and how they stand in the settings of a training.

The search itself is `tuning`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from daily_profit_model.modeling.boosting import BoosterSettings
from daily_profit_model.modeling.training import TrainSettings

Parameters = Mapping[str, int | float]


@dataclass(frozen=True)
class Range:
    """The values of a parameter that are tried, both ends included."""

    low: float
    high: float
    is_whole: bool = False
    is_log: bool = False
    """Drawn evenly over its logarithm."""


SPACE: Mapping[str, Range] = {
    "learning_rate": Range(0.01, 0.2, is_log=True),
    "leaves": Range(3, 31, is_whole=True, is_log=True),
    "leaf_row_share": Range(0.001, 0.05, is_log=True),
    "feature_fraction": Range(0.3, 1.0),
    "l2": Range(0.1, 100.0, is_log=True),
    "weight_power": Range(0.0, 1.0),
}
"""By the names of BoosterSettings and TrainSettings. The number of rounds is not searched: stopping finds it."""


def parameters_of(settings: TrainSettings) -> Parameters:
    """What `settings` say of the parameters that are searched. Raises ValueError for a value that no trial has."""
    found = {name: getattr(_owner(settings, name), name) for name in SPACE}
    for name, value in found.items():
        if not SPACE[name].low <= value <= SPACE[name].high:
            raise ValueError(
                f"{name} is {value:g}, and tuning looks from {SPACE[name].low:g} to {SPACE[name].high:g} only"
            )
    return found


def with_parameters(settings: TrainSettings, parameters: Parameters) -> TrainSettings:
    """`settings` with the searched parameters of a trial, all others as they are.

    Raises ValueError for a name that is not searched: LightGBM would ignore it in silence.
    """
    if unknown := sorted(set(parameters) - set(SPACE)):
        raise ValueError(f"{unknown[0]} is no parameter that is tuned ({', '.join(SPACE)}): tune again")
    of_booster = {name: value for name, value in parameters.items() if name in _OF_BOOSTER}
    others: dict[str, Any] = {name: value for name, value in parameters.items() if name not in _OF_BOOSTER}
    booster: dict[str, Any] = {name: int(v) if SPACE[name].is_whole else float(v) for name, v in of_booster.items()}
    return replace(settings, booster=replace(settings.booster, **booster), **others)


_OF_BOOSTER = frozenset(field.name for field in fields(BoosterSettings))


def _owner(settings: TrainSettings, name: str) -> TrainSettings | BoosterSettings:
    return settings.booster if name in _OF_BOOSTER else settings


def distributions() -> dict[str, Any]:
    """SPACE in Optuna's words."""
    from optuna.distributions import FloatDistribution, IntDistribution

    return {
        name: IntDistribution(int(found.low), int(found.high), log=found.is_log)
        if found.is_whole
        else FloatDistribution(found.low, found.high, log=found.is_log)
        for name, found in SPACE.items()
    }
