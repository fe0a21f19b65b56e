"""Rules as asset checks, on a real instance: a status a partition, in one-partition and in range runs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dagster as dg
import pytest

from daily_profit_model.defs.all_rules import RULES as ALL_RULES
from daily_profit_model.defs.calendars import DAILY
from daily_profit_model.defs.quality import NO_BREAK, checks_by_table, checks_for
from daily_profit_model.defs.resources.lake_io import LakeIOManager
from daily_profit_model.engine import Query, Source
from daily_profit_model.lake import Lake
from daily_profit_model.quality.expectation import between
from daily_profit_model.quality.frame import rows_of
from daily_profit_model.quality.rule import Rule
from daily_profit_model.tables import Table
from daily_profit_model.tables.alerts import MONITORING_ALERTS
from daily_profit_model.tables.contract import DAY, INT, Column
from daily_profit_model.tables.staging import STAGING_ACCOUNTS
from daily_profit_model_tests.quality.small_firm import RULES, nothing, store
from daily_profit_model_tests.quality.spoils import changed

DAYS = ["2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"]
SPOILED = DAYS[2]
KEY = dg.AssetKey(["staging", "accounts"])
DOWNSTREAM = dg.AssetKey(["features", "downstream"])
AFTER = Table(
    "features/downstream",
    "Accounts a day.",
    ("date",),
    (Column("date", DAY, "Day", required=True), Column("accounts", INT, "Accounts")),
)
SUCCEEDED, FAILED = "SUCCEEDED", "FAILED"


def balance_rule(rule_id: str, column: str = "balance", *, blocking: bool = False) -> Rule:
    return Rule(
        rule_id, STAGING_ACCOUNTS.name, "validity", "error", rows_of(STAGING_ACCOUNTS, ("balance", "equity")),
        (between(column, low=0, says=f"{column} is not negative"),), "Because.", "Look at the account.", blocking,
    )  # fmt: skip


def graph(lake: Lake, rules: Sequence[Rule], after: Table = AFTER) -> dg.Definitions:
    """staging/accounts with its checks, of which one day has a negative balance, and an asset after it."""

    @dg.asset(key=KEY, partitions_def=DAILY, backfill_policy=dg.BackfillPolicy.multi_run(30))
    def accounts(context: dg.AssetExecutionContext) -> None:
        for day in context.partition_keys:
            spoil = changed("staging/accounts", balance=-5.0, equity=-4.0) if day == SPOILED else nothing
            store(lake, day, ["staging/accounts"], spoil)

    @dg.asset(
        key=DOWNSTREAM,
        deps=[KEY],
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.multi_run(30),
        io_manager_key="lake_io",
    )
    def downstream() -> Query:
        """Made of the days that nothing blocks."""
        return Query(
            "select date, count(*) as accounts from staging_accounts group by date", (Source(STAGING_ACCOUNTS),)
        )

    return dg.Definitions(
        assets=[accounts, downstream],
        asset_checks=[checks_for(STAGING_ACCOUNTS, rules)],
        resources={
            "lake": lake,
            "lake_io": LakeIOManager(lake, {AFTER.name: after}, rules={STAGING_ACCOUNTS.name: rules}),
        },
        executor=dg.in_process_executor,
    )


def run_range(
    lake: Lake,
    rules: Sequence[Rule],
    instance: dg.DagsterInstance,
    days: Sequence[str],
    after: Table = AFTER,
    **selection: Any,
) -> dg.ExecuteInProcessResult:
    """How dpm runs a range, and how Dagster runs a range of a backfill."""
    tags = {"dagster/asset_partition_range_start": days[0], "dagster/asset_partition_range_end": days[-1]}
    job = graph(lake, rules, after).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False, **selection)


def statuses(instance: dg.DagsterInstance, rule: Rule) -> dict[str | None, str]:
    """The check's status by partition, as the UI shows it."""
    key = dg.AssetCheckKey(KEY, rule.id)
    history = instance.event_log_storage.get_asset_check_execution_history(key, limit=100)
    return {record.partition: record.status.value for record in reversed(history)}


@pytest.mark.parametrize("day", [DAYS[0], SPOILED])
def test_a_run_of_one_partition_gives_that_partition_a_status(lake: Lake, day: str) -> None:
    rule = balance_rule("balance_valid")
    definitions = graph(lake, [rule])
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [*definitions.assets, *definitions.asset_checks],  # type: ignore[misc]  # a Definitions' lists are typed loosely
            partition_key=day, instance=instance, resources=definitions.resources,
        )  # fmt: skip
        (evaluation,) = result.get_asset_check_evaluations()
        assert (evaluation.partition, evaluation.passed) == (day, day != SPOILED)
        assert statuses(instance, rule) == {day: FAILED if day == SPOILED else SUCCEEDED}


