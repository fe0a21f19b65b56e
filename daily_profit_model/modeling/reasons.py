"""One prediction's reasons, from the base to the served number: as steps that add up, and in words.

Here: what is told of contributions. Where they come from is `explanation`'s, how a waterfall looks `plots`'.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.explanation import contributions, top_features
from daily_profit_model.modeling.forecasters import forecaster

TOLD = 10
"""Features that are told one by one; the others together."""

SERVED_AS = {"median": "predicted_net_profit", "mean": "expected_net_profit"}
"""Columns of predictions/account_daily, by the explained output."""

LARGEST_DIFFERENCE = 1e-9
"""How far stored reasons may lie from those made again, relative to 1 + their size: other libraries' last bits."""


@dataclass(frozen=True)
class Meaning:
    """What a feature is, in the catalogue's words."""

    description: str
    unit: str | None = None


@dataclass(frozen=True)
class Reason:
    """A feature's part in a prediction, in USD; a value of None is missing."""

    name: str
    value: str | None
    contribution: float


@dataclass(frozen=True)
class Reasons:
    """Why one prediction is what it is; money in USD."""

    output: str
    """The explained output: `median` or `mean`."""
    base: float
    """The output where no feature says anything, at the account's profit scale."""
    reasons: tuple[Reason, ...]
    """Every feature that moved the output, largest first."""
    served: float
    """The output as it was served."""

    @property
    def total(self) -> float:
        """Base and all contributions: the output before it is bounded by the other outputs."""
        return self.base + math.fsum(reason.contribution for reason in self.reasons)


@dataclass(frozen=True)
class Step:
    """A part of the way from nothing to the served number, in whole cents, so that the shown numbers add up."""

    label: str
    cents: int
    reason: Reason | None = None
    """None: the base, the other features together, or the bounds."""


def reasons_of(model: Model, row: pa.Table, prediction: Mapping[str, Any]) -> Reasons | None:
    """The reasons of one prediction, made again; None for a baseline, which repeats numbers and has none.

    `row`: the account's row of the snapshot. `prediction`: its row of predictions/account_daily. Raises ValueError when
    `row` is not one row, or when the reasons that were stored are others.
    """
    if row.num_rows != 1:
        raise ValueError(f"the snapshot holds {row.num_rows} rows of account {prediction['account_id']}, not one")
    if model.baseline is not None:
        return None
    _, base = contributions(model, row)
    found = top_features(model, row, len(model.encoding)).to_pylist()[0]
    reasons = tuple(Reason(one["name"], one["value"], one["contribution"]) for one in found)
    _check_stored(reasons, prediction)
    output = forecaster(model.forecaster).explained
    return Reasons(output, float(base[0]), reasons, prediction[SERVED_AS[output]])


def _check_stored(reasons: Sequence[Reason], prediction: Mapping[str, Any]) -> None:
    stored = prediction["top_features"] or []
    again = reasons[: len(stored)]
    is_same = len(again) == len(stored) and (bool(stored) or not reasons)
    for one, was in zip(again, stored, strict=False):
        gap = abs(one.contribution - was["contribution"])
        is_same &= (one.name, one.value) == (was["name"], was["value"])
        is_same &= gap <= LARGEST_DIFFERENCE * (1.0 + abs(was["contribution"]))
    if not is_same:
        raise ValueError(
            f"account {prediction['account_id']} on {prediction['prediction_date']}: the stored reasons are not those "
            "that bundle and snapshot give again: dpm replay shows what differs"
        )


def steps(reasons: Reasons, told: int = TOLD) -> list[Step]:
    """The base, the `told` largest features, the others together, and what the bounds change; to the cent they add up
    to the served number. Steps of nothing are left out, the base never."""
    shown, others = reasons.reasons[:told], reasons.reasons[told:]
    found = [Step("base", _cents(reasons.base))]
    found += [Step(reason.name, _cents(reason.contribution), reason) for reason in shown]
    # what rounding leaves goes to the last step that is no feature of its own
    rest = _cents(reasons.total) - sum(step.cents for step in found)
    if rest:
        label = f"{len(others)} other feature{'' if len(others) == 1 else 's'}" if others else "rounding"
        found.append(Step(label, rest))
    bounds = _cents(reasons.served) - _cents(reasons.total)
    return [*found, Step("bounds", bounds)] if bounds else found


