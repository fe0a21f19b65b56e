"""Which days Evidently's page draws against which, and where it lies. The page itself is `monitoring.drift_report`'s."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.lake import Lake, LakeError, read
from daily_profit_model.settings import Settings

Days = list[str]


def windows(lake: Lake, day: str, *, window_days: int, reference_days: int) -> tuple[Days, Days]:
    """The days that are there of the `window_days` up to `day`, and of the `reference_days` before them, ascending."""
    last = date.fromisoformat(day)
    begins = (last - timedelta(days=window_days - 1)).isoformat()
    before = (last - timedelta(days=window_days - 1 + reference_days)).isoformat()
    known = lake.partitions(FEATURE_SNAPSHOTS.name)
    current = [name for name in known if begins <= name <= day]
    return current, [name for name in known if before <= name < begins]


def write_html(lake: Lake, current: Days, reference: Days, path: Path, columns: Sequence[str] = ()) -> None:
    """Write the page of features (`columns`; default all) of two windows. Raises LakeError without a day to draw
    against, ReportNotInstalled."""
    from daily_profit_model.monitoring.drift_report import evidently_html, write

    if not reference:
        raise LakeError(f"{FEATURE_SNAPSHOTS.name} has no day before {current[0]} to draw {current[-1]} against")
    drawn, against = (read(lake, FEATURE_SNAPSHOTS, days) for days in (current, reference))
    write(evidently_html(drawn, against, columns), path)


def report_path(settings: Settings, day: str) -> Path:
    return settings.reports_dir / "drift" / f"{day}.html"
