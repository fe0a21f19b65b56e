"""Which code serves: a version for the rows of predictions, that changes with whatever could change a prediction."""

from __future__ import annotations

import functools
from importlib.metadata import version

from daily_profit_model.cache import source_version

SERVING_VERSION = "5"
"""Code version of predictions/account_daily: raise it when the same inputs would give another prediction."""

LIBRARIES = ("lightgbm", "numpy", "pyarrow")
SOURCE_DIGITS = 16


@functools.cache
def code_version() -> str:
    """`<SERVING_VERSION>-<digits>`: the first digits of a sha256 over the sources that score, calibrate and explain,
    every module of this package that they import, and the versions of the libraries that compute."""
    libraries = [f"{name} {version(name)}" for name in LIBRARIES]
    return f"{SERVING_VERSION}-{source_version('daily_profit_model.modeling.serving', *libraries)[:SOURCE_DIGITS]}"
