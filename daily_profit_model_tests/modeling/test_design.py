"""A design says of its rows what the frame says of them, however it was cut, and trains with its own split alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from daily_profit_model.modeling.design import Design, design_of, design_table
from daily_profit_model.modeling.frames import of_days, prepare
from daily_profit_model.modeling.matrix import learn_encoding, to_matrix
from daily_profit_model.modeling.splits import SplitSettings
from daily_profit_model.modeling.training import TrainSettings, train_on
from daily_profit_model_tests.modeling.panel import Panel

SPLIT = SplitSettings()


@pytest.fixture(scope="module")
def table(panel: Panel, cutoff: date) -> pa.Table:
    missing = np.arange(panel.frame.num_rows) % 7 == 0
    place = panel.frame.column_names.index("size")
    with_nulls = pa.array(panel.frame["size"].to_numpy(), mask=missing)
    frame = panel.frame.set_column(place, "size", with_nulls)
    return design_table(frame, panel.features, cutoff=cutoff, split=SPLIT, columns=("pnl_sum_1d", "no_such_column"))


@pytest.fixture(scope="module")
def design(table: pa.Table) -> Design:
    return design_of(table)


def test_its_matrix_is_that_of_the_frame_bit_for_bit(design: Design, panel: Panel, cutoff: date) -> None:
    rows = prepare(panel.frame, cutoff).rows
    encoding = learn_encoding(of_days(rows, design.split.train), panel.features)
    assert design.encoding == encoding
    place = [feature.name for feature in encoding].index("size")
    for days in (design.split.train, design.split.test):
        expected = to_matrix(of_days(rows, days), encoding)
        found = design.matrix(of_days(design.rows, days))
        assert (found.dtype, found.flags.c_contiguous) == (np.float32, True)
        missing = np.isnan(found[:, place])
        assert 0 < missing.sum() < len(found) / 6
        expected[missing, place] = np.nan
        assert found.tobytes() == expected.tobytes()


def test_it_holds_what_is_needed_as_it_is_and_the_encoded_features(design: Design, panel: Panel) -> None:
    encoded = [f"encoded/{feature.name}" for feature in panel.features]
    required = {"feature_date", "target_date", "account_id", "profit_scale", "target_net_profit", "target_status"}
    assert set(design.rows.column_names) - set(encoded) == required | {"pnl_sum_1d"}
    assert design.rows.column_names[-len(encoded) :] == encoded


def test_a_table_in_many_chunks_is_the_same_design(table: pa.Table, design: Design) -> None:
    pieces = [table.slice(first, 1000) for first in range(0, table.num_rows, 1000)]
    other = design_of(pa.concat_tables(pieces))
    assert other.rows["encoded/size"].num_chunks == 1
    assert other.matrix(other.rows).tobytes() == design.matrix(design.rows).tobytes()
    assert other.split == design.split


def test_a_training_with_another_split_than_its_design_is_refused(design: Design) -> None:
    settings = TrainSettings(split=replace(SPLIT, validation_days=7))
    with pytest.raises(ValueError, match="validation_days=14.*validation_days=7"):
        train_on(design, settings=settings, data_versions={}, code_version="1")
