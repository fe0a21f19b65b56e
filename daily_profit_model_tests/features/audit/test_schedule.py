"""Which days are audited, and what must be made once more for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from daily_profit_model.engine import Query, Source
from daily_profit_model.features.audit.schedule import schedule
from daily_profit_model.features.pipeline import Step
from daily_profit_model.lake import Lake, LakeError, write
from daily_profit_model_tests.features.audit.small_lake import CODE_VERSION, fill
from daily_profit_model_tests.features.audit.small_profits import DAYS, PROFITS, QUERY, STEP, fill_raw
from daily_profit_model_tests.staging.firm_days import day


def test_other_seeds_take_other_days_and_never_more_than_there_are(lake: Lake) -> None:
    fill_raw(lake)
    fill(lake, [STEP], DAYS)
    assert len({schedule(lake, [STEP], days=1, seed=seed).days for seed in range(6)}) > 1
    assert schedule(lake, [STEP], days=50, seed=1).days == tuple(DAYS)


def test_a_fold_is_made_from_its_first_day_on_and_other_tables_as_far_as_they_are_read(lake: Lake) -> None:
    days = [day(offset) for offset in range(30)]
    sums = replace(PROFITS, name="features/sums")
    fold = Step(PROFITS, lambda _: replace(QUERY, fold=True))
    steps = [fold, Step(sums, lambda _: Query("", (Source(PROFITS, first=-4),)))]
    for table in (PROFITS, sums):
        for one in days:
            write(lake, table, one, table.schema().empty_table(), code_version=CODE_VERSION)
    planned = schedule(lake, steps, days=1, seed=5)
    (audited,) = planned.days
    place = days.index(audited)
    assert 8 < place < 26
    assert planned.made[sums.name] == (audited,)
    assert planned.made[PROFITS.name] == tuple(days[: place + 4])
    assert planned.ranges[audited] == tuple(days[place - 3 : place + 4])
    unfolded = schedule(lake, [STEP, steps[1]], days=1, seed=5)
    assert unfolded.made[PROFITS.name] == tuple(days[place - 7 : place + 4])
    assert (planned.reach, unfolded.reach) == (4, 4)


def test_a_range_ends_at_a_gap(lake: Lake) -> None:
    for offset in (0, 1, 3, 4, 6):
        write(lake, PROFITS, day(offset), PROFITS.schema().empty_table(), code_version=CODE_VERSION)
    ranges = schedule(lake, [STEP], days=5, seed=1).ranges
    assert ranges == {
        day(0): (day(0), day(1)),
        day(1): (day(0), day(1)),
        day(3): (day(3), day(4)),
        day(4): (day(3), day(4)),
        day(6): (day(6),),
    }


def test_an_empty_lake_is_told_in_one_line(lake: Lake) -> None:
    with pytest.raises(
        LakeError, match="nothing to audit: no day of features/profits is stored; fill the lake first: dpm run"
    ):
        schedule(lake, [STEP], days=5, seed=1)
