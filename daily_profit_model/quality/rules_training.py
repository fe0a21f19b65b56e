"""Rules of the training sets: every account-day once, with an outcome that was known at the cut-off.

The contract is made from the features' catalogue, so it is handed in: `quality` does not know `features`.
"""

from __future__ import annotations

from daily_profit_model.engine import Query
from daily_profit_model.quality.conditions import not_finite
from daily_profit_model.quality.expectation import absent, between, equal, in_set
from daily_profit_model.quality.frame import Frame, newest, rows_of
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table

_DAYS = """
select
    cutoff,
    target_date,
    count(*) as rows,
    count(distinct account_id) as accounts,
    count(*) filter (target_date <> feature_date + 1 or target_date > cutoff) as misplaced,
    count(*) filter (target_status in ('traded', 'idle') and target_net_profit is null) as without_profit,
    count(*) filter (target_status = 'closed') / count(*) as closed_share
from training_account_daily
where cutoff between $first_day and $last_day
group by all
"""

LARGEST_CLOSED_SHARE = 0.2
"""Share of a day's accounts that may end without a trade: a firm closes a few a day; many mean that a feed is short."""


def training_rules(training: Table) -> tuple[Rule, ...]:
    """The rules of training/account_daily, whose contract is `training`; a training set that breaks a blocking one
    teaches no model, and the gate lets no version through that was trained on one."""
    frame = Frame(
        f"{training.name} days",
        training,
        ("target_date",),
        Query(_DAYS, (newest(training),)),
        day="cutoff",
        measures=True,
    )
    return (
        Rule(
            id="account_days_once",
            table=training.name,
            dimension="uniqueness",
            severity="error",
            blocking=True,
            frame=frame,
            expectations=(equal("accounts", "rows", says="an account is there once a day"),),
            reason="A row that is there twice counts twice, and a split by days no longer holds it apart.",
            advice="Look for account-days that are twice in features/account_daily; rebuild them and the training set.",
        ),
        Rule(
            id="outcomes_known_at_cut_off",
            table=training.name,
            dimension="consistency",
            severity="error",
            blocking=True,
            frame=frame,
            expectations=(
                between("misplaced", 0, 0, says="each outcome is of the day after its features, up to the cut-off"),
                between("without_profit", 0, 0, says="each settled row has a net profit"),
            ),
            reason="An outcome after the cut-off is the future (L1 to L7); a missing one is no zero (L9).",
            advice="Rebuild the training set; if it stays so, the query that joins features and outcomes is wrong.",
        ),
        Rule(
            id="targets_valid",
            table=training.name,
            dimension="validity",
            severity="error",
            frame=rows_of(
                training,
                ("target_status",),
                idle_with_profit="case when target_status = 'idle' then abs(target_net_profit) end",
                closed_with_profit="case when target_status = 'closed' then target_net_profit end",
                endless=not_finite(("target_net_profit",)),
            ),
            expectations=(
                in_set("target_status", ("traded", "idle", "closed"), says="an outcome is traded, idle or closed"),
                between("idle_with_profit", high=0, says="who did not trade made nothing"),
                absent("closed_with_profit", says="an account that ended without a trade has no profit"),
                absent("endless", says="no target is infinite or not a number"),
            ),
            reason="Three kinds of outcome are told apart (L9); a wrong one teaches the model what never was.",
            advice="Look at raw/metrics_daily of the target's date; rebuild the training set.",
        ),
        Rule(
            id="few_accounts_closed",
            table=training.name,
            dimension="completeness",
            severity="warn",
            frame=frame,
            expectations=(
                between(
                    "closed_share", 0, LARGEST_CLOSED_SHARE, says="few accounts end without a trade on any one day"
                ),
            ),
            reason="Rows of closed accounts have no outcome to learn from; many on one day mean a feed that is short.",
            advice="Look at raw/metrics_daily of the days named; read the day again when its feed was short.",
        ),
    )
