"""One contract a table: columns, types, units, keys, descriptions. No I/O and no rules here."""

from daily_profit_model.tables.contract import Column, Table

__all__ = ["Column", "Table"]
