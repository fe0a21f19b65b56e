"""`dpm features audit` on the user's lake: what the graph says of the code of today; the audit is `features.audit`'s."""

from __future__ import annotations

from daily_profit_model.defs.build import build_definitions
from daily_profit_model.defs.table_asset import asset_key
from daily_profit_model.features.audit.command import audit_lake
from daily_profit_model.features.pipeline import pipeline
from daily_profit_model.lake import Lake
from daily_profit_model.settings import Settings


def audit_features(settings: Settings, *, days: int, seed: int, as_json: bool) -> int:
    """Audit the settings' lake and print the report; returns the exit code. Raises LakeError."""
    steps = pipeline(settings.dpm_dormant_days)
    graph = build_definitions().resolve_asset_graph()
    versions = {step.table.name: graph.get(asset_key(step.table)).code_version or "unversioned" for step in steps}
    return audit_lake(Lake(settings.lake_root), steps, versions, days=days, seed=seed, as_json=as_json)
