"""Rules of the raw layer as a whole: nothing is lost on the way in, and what is rejected is told.

What the records of a table say is judged in `rules_accounts`, `rules_metrics` and `rules_balances`,
`rules_trades`, `rules_plans`, that they are numbers in `rules_finite`.
"""

from __future__ import annotations

from daily_profit_model.quality.expectation import between, equal, in_set, is_json, length, matches
from daily_profit_model.quality.frame import footer_counts, rows_of
from daily_profit_model.quality.rule import Rule
from daily_profit_model.quality.rules_accounts import ACCOUNTS_RULES
from daily_profit_model.quality.rules_balances import DAILY_RELATIONS_RULES, HOURLY_RELATIONS_RULES
from daily_profit_model.quality.rules_finite import finite_rule
from daily_profit_model.quality.rules_metrics import DAILY_ROWS_RULES, HOURLY_ROWS_RULES
from daily_profit_model.quality.rules_plans import PLANS_RULES, REGIMES_RULES
from daily_profit_model.quality.rules_trades import CLOSED_RULES, OPEN_RULES
from daily_profit_model.tables import Table
from daily_profit_model.tables.raw import (
    RAW_ACCOUNTS,
    RAW_MARKET_BARS,
    RAW_MARKET_REGIMES,
    RAW_METRICS_DAILY,
    RAW_METRICS_HOURLY,
    RAW_PLANS,
    RAW_QUARANTINE,
    RAW_TRADES_CLOSED,
    RAW_TRADES_OPEN,
)

QUARANTINE_LIMIT = 0.02
"""Share of a fetch. 40 % were once rejected for a date format and nobody saw it (PITFALLS); real rejects
are single rows, so that two in a hundred already mean a change of format."""

REASONS = (
    "closed_before_opened",
    "duplicate_key",
    "hour_out_of_range",
    "malformed_document",
    "missing_required",
    "non_positive_lots",
    "not_a_record",
    "out_of_range",
    "unknown_side",
    "unreadable_date",
    "unreadable_json",
    "unreadable_number",
    "wrong_day",
    "wrong_field_count",
)
"""Every reason for which the readers reject a row."""

_FROM_API = (RAW_ACCOUNTS, RAW_METRICS_DAILY, RAW_METRICS_HOURLY, RAW_TRADES_CLOSED, RAW_TRADES_OPEN)
_FETCHED = (*_FROM_API, RAW_PLANS, RAW_MARKET_REGIMES, RAW_MARKET_BARS)

_REJECTS = rows_of(
    RAW_QUARANTINE,
    # what could not be read as JSON is kept as it was received
    read_payload="case when reason not in ('unreadable_json', 'malformed_document') then payload end",
)


def _rows_accounted_for(table: Table) -> Rule:
    return Rule(
        id="rows_accounted_for",
        table=table.name,
        dimension="completeness",
        severity="error",
        blocking=True,
        frame=footer_counts(table),
        expectations=(
            equal(
                "received",
                "accounted",
                says="received = stored + quarantined + test accounts + repeated + late",
            ),
            equal("stored", "rows_in_file", says="the file holds as many rows as were stored"),
        ),
        reason="Nothing may be lost without a trace: a row that is not stored is quarantined or counted.",
        advice="Fetch the day again (dpm run --force). If it stays, the reader loses rows: mend it first.",
    )


def _no_schema_drift(table: Table) -> Rule:
    return Rule(
        id="schema_known",
        table=table.name,
        dimension="validity",
        severity="warn",
        frame=footer_counts(table),
        expectations=(
            between("unknown_fields", high=0, says="the service sends no field that the contract does not know"),
            between("unreadable", high=0, says="every value of an optional field can be read"),
        ),
        reason="A new field, or a value in a new form, is how a change of the service shows first.",
        advice="Which fields: unknown_fields and unreadable in the partition's metadata. Extend the contract.",
    )


RAW_RULES = (
    *(_rows_accounted_for(table) for table in _FETCHED),
    *(_no_schema_drift(table) for table in _FROM_API),
    *(finite_rule(table) for table in _FROM_API),
    *ACCOUNTS_RULES,
    *DAILY_ROWS_RULES,
    *DAILY_RELATIONS_RULES,
    *HOURLY_ROWS_RULES,
    *HOURLY_RELATIONS_RULES,
    *CLOSED_RULES,
    *OPEN_RULES,
    *PLANS_RULES,
    *REGIMES_RULES,
    Rule(
        id="quarantine_small",
        table=RAW_QUARANTINE.name,
        dimension="validity",
        severity="warn",
        frame=footer_counts(RAW_QUARANTINE, *_FETCHED),
        expectations=(
            between("quarantined_share", high=QUARANTINE_LIMIT, says="few of the received rows were rejected"),
        ),
        reason="Rejected rows are missing downstream; many of them mean that a format has changed.",
        advice="Read the reasons in raw/quarantine of the day; mend the reader, then fetch the day again.",
    ),
    Rule(
        id="rejects_readable",
        table=RAW_QUARANTINE.name,
        dimension="validity",
        severity="error",
        frame=_REJECTS,
        expectations=(
            in_set("table", [table.name for table in _FETCHED], says="the row was meant for a table that is fetched"),
            in_set("reason", REASONS, says="the reason is one of the readers'"),
            length("payload_hash", 64, says="the hash is as long as a sha256"),
            matches("payload_hash", "^[0-9a-f]+$", says="the hash is hexadecimal"),
            is_json("read_payload", says="the payload is the JSON that was received"),
        ),
        reason="A rejected row is looked at, mended and read again: that takes its table, its reason and itself.",
        advice="A reason that is not known here belongs to a new check of a reader: add it to the rule.",
    ),
)
