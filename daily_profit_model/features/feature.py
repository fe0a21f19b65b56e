"""What a feature's declaration says. The features themselves stand in `families`, a module each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from daily_profit_model.tables import Column
from daily_profit_model.tables.contract import FLAG, FLOAT, INT, TEXT

Kind = Literal["number", "count", "category", "flag"]

_TYPES: dict[Kind, pa.DataType] = {"number": FLOAT, "count": INT, "category": TEXT, "flag": FLAG}


@dataclass(frozen=True)
class Feature:
    """One feature, declared once: the SQL, the contract, the docs and the model's input come from it.

    `sql` is an expression over one row of the compiled windows (see `windows`), of which `inputs`
    names the columns of staging/accounts it rests on.
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

    def column(self) -> Column:
        return Column(self.name, _TYPES[self.kind], f"{self.description}. Null: {self.null_means}", self.unit)
