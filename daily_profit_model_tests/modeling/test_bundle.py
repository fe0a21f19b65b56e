"""A bundle is content-addressed: any change is refused with a line that says which part changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson
import pytest

from daily_profit_model.modeling.bundle import (
    MANIFEST,
    BundleError,
    load,
    manifest_hash,
    save,
)
from daily_profit_model.modeling.matrix import ModelFeature, ModelMismatchError
from daily_profit_model.modeling.training import TrainedModel
from daily_profit_model_tests.modeling.panel import Panel


@pytest.fixture
def folder(trained: TrainedModel, tmp_path: Path) -> Path:
    return save(trained.model, tmp_path)


def test_a_saved_model_is_loaded_with_the_same_content(trained: TrainedModel, folder: Path, panel: Panel) -> None:
    loaded = load(folder, expected_features=panel.features)
    assert folder.name == trained.model.version == f"20240420-{trained.model.hash[:8]}"
    assert loaded.files == trained.model.files
    assert loaded.manifest == trained.model.manifest
    assert manifest_hash(loaded) == manifest_hash(trained.model)
    assert loaded.table("conformity").num_rows > 0


def test_every_file_of_a_bundle_is_readable_text_or_parquet_and_none_is_pickled(folder: Path) -> None:
    for path in folder.iterdir():
        start = path.read_bytes()[:4]
        assert start in (b"tree", b"PAR1") or path.name == MANIFEST, path.name


@pytest.mark.parametrize("name", ["booster_q05.txt", "conformity.parquet"])
@pytest.mark.parametrize("place", [0, -1, 1000])
def test_one_flipped_byte_is_refused_and_the_file_named(folder: Path, name: str, place: int) -> None:
    content = bytearray((folder / name).read_bytes())
    content[place] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(BundleError, match=f"the file {name} is not what the manifest says"):
        load(folder)


@pytest.mark.parametrize("place", [0, 1, 500, -1])
def test_one_flipped_byte_in_the_manifest_is_refused(folder: Path, place: int) -> None:
    content = bytearray((folder / MANIFEST).read_bytes())
    content[place] ^= 1
    (folder / MANIFEST).write_bytes(content)
    with pytest.raises(BundleError, match=r"manifest\.json was changed"):
        load(folder)


def test_a_manifest_edited_in_its_own_form_is_refused(folder: Path) -> None:
    manifest = orjson.loads((folder / MANIFEST).read_bytes())
    manifest["scores"]["skill"]["lower"] = 0.9
    (folder / MANIFEST).write_bytes(orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2))
    with pytest.raises(BundleError, match=r"manifest\.json was changed"):
        load(folder)


def test_missing_and_unknown_files_are_refused_by_name(folder: Path) -> None:
    (folder / "notes.txt").write_text("?")
    with pytest.raises(BundleError, match=r"notes\.txt is not in the manifest"):
        load(folder)
    (folder / "notes.txt").unlink()
    (folder / "booster_mean.txt").unlink()
    with pytest.raises(BundleError, match=r"the file booster_mean\.txt is missing"):
        load(folder)


def test_a_folder_under_another_versions_name_is_refused(folder: Path) -> None:
    other = folder.rename(folder.with_name("20240420-00000000"))
    with pytest.raises(BundleError, match="folder's name is not the version of its content"):
        load(other)


def test_a_place_without_a_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"there is no manifest\.json"):
        load(tmp_path)


def test_a_bundle_of_another_form_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daily_profit_model.modeling.bundle.FORMAT", 99)
    with pytest.raises(BundleError, match="the bundle has form 4, this code reads 99"):
        load(folder)


def test_a_model_without_an_expected_feature_is_refused(folder: Path, panel: Panel) -> None:
    with pytest.raises(ModelMismatchError, match="lacks the feature brand_new"):
        load(folder, expected_features=[*panel.features, ModelFeature("brand_new", "numeric")])


def test_reordered_columns_are_refused(folder: Path, panel: Panel) -> None:
    with pytest.raises(ModelMismatchError, match="reordered: place 0"):
        load(folder, expected_features=panel.features[::-1])


def test_saving_the_same_model_twice_changes_nothing(trained: TrainedModel, folder: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert save(trained.model, folder.parent) == folder
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name], "no draft is left behind"


def test_saving_over_a_damaged_bundle_is_refused_and_not_hidden(trained: TrainedModel, folder: Path) -> None:
    (folder / "booster_mean.txt").write_text("")
    with pytest.raises(BundleError, match=r"booster_mean\.txt"):
        save(trained.model, folder.parent)


def test_a_failed_write_leaves_nothing(trained: TrainedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("daily_profit_model.modeling.bundle.os.fsync", full)
    with pytest.raises(OSError, match="no space left"):
        save(trained.model, tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_a_copied_bundle_is_the_same_bundle(folder: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(folder, tmp_path / "elsewhere" / folder.name))
    assert load(copied).hash == load(folder).hash
