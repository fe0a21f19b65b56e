"""The key: every part alone makes another one, and nothing that is not a part does."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from daily_profit_model.cache import CacheKey, input_hashes
from daily_profit_model.lake import Lake, write
from daily_profit_model_tests.cache.small_entries import key
from daily_profit_model_tests.lake.small_table import DAY_1, DAY_2, SMALL, small_rows

OTHERS: dict[str, dict[str, Any]] = {
    "an input's hash": {"inputs": {"features/account_daily@2026-02-28": "abd", "raw/metrics_daily@2026-03-01": None}},
    "an input's partition": {
        "inputs": {"features/account_daily@2026-02-27": "abc", "raw/metrics_daily@2026-03-01": None}
    },
    "an input that is there now": {
        "inputs": {"features/account_daily@2026-02-28": "abc", "raw/metrics_daily@2026-03-01": "None"}
    },
    "an input less": {"inputs": {"features/account_daily@2026-02-28": "abc"}},
    "the code": {"code": "2"},
    "the catalogue": {"catalogue": "dog"},
    "a value of the configuration": {"configuration": {"seed": 2, "columns": ["a", "b"]}},
    "a value's type": {"configuration": {"seed": "1", "columns": ["a", "b"]}},
    "the order of a list": {"configuration": {"seed": 1, "columns": ["b", "a"]}},
    "no configuration": {"configuration": None},
}


@pytest.mark.parametrize("changed", OTHERS)
def test_every_part_alone_changes_the_digest(changed: str) -> None:
    assert key(**OTHERS[changed]).digest != key().digest


def test_no_two_of_the_changed_keys_share_a_digest() -> None:
    assert len({key(**changed).digest for changed in OTHERS.values()}) == len(OTHERS)


def test_the_order_in_which_parts_are_named_does_not_matter() -> None:
    inputs = dict(reversed(list(key().inputs.items())))
    assert key(inputs=inputs, configuration={"columns": ("a", "b"), "seed": 1}).digest == key().digest


def test_the_digest_is_the_same_in_every_process_and_version() -> None:
    assert (
        key().digest == "6913704cb9589f7c8b3ca6d0d2689ddefe03f9844de60a30803299379ed2cc6d"
    )  # entries on disk are found by it


def test_text_does_not_slip_from_one_part_into_another() -> None:
    first = CacheKey({}, "1", "2", "3")
    assert first.digest != CacheKey({}, "12", "3", "").digest
    assert first.digest != CacheKey({}, "2", "1", "3").digest


@pytest.mark.parametrize("part", ["code", "catalogue"])
def test_a_key_without_a_version_is_refused(part: str) -> None:
    with pytest.raises(ValueError, match=f"needs the version of its {part}"):
        _ = key(**{part: ""}).digest


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ({"a": float("nan")}, "JSON"),
        ({"a": date(2026, 3, 1)}, "date"),
        ({"a": [{1: "x"}]}, "the name 1 is no text"),
        ({"a": {"b", "c"}}, "set"),
    ],
)
def test_what_json_cannot_say_in_one_way_is_refused(configuration: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        _ = key(configuration=configuration).digest


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3),
    max_leaves=6,
)


@given(JSON, JSON)
def test_configurations_share_a_digest_only_when_they_say_the_same(one: Any, other: Any) -> None:
    same = key(configuration=one).digest == key(configuration=other).digest
    assert same == (repr_sorted(one) == repr_sorted(other))


def repr_sorted(value: Any) -> str:
    """The value with its types, names sorted: an independent canonical form."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{name!r}:{repr_sorted(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(repr_sorted, value)) + "]"
    return repr(value)


def test_input_hashes_are_those_of_the_footers_and_none_where_nothing_is(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path / "lake"))
    written = write(lake, SMALL, DAY_1, small_rows(), code_version="1")
    found = input_hashes(lake, [(SMALL.name, DAY_1), (SMALL.name, DAY_2)])
    assert found == {f"{SMALL.name}@{DAY_1}": written.content_hash, f"{SMALL.name}@{DAY_2}": None}


def test_one_cell_of_an_input_changes_the_key_and_writing_it_again_does_not(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path / "lake"))

    def digest_after(money: float) -> str:
        write(lake, SMALL, DAY_1, small_rows(money=money), code_version="1")
        return key(inputs=input_hashes(lake, [(SMALL.name, DAY_1)])).digest

    first = digest_after(1.5)
    assert digest_after(1.5) == first
    assert digest_after(1.5000001) != first
