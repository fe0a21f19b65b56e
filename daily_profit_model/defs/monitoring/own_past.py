"""What a fold over days needs of a version: its own earlier days, and what is simulated once for it and kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

import pyarrow as pa

from daily_profit_model.cache import Cache, CacheKey
from daily_profit_model.cache.key import Json
from daily_profit_model.defs.models.registry import cutoff_of
from daily_profit_model.features import catalogue_hash
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY
from daily_profit_model.lake import Lake, read
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model.tables import Table

if TYPE_CHECKING:
    from daily_profit_model.modeling.bundle import Model

Inputs = dict[str, str | None]
"""`table@partition` → content hash, as a footer records it."""

Day = TypeVar("Day")
Value = TypeVar("Value")


class OwnPast(Generic[Day]):
    """The days of a table before those of a run, and those that the run stores itself; each is read once."""

    def __init__(self, lake: Lake, table: Table, columns: Sequence[str], most_days: int) -> None:
        self._lake, self._table, self._columns, self._most_days = lake, table, columns, most_days
        self._known: dict[tuple[str, str], tuple[str, Day | None]] = {}

    def before(self, day: str, version: str, day_of: Callable[[pa.Table], Day | None]) -> tuple[list[Day], Inputs]:
        """The days before `day` back to the first that `day_of` gives nothing for, as it is another version's:
        ascending, with the content hashes of all that was looked at."""
        first = (date.fromisoformat(day) - timedelta(days=self._most_days)).isoformat()
        found: list[Day] = []
        inputs: Inputs = {}
        for earlier in reversed([name for name in self._lake.partitions(self._table.name) if first <= name < day]):
            key = (earlier, version)
            if key not in self._known:
                file = self._lake.describe(self._table.name, earlier)
                rows = read(self._lake, self._table, [earlier], columns=list(self._columns))
                self._known[key] = (file.content_hash if file else "", day_of(rows))
            content_hash, own = self._known[key]
            inputs[f"{self._table.name}@{earlier}"] = content_hash
            if own is None:
                break
            found.append(own)
        return found[::-1], inputs


class Kept(Generic[Value]):
    """What `compute` makes of a model and its training set, computed once a version and kept in the cache, and read by
    `value_of` once a run."""

    def __init__(
        self,
        lake: Lake,
        cache: Cache,
        compute: Callable[[Model, pa.Table], pa.Table],
        value_of: Callable[[pa.Table], Value],
        code_version: str,
    ) -> None:
        self._lake, self._cache, self._code_version = lake, cache, code_version
        self._compute, self._value_of = compute, value_of
        self._hashes = HashLookup(lake)
        self._known: dict[str, tuple[Value, Inputs]] = {}

    def __call__(self, model: Model) -> tuple[Value, Inputs]:
        """The value, and the inputs that it rests on beside the bundle. Raises LakeError without the training set."""
        if model.hash not in self._known:
            self._known[model.hash] = self._of(model)
        return self._known[model.hash]

    def _of(self, model: Model) -> tuple[Value, Inputs]:
        from daily_profit_model.monitoring import drift_detection

        cutoff = cutoff_of(model.version).isoformat()
        inputs = {f"{TRAINING_ACCOUNT_DAILY.name}@{cutoff}": self._hashes(TRAINING_ACCOUNT_DAILY.name, cutoff)}
        told: Json = {
            "what": self._compute.__name__,
            "model_hash": model.hash,
            "replays": drift_detection.REPLAYS,
        }
        key = CacheKey(inputs, self._code_version, catalogue_hash(), told)
        rows = self._cache.get_or_compute(
            key, lambda: self._compute(model, read(self._lake, TRAINING_ACCOUNT_DAILY, [cutoff]))
        )
        return self._value_of(rows), inputs
