"""Drift of a served version, day after day: from the model's own bundle and training set to the table's rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from daily_profit_model.modeling.bundle import Model
from daily_profit_model.modeling.scoring import score
from daily_profit_model.modeling.splits import SplitSettings
from daily_profit_model.modeling.training import TrainSettings, train
from daily_profit_model.monitoring import drift_detection
from daily_profit_model.monitoring.degradation import (
    MEASURES,
    DayLosses,
    PastLosses,
    day_losses,
    degradation_rows,
    expected_of,
    past_losses,
    usual_losses,
)
from daily_profit_model.monitoring.drift_reference import (
    Watched,
    prediction_columns,
    target_column,
    watched_of,
    watched_table,
)
from daily_profit_model.monitoring.drift_table import (
    EARLIER_DAYS,
    PAST_DAYS,
    KnownDay,
    alarm_since,
    alarmed_columns,
    alarms,
    drift_rows,
    earlier_day,
    past_day,
    summary,
    version_of,
)
from daily_profit_model_tests.modeling.panel import Panel, simulate_panel

LEARNT, SERVED = 84, 21
"""Days of the training set, and days after it."""
SHIFTED = "planned_risk"


@dataclass(frozen=True)
class Firm:
    """A version, its training set, and the days that it serves."""

    model: Model
    training: pa.Table
    after: pa.Table
    watched: Watched
    usual: pa.Table

    @property
    def days(self) -> list[date]:
        return sorted(set(self.after["target_date"].to_pylist()))

    def rows(self, day: date) -> pa.Table:
        return of(self.after, day)


def of(rows: pa.Table, day: date) -> pa.Table:
    return rows.filter(pc.equal(rows["target_date"], pa.scalar(day, pa.date32())))


@pytest.fixture(scope="module")
def firm() -> Iterator[Firm]:
    """Sixty replays tell these few charts' thresholds well enough."""
    panel: Panel = simulate_panel(accounts=80, days=LEARNT + SERVED, seed=5)
    days = sorted(set(panel.frame["target_date"].to_pylist()))
    cutoff = days[LEARNT - 1]
    is_learnt = pc.less_equal(panel.frame["target_date"], pa.scalar(cutoff, pa.date32()))
    training = panel.frame.filter(is_learnt)
    split = SplitSettings(validation_days=7, calibration_days=14, test_days=14, calibration_share=0.2, test_share=0.2)
    settings = TrainSettings(objective="l1", split=split)
    model = train(training, panel.features, cutoff=cutoff, settings=settings, data_versions={}, code_version="1").model
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drift_detection, "REPLAYS", 60)
        watched = watched_of(watched_table(model, training))
        usual = usual_losses(model, training)
        yield Firm(model, training, panel.frame.filter(pc.invert(is_learnt)), watched, usual)


def by_kind(firm: Firm, day: date, rows: pa.Table) -> dict[str, pa.Table]:
    before = of(pa.concat_tables([firm.training, firm.after]), day - timedelta(days=1))
    return {
        "feature": rows,
        "prediction": prediction_columns(score(firm.model, rows)),
        "target": target_column(before["target_net_profit"]),
    }


def made(firm: Firm, day: date, rows: pa.Table, past: list[KnownDay], watched: Watched | None = None) -> pa.Table:
    columns = by_kind(firm, day, rows)
    # the version's own importances would rank a feature that it does not use last
    version = replace(version_of(firm.model), mean_absolute_usd=dict.fromkeys(rows.column_names, 1.0))
    return drift_rows(day, columns, watched or firm.watched, version, past)


def served(firm: Firm, shift: float = 0.0, column: str = SHIFTED) -> list[pa.Table]:
    """The table of every served day, each made from the stored rows of those before; a feature is shifted."""
    past: list[KnownDay] = []
    found = []
    for day in firm.days:
        rows = firm.rows(day)
        values = pc.add(rows[column], shift)
        found.append(made(firm, day, rows.set_column(rows.column_names.index(column), column, values), past))
        earlier = past_day(found[-1], firm.watched, firm.model.hash)
        assert earlier is not None
        past.append(earlier)
    return found


def shifted(firm: Firm, day: date, shift: float) -> pa.Table:
    rows = firm.rows(day)
    return rows.set_column(rows.column_names.index(SHIFTED), SHIFTED, pc.add(rows[SHIFTED], shift))


