"""The version of code changes with every module that the computation imports, near or far, and with no other."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from daily_profit_model.cache import source_version
from daily_profit_model.cache.code import sources

MODULES = {
    "__init__": "",
    "top": "import json\nfrom cache_code_example.near import value\n\n\ndef run():\n    import cache_code_example.late\n",
    "near": "from cache_code_example import far\nvalue = far.value\n",
    "far": "value = 1\n",
    "late": "value = 2\n",
    "stranger": "from cache_code_example import top\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "cache_code_example"
    folder.mkdir()
    for name, text in MODULES.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.startswith("cache_code_example")]:
        del sys.modules[name]


def version() -> str:
    importlib.invalidate_caches()
    return source_version("cache_code_example.top")


@pytest.mark.parametrize("module", ["__init__", "top", "near", "far", "late"])
def test_a_change_of_any_module_that_is_imported_changes_the_version(package: Path, module: str) -> None:
    before = version()
    (package / f"{module}.py").write_text(MODULES[module] + "# another remark\n")
    assert version() != before


def test_a_module_that_only_imports_the_others_does_not_matter(package: Path) -> None:
    before = version()
    (package / "stranger.py").write_text("value = 3\n")
    assert version() == before


def test_a_text_that_moves_to_another_module_changes_the_version(package: Path) -> None:
    before = version()
    (package / "far.py").write_text(MODULES["late"])
    (package / "late.py").write_text(MODULES["far"])
    assert version() != before


def test_another_library_version_changes_the_version(package: Path) -> None:
    assert source_version("cache_code_example.top", "1.0") != source_version("cache_code_example.top", "1.1")


def test_a_module_that_is_not_there_is_an_error(package: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match="missing"):
        source_version("cache_code_example.missing")


def test_the_code_of_a_design_is_all_that_makes_it() -> None:
    found = set(sources("daily_profit_model.modeling.design"))
    parts = {f"daily_profit_model.modeling.{name}" for name in ("design", "carry", "frames", "matrix", "splits")}
    assert parts <= found
    assert "daily_profit_model.modeling.boosting" not in found  # its changes make no design anew
