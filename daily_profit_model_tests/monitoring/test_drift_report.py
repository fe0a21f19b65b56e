"""The page to look at: which rows it draws, and what is said where Evidently is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pytest

from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.monitoring.drift_report import MOST_ROWS, ReportNotInstalled, evidently_html, sampled, write


def test_rows_are_sampled_evenly_and_few_are_all_taken() -> None:
    rows = pa.table({"x": range(10 * MOST_ROWS)})
    taken = sampled(rows)["x"].to_pylist()
    assert len(taken) == MOST_ROWS
    assert (taken[0], taken[1], taken[-1]) == (0, 10, 10 * MOST_ROWS - 10)
    assert sampled(rows.slice(0, 7))["x"].to_pylist() == list(range(7))
    assert sampled(rows.slice(0, 0)).num_rows == 0


def test_without_evidently_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "evidently", None)
    rows = FEATURE_SNAPSHOTS.schema().empty_table()
    with pytest.raises(ReportNotInstalled, match="--extra reports"):
        evidently_html(rows, rows)


def test_a_page_is_written_whole_where_no_folder_was(tmp_path: Path) -> None:
    path = tmp_path / "drift" / "2026-05-08.html"
    write("<html>é</html>", path)
    write("<html>ö</html>", path)
    assert path.read_text(encoding="utf-8") == "<html>ö</html>"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
