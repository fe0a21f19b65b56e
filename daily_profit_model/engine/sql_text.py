"""Where the SQL texts of the repository lie."""

from __future__ import annotations

from pathlib import Path

SQL_FOLDER = Path(__file__).parents[2] / "sql"


def sql_text(name: str) -> str:
    """The text of `sql/{name}.sql`."""
    return (SQL_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
