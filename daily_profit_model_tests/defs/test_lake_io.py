"""The I/O manager: a file a partition, its hash as data version, its figures as metadata."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest
from upath import UPath

from daily_profit_model.defs.resources.lake_io import REPLACE_SERVED_TAG, LakeIOManager, Made
from daily_profit_model.engine import Query, Source, run_days
from daily_profit_model.lake import Lake, LakeError, read, write
from daily_profit_model.lake.served import read_version, versions
from daily_profit_model.tables import Column, Table
from daily_profit_model.tables.contract import DAY, FLOAT, TEXT

DAYS = dg.DailyPartitionsDefinition("2026-03-01", end_date="2026-04-01")
SOURCE = Table(
    "staging/a", "source", ("date", "k"), (Column("date", DAY, ""), Column("k", TEXT, ""), Column("v", FLOAT, ""))
)
TARGET = Table("features/b", "target", ("date", "k"), SOURCE.columns)


@dg.asset(
    key=["staging", "a"], partitions_def=DAYS, io_manager_key="lake_io", backfill_policy=dg.BackfillPolicy.single_run()
)
def a(context: dg.AssetExecutionContext) -> Made:
    def days() -> Iterator[tuple[str, pd.DataFrame]]:
        for key in context.partition_keys:
            day = date.fromisoformat(key)
            yield key, pd.DataFrame({"date": [day, day], "k": ["y", "x"], "v": [float(day.day), None]})

    return Made(days())


@dg.asset(
    key=["features", "b"],
    deps=[a],
    partitions_def=DAYS,
    io_manager_key="lake_io",
    code_version="7",
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def b() -> Query:
    return Query(
        "select date, k, v * 2 as v from staging_a where date between $first_day and $last_day", (Source(SOURCE),)
    )


def materialize(
    tmp_path: Path, instance: dg.DagsterInstance, assets: list[dg.AssetsDefinition], **kwargs: object
) -> Lake:
    lake = Lake(UPath(tmp_path))
    manager = LakeIOManager(lake, {SOURCE.name: SOURCE, TARGET.name: TARGET})
    result = dg.materialize(assets, instance=instance, resources={"lake_io": manager}, **kwargs)  # type: ignore[arg-type]  # passed on
    assert result.success
    return lake


RANGE = {"dagster/asset_partition_range_start": "2026-03-02", "dagster/asset_partition_range_end": "2026-03-05"}


def test_a_range_run_writes_one_file_a_partition_with_metadata_of_its_own(tmp_path: Path) -> None:
    instance = dg.DagsterInstance.ephemeral()
    lake = materialize(tmp_path, instance, [a, b], tags=RANGE)
    assert lake.partitions("features/b") == ["2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"]
    assert read(lake, TARGET, ["2026-03-04"]).to_pydict()["v"] == [None, 8.0]
    events = instance.fetch_materializations(dg.AssetKey(["features", "b"]), limit=10).records
    by_day = {record.partition_key: record.asset_materialization.metadata for record in events}  # type: ignore[union-attr]  # materialisations have one
    assert set(by_day) == {"2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"}
    file = lake.describe("features/b", "2026-03-04")
    assert file is not None
    assert by_day["2026-03-04"]["content_hash"].value == file.content_hash
    assert by_day["2026-03-04"]["dagster/row_count"].value == 2
    assert file.inputs == {"staging/a@2026-03-04": lake.describe("staging/a", "2026-03-04").content_hash}  # type: ignore[union-attr]  # it was just written
    assert file.code_version == "7"


@pytest.mark.parametrize("is_query", [True, False])
def test_an_input_that_is_replaced_while_it_is_read_is_recorded_as_it_was_before(
    tmp_path: Path, is_query: bool
) -> None:
    """So that the partition looks stale: what it was made from is not known."""
    instance = dg.DagsterInstance.ephemeral()
    lake = materialize(tmp_path, instance, [a], partition_key="2026-03-02")
    before = lake.describe(SOURCE.name, "2026-03-02")
    assert before is not None

    def replaced() -> None:
        rows = read(lake, SOURCE, ["2026-03-02"])
        write(lake, SOURCE, "2026-03-02", rows.slice(1), code_version="1")

    def meanwhile(query: Query, of: Lake, table: Table, days: Sequence[str]) -> Iterator[tuple[str, pa.Table]]:
        for made in run_days(query, of, table, days):
            replaced()
            yield made

    @dg.asset(key=["features", "b"], partitions_def=DAYS, io_manager_key="lake_io")
    def made_of_it() -> object:
        def days() -> Iterator[tuple[str, pa.Table]]:
            rows = read(lake, SOURCE, ["2026-03-02"])
            replaced()
            yield "2026-03-02", rows

        return Query("select * from staging_a", (Source(SOURCE),)) if is_query else Made(days(), [Source(SOURCE)])

    manager = LakeIOManager(lake, {SOURCE.name: SOURCE, TARGET.name: TARGET}, meanwhile)
    dg.materialize([made_of_it], instance=instance, resources={"lake_io": manager}, partition_key="2026-03-02")
    written = lake.describe(TARGET.name, "2026-03-02")
    assert written is not None
    assert written.rows == before.rows
    assert written.inputs == {"staging/a@2026-03-02": before.content_hash}


def test_the_data_version_of_a_partition_is_its_content_hash(tmp_path: Path) -> None:
    instance = dg.DagsterInstance.ephemeral()
    lake = materialize(tmp_path, instance, [a], partition_key="2026-03-02")
    (record,) = instance.fetch_materializations(dg.AssetKey(["staging", "a"]), limit=5).records
    file = lake.describe("staging/a", "2026-03-02")
    assert file is not None
    assert record.asset_materialization is not None
    assert (record.asset_materialization.tags or {})["dagster/data_version"] == file.content_hash


def test_a_day_alone_has_the_bytes_that_it_has_in_a_range(tmp_path: Path) -> None:
    materialize(tmp_path / "range", dg.DagsterInstance.ephemeral(), [a, b], tags=RANGE)
    materialize(tmp_path / "alone", dg.DagsterInstance.ephemeral(), [a, b], partition_key="2026-03-04")
    place = Path("features/b/date=2026-03-04/part-0.parquet")
    assert (tmp_path / "range" / place).read_bytes() == (tmp_path / "alone" / place).read_bytes()


def test_an_asset_that_makes_fewer_days_than_asked_fails(tmp_path: Path) -> None:
    @dg.asset(key=["staging", "a"], partitions_def=DAYS, io_manager_key="lake_io")
    def nothing() -> Made:
        return Made(iter(()))

    with pytest.raises(LakeError, match="nothing was made for 2026-03-02"):
        materialize(tmp_path, dg.DagsterInstance.ephemeral(), [nothing], partition_key="2026-03-02")


def test_a_row_of_another_day_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    @dg.asset(key=["staging", "a"], partitions_def=DAYS, io_manager_key="lake_io")
    def stray() -> Made:
        rows = pa.table({"date": pa.array([date(2026, 3, 9)]), "k": ["x"], "v": [1.0]})
        return Made(iter([("2026-03-02", rows)]))

    with pytest.raises(LakeError, match="belong to another partition"):
        materialize(tmp_path, dg.DagsterInstance.ephemeral(), [stray], partition_key="2026-03-02")
    assert Lake(UPath(tmp_path)).partitions("staging/a") == []


SERVED = Table(
    "predictions/s",
    "served",
    ("prediction_date", "k"),
    (Column("prediction_date", DAY, ""), Column("k", TEXT, ""), Column("v", FLOAT, "")),
    day_column="prediction_date",
    is_served=True,
)


def serve(lake: Lake, value: float, today: date, **tags: str) -> dict[str, object]:
    """The served asset made for 2026-03-02 with `value`, on the day `today`; the metadata of the materialisation."""

    @dg.asset(key=["predictions", "s"], partitions_def=DAYS, io_manager_key="lake_io")
    def s() -> Made:
        rows = pa.table({"prediction_date": pa.array([date(2026, 3, 2)]), "k": ["x"], "v": [value]})
        return Made(iter([("2026-03-02", rows)]), metadata={"2026-03-02": {"value": value}})

    noon = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    manager = LakeIOManager(lake, {SERVED.name: SERVED}, now=lambda: noon)
    result = dg.materialize([s], partition_key="2026-03-02", resources={"lake_io": manager}, tags=tags)
    (event,) = result.asset_materializations_for_node("predictions__s")
    return {name: entry.value for name, entry in event.metadata.items()}


def served_value(lake: Lake) -> float:
    value: float = read(lake, SERVED, ["2026-03-02"])["v"][0].as_py()
    return value


def test_what_was_served_stays_once_its_day_is_over_and_the_run_says_so(
    lake: Lake, capfd: pytest.CaptureFixture[str]
) -> None:
    told = serve(lake, 1.0, date(2026, 3, 2))
    assert "version_beside" not in told
    assert told["value"] == 1.0
    first = lake.describe(SERVED.name, "2026-03-02")
    capfd.readouterr()
    told = serve(lake, 2.0, date(2026, 3, 3))
    assert "predictions/s of 2026-03-02 was served and stays" in capfd.readouterr().err
    assert first is not None
    assert served_value(lake) == 1.0
    assert told["content_hash"] == first.content_hash
    assert told["rows_changed"] == 1
    assert told["changed_columns"] == {"v": 1}
    assert "value" not in told, "figures of rows that do not count"
    other = str(told["version_beside"])
    assert read_version(lake, SERVED.name, "2026-03-02", other)["v"].to_pylist() == [2.0]


def test_during_its_day_or_when_asked_for_a_rewrite_replaces_and_keeps_what_was_before(lake: Lake) -> None:
    serve(lake, 1.0, date(2026, 3, 2))
    first = lake.describe(SERVED.name, "2026-03-02")
    assert first is not None
    assert serve(lake, 2.0, date(2026, 3, 2))["replaced_version"] == first.content_hash
    assert served_value(lake) == 2.0
    told = serve(lake, 3.0, date(2026, 3, 9), **{REPLACE_SERVED_TAG: "true"})
    assert served_value(lake) == 3.0
    assert told["rows_changed"] == 1
    assert len(list(versions(lake, SERVED.name, "2026-03-02"))) == 3
