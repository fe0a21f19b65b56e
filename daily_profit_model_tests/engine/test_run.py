"""Running a query: which partitions it reads, what it refuses, and how its rows are cut into partitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from upath import UPath

from daily_profit_model.engine import MissingInput, Query, Source, Stage, inputs_of, run, run_table
from daily_profit_model.engine.inputs import Inputs
from daily_profit_model.lake import Lake, LakeError, write, write_revision
from daily_profit_model.lake.lake import cut_off
from daily_profit_model.lake.scratch import folder
from daily_profit_model.lake.staleness import HashLookup
from daily_profit_model.tables import Column, Table
from daily_profit_model.tables.contract import DAY, FLOAT, TEXT

FIRST = date(2026, 3, 1)
NUMBERS = Table(
    name="staging/numbers",
    description="For tests.",
    key=("date", "name"),
    columns=(Column("date", DAY, "Day"), Column("name", TEXT, "Name"), Column("value", FLOAT, "Value")),
)
TOTALS = replace(NUMBERS, name="features/totals")
SUMS = """
select max(date) as date, 'sum' as name, sum(value) as value
from staging_numbers
"""
PER_DAY = """
select wanted.date, 'sum' as name, sum(value) as value
from staging_numbers
join (select unnest(generate_series($first_day, $last_day, interval 1 day))::date as date) as wanted
    on staging_numbers.date between wanted.date - 2 and wanted.date
