"""Training and its cache: the same bits with and without, one computation for all that differ in parameters only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import structlog

from daily_profit_model.cache import Cache, statistics
from daily_profit_model.cache.entry import entries
from daily_profit_model.cache.statistics import Counts
from daily_profit_model.defs.models import designs
from daily_profit_model.defs.models.assets import MODEL_FEATURES
from daily_profit_model.defs.models.designs import design_key, kept_design
from daily_profit_model.features.training_set import TRAINING_ACCOUNT_DAILY
from daily_profit_model.lake import Lake, LakeError, content_hash, read, write
from daily_profit_model.modeling import design
from daily_profit_model.modeling.baselines import BaselineSettings
from daily_profit_model.modeling.boosting import BoosterSettings
from daily_profit_model.modeling.design import Design
from daily_profit_model.modeling.intervals import IntervalSettings
from daily_profit_model.modeling.splits import SplitSettings
from daily_profit_model.modeling.training import TrainSettings, train, train_on
from daily_profit_model_tests.benchmarks.kept_design import CUTOFF, training_rows
from daily_profit_model_tests.cache.small_entries import flip_a_byte

SMALL = TrainSettings(booster=BoosterSettings(rounds=3))
CUT = CUTOFF.isoformat()
ROWS = training_rows(15 * 120)


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def filled(lake: Lake) -> Lake:
    write(lake, TRAINING_ACCOUNT_DAILY, CUT, ROWS, code_version="-")
    return lake


def kept(lake: Lake, folder: Path, settings: TrainSettings = SMALL) -> Design:
    return kept_design(lake, Cache(folder), CUT, MODEL_FEATURES, settings)


def test_a_model_has_the_same_bytes_without_a_cache_from_an_empty_one_and_from_a_full_one(
    filled: Lake, folder: Path
) -> None:
    versions = {"training/account_daily": "abc"}
    frame = read(filled, TRAINING_ACCOUNT_DAILY, [CUT])
    without = train(
        frame, MODEL_FEATURES, cutoff=CUTOFF, settings=SMALL, data_versions=versions, code_version="1"
    ).model
    for _ in ("cold", "warm"):
        model = train_on(kept(filled, folder), settings=SMALL, data_versions=versions, code_version="1").model
        assert model.files == without.files
        assert model.hash == without.hash
    assert statistics.total(folder) == Counts(hits=1, misses=1)


def test_trainings_with_other_parameters_of_the_model_share_a_design(filled: Lake, folder: Path) -> None:
    kept(filled, folder)
    others = (
        replace(SMALL, booster=BoosterSettings(rounds=9, leaves=31, learning_rate=0.2, seed=3, threads=2, bins=15)),
        replace(SMALL, weight_power=1.0, mean_bound=3.0),
        replace(SMALL, intervals=IntervalSettings()),
    )
    first = content_hash(kept(filled, folder).rows)
    assert all(content_hash(kept(filled, folder, other).rows) == first for other in others)
    assert statistics.total(folder) == Counts(hits=1 + len(others), misses=1)


OTHER_KEYS: dict[str, Callable[[pytest.MonkeyPatch], dict[str, Any]]] = {
    "another split": lambda _: {"settings": replace(SMALL, split=SplitSettings(validation_days=10))},
    "other columns": lambda _: {"settings": replace(SMALL, baselines=BaselineSettings(last_value="pnl_mean_5d"))},
    "a feature less": lambda _: {"features": MODEL_FEATURES[1:]},
    "another order": lambda _: {"features": MODEL_FEATURES[::-1]},
    "another kind": lambda _: {"features": [replace(MODEL_FEATURES[0], kind="category"), *MODEL_FEATURES[1:]]},
    "other code": lambda patch: patch.setattr(design, "CODE_VERSION", "other") or {},
    "another catalogue": lambda patch: patch.setattr(designs, "catalogue_hash", lambda: "other") or {},
}


@pytest.mark.parametrize("changed", OTHER_KEYS)
def test_whatever_else_decides_a_design_is_another_key(
    filled: Lake, changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = design_key(filled, CUT, MODEL_FEATURES, SMALL).digest
    given = {"features": MODEL_FEATURES, "settings": SMALL, **OTHER_KEYS[changed](monkeypatch)}
    assert design_key(filled, CUT, given["features"], given["settings"]).digest != before


def test_other_rows_at_the_same_cut_off_are_another_key(filled: Lake, folder: Path) -> None:
    first = content_hash(kept(filled, folder).rows)
    write(filled, TRAINING_ACCOUNT_DAILY, CUT, ROWS.slice(1), code_version="-")
    assert content_hash(kept(filled, folder).rows) != first
    assert statistics.total(folder) == Counts(misses=2)


def test_rows_that_are_replaced_while_they_are_read_are_not_kept_under_the_key_of_before(
    filled: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_late(lake: Lake, *arguments: Any) -> Any:
        write(lake, TRAINING_ACCOUNT_DAILY, CUT, ROWS.slice(1), code_version="-")
        return read(lake, *arguments)

    with monkeypatch.context() as patched, pytest.raises(LakeError, match="written anew while it was read: run again"):
        patched.setattr(designs, "read", read_late)
        kept(filled, folder)
    assert entries(folder) == []
    assert kept(filled, folder).rows.num_rows == ROWS.num_rows - 1


def test_a_damaged_entry_costs_a_line_and_changes_no_bit(filled: Lake, folder: Path, logged: list[Any]) -> None:
    first = content_hash(kept(filled, folder).rows)
    [entry] = entries(folder)
    flip_a_byte(entry.rows_file)
    assert content_hash(kept(filled, folder).rows) == first
    assert [line["event"] for line in logged] == ["cache_entry_is_damaged"]


def test_a_folder_that_cannot_be_used_costs_a_line_and_changes_no_bit(
    filled: Lake, folder: Path, logged: list[Any], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    broken = kept(filled, tmp_path / "file" / "cache")
    assert [(line["event"], line["log_level"]) for line in logged] == [("cache_cannot_be_used", "warning")]
    assert content_hash(broken.rows) == content_hash(kept(filled, folder).rows)


def test_a_partition_that_cannot_be_trained_on_says_why_and_leaves_nothing(lake: Lake, folder: Path) -> None:
    early = ROWS.slice(0, 15 * 30)
    write(lake, TRAINING_ACCOUNT_DAILY, CUT, early, code_version="-")
    with pytest.raises(ValueError, match="30 days"):
        kept(lake, folder)
    assert entries(folder) == []


def test_a_design_tells_its_cut_off_encoding_and_rows_left_out_when_it_comes_from_the_cache(
    filled: Lake, folder: Path
) -> None:
    computed, found = kept(filled, folder), kept(filled, folder)
    for name in ("encoding", "carry", "split", "cutoff", "left_out"):
        assert getattr(found, name) == getattr(computed, name)
    assert found.cutoff == date.fromisoformat(CUT)
    assert [feature.name for feature in found.encoding] == [feature.name for feature in MODEL_FEATURES]
