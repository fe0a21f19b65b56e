"""The design of a training: its settled rows with every feature encoded, in one table that can be kept.

Here: what depends on the frame, the features and the split alone, so that trainings with other parameters
share it. Targets and weights belong to `training`; where a design is kept is the graph's business.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from daily_profit_model.cache import source_version
from daily_profit_model.modeling.carry import OPEN_PROFIT, WEEKEND, learn_carry
from daily_profit_model.modeling.frames import REQUIRED, of_days, prepare
from daily_profit_model.modeling.matrix import EncodedFeature, ModelFeature, encoded_column, learn_encoding
from daily_profit_model.modeling.splits import Split, SplitSettings, split_by_date

CODE_VERSION = source_version(__name__, np.__version__, pa.__version__)
"""Of everything that `design_table` runs. Taken at import: a file edited later is not the code that runs."""

ENCODED = "encoded/"
"""Before a feature's name: its column as boosters see it. The column itself may be there as well."""

_RECORD = b"design"


@dataclass(frozen=True)
class Design:
    """What is learnt from and judged on, before any parameter of a booster matters."""

    rows: pa.Table
    """Rows with an outcome by target date and account: columns as they are in the frame, then `encoded/…`."""
    encoding: tuple[EncodedFeature, ...]
    carry: Mapping[str, float]
    """Shares of open profit that the next day realises (see `carry`)."""
    split: Split
    split_settings: SplitSettings
    cutoff: date
    left_out: Mapping[str, int]
    """Rows set aside, by the status that they have instead of an outcome."""

    def matrix(self, rows: pa.Table) -> npt.NDArray[np.float32]:
        """The features of some of its rows, rows x features; what `matrix.to_matrix` says of the frame's."""
        matrix = np.empty((rows.num_rows, len(self.encoding)), dtype=np.float32, order="C")
        for place, (_, values) in enumerate(self.encoded(rows)):
            matrix[:, place] = values
        return matrix

    def encoded(self, rows: pa.Table) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
        """The same, feature by feature with its name."""
        for feature in self.encoding:
            yield feature.name, rows[ENCODED + feature.name].to_numpy()


def design_table(
    frame: pa.Table, features: Sequence[ModelFeature], *, cutoff: date, split: SplitSettings, columns: Sequence[str]
) -> pa.Table:
    """The design of `frame` as a table, its record in the schema's metadata; equal inputs give equal bits.

    `columns`: those that are needed as they are, besides the ones that every training needs. Raises
    ValueError in one line when the frame is not as promised or has too few days.
    """
    prepared = prepare(frame, cutoff)
    learning = of_days(prepared.rows, _split(prepared.rows, split).train)
    encoding = learn_encoding(learning, features)
    carry = learn_carry(learning, encoding)
    needed = dict.fromkeys((*REQUIRED, *columns, *((OPEN_PROFIT, WEEKEND) if carry else ())))
    plain = prepared.rows.select([name for name in needed if name in frame.column_names])
    encoded = {ENCODED + feature.name: pa.array(encoded_column(prepared.rows, feature)) for feature in encoding}
    record = {
        "encoding": [asdict(feature) for feature in encoding],
        "carry": carry,
        "split": asdict(split),
        "cutoff": cutoff.isoformat(),
        "left_out": prepared.left_out,
    }
    table = pa.table({**dict(zip(plain.column_names, plain.columns, strict=True)), **encoded})
    return table.replace_schema_metadata({_RECORD: json.dumps(record).encode()})


def design_of(table: pa.Table) -> Design:
    """The design in a table of `design_table`, whatever chunks it came in."""
    record = json.loads(table.schema.metadata[_RECORD])
    encoding = tuple(
        EncodedFeature(**{**feature, "categories": tuple(feature["categories"])}) for feature in record["encoding"]
    )
    # sums over chunks would depend on how a file was cut
    rows = table.replace_schema_metadata(None).combine_chunks()
    settings = SplitSettings(**record["split"])
    return Design(
        rows=rows,
        encoding=encoding,
        carry=record["carry"],
        split=_split(rows, settings),
        split_settings=settings,
        cutoff=date.fromisoformat(record["cutoff"]),
        left_out=record["left_out"],
    )


def _split(rows: pa.Table, settings: SplitSettings) -> Split:
    return split_by_date(rows["target_date"].unique().to_pylist(), settings)