def served_after(firm: Firm, earlier: int, shift: float) -> list[pa.Table]:
    """The served days of a version that was a shadow on so many days before; a feature is shifted on all of them."""
    past = [
        earlier_day(day, by_kind(firm, day, shifted(firm, day, shift)), firm.watched) for day in firm.days[:earlier]
    ]
    found = []
    for day in firm.days[earlier:]:
        found.append(made(firm, day, shifted(firm, day, shift), past))
        own = past_day(found[-1], firm.watched, firm.model.hash)
        assert own is not None
        past = [own] if len(found) == 1 else [*past, own]
    return found


def broken_on(firm: Firm, places: range, shift: float = 0.0) -> list[pa.Table]:
    """The served days, of which some tell a feature a thousand times as large; the others tell it shifted."""
    past: list[KnownDay] = []
    found = []
    for place, day in enumerate(firm.days):
        rows = firm.rows(day)
        values = pc.multiply(rows[SHIFTED], 1000.0) if place in places else pc.add(rows[SHIFTED], shift)
        found.append(made(firm, day, rows.set_column(rows.column_names.index(SHIFTED), SHIFTED, values), past))
        earlier = past_day(found[-1], firm.watched, firm.model.hash)
        assert earlier is not None
        past.append(earlier)
    return found


@pytest.fixture(scope="module")
def quiet(firm: Firm) -> list[pa.Table]:
    return served(firm)


def test_what_is_kept_of_a_version_is_what_was_simulated_and_the_same_every_time(firm: Firm) -> None:
    again = watched_of(watched_table(firm.model, firm.training))
    assert again.charts == firm.watched.charts
    assert again.calibration is not None
    assert firm.watched.calibration is not None
    assert np.array_equal(again.calibration.thresholds, firm.watched.calibration.thresholds)
    assert np.array_equal(again.calibration.standard.mean, firm.watched.calibration.standard.mean)
    assert {kind for kind, _, _ in again.charts} == {"feature", "prediction", "target"}


def test_days_like_those_before_raise_no_alarm(quiet: list[pa.Table]) -> None:
    assert [summary(day)["alarms"] for day in quiet] == [0] * SERVED
    assert [summary(day)["hard_breaks"] for day in quiet] == [0] * SERVED
    assert alarmed_columns(quiet[-1]) == []


def test_a_shifted_feature_is_found_stays_found_and_is_the_first_to_blame(firm: Firm) -> None:
    tables = served(firm, shift=0.5)
    # what is predicted of it moves with it, and may be seen a day earlier
    of_shifted = [row for table in tables for row in alarmed_columns(table) if row["column_name"] == SHIFTED]
    since = [row["first_alarm_day"] for row in of_shifted]
    assert len(since) >= SERVED - 5
    assert set(since) == {firm.days[SERVED - len(since)]}
    last = alarmed_columns(tables[-1])[0]
    assert (last["column_name"], last["blame_rank"], last["hard_break"]) == (SHIFTED, 1, None)
    assert last["recent_shift"] > 1
    assert last["rise"] > 1
    assert last["importance"] > 0
    ranks = pc.unique(tables[-1].filter(pc.equal(tables[-1]["kind"], "feature"))["blame_rank"]).to_pylist()
    assert sorted(ranks) == list(range(1, len(firm.model.encoding) + 1))


def test_sums_go_on_from_stored_days_and_start_anew_with_another_version(firm: Firm) -> None:
    tables = served(firm, shift=0.5)
    alone = made(firm, firm.days[-1], firm.rows(firm.days[-1]), [])
    assert pc.max(tables[-1]["rise"]).as_py() > 1 > pc.max(alone["rise"]).as_py()
    assert past_day(tables[0], firm.watched, "another") is None
    fewer = replace(firm.watched, kinds=firm.watched.kinds[1:], profiles=firm.watched.profiles[1:])
    assert past_day(tables[0], fewer, firm.model.hash) is None
    assert past_day(tables[0].slice(0, 0), firm.watched, firm.model.hash) is None


def test_a_version_that_was_a_shadow_first_is_told_on_its_first_day_what_has_drifted_since_its_cut_off(
    firm: Firm,
) -> None:
    shadow_days = SERVED - 6
    (first, *_) = served_after(firm, shadow_days, shift=0.5)
    alone = made(firm, firm.days[shadow_days], shifted(firm, firm.days[shadow_days], 0.5), [])
    assert SHIFTED not in {row["column_name"] for row in alarmed_columns(alone)}
    (row,) = [row for row in alarmed_columns(first) if row["column_name"] == SHIFTED]
    assert row["blame_rank"] == 1
    assert row["first_alarm_day"] == firm.days[4] < row["prediction_date"]


