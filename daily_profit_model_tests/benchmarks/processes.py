"""What the benchmarks of ingestion share: a server and `dpm` as processes of their own, and their memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

KEY = "benchmark"
API = "/risk-analytics/tft/external/"
#: Beyond what any client reaches over loopback.
NO_LIMIT = 100_000


@dataclass(frozen=True)
class Served:
    """A server that answers at `root`, and its process."""

    root: str
    process: subprocess.Popen[str]

    @property
    def base_url(self) -> str:
        return f"{self.root}{API}"

    def told(self, path: str) -> Any:
        """What the server tells of itself: `requests` or `faults`."""
        answer = requests.get(f"{self.root}/sandbox/{path}", headers={"apiKey": KEY}, timeout=120)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def serving(module: str, *arguments: object) -> Iterator[Served]:
    """`python -m module arguments` as a server, whose first line is `…=<base url>`; ended with the context."""
    command = [sys.executable, "-W", "ignore", "-m", module, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        if "=" not in line:
            raise RuntimeError(f"{module} did not start; it said: {line or 'nothing'}")
        yield Served(line.partition("=")[2].split("/risk-analytics")[0], process)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def sandbox(
    folder: Path, accounts: int, days: int, rate: float = 0.0, flags: Sequence[str] = (), **options: object
) -> Iterator[Served]:
    """The sandbox of a world kept in `folder`; further options and flags as the command line has them."""
    given = {"accounts": accounts, "days": days, "rate_limit": rate, "key": KEY, "port": 0, "folder": folder, **options}
    words = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    with serving("daily_profit_model.cli", "sandbox", "serve", *words, *(f"--{flag}" for flag in flags)) as served:
        yield served


def environment(served: Served, data_dir: Path, start: str, **variables: object) -> dict[str, str]:
    """The environment of a platform of its own that talks to `served`; further variables in lower case."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("DPM_", "RISK_API_", "REGIMES_"))}
    return own | {
        "DPM_DATA_DIR": str(data_dir),
        "DPM_START_DATE": start,
        "RISK_API_BASE_URL": served.base_url,
        "RISK_API_KEY": KEY,
        "RISK_API_RATE": str(NO_LIMIT),
        "RISK_API_BURST": str(NO_LIMIT),
        **{name.upper(): str(value) for name, value in variables.items()},
    }


def dpm(variables: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """`dpm` run to its end."""
    return subprocess.run(dpm_command(*words), env=dict(variables), capture_output=True, text=True, check=False)


def dpm_command(*words: str) -> list[str]:
    return [sys.executable, "-W", "ignore", "-m", "daily_profit_model.cli", *words]


def last_line(text: str) -> str:
    """What a failed command said in the end."""
    lines = text.strip().splitlines()
    return lines[-1] if lines else "nothing"


def peak_memory(pid: int | str = "self") -> float:
    """The most memory that a process has held, in MiB (VmHWM); 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def print_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Rows of equal keys as a table."""
    cells = [list(rows[0]), *([_text(value) for value in row.values()] for row in rows)] if rows else []
    widths = [max(len(row[at]) for row in cells) for at in range(len(cells[0]))] if cells else []
    for row in cells:
        print("  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)))


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
