"""What a feature's declaration says. The features themselves stand in `families`, a module each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from daily_profit_model.tables import Column
from daily_profit_model.tables.contract import FLAG, FLOAT, INT, TEXT
from daily_profit_model.tables.staging import STAGING_ACCOUNTS

Kind = Literal["number", "count", "category", "flag"]

_TYPES: dict[Kind, pa.DataType] = {"number": FLOAT, "count": INT, "category": TEXT, "flag": FLAG}


@dataclass(frozen=True)
class Feature:
    """One feature, declared once: the SQL, the contract, the docs and the model's input come from it.

    `sql` is an expression over one account's row of the day and its windows (see `windows`); `inputs` names
    the columns it rests on, those of another table than staging/accounts with the table: `layer/table.column`.
    They are the columns that the SQL reads through all stages, and by which its peers are chosen; no more, no less.
    """

    name: str
    family: str
    kind: Kind
    sql: str
    description: str
    inputs: tuple[str, ...]
    unit: str | None = None
    window: int | None = None
    """Calendar days D-window+1 … D that it looks at; None: the state of D alone."""
    null_means: str = "never null"

    @property
    def read(self) -> tuple[tuple[str, str], ...]:
        """The columns it rests on, as (table, column)."""
        found = (name.rpartition(".") for name in self.inputs)
        return tuple((table or STAGING_ACCOUNTS.name, column) for table, _, column in found)

    def column(self) -> Column:
        return Column(self.name, _TYPES[self.kind], f"{self.description}. Null: {self.null_means}", self.unit)
