"""Where the SQL texts of the repository lie, and how one stands in another."""

from __future__ import annotations

import re
from pathlib import Path

SQL_FOLDER = Path(__file__).parents[2] / "sql"
_INCLUDED = re.compile(r"\{([a-z_]+/[a-z_]+)\}")


def sql_text(name: str) -> str:
    """The text of `sql/{name}.sql`; where it says `{layer/other}`, the text of that file stands."""
    text = (SQL_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    return _INCLUDED.sub(lambda found: sql_text(found[1]), text)
