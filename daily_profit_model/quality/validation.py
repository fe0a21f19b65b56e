"""The one place that runs Great Expectations: which rows of a frame violate which expectation.

One ephemeral context a process, no analytics, no progress bars, no files and no network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from daily_profit_model.quality.expectation import Expectation

_ROWS = {
    "result_format": "COMPLETE",
    "return_unexpected_index_query": False,
    "include_unexpected_rows": False,
}


MANY_ROWS = 50_000
"""From here on the columns of each expectation are handed over alone: the library copies all that it is given for each
expectation of a column. Below, what a validation costs whatever its rows is more."""


@dataclass(frozen=True)
class Violations:
    """Positions of the rows that violate an expectation, or the error that kept it from being judged."""

    positions: npt.NDArray[np.int64]
    error: str = ""


def violations(expectations: Sequence[Expectation], rows: pd.DataFrame) -> list[Violations]:
    """For each expectation the rows (by position) that violate it. `rows` is left as it is.

    Asks twice: first whether any row violates, which takes half the time and is nearly always all there
    is to say, then which rows do.
    """
    found = [Violations(np.empty(0, np.int64)) for _ in expectations]
    if rows.empty:
        return found
    numbered = rows.reset_index(drop=True)
    native: dict[int, Any] = {}
    for number, expectation in enumerate(expectations):
        try:
            native[number] = _native(expectation, number)
        except Exception as error:  # a rule that cannot be made has failed; the others are judged
            found[number] = Violations(np.empty(0, np.int64), f"{type(error).__name__}: {error}")
    together: dict[tuple[str, ...], dict[int, Any]] = {}
    for number, made in native.items():
        names = _looked_at(expectations[number]) if len(numbered) >= MANY_ROWS else tuple(numbered.columns)
        together.setdefault(names, {})[number] = made
    for names, group in together.items():
        # what a rule asks for and is not there, the library says itself
        there = [name for name in names if name in numbered.columns]
        for number, violated in _violated(group, numbered[there]):
            found[number] = violated
    return found


def _violated(native: Mapping[int, Any], rows: pd.DataFrame) -> Iterator[tuple[int, Violations]]:
    """What is violated of some of the library's expectations, and by which rows."""
    # one for both questions: each made anew hashes all rows twice, as long as it takes to judge some rules
    validator = _validator(rows)
    holds = {number: result.success for number, result in _results(native, validator, "BOOLEAN_ONLY")}
    violated = {number: native[number] for number in native if not holds[number]}
    for number, result in _results(violated, validator, _ROWS):
        positions = np.asarray(result.result.get("unexpected_index_list") or [], np.int64)
        yield number, Violations(positions, _error(result))


def _looked_at(expectation: Expectation) -> tuple[str, ...]:
    """The columns that the statement is about, without those that only explain it."""
    arguments = expectation.arguments
    listed = [str(arguments[name]) for name in ("column", "column_A", "column_B") if name in arguments]
    several: Any = arguments.get("column_list", ())
    return tuple(sorted({*listed, *several}))


def _results(
    native: Mapping[int, Any], validator: Any, result_format: str | dict[str, object]
) -> Iterator[tuple[int, Any]]:
    import great_expectations as gx

    if not native:
        return iter(())
    suite = gx.ExpectationSuite("rules", expectations=list(native.values()))
    validator.result_format = result_format
    _write_once()
    try:
        validated = validator.validate_expectation_suite(suite)
    finally:
        _WRITTEN.clear()
    return ((result.expectation_config.meta["number"], result) for result in validated.results)


_WRITTEN: dict[int, tuple[Any, Any]] = {}
"""By the id of an expectation's object the object, so that no other can take its id, and its configuration."""


@cache
def _write_once() -> None:
    """From now on the library writes an expectation's configuration once a validation instead of some fifty times.

    That is a property which makes a new one of the object's fields whenever it is asked for, and takes 40 % of the time
    of a validation. None of them changes on the way; a test compares what is said with and without.
    """
    from great_expectations.expectations import expectation as library

    described: Any = library.Expectation
    write = described.configuration.fget

    def configuration(expectation: Any) -> Any:
        known = _WRITTEN.get(id(expectation))
        if known is None or known[0] is not expectation:
            known = _WRITTEN[id(expectation)] = (expectation, write(expectation))
        return known[1]

    described.configuration = property(configuration)


def _validator(rows: pd.DataFrame) -> Any:
    """What a batch makes of itself when it is asked to validate."""
    from great_expectations.validator.v1_validator import Validator

    return Validator(_batches(), batch_parameters={"dataframe": rows})


def _native(expectation: Expectation, number: int) -> Any:
    """The library's own object. `number` tells results apart: their order is not the suite's."""
    import great_expectations.expectations as types

    return getattr(types, expectation.kind)(**expectation.arguments, meta={"number": number})


def _error(result: Any) -> str:
    """Why an expectation could not be judged; what it raised is nested by metric when a metric failed."""
    info = result.exception_info or {}
    for raised in (info, *(value for value in info.values() if isinstance(value, dict))):
        if raised.get("raised_exception"):
            return " ".join(str(raised.get("exception_message")).split())
    return "" if result.result.get("unexpected_index_list") else "violated, but the library names no row"


@cache
def _batches() -> Any:
    """Makes batches of frames in memory; 10 ms to make, so once a process."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("lake").add_dataframe_asset("rows")
    return asset.add_batch_definition_whole_dataframe("rows")
