"""The version of code that computes: a hash over the source of a module and of all that it imports from here."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path


def source_version(module: str, *libraries: str) -> str:
    """sha256 (hex) over the sources of `module` and of every module of its package that it imports, near or far.

    `libraries`: versions of what is imported from elsewhere and decides results. Imports are followed as the
    text names them, those in functions too, relative ones not. Raises ModuleNotFoundError when there is no such module.
    """
    whole = hashlib.sha256("\n".join(libraries).encode())
    for name, source in sorted(sources(module).items()):
        whole.update(f"\n{name} {len(source)}\n".encode() + source)
    return whole.hexdigest()


def sources(module: str) -> dict[str, bytes]:
    """The modules that `source_version` covers, and their text."""
    path = _file(module)
    if path is None:
        raise ModuleNotFoundError(f"there is no module {module} with a source of its own")
    package = module.partition(".")[0]
    found: dict[str, bytes] = {}
    waiting = {module: path}
    while waiting:
        name, path = waiting.popitem()
        found[name] = path.read_bytes()
        for imported in _imported(found[name]):
            if imported.partition(".")[0] == package and imported not in found:
                own = _file(imported)
                if own is not None:
                    waiting[imported] = own
    return found


@cache  # modules that compute share most of what they import
def _imported(source: bytes) -> frozenset[str]:
    """Every name that could be a module: `from a.b import c` runs a and a.b, and perhaps a.b.c is one."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(
        ".".join(parts[:end]) for name in names for parts in (name.split("."),) for end in range(1, len(parts) + 1)
    )


def _file(module: str) -> Path | None:
    """The file of a module; None when the name is that of something in a module."""
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:  # its parent is no package
        return None
    return Path(spec.origin) if spec is not None and spec.origin is not None else None
