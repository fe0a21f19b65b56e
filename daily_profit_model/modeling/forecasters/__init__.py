"""The candidates that may forecast a day's net profit, behind one interface: what their boosters learn, and what
the boosters say together."""

from daily_profit_model.modeling.forecasters.direct import Direct
from daily_profit_model.modeling.forecasters.forecaster import Forecaster
from daily_profit_model.modeling.forecasters.two_part import TwoPart

FORECASTERS: dict[str, Forecaster] = {
    "l1": Direct({"objective": "regression_l1", "metric": "l1"}),
    "huber": Direct({"objective": "huber", "alpha": 0.5, "metric": "huber"}),
    "fair": Direct({"objective": "fair", "fair_c": 0.5, "metric": "fair"}),
    "two_part": TwoPart(),
}
"""By the name that `dpm train --objective` takes. The first three differ in the loss of the median alone."""


def forecaster(name: str) -> Forecaster:
    """The candidate of a name. Raises ValueError in one line when there is none."""
    if name not in FORECASTERS:
        raise ValueError(f"there is no forecaster {name!r}: take one of {', '.join(FORECASTERS)}")
    return FORECASTERS[name]


__all__ = ["FORECASTERS", "Forecaster", "forecaster"]
