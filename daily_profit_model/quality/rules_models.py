"""Rules of the model layer: versions and the decisions on them. What they score is judged in `rules_scores`.

The contracts belong to `modeling`, so they are handed in.
"""

from __future__ import annotations

from daily_profit_model.quality.conditions import HASH, figures_not_finite, missing, named
from daily_profit_model.quality.expectation import (
    absent,
    in_set,
    is_json,
    length_between,
    matches,
    unique,
)
from daily_profit_model.quality.frame import rows_of
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table

VERSION = r"^\d{8}-[0-9a-f]{8}$"
"""Cut-off and the first eight digits of the hash."""

SHARES_TOLERANCE = 1e-9
"""Share. Three shares of one count add up to 1 but for the last bits of a double."""

LONGEST_REASON = 2000
"""Characters: the decision in one line."""


def versions_rules(versions: Table) -> tuple[Rule, ...]:
    """The rules of models/net_profit, whose contract is `versions`."""
    shares = ("coverage_90", "miss_lower", "miss_upper")
    losses = ("pinball_05", "pinball_50", "pinball_95", "mean_absolute_error")
    counts = ("rows", "train_days", "validation_days", "calibration_days", "test_days")
    frame = rows_of(
        versions,
        ("version", "model_hash", "manifest_hash"),
        missing_columns=missing(versions.required_names),
        impossible=named(
            {name: f"{name} not between 0 and 1" for name in shares}
            | {"shares": f"abs({' + '.join(shares)} - 1) > {SHARES_TOLERANCE}"}
            | {name: f"{name} < 0" for name in losses}
            | {name: f"{name} < 1" for name in counts}
            | {"skill": "skill > 1"}
        ),
        not_finite=figures_not_finite(versions),
        disordered_skill="case when skill_lower > skill_upper then skill_lower end",
    )
    return (
        Rule(
            id="versions_valid",
            table=versions.name,
            dimension="validity",
            severity="error",
            frame=frame,
            expectations=(
                absent("missing_columns", says="every figure of the version is there"),
                matches("version", VERSION, says="the version is cut-off and hash"),
                matches("model_hash", HASH, says="the bundle's hash is a full sha256"),
                matches("manifest_hash", HASH, says="the manifest's hash is a full sha256"),
            ),
            reason="The gate, the registry and every prediction name a model by these.",
            advice="Train the cut-off again; a row without them was written by other code.",
        ),
        Rule(
            id="figures_possible",
            table=versions.name,
            dimension="consistency",
            severity="error",
            frame=frame,
            expectations=(
                absent("impossible", says="shares, losses and counts of days are possible, and the shares add up"),
                absent("not_finite", says="no figure is infinite or not a number"),
                absent("disordered_skill", says="the skill's interval is in order"),
            ),
            reason="A version is promoted by these figures: an impossible one promotes by accident.",
            advice="Read the bundle's model card; train the cut-off again with the code of today.",
        ),
    )


def champion_rules(champion: Table) -> tuple[Rule, ...]:
    """The rules of models/champion, whose contract is `champion`."""
    frame = rows_of(
        champion,
        ("decision", "model_hash", "reason", "evidence"),
        too_early="case when in_force_from <= cutoff then in_force_from::varchar end",
    )
    return (
        Rule(
            id="decisions_recorded",
            table=champion.name,
            dimension="validity",
            severity="error",
            frame=frame,
            expectations=(
                unique(champion.key),
                in_set(
                    "decision",
                    ("promoted", "challenger", "refused"),
                    says="a version is promoted, challenges or is refused",
                ),
                matches("model_hash", HASH, says="the bundle's hash is a full sha256"),
                length_between("reason", 1, LONGEST_REASON, says="the reason is said"),
                is_json("evidence", says="the evidence is JSON"),
                absent("too_early", says="no version serves a day that it was trained on"),
            ),
            reason="Who served a day, and why, is answered from these rows years later.",
            advice="Make the gate's decision of the cut-off again; acts of persons stand in models/transitions.",
        ),
    )
