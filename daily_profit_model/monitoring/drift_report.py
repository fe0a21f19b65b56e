"""Evidently's HTML page of two windows of feature rows: the picture, not the judge.

Its tests take rows for independent, which accounts of one day are not, so what they call drift is no alarm here; the
alarms are those of monitoring/drift.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from daily_profit_model.features.catalogue import CATALOGUE

MOST_ROWS = 2_000
"""Of a window, evenly spaced: the page holds every column's rows, and more change no picture."""


class ReportNotInstalled(RuntimeError):
    """Evidently is not there; the message says how to install it."""


def evidently_html(current: pa.Table, reference: pa.Table, columns: Sequence[str] = ()) -> str:
    """The page of `current` against `reference`, both rows of predictions/feature_snapshots; takes half a minute.

    `columns`: the features drawn, by default all of which both windows know a value. Raises ReportNotInstalled.
    """
    try:
        from evidently import DataDefinition, Dataset, Report
        from evidently.presets import DataDriftPreset
    except ImportError as error:
        raise ReportNotInstalled(
            f"the report needs Evidently ({error}): uv sync --extra reports; dpm drift show needs nothing"
        ) from error
    wanted = [feature for feature in CATALOGUE if not columns or feature.name in columns]
    windows = [sampled(rows) for rows in (current, reference)]
    wanted = [f for f in wanted if all(rows[f.name].null_count < rows.num_rows for rows in windows)]
    is_number = {f.name: f.kind in ("number", "count") for f in wanted}
    definition = DataDefinition(
        numerical_columns=[name for name, number in is_number.items() if number],
        categorical_columns=[name for name, number in is_number.items() if not number],
    )
    frames = []
    for rows in windows:
        frame = rows.select(list(is_number)).to_pandas()
        texts = [name for name, number in is_number.items() if not number]
        frame[texts] = frame[texts].astype(str)
        frames.append(Dataset.from_pandas(frame, data_definition=definition))
    return str(Report([DataDriftPreset()]).run(*frames).get_html_str(as_iframe=False))


def sampled(rows: pa.Table, most: int = MOST_ROWS) -> pa.Table:
    """At most `most` rows at an even step, so that every day has its share and the choice repeats."""
    count = min(rows.num_rows, most)
    return rows.take(pa.array(np.arange(count, dtype=np.int64) * rows.num_rows // max(1, count)))


def write(html: str, path: Path) -> None:
    """Write the page whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(html, encoding="utf-8")
    temporary.replace(path)