def test_sums_alarms_and_their_first_days_are_those_of_a_version_that_has_served_since_its_cut_off(firm: Firm) -> None:
    shadow_days = SERVED - 6
    always = served(firm, shift=0.5)[shadow_days:]
    after = served_after(firm, shadow_days, shift=0.5)
    assert after[0].equals(always[0])
    blamed = ["recent_shift", "blame_score", "blame_rank"]  # by the days that it served
    assert [day.drop_columns(blamed) for day in after] == [day.drop_columns(blamed) for day in always]


def test_days_before_a_version_served_count_no_longer_than_thresholds_hold(firm: Firm) -> None:
    (first,) = served_after(firm, SERVED - 1, shift=0.5)
    own = past_day(first, firm.watched, firm.model.hash)
    assert own is not None
    own_days = PAST_DAYS - EARLIER_DAYS

    def highest(days: int) -> float:
        """On a day so many days after the first."""
        day = firm.days[-1]
        table = made(firm, day, shifted(firm, day, 0.5), [replace(own, day=day - timedelta(days=days))])
        return float(pc.max(table["rise"]).as_py())

    assert highest(own_days) > 1 > highest(own_days + 1)


def test_a_day_that_was_not_served_says_what_it_would_have_said_if_it_had_been(firm: Firm) -> None:
    day = firm.days[0]
    rows = firm.rows(day)
    nulls = pa.nulls(rows.num_rows, pa.float64())
    broken = rows.set_column(rows.column_names.index(SHIFTED), SHIFTED, nulls)
    unserved = earlier_day(day, by_kind(firm, day, broken), firm.watched)
    own = past_day(made(firm, day, broken, []), firm.watched, firm.model.hash)
    assert own is not None
    assert np.array_equal(unserved.values, own.values, equal_nan=True)
    assert np.array_equal(unserved.rows, own.rows)
    assert (unserved.left, own.left is None) == (None, False)


def test_a_column_of_nulls_is_broken_on_the_day_and_what_a_market_gives_all_accounts_alike_is_not(
    firm: Firm, quiet: list[pa.Table]
) -> None:
    day = firm.days[0]
    rows = firm.rows(day)
    nulls = pa.nulls(rows.num_rows, pa.float64())
    broken = made(firm, day, rows.set_column(rows.column_names.index(SHIFTED), SHIFTED, nulls), [])
    assert summary(broken)["hard_breaks"] == 1
    assert {(row["column_name"], row["hard_break"]) for row in alarmed_columns(broken)} == {(SHIFTED, "all null")}
    market = quiet[0].filter(pc.equal(quiet[0]["column_name"], "market_volatility"))
    assert len(set(firm.rows(day)["market_volatility"].to_pylist())) == 1
    assert market["hard_break"].null_count == market.num_rows


def test_with_too_few_reference_days_there_is_no_threshold_and_no_alarm_but_a_break_is_told(firm: Firm) -> None:
    short = replace(firm.watched, calibration=None)
    day = firm.days[0]
    rows = firm.rows(day)
    nulls = pa.nulls(rows.num_rows, pa.float64())
    table = made(firm, day, rows.set_column(rows.column_names.index(SHIFTED), SHIFTED, nulls), [], short)
    assert table["threshold"].null_count == table["rise"].null_count == table.num_rows
    assert summary(table)["alarms"] == 0
    assert summary(table)["hard_breaks"] == 1
    last_days = pc.greater(firm.training["target_date"], pa.scalar(firm.days[0] - timedelta(days=16), pa.date32()))
    assert watched_of(watched_table(firm.model, firm.training.filter(last_days))).calibration is None


def test_a_day_whose_eve_has_no_outcomes_yet_moves_no_sum_of_the_target(firm: Firm) -> None:
    day = firm.days[0]
    rows = firm.rows(day)
    columns = {"feature": rows, "prediction": prediction_columns(score(firm.model, rows)), "target": None}
    table = drift_rows(day, columns, firm.watched, version_of(firm.model), [])
    target = table.filter(pc.equal(table["kind"], "target"))
    assert set(target["rows"].to_pylist()) == {0}
    assert target["value"].null_count == target["shift"].null_count == target.num_rows
    assert set(target["sum_up"].to_pylist()) == {0.0}


def test_an_alarm_counts_from_the_first_of_its_unbroken_days() -> None:
    assert alarm_since(np.array([True, False, True, True])) == 2
    assert alarm_since(np.array([True, True])) == 0
    assert alarm_since(np.array([True, False])) is None