def test_a_run_of_a_range_gives_every_partition_its_own_status(lake: Lake) -> None:
    rules = [balance_rule("balance_valid"), balance_rule("equity_valid", "equity")]
    with dg.DagsterInstance.ephemeral() as instance:
        result = run_range(lake, rules, instance, DAYS)
        assert result.success
        assert len(result.get_asset_check_evaluations()) == 2 * len(DAYS)
        expected = {day: FAILED if day == SPOILED else SUCCEEDED for day in DAYS}
        assert [statuses(instance, rule) for rule in rules] == [expected, expected]


def test_a_range_of_one_day_is_a_range_too(lake: Lake) -> None:
    rule = balance_rule("balance_valid")
    with dg.DagsterInstance.ephemeral() as instance:
        run_range(lake, [rule], instance, DAYS[:1])
        assert statuses(instance, rule) == {DAYS[0]: SUCCEEDED}


def test_an_evaluation_points_at_the_materialization_of_its_own_partition(lake: Lake) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run_range(lake, [balance_rule("balance_valid")], instance, DAYS)
        second = run_range(lake, [balance_rule("balance_valid")], instance, DAYS[:2])
        for evaluation in second.get_asset_check_evaluations():
            target = evaluation.target_materialization_data
            assert target is not None
            newest = dg.AssetRecordsFilter(asset_key=KEY, asset_partitions=[str(evaluation.partition)])
            (record,) = instance.fetch_materializations(newest, limit=1).records
            assert (target.run_id, target.storage_id) == (second.run_id, record.storage_id)


def test_a_blocking_failure_stops_what_is_downstream_of_its_day_alone_and_says_which_rule_and_rows(lake: Lake) -> None:
    rule = balance_rule("balance_valid", blocking=True)
    with dg.DagsterInstance.ephemeral() as instance:
        result = run_range(lake, [rule], instance, DAYS)
        assert not result.success
        others = set(DAYS) - {SPOILED}
        assert instance.get_materialized_partitions(DOWNSTREAM) == others == set(lake.partitions(AFTER.name))
        assert statuses(instance, rule) == {day: FAILED if day == SPOILED else SUCCEEDED for day in DAYS}
        (failure,) = result.filter_events(lambda event: event.is_step_failure)
        error = failure.step_failure_data.error
        assert error is not None
        assert error.cause is not None
        assert error.cause.message.strip() == (
            "daily_profit_model.defs.resources.blocked.PartitionsBlocked: features/downstream is not made of 2026-03-04 "
            "since staging/accounts of 2026-03-04: balance_valid does not hold: "
            '"balance is not negative" is violated by 1 of 4 rows; for example account_id=a0, balance=-5.0'
        )
        newest = instance.get_latest_materialization_event(DOWNSTREAM)
        assert newest is not None
        assert newest.asset_materialization is not None
        assert newest.asset_materialization.metadata["dagster/row_count"].value == 1


def test_a_blocked_day_that_was_mended_in_the_lake_is_made_of_without_a_run_of_its_checks(lake: Lake) -> None:
    rule = balance_rule("balance_valid", blocking=True)
    with dg.DagsterInstance.ephemeral() as instance:
        assert not run_range(lake, [rule], instance, DAYS).success
        assert SPOILED not in lake.partitions(AFTER.name)
        store(lake, SPOILED, ["staging/accounts"], nothing)
        assert run_range(lake, [rule], instance, DAYS, asset_selection=[DOWNSTREAM]).success
        assert lake.partitions(AFTER.name) == DAYS


def test_what_reports_on_tables_is_made_of_blocked_days_too(lake: Lake) -> None:
    rule = balance_rule("balance_valid", blocking=True)
    with dg.DagsterInstance.ephemeral() as instance:
        assert run_range(lake, [rule], instance, DAYS, after=replace(AFTER, is_report=True)).success
        assert instance.get_materialized_partitions(DOWNSTREAM) == set(DAYS) == set(lake.partitions(AFTER.name))


def test_a_blocking_failure_on_every_day_stops_the_run_at_its_checks(lake: Lake) -> None:
    rule = balance_rule("balance_valid", "no_such_column", blocking=True)
    with dg.DagsterInstance.ephemeral() as instance:
        assert not run_range(lake, [rule], instance, DAYS).success
        assert instance.get_materialized_partitions(DOWNSTREAM) == set()


def test_a_blocking_failure_stops_a_run_of_one_partition_too(lake: Lake) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        job = graph(lake, [balance_rule("balance_valid", blocking=True)]).resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=instance, partition_key=SPOILED, raise_on_error=False)
        assert not result.success
        assert instance.get_materialized_partitions(DOWNSTREAM) == set()