def told(prediction: Mapping[str, Any], reasons: Reasons | None, meanings: Mapping[str, Meaning]) -> list[str]:
    """A prediction in lines: the forecast, its range, its chances, and why; `meanings` by the features' names."""
    median, mean = (usd(prediction[name]) for name in ("predicted_net_profit", "expected_net_profit"))
    lines = [
        f"{prediction['account_id']} on {prediction['prediction_date']}: net profit {median} (median), {mean} (mean).",
        f"With 90 % confidence between {usd(prediction['lower_90'])} and {usd(prediction['upper_90'])}.",
        f"Probability of trading {prediction['probability_trade']:.0%}, of profit {prediction['probability_profit']:.0%}.",
        f"Served by {prediction['model_version']}.",
    ]
    if reasons is None:
        return [
            *lines,
            "That is a baseline: it repeats numbers of the past and weighs no features, so it has no reasons.",
        ]
    return [*lines, "", f"Why the {reasons.output} is {usd(reasons.served)}:", *_told_steps(reasons, meanings)]


def _told_steps(reasons: Reasons, meanings: Mapping[str, Meaning]) -> Iterator[str]:
    every = steps(reasons)
    width = max(len(_usd(step.cents)) for step in (*every, Step("", _cents(reasons.total))))
    yield f"  {_usd(every[0].cents):>{width}}  base: what the model says where no feature tells it more"
    if not reasons.reasons:
        yield "No feature moved this prediction away from the base."
    for title, sign in (("raised by", 1), ("lowered by", -1)):
        chosen = [step for step in every if step.reason and step.reason.contribution * sign > 0]
        yield from [title] if chosen else []
        for step in chosen:
            if step.reason:
                yield f"  {_usd(step.cents):>{width}}  {_said(step.reason, meanings)}"
    for step in every[1:]:
        if step.reason is None and step.label != "bounds":
            yield from ("together with", f"  {_usd(step.cents):>{width}}  {step.label}")
    yield from ("sum", f"  {_usd(_cents(reasons.total)):>{width}}  the {reasons.output} by these reasons")
    if every[-1].label == "bounds":
        yield f"  {_usd(every[-1].cents):>{width}}  {_BOUNDS[reasons.output]}"
        yield f"  {_usd(_cents(reasons.served)):>{width}}  the {reasons.output} as served"


_BOUNDS = {
    "median": "bounds: the median is 0 where neither profit nor loss has half the probability, and lies between the "
    "other quantiles",
    "mean": "bounds: the mean is kept inside the 90 % interval",
}


def _said(reason: Reason, meanings: Mapping[str, Meaning]) -> str:
    meaning = meanings.get(reason.name)
    value = "missing" if reason.value is None else reason.value
    if meaning is None:
        return f"{reason.name} = {value}"
    unit = f" {meaning.unit}" if meaning.unit and reason.value is not None else ""
    return f"{reason.name} = {value}{unit} ({meaning.description})"


def as_dict(prediction: Mapping[str, Any], reasons: Reasons | None, meanings: Mapping[str, Meaning]) -> dict[str, Any]:
    """The same for scripts: the prediction's own columns and `explanation` (None for a baseline), USD in full."""
    if reasons is None:
        return {**prediction, "explanation": None}
    entries = [{**vars(reason), **vars(meanings.get(reason.name, Meaning("")))} for reason in reasons.reasons]
    total = reasons.total
    explanation = {
        "output": reasons.output,
        "base": reasons.base,
        "reasons": entries,
        "total": total,
        "bounds": reasons.served - total,
        "served": reasons.served,
    }
    return {**prediction, "explanation": explanation}


def usd(amount: float) -> str:
    """An amount with its sign, to the cent."""
    return _usd(_cents(amount))


def _cents(amount: float) -> int:
    return round(amount * 100)


def _usd(cents: int) -> str:
    sign = "-" if cents < 0 else "+" if cents > 0 else ""
    return f"{sign}${abs(cents) / 100:,.2f}"
