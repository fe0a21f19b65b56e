"""A model version as one content-addressed folder: boosters as text, calibration, manifest, hashes.

Here: naming, writing, reading and refusing. What the files say is put together in `training`; nothing
in a bundle is pickled, and nothing in it depends on the clock or the machine.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from daily_profit_model.modeling.baselines import Baseline, BaselineSettings
from daily_profit_model.modeling.matrix import EncodedFeature, ModelFeature, check_features

MANIFEST = "manifest.json"
BASELINE = "baseline"

FORMAT = 4
"""Number of the bundle's form; a reader refuses another."""


class BundleError(ValueError):
    """A bundle that may not be used; the message says in one line which part of it is wrong."""


@dataclass(frozen=True)
class Model:
    """A model version in memory: its manifest and its files (name → bytes)."""

    manifest: Mapping[str, Any]
    files: Mapping[str, bytes]

    @property
    def hash(self) -> str:
        """sha256 over the manifest, which holds the sha256 of every other file."""
        return str(self.manifest["model_hash"])

    @property
    def version(self) -> str:
        """`YYYYMMDD-hash8`: cut-off and the first eight digits of the hash; also the folder's name."""
        return f"{self.manifest['cutoff'].replace('-', '')}-{self.hash[:8]}"

    @property
    def forecaster(self) -> str:
        """The candidate that its boosters belong to, by its name in `forecasters`; `baseline`: there are none."""
        return str(self.manifest["forecaster"])

    @property
    def described_forecaster(self) -> str:
        """The same for readers: a baseline with its name."""
        return self.forecaster if self.baseline is None else f"{BASELINE}: {self.baseline.name}"

    @cached_property
    def baseline(self) -> Baseline | None:
        """The forecast without a model that serves in place of one."""
        if self.forecaster != BASELINE:
            return None
        stored = self.manifest["baseline"]
        return Baseline(**{**stored, "settings": BaselineSettings(**stored["settings"])})

    @cached_property
    def encoding(self) -> tuple[EncodedFeature, ...]:
        return tuple(
            EncodedFeature(f["name"], f["kind"], f["type"], tuple(f["categories"])) for f in self.manifest["features"]
        )

    @property
    def carry(self) -> Mapping[str, float]:
        """The shares of open profit that the next day realises (see `carry`)."""
        shares: Mapping[str, float] = self.manifest.get("carry", {})
        return shares

    @cached_property
    def _boosters(self) -> dict[str, Any]:
        return {}

    def booster(self, output: str) -> Any:
        """The LightGBM booster of an output, parsed once."""
        if output not in self._boosters:
            import lightgbm

            text = self.files[booster_file(output)].decode()
            self._boosters[output] = lightgbm.Booster(model_str=text)
        return self._boosters[output]

    def table(self, name: str) -> pa.Table:
        """One of the bundle's Parquet tables: `conformity`, or `reference` (what drift is measured against)."""
        return pq.read_table(BytesIO(self.files[f"{name}.parquet"]))


def booster_file(output: str) -> str:
    return f"booster_{output}.txt"


def parquet_bytes(table: pa.Table) -> bytes:
    """The table as Parquet; the same table gives the same bytes."""
    sink = BytesIO()
    pq.write_table(table, sink, compression="zstd", store_schema=True)
    return sink.getvalue()


def assemble(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> Model:
    """A model of `manifest` (without hashes) and `files`, with both hashed."""
    whole = dict(manifest)
    whole["format"] = FORMAT
    whole["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    whole["model_hash"] = _manifest_hash(whole)
    return Model(orjson.loads(_canonical(whole)), dict(files))


def _canonical(manifest: Mapping[str, Any]) -> bytes:
    return orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)


def _manifest_hash(manifest: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical({k: v for k, v in manifest.items() if k != "model_hash"})).hexdigest()


def manifest_hash(model: Model) -> str:
    """sha256 of manifest.json as stored."""
    return hashlib.sha256(_canonical(model.manifest)).hexdigest()


def save(model: Model, root: Path) -> Path:
    """Writes the bundle below `root` and returns its folder; one that stands there already is kept.

    The folder appears whole or not at all: files are written and fsynced beside it, then renamed.
    """
    folder = root / model.version
    if folder.exists():
        load(folder)
        return folder
    root.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{model.version}-", dir=root))
    try:
        for name, content in {**model.files, MANIFEST: _canonical(model.manifest)}.items():
            with (draft / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        draft.chmod(0o755)
        draft.rename(folder)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not folder.exists():  # another process may have written the same version meanwhile
            raise
        load(folder)
    return folder


def load(folder: Path, *, expected_features: Sequence[ModelFeature] | None = None) -> Model:
    """The model in `folder`, every byte checked.

    Raises BundleError for a missing, unknown or changed file, and ModelMismatchError when its features
    are not `expected_features` in names, order and kinds.
    """
    manifest = _read_manifest(folder)
    files = {}
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise BundleError(f"{folder}: the file {name} is missing")
        files[name] = path.read_bytes()
        if hashlib.sha256(files[name]).hexdigest() != expected:
            raise BundleError(f"{folder}: the file {name} is not what the manifest says (sha256 differs)")
    if strangers := sorted({p.name for p in folder.iterdir()} - {*files, MANIFEST}):
        raise BundleError(f"{folder}: the file {strangers[0]} is not in the manifest")
    model = Model(manifest, files)
    if folder.name != model.version:
        raise BundleError(f"{folder}: the folder's name is not the version of its content, {model.version}")
    if expected_features is not None and model.baseline is None:
        check_features(expected_features, model.encoding)
    return model


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"{folder}: there is no {MANIFEST}")
    content = path.read_bytes()
    try:
        manifest: dict[str, Any] = orjson.loads(content)
        intact = manifest["model_hash"] == _manifest_hash(manifest) and content == _canonical(manifest)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        intact = False
    if not intact:
        raise BundleError(f"{folder}: {MANIFEST} was changed (its hash differs from what it says)")
    if manifest["format"] != FORMAT:
        raise BundleError(f"{folder}: the bundle has form {manifest['format']}, this code reads {FORMAT}")
    return manifest
