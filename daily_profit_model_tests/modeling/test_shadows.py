"""Acts on shadow deployments: what they amount to, how many are compared, and each refusal in one line."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from daily_profit_model.modeling.shadow_contracts import MODELS_SHADOWS
from daily_profit_model.modeling.shadows import ShadowWish, comparisons, create, deployments, end, resolve
from daily_profit_model.settings import WrongUse

NOW = datetime(2026, 6, 20, 7, tzinfo=UTC)
FROM = date(2026, 6, 20)
ONE, TWO, CHAMPION = "20260614-0a0a0a0a", "20260607-0b0b0b0b", "20260531-0c0c0c0c"
NONE = MODELS_SHADOWS.schema().empty_table()


def wish(version: str = ONE, **values: object) -> ShadowWish:
    asked: dict[str, object] = {
        "model_hash": "ab",
        "from_day": FROM,
        "planned_days": 60,
        "traffic": 0,
        "reason": "why",
        "author": "ana",
    }
    return ShadowWish(version, **{**asked, **values})  # type: ignore[arg-type]  # one field a test


def created(acts: pa.Table, version: str = ONE, **values: object) -> pa.Table:
    return pa.concat_tables([acts, create(acts, wish(version, **values), CHAMPION, NOW)])


def ended(acts: pa.Table, name: str, day: date, act: str = "stop") -> pa.Table:
    return pa.concat_tables([acts, end(acts, name, act, day, reason="enough", author="bob", made_at=NOW)])


def test_a_deployment_is_active_from_its_first_day_until_the_day_of_the_act_that_ends_it() -> None:
    acts = created(NONE)
    (one,) = deployments(acts)
    assert (one.name, one.version, one.from_day, one.until) == (f"s1-{ONE}", ONE, FROM, None)
    assert [one.is_active(FROM + timedelta(days=days)) for days in (-1, 0, 300)] == [False, True, True]
    (one,) = deployments(ended(acts, one.name, FROM + timedelta(days=3)))
    assert [one.is_active(FROM + timedelta(days=days)) for days in (2, 3)] == [True, False]
    assert (one.ended_by, one.reason, one.author) == ("stop", "why", "ana")


def test_a_deployment_that_is_ended_before_its_first_day_is_never_active() -> None:
    (one,) = deployments(ended(created(NONE), "s1", FROM - timedelta(days=9)))
    assert one.until == FROM
    assert not one.is_active(FROM)


def test_a_version_may_be_deployed_again_once_it_was_stopped_and_the_two_are_told_apart() -> None:
    acts = ended(created(NONE), "s1", FROM + timedelta(days=3))
    acts = created(acts, from_day=FROM + timedelta(days=3))
    assert [one.name for one in deployments(acts)] == [f"s1-{ONE}", f"s3-{ONE}"]
    assert resolve(ONE[:6], deployments(acts)).name == f"s3-{ONE}"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"traffic": -1}, r"--traffic -1 is not between 0 and 100 \(%\)"),
        ({"traffic": 101}, r"--traffic 101 is not between 0 and 100 \(%\)"),
        ({"planned_days": 19}, "--days 19 is not between 20 and 250"),
        ({"planned_days": 251}, "--days 251 is not between 20 and 250"),
        ({"from_day": date(2026, 6, 15)}, "--from 2026-06-15 is too early: .* it can be compared from 2026-06-16 on"),
        ({"reason": " "}, "an act needs a reason: --reason is empty"),
        ({"author": ""}, "an act needs an author: --author is empty"),
    ],
)
def test_what_is_wrong_with_a_wish_is_refused(values: dict[str, object], says: str) -> None:
    with pytest.raises(WrongUse, match=says):
        wish(**values)


def test_a_deployment_may_begin_two_days_after_the_cut_off_and_on_the_least_and_most_days() -> None:
    wish(from_day=date(2026, 6, 16))
    wish(planned_days=20)
    wish(planned_days=250)


def test_no_version_runs_twice_at_once_nor_beside_itself_nor_beside_nobody() -> None:
    acts = created(NONE)
    with pytest.raises(WrongUse, match=f"deployed already, as s1-{ONE} from 2026-06-20 now"):
        create(acts, wish(), CHAMPION, NOW)
    stopped = ended(acts, "s1", FROM + timedelta(days=3))
    with pytest.raises(WrongUse, match="from 2026-06-20 until 2026-06-23"):
        create(stopped, wish(), CHAMPION, NOW)
    with pytest.raises(WrongUse, match=f"{ONE} is the champion on 2026-06-20"):
        create(NONE, wish(), ONE, NOW)
    with pytest.raises(WrongUse, match="no champion is in force on 2026-06-20"):
        create(NONE, wish(), None, NOW)


def test_deployments_that_run_at_once_share_out_no_more_than_all_accounts() -> None:
    acts = created(created(NONE, traffic=60), TWO, traffic=40)
    assert [(one.number, one.traffic) for one in deployments(acts)] == [(1, 60), (2, 40)]
    third = "20260610-0d0d0d0d"
    with pytest.raises(
        WrongUse, match=rf"--traffic 1 is too much: s1-{ONE} has 60 %, s2-{TWO} has 40 %, and there are"
    ):
        create(acts, wish(third, traffic=1), CHAMPION, NOW)
    create(acts, wish(third, traffic=0), CHAMPION, NOW)
    acts = ended(acts, "s1", FROM + timedelta(days=3))
    with pytest.raises(WrongUse, match="--traffic 60 is too much"):
        create(acts, wish(third, traffic=60), CHAMPION, NOW)  # for three days there would be more
    create(acts, wish(third, traffic=60, from_day=FROM + timedelta(days=3)), CHAMPION, NOW)


def test_a_deployment_is_ended_once_and_by_a_name_that_means_one() -> None:
    acts = created(created(NONE), TWO)
    for text, says in (
        ("2026", "may be s1-.*, s2-.*: write more"),
        ("s9", "there is no shadow deployment 's9'"),
        ("", "there is no shadow deployment ''"),
    ):
        with pytest.raises(WrongUse, match=says):
            end(acts, text, "stop", FROM, reason="r", author="a", made_at=NOW)
    acts = ended(acts, "s1", FROM + timedelta(days=3), "promote")
    with pytest.raises(WrongUse, match=f"s1-{ONE} was promoted, it ran until 2026-06-23"):
        end(acts, "s1", "stop", FROM, reason="r", author="a", made_at=NOW)


def test_those_that_ran_beside_one_another_are_compared_and_a_stop_lowers_no_bar() -> None:
    first, later = FROM + timedelta(days=1), FROM + timedelta(days=9)
    acts = created(created(NONE), TWO, from_day=later)
    one, two = deployments(acts)
    assert [comparisons(one, [one, two], day) for day in (first, later)] == [1, 2]
    one, two = deployments(ended(acts, "s1", later + timedelta(days=1)))
    assert [comparisons(two, [one, two], later + timedelta(days=days)) for days in (0, 50)] == [2, 2]
    one, two = deployments(ended(acts, "s1", later))  # stopped before the other began
    assert comparisons(two, [one, two], later) == 1
