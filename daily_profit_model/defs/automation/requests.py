"""Run requests over days: one of a single day, or one over a range, as the UI shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import dagster as dg

from daily_profit_model.defs.calendars import range_tags
from daily_profit_model.partitions import contiguous_ranges


def requests_for(job: str, days: Sequence[str], because: str) -> Iterator[dg.RunRequest]:
    """A run of the job for each range of consecutive `days`; `because` (a run's id, a date) makes them happen once."""
    for first, last in contiguous_ranges(list(days)):
        key = f"{job}:{first}:{last}:{because}"
        if first == last:
            yield dg.RunRequest(job_name=job, partition_key=first, run_key=key)
        else:
            yield dg.RunRequest(job_name=job, tags=range_tags(first, last), run_key=key)
