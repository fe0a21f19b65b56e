"""The feature cache: computed tables kept under the hash of all that they were computed from."""

from daily_profit_model.cache.code import source_version
from daily_profit_model.cache.collect import Collected, collect
from daily_profit_model.cache.entry import DamagedEntry, NotKeepable
from daily_profit_model.cache.key import CacheKey, input_hashes
from daily_profit_model.cache.store import Cache

__all__ = [
    "Cache",
    "CacheKey",
    "Collected",
    "DamagedEntry",
    "NotKeepable",
    "collect",
    "input_hashes",
    "source_version",
]
