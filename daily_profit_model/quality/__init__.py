"""What must hold of the tables: rules as data, and their evaluation.

No Dagster here (the adapter is `defs.quality`), and nothing that changes or drops a row.
"""