def test_what_does_not_block_lets_downstream_go_on(lake: Lake, capfd: pytest.CaptureFixture[str]) -> None:
    harmless = between("account_id_length", low=1, says="the account has a name")
    frame = rows_of(STAGING_ACCOUNTS, account_id_length="length(account_id)")
    blocking = replace(
        balance_rule("named", blocking=True), frame=replace(frame, name="names"), expectations=(harmless,)
    )
    with dg.DagsterInstance.ephemeral() as instance:
        assert run_range(lake, [balance_rule("balance_valid"), blocking], instance, DAYS).success
        assert instance.get_materialized_partitions(DOWNSTREAM) == set(DAYS)
    assert "without gating" not in capfd.readouterr().err


def test_an_exception_inside_a_rule_is_a_failed_check(lake: Lake) -> None:
    rule = balance_rule("balance_valid", "no_such_column", blocking=True)
    with dg.DagsterInstance.ephemeral() as instance:
        result = run_range(lake, [rule], instance, DAYS[:2])
        assert statuses(instance, rule) == dict.fromkeys(DAYS[:2], FAILED)
        assert not result.success
        first = result.get_asset_check_evaluations()[0]
        assert "no_such_column" in str(first.metadata["error"].value)
        assert str(first.description).startswith("could not be judged")


def test_numbers_are_numbers_and_a_failure_shows_its_rows_and_what_to_do(lake: Lake) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        evaluations = run_range(lake, [balance_rule("balance_valid")], instance, DAYS).get_asset_check_evaluations()
        by_day = {evaluation.partition: evaluation for evaluation in evaluations}
        good, bad = by_day[DAYS[0]].metadata, by_day[SPOILED].metadata
        assert set(good) == {"rows", "observed", "limit", "unexpected_count", "unexpected_share"}
        assert {name: bad[name].value for name in good} == {
            "rows": 4, "observed": 0.25, "limit": 0.0, "unexpected_count": 1, "unexpected_share": 0.25,
        }  # fmt: skip
        assert (bad["reason"].value, bad["advice"].value) == ("Because.", "Look at the account.")
        samples = bad["samples"]
        assert isinstance(samples, dg.TableMetadataValue)
        assert [record.data for record in samples.records] == [
            {"account_id": "a0", "balance": -5.0}  # the description says what is violated
        ]


def test_of_several_failing_statements_each_row_says_which_after_its_values(lake: Lake) -> None:
    both = (
        between("balance", low=0, says="balance is not negative"),
        between("equity", low=0, says="equity is not negative"),
    )
    with dg.DagsterInstance.ephemeral() as instance:
        rule = replace(balance_rule("both_valid"), expectations=both)
        evaluations = run_range(lake, [rule], instance, DAYS).get_asset_check_evaluations()
        (bad,) = (evaluation for evaluation in evaluations if not evaluation.passed)
        samples = bad.metadata["samples"]
        assert isinstance(samples, dg.TableMetadataValue)
        assert [list(record.data.items()) for record in samples.records] == [
            [
                ("account_id", "a0"),
                ("balance", -5.0),
                ("equity", ""),
                ("violates", "balance is not negative".replace(" ", NO_BREAK)),
            ],
            [
                ("account_id", "a0"),
                ("balance", ""),
                ("equity", -4.0),
                ("violates", "equity is not negative".replace(" ", NO_BREAK)),
            ],
        ]
        assert str(bad.description).endswith('; and so is "equity is not negative"')


def test_one_check_can_be_run_alone(lake: Lake) -> None:
    rules = [balance_rule("balance_valid"), balance_rule("equity_valid", "equity")]
    with dg.DagsterInstance.ephemeral() as instance:
        run_range(lake, rules, instance, DAYS)
        job = dg.define_asset_job("one", selection=dg.AssetSelection.checks(dg.AssetCheckKey(KEY, "equity_valid")))
        definitions = dg.Definitions.merge(graph(lake, rules), dg.Definitions(jobs=[job]))
        tags = {"dagster/asset_partition_range_start": DAYS[0], "dagster/asset_partition_range_end": DAYS[1]}
        result = definitions.resolve_job_def("one").execute_in_process(instance=instance, tags=tags)
        found = [(evaluation.check_name, evaluation.partition) for evaluation in result.get_asset_check_evaluations()]
        assert found == [("equity_valid", DAYS[0]), ("equity_valid", DAYS[1])]


def test_the_graph_has_a_check_for_every_rule_and_at_most_fifty_a_table() -> None:
    from daily_profit_model.definitions import defs

    checks = {(key.asset_key.to_user_string(), key.name) for key in defs.resolve_asset_graph().asset_check_keys}
    of_rules = {check for check in checks if check[0] != MONITORING_ALERTS.name}  # deadlines are no rules of rows
    assert of_rules == {(rule.table, rule.id) for rule in ALL_RULES}
    assert {(rule.table, rule.id) for rule in RULES} <= checks
    tables = [rule.table for rule in ALL_RULES]
    assert max(tables.count(table) for table in tables) <= 50  # an event each and day


def test_a_rule_of_a_table_of_another_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="raw/accounts"):
        checks_by_table((STAGING_ACCOUNTS,), RULES)