def losses(firm: Firm, by: float) -> list[pa.Table]:
    """monitoring/degradation of the served days; errors are larger by a factor."""
    past: list[PastLosses] = []
    found = []
    version = {"model_version": firm.model.version, "model_hash": firm.model.hash}
    for day in firm.days:
        rows = firm.rows(day)
        scores = score(firm.model, rows)
        outcome = pc.add(scores["median"], pc.multiply(pc.subtract(rows["target_net_profit"], scores["median"]), by))
        newest = day_losses(day, scores, scores.append_column("net_profit", outcome))
        found.append(degradation_rows(day + timedelta(days=1), newest, firm.usual, version, past, None))
        earlier = past_losses(found[-1], firm.model.hash)
        assert earlier is not None
        past.append(earlier)
    return found


def test_a_champion_that_errs_as_before_raises_no_alarm_and_one_that_errs_more_does(firm: Firm) -> None:
    assert not any(pc.any(table["is_alarm"]).as_py() for table in losses(firm, 1.0))
    worse = losses(firm, 3.0)
    (row,) = worse[-1].filter(pc.equal(worse[-1]["measure"], MEASURES[0])).to_pylist()
    assert row["is_alarm"]
    assert row["first_alarm_day"] <= firm.days[13]
    assert row["value"] > row["usual_value"]
    better = losses(firm, 0.3)[-1]
    assert not better.filter(pc.equal(better["measure"], MEASURES[0]))["is_alarm"][0].as_py()


def test_losses_of_nobody_and_of_another_version_are_unknown(firm: Firm) -> None:
    scores = score(firm.model, firm.rows(firm.days[0]))
    nobody = day_losses(firm.days[0], scores.slice(0, 0), scores.append_column("net_profit", scores["mean"]))
    assert nobody.accounts == 0
    assert np.isnan(nobody.values).all()
    version = {"model_version": firm.model.version, "model_hash": firm.model.hash}
    table = degradation_rows(firm.days[0], nobody, firm.usual, version, [], None)
    assert past_losses(table, "another") is None
    assert table["value"].null_count == table["shift"].null_count == len(MEASURES)
    few = pa.table({**{name: firm.usual[name] for name in firm.usual.column_names}})
    few = few.set_column(1, "threshold", pa.nulls(len(MEASURES), pa.float64()))
    assert degradation_rows(firm.days[0], nobody, few, version, [], None)["threshold"].null_count == len(MEASURES)


def test_the_loss_relative_to_forecasting_zero_is_unknown_on_a_day_without_trades() -> None:
    scores = pa.table({"account_id": ["a"], "q05": [-1.0], "median": [0.0], "q95": [1.0]})
    idle: DayLosses = day_losses(date(2026, 5, 2), scores, pa.table({"account_id": ["a"], "net_profit": [0.0]}))
    assert np.isfinite(idle.values[0])
    assert np.isnan(idle.values[1])


def test_the_error_to_be_expected_follows_the_width_of_intervals_and_needs_four_weeks() -> None:
    day = pa.table({"lower_90": [-10.0, -30.0], "upper_90": [10.0, 30.0], "absolute_error": [4.0, None]})
    assert expected_of(40.0, [day] * 27) is None
    found = expected_of(40.0, [day] * 28)
    assert found is not None
    assert found.value == pytest.approx(8.0)
    assert found.usual == pytest.approx(4.0)


def test_a_baseline_is_watched_by_its_predictions(firm: Firm) -> None:
    kinds = [kind != "feature" for kind in firm.watched.kinds]
    only = replace(
        firm.watched,
        kinds=tuple(kind for kind in firm.watched.kinds if kind != "feature"),
        profiles=tuple(p for p, keep in zip(firm.watched.profiles, kinds, strict=True) if keep),
        usual_breaks=tuple(u for u, keep in zip(firm.watched.usual_breaks, kinds, strict=True) if keep),
        calibration=None,
    )
    table = made(firm, firm.days[0], firm.rows(firm.days[0]), [], only)
    assert set(table["kind"].to_pylist()) == {"prediction", "target"}
    assert table["blame_rank"].null_count == table.num_rows


def test_a_column_that_is_mended_after_a_week_does_not_drift_for_having_been_broken(firm: Firm) -> None:
    week = range(6, 13)
    tables = broken_on(firm, week)
    assert [summary(table)["hard_breaks"] for table in tables] == [int(place in week) for place in range(SERVED)]
    of_column = [row for table in tables for row in alarms(table).to_pylist() if row["column_name"] == SHIFTED]
    assert of_column
    assert not any(row["is_alarm"] for row in of_column)


def test_a_drift_stands_on_a_day_on_which_its_column_is_broken(firm: Firm) -> None:
    tables = broken_on(firm, range(6, 7), shift=0.5)
    assert summary(tables[6])["hard_breaks"] == 1
    last = [row for row in alarmed_columns(tables[-1]) if row["column_name"] == SHIFTED]
    assert [row["first_alarm_day"] for row in last] == [firm.days[4]]