group by all
"""


def day(offset: int) -> str:
    return (FIRST + timedelta(days=offset)).isoformat()


def rows(of: str, *values: float) -> pa.Table:
    columns = {"date": [date.fromisoformat(of)] * len(values), "name": [f"n{place}" for place in range(len(values))]}
    return pa.table({**columns, "value": list(values)}, schema=NUMBERS.schema())


def fill(lake: Lake, offsets: Sequence[int]) -> None:
    for offset in offsets:
        write(lake, NUMBERS, day(offset), rows(day(offset), 10.0**offset), code_version="1")


def total(lake: Lake, source: Source, *partitions: str, sql: str = SUMS) -> float | None:
    answered: float | None = run(Query(sql, (source,)), lake, partitions)["value"][0].as_py()
    return answered


def test_a_source_is_the_days_of_its_look_back_and_no_other(lake: Lake) -> None:
    fill(lake, range(6))
    assert total(lake, Source(NUMBERS, first=-2), day(4)) == 11_100.0
    assert total(lake, Source(NUMBERS, first=-2, last=-1), day(4)) == 1_100.0
    assert total(lake, Source(NUMBERS), day(4)) == 10_000.0


def test_a_range_reads_the_union_of_its_look_backs(lake: Lake) -> None:
    fill(lake, range(6))
    assert total(lake, Source(NUMBERS, first=-1), day(2), day(3)) == 1_110.0


def test_a_range_gives_each_day_what_the_day_alone_gives(lake: Lake) -> None:
    fill(lake, range(6))
    query = Query(PER_DAY, (Source(NUMBERS, first=-2),))
    together = run_table(query, lake, TOTALS, [day(offset) for offset in range(6)])
    for one, made in together.items():
        assert made.equals(run_table(query, lake, TOTALS, [one])[one])
        assert set(made["date"].to_pylist()) == {date.fromisoformat(one)}


def test_a_fold_day_by_day_is_what_one_range_gives(lake: Lake) -> None:
    """What a later day reads of its own table is what the earlier one wrote."""
    fold = Query(
        """
        select staging_numbers.date, staging_numbers.name,
            staging_numbers.value + coalesce(features_totals.value, 0) as value
        from staging_numbers
        left join features_totals on features_totals.name = staging_numbers.name
        """,
        (Source(NUMBERS), Source(TOTALS, first=-1, last=-1, is_own_past=True)),
        fold=True,
    )
    fill(lake, range(4))
    for offset in range(4):
        made = run_table(fold, lake, TOTALS, [day(offset)])[day(offset)]
        write(lake, TOTALS, day(offset), made, code_version="1")
        assert made["value"].to_pylist() == [sum(10.0**past for past in range(offset + 1))]


def test_a_missing_input_is_named_with_the_command_that_fills_it(lake: Lake) -> None:
    fill(lake, [0, 1, 3])
    with pytest.raises(MissingInput) as refused:
        total(lake, Source(NUMBERS, first=-2), day(3))
    assert str(refused.value) == (
        "staging/numbers of 2026-03-03 is missing, and 2026-03-04 … 2026-03-04 needs it; "
        "fill it first: dpm run --start-date 2026-03-03 --end-date 2026-03-03"
    )
    assert isinstance(refused.value, LakeError)


def test_a_history_may_begin_within_the_look_back(lake: Lake) -> None:
    fill(lake, [2, 3])
    assert total(lake, Source(NUMBERS, first=-30), day(3)) == 1_100.0


def test_the_days_own_input_is_no_history_and_must_be_there(lake: Lake) -> None:
    fill(lake, [2, 3])
    with pytest.raises(MissingInput, match=f"^staging/numbers of {day(1)} is missing"):
        total(lake, Source(NUMBERS, first=-30), day(1))


def test_a_table_without_any_partition_is_missing(lake: Lake) -> None:
    with pytest.raises(MissingInput, match=f"^staging/numbers of {day(0)} is missing"):
        total(lake, Source(NUMBERS), day(0))


def test_an_optional_day_may_be_missing_and_its_view_has_the_contracts_types(lake: Lake) -> None:
    source = Source(NUMBERS, optional=True)
    assert total(lake, source, day(0)) is None
    empty = run(Query("select * from staging_numbers", (source,)), lake, [day(0)])
    assert empty.schema.equals(NUMBERS.schema(), check_metadata=False)
    assert empty.num_rows == 0


def test_own_past_may_begin_here_and_may_not_have_a_gap(lake: Lake) -> None:
    source = Source(NUMBERS, first=-1, last=-1, is_own_past=True)
    assert total(lake, source, day(0)) is None
    fill(lake, [0])
    with pytest.raises(MissingInput, match=f"^staging/numbers of {day(1)} is missing"):
        total(lake, source, day(2))


def test_a_reader_of_the_newest_sees_a_correction_that_the_cut_off_hides(lake: Lake) -> None:
    raw = replace(NUMBERS, name="raw/numbers", revisions=True)
    for hours, value in ((-1, 1.0), (50, 2.0)):
        moment = cut_off(FIRST) + timedelta(hours=hours)
        write_revision(lake, raw, day(0), rows(day(0), value), ingested_at=moment, code_version="1")
    sql = "select value from raw_numbers"
    assert total(lake, Source(raw), day(0), sql=sql) == 1.0
    assert total(lake, Source(raw, as_known="newest"), day(0), sql=sql) == 2.0


def test_days_served_before_their_contract_grew_have_nulls_in_what_was_added(lake: Lake) -> None:
    columns = (Column("served_date", DAY, "Day"), Column("value", FLOAT, "Value"))
    served = replace(
        NUMBERS,
        name="predictions/numbers",
        key=("served_date",),
        day_column="served_date",
        columns=columns,
        is_served=True,
    )
    grown = replace(served, columns=(*columns, Column("added", TEXT, "New")))
    for place, table in ((0, served), (1, served), (2, grown)):
        record = {"served_date": FIRST + timedelta(days=place), "value": 1.0, "added": "x"}
        row = pa.Table.from_pylist([record], schema=table.schema())
        write(lake, table, day(place), row, code_version="1")
    query = Query("select * from predictions_numbers order by served_date", (Source(grown, first=-1),))
    assert run(query, lake, [day(1)])["added"].to_pylist() == [None, None]
    assert run(query, lake, [day(2)])["added"].to_pylist() == [None, "x"]


RAW = replace(NUMBERS, name="raw/numbers", revisions=True)
GROWN = replace(RAW, columns=(*RAW.columns, Column("added", TEXT, "New")))


def fetch(lake: Lake, table: Table, offset: int) -> None:
    fetched = {"date": FIRST + timedelta(days=offset), "name": "n0", "value": 1.0, "added": "x"}
    row = pa.Table.from_pylist([fetched], schema=table.schema())
    write_revision(lake, table, day(offset), row, ingested_at=cut_off(FIRST), code_version="1")


@pytest.mark.parametrize("grown", [[1], [0], [0, 2], [1, 2], []])
def test_days_fetched_before_their_contract_grew_have_nulls_in_what_was_added(lake: Lake, grown: list[int]) -> None:
    for place in range(3):
        fetch(lake, GROWN if place in grown else RAW, place)
    added = ["x" if place in grown else None for place in range(3)]
    query = Query("select date, name, value, added from raw_numbers order by date", (Source(GROWN),))
    for place in range(3):
        assert run(query, lake, [day(place)])["added"].to_pylist() == [added[place]]
    assert run(query, lake, [day(place) for place in range(3)])["added"].to_pylist() == added


def test_a_stage_reads_days_fetched_before_their_contract_grew_as_well(lake: Lake) -> None:
    for place, table in enumerate((GROWN, RAW, RAW)):
        fetch(lake, table, place)
    marked = Stage("marked", "select date, count(added) as marks from raw_numbers group by date", {"raw_numbers": [0]})
    query = Query(
        "select date, 'n' as name, marks::double as value from marked order by date",
        (Source(GROWN),), stages=(marked,), reads={"marked": [0]},
    )  # fmt: skip
    assert run(query, lake, [day(place) for place in range(3)])["value"].to_pylist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("place", [0, 1])
def test_a_fetch_that_lacks_what_its_contract_requires_by_now_is_one_line_that_keeps_the_file(
    lake: Lake, place: int
) -> None:
    needed = replace(GROWN, columns=(*RAW.columns, Column("added", TEXT, "New", required=True)))
    fetch(lake, RAW, place)
    fetch(lake, needed, 1 - place)
    query = Query("select * from raw_numbers", (Source(needed),))
    with pytest.raises(LakeError, match=rf"^raw/numbers of {day(place)}: .*required added; keep the file") as refused:
        run(query, lake, [day(0), day(1)])
    assert "delete" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("place", [0, 1])
def test_made_rows_that_lack_a_column_of_their_contract_are_no_nulls(lake: Lake, place: int) -> None:
    grown = replace(NUMBERS, columns=(*NUMBERS.columns, Column("added", TEXT, "New")))
    fill(lake, [place])
    other = rows(day(1 - place), 1.0).append_column("added", pa.array(["x"]))
    write(lake, grown, day(1 - place), other, code_version="1")
    query = Query("select * from staging_numbers", (Source(grown),))
    with pytest.raises(LakeError, match=rf"^staging/numbers of {day(place)}: .*grown by added.* fill the day again$"):
        run(query, lake, [day(0), day(1)])


def test_what_the_engine_refuses_in_the_rows_themselves_is_one_line(lake: Lake) -> None:
    fill(lake, [0])
    sql = "select date, name, value from staging_numbers where regexp_matches(name, '(' || value)"
    with pytest.raises(LakeError, match="^a statement over staging_numbers failed: Invalid Input Error") as refused:
        run(Query(sql, (Source(NUMBERS),)), lake, [day(0)])
    assert "\n" not in str(refused.value)


def test_inputs_are_recorded_by_day_with_absent_ones_and_the_choice_of_revision(lake: Lake) -> None:
    fill(lake, [1])
    raw = replace(NUMBERS, name="raw/numbers", revisions=True)
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    stored, _ = write_revision(lake, raw, day(1), rows(day(1), 5.0), ingested_at=moment, code_version="1")
    sources = (Source(NUMBERS, first=-1), Source(raw, as_known="newest"), Source(raw, as_known=moment))
    described = lake.describe(NUMBERS.name, day(1))
    assert described is not None
    assert inputs_of(sources, day(1), HashLookup(lake)) == {
        f"staging/numbers@{day(0)}": None,
        f"staging/numbers@{day(1)}": described.content_hash,
        f"raw/numbers#newest@{day(1)}": stored.content_hash,
        f"raw/numbers#2026-03-02T00:00:00+00:00@{day(1)}": stored.content_hash,
    }
    before = Source(raw, as_known=moment - timedelta(seconds=1))
    assert list(inputs_of([before], day(1), HashLookup(lake)).values()) == [None]


def test_parameters_frames_and_names_of_views_reach_the_sql(lake: Lake) -> None:
    fill(lake, [0])
    query = Query(
        "select $first_day as date, label as name, value * $factor as value from given, frame",
        (Source(NUMBERS, name="given"),),
        parameters={"factor": 3.0, "unused": 1},
        frames={"frame": pa.table({"label": ["x"]})},
    )
    assert run(query, lake, [day(0)]).to_pylist() == [{"date": FIRST, "name": "x", "value": 3.0}]


def test_a_damaged_input_is_one_line(lake: Lake) -> None:
    fill(lake, [0])
    path = lake.file(NUMBERS.name, day(0))
    assert path is not None
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(LakeError, match=r"^staging/numbers of 2026-03-01: .*part-0\.parquet cannot be read") as refused:
        total(lake, Source(NUMBERS), day(0))
    assert "\n" not in str(refused.value)


def test_a_query_reads_a_lake_in_an_object_store() -> None:
    lake = Lake(UPath("memory://test-a-query-reads/lake"))
    fill(lake, range(3))
    assert total(lake, Source(NUMBERS, first=-2), day(2)) == 111.0


def test_a_column_that_the_query_does_not_give_is_an_error(lake: Lake) -> None:
    fill(lake, [0])
    with pytest.raises(KeyError, match="value"):
        run_table(Query("select date, name from staging_numbers", (Source(NUMBERS),)), lake, TOTALS, [day(0)])


def test_a_quiet_last_day_does_not_put_a_whole_range_into_memory(lake: Lake) -> None:
    for offset in range(8):
        write(lake, NUMBERS, day(offset), rows(day(offset), *range(2000)), code_version="1")
    write(lake, NUMBERS, day(8), rows(day(8), 1.0), code_version="1")
    inputs = Inputs(lake, [Source(NUMBERS)], [day(offset) for offset in range(9)])
    assert inputs.days_of(6000) == 3


def test_what_does_not_fit_into_memory_is_spilled_into_the_folder_of_this_process_not_where_it_was_started(
    lake: Lake,
) -> None:
    fill(lake, [0])
    spills = "current_setting('temp_directory') as name, 1.0 as value"
    (row,) = run(Query(f"select date, {spills} from staging_numbers", (Source(NUMBERS),)), lake, [day(0)]).to_pylist()
    assert Path(row["name"]).parent == folder()


STAGED = Query(
    "select * from staged where date = $first_day",
    (Source(NUMBERS, first=-1),),
    parameters={"factor": 2},
    stages=(Stage("staged", "select * from staging_numbers", {"staging_numbers": [0, 1]}),),
    reads={"staged": [0]},
)


@pytest.mark.parametrize(
    "changed",
    [
        replace(STAGED, sql=f"{STAGED.sql} limit 1"),
        replace(STAGED, sources=(Source(NUMBERS, first=-2),)),
        replace(STAGED, sources=(Source(NUMBERS, first=-1, as_known="newest"),)),
        replace(STAGED, sources=(Source(NUMBERS, first=-1, optional=True),)),
        replace(STAGED, sources=(Source(NUMBERS, first=-1, is_own_past=True),)),
        replace(STAGED, sources=(Source(TOTALS, first=-1, name="staging_numbers"),)),
        replace(STAGED, stages=(replace(STAGED.stages[0], reads={"staging_numbers": [0, 2]}),)),
        replace(STAGED, stages=(replace(STAGED.stages[0], sql="select * from staging_numbers where true"),)),
        replace(STAGED, reads={"staged": [1]}),
        replace(STAGED, parameters={"factor": 3}),
    ],
)
def test_the_code_of_a_query_tells_whatever_decides_its_rows(changed: Query) -> None:
    assert changed.code != STAGED.code
    assert replace(changed, frames={"frame": pa.table({})}).code == changed.code
