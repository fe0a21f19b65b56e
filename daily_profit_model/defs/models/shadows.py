"""Shadow deployments in the lake and in the graph: the acts (models/shadows), who is active on a day, and an asset that
no run makes, with a dynamic partition a deployment. What acts mean is `modeling.shadows`'s.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import Any

import dagster as dg
import pyarrow as pa

from daily_profit_model.defs.calendars import SHADOW_DEPLOYMENTS
from daily_profit_model.defs.models.registry import known_changes, last_predicted, numbered, partition_of
from daily_profit_model.defs.table_asset import OWNERS, asset_key, column_schema
from daily_profit_model.lake import Lake, LakeError, create_once
from daily_profit_model.lake.staleness import Derived
from daily_profit_model.modeling.acts import holder
from daily_profit_model.modeling.shadow_contracts import MODELS_SHADOWS
from daily_profit_model.modeling.shadows import Deployment, comparisons, deployments
from daily_profit_model.quality.judge import UNREADABLE
from daily_profit_model.settings import WrongUse

SHADOWS_CODE_VERSION = "1"
ACTIVE = f"{MODELS_SHADOWS.name}#active"
"""The input that a footer names with a day: which deployments are active on it, and on what plan."""
TRAFFIC = f"{MODELS_SHADOWS.name}#traffic"
"""The same of those that serve a share of the accounts, and of how large it is."""

SHADOWS = dg.AssetSpec(
    key=asset_key(MODELS_SHADOWS),
    description=MODELS_SHADOWS.description,
    group_name=MODELS_SHADOWS.name.split("/")[0],
    owners=OWNERS,
    kinds={"parquet"},
    partitions_def=SHADOW_DEPLOYMENTS,
    metadata={
        "dagster/column_schema": column_schema(MODELS_SHADOWS),
        "dagster/table_name": MODELS_SHADOWS.name,
        "contract_version": MODELS_SHADOWS.version,
        "key": ", ".join(MODELS_SHADOWS.key),
    },
)
"""The deployment is the dynamic partition here; what is made of deployments has a partition a day, so that ranges of
days run, are checked and are found out of date as all else is."""


def shadow_acts(lake: Lake, known: pa.Table | None = None) -> pa.Table:
    """Every act on deployments so far, by number; `known` as in `registry.numbered`, whose errors it raises."""
    return numbered(lake, MODELS_SHADOWS, known)


def all_deployments(lake: Lake) -> list[Deployment]:
    """Every deployment so far, by the number of the act that created it."""
    return deployments(shadow_acts(lake))


def record_shadow(lake: Lake, next_act: Callable[[pa.Table], pa.Table]) -> dict[str, Any]:
    """Create the act that `next_act` makes of the acts so far, and return its row; where another act takes the number
    first, it is asked again. Raises what `next_act` raises."""
    known = None
    while True:
        known = shadow_acts(lake, known)
        row = next_act(known)
        number = partition_of(row["number"][0].as_py())
        if create_once(lake, MODELS_SHADOWS, number, row, code_version=SHADOWS_CODE_VERSION) is not None:
            written: dict[str, Any] = row.to_pylist()[0]
            return written


def require_unserved(lake: Lake, first_day: date | None, traffic: int) -> None:
    """Raises WrongUse for traffic from a day on that is predicted already: what was served stays."""
    predicted = last_predicted(lake)
    if traffic and first_day and predicted and first_day <= predicted:
        raise WrongUse(
            f"--from {first_day}: days up to {predicted} are predicted, so nobody else can serve them any more; "
            f"leave it out, or --traffic"
        )


class Active:
    """Who is active on which day, with acts and champions read once."""

    def __init__(self, lake: Lake) -> None:
        self.known = all_deployments(lake)
        self._champions = _champions(known_changes(lake)) if self.known else []

    def on(self, day: date) -> list[Deployment]:
        """The deployments active on a day; one whose version has become the champion has nothing to be compared with,
        and does not begin anew when another replaces it: nobody has asked for that, and it may have traffic."""
        running = [one for one in self.known if one.is_active(day)]
        return [one for one in running if one.version not in self._champions_of(one.from_day, day)]

    def _champions_of(self, first: date, last: date) -> set[str]:
        """The versions that are champion on any of the days `first` … `last`."""
        before = [version for since, version in self._champions if since <= first][-1:]
        return {*before, *(version for since, version in self._champions if first < since <= last)}

    def hash(self, day: date) -> str | None:
        """A sha256 of whom and what `on` tells, and of how many are compared; None: nobody is active."""
        facts = [
            [one.name, one.model_hash, one.from_day.isoformat(), one.planned_days, comparisons(one, self.known, day)]
            for one in self.on(day)
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest() if facts else None

    def serving(self, day: date) -> list[Deployment]:
        """Those of them that are to serve a share of the accounts, in the order in which accounts are given to them."""
        return sorted((one for one in self.on(day) if one.traffic), key=lambda one: one.number)

    def traffic_hash(self, day: date) -> str:
        """A sha256 of whom `serving` tells, and of how much. Of nobody as well: a day on which the champion alone served
        was made of all that it needed, so that no deployment may open it again."""
        facts = [[one.name, one.model_hash, one.traffic] for one in self.serving(day)]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def inputs(self, day: str) -> dict[str, str | None]:
        """What a footer records of it."""
        return {f"{ACTIVE}@{day}": self.hash(date.fromisoformat(day))}


def _champions(changes: pa.Table) -> list[tuple[date, str]]:
    """Each day on which the champion changes, ascending, and who it is from then on."""
    days = sorted({row["in_force_from"] for row in changes.to_pylist() if row["alias"] == "champion"})
    return [(day, found.version) for day in days if (found := holder(changes, "champion", day)) is not None]


def shadow_lookups(lake: Lake) -> dict[str, Derived]:
    """Who is active on a day, and who serves on it, as inputs of `HashLookup`."""

    @cache
    def active() -> Active:
        return Active(lake)

    def traffic(day: str) -> str:
        try:
            return active().traffic_hash(date.fromisoformat(day))
        except LakeError:  # the champion serves, so this must not raise
            return UNREADABLE

    return {ACTIVE: lambda day: active().hash(date.fromisoformat(day)), TRAFFIC: traffic}


_TOLD = ("number", "act", "version", "traffic", "planned_days", "transition", "reason", "author")


def tell_shadow(instance: dg.DagsterInstance, act: Mapping[str, Any]) -> None:
    """Record an act in the event log, as a materialisation of the deployment's partition that belongs to no run."""
    know(instance, [act["deployment"]])
    metadata = {name: act[name] for name in _TOLD if act[name] is not None}
    metadata["day"] = act["day"].isoformat()
    description = f"{act['act']}, {act['author']}: {act['reason']}"
    instance.report_runless_asset_event(
        dg.AssetMaterialization(SHADOWS.key, partition=act["deployment"], description=description, metadata=metadata)
    )


def know(instance: dg.DagsterInstance, names: list[str]) -> None:
    """Make sure that the deployments are partitions of the instance."""
    missing = set(names) - set(instance.get_dynamic_partitions(SHADOW_DEPLOYMENTS.name or ""))
    if missing:
        instance.add_dynamic_partitions(SHADOW_DEPLOYMENTS.name or "", sorted(missing))
