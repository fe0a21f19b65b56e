"""How a picture gets into the UI: small ones inline, each also as a file under the reports folder."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import dagster as dg

LARGEST_INLINE = 60_000
"""Bytes of a PNG that the event log may hold; a larger one is linked only."""


def plot_metadata(name: str, png: bytes, path: Path) -> dict[str, dg.MetadataValue]:
    """Metadata `name` (the picture, when small) and `name_file` (where it lies), after writing the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(png)
    temporary.replace(path)
    shown: dict[str, dg.MetadataValue] = {f"{name}_file": dg.MetadataValue.path(str(path))}
    if len(png) <= LARGEST_INLINE:
        inline = base64.b64encode(png).decode()
        shown[name] = dg.MetadataValue.md(f"![{name}](data:image/png;base64,{inline})")
    return shown
