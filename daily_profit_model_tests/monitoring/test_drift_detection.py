"""Alarms over days: none on days like the reference's, soon after a shift, and the right column blamed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from daily_profit_model.modeling.matrix import Floats
from daily_profit_model.monitoring import drift_detection
from daily_profit_model.monitoring.drift import Profile
from daily_profit_model.monitoring.drift_blame import blame, expected_error, importances
from daily_profit_model.monitoring.drift_detection import Calibration, calibrate, course, first_alarms
from daily_profit_model.monitoring.drift_replays import Replays
from daily_profit_model.monitoring.drift_standard import days_of, standard_of

CHARTS, REFERENCE, ROWS = 20, 100, 1000.0
SPREAD = 0.05
"""Between days; a row's own is 0.1, a thousand rows' 0.003."""
VARIANCE = np.full(CHARTS, 0.01)


def days(count: int, seed: int, correlation: float = 0.0, charts: int = CHARTS) -> Floats:
    rng = np.random.default_rng(seed)
    found = rng.standard_t(6, (count, charts)) / np.sqrt(1.5)
    found[1:] *= np.sqrt(1 - correlation**2)
    for day in range(1, count):
        found[day] += correlation * found[day - 1]
    return 0.2 + SPREAD * found


def rows(values: Floats, count: float = ROWS) -> Floats:
    return np.full(values.shape, count)


def alarms(calibration: Calibration, values: Floats, of_rows: float = ROWS) -> np.ndarray:
    return first_alarms(calibration, course(calibration.standard, values, rows(values, of_rows)))


@pytest.fixture(scope="module", autouse=True)
def _fewer_replays() -> Iterator[None]:
    """A hundred tell these few charts' thresholds well enough."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drift_detection, "REPLAYS", 100)
        yield


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    past = days(REFERENCE, 1)
    return calibrate(past, rows(past), VARIANCE)


def test_a_year_like_the_reference_raises_no_alarm_in_nine_of_ten(calibration: Calibration) -> None:
    assert sum(bool((alarms(calibration, days(250, seed)) >= 0).any()) for seed in range(50, 70)) <= 2


def test_a_shift_is_found_within_days_and_the_larger_the_sooner(calibration: Calibration) -> None:
    for size, most in ((2.0, 10), (3.0, 5)):
        delays = []
        for seed in range(20):
            values = days(60, seed + 100)
            values[20:, 3] += size * SPREAD * (-1) ** seed
            delays.append(alarms(calibration, values)[3] - 19)
        assert np.median(delays) <= most
        assert min(delays) > 0


def test_a_shift_that_is_forgiven_is_never_found(calibration: Calibration) -> None:
    values = days(100, 5) * 0 + 0.2
    values[20:] += 0.5 * SPREAD
    assert (alarms(calibration, values) < 0).all()


def test_days_that_resemble_their_neighbours_alarm_if_that_is_not_respected() -> None:
    past = days(REFERENCE, 1, correlation=0.6)
    found = calibrate(past, rows(past), VARIANCE)
    assert 0.4 < np.median(found.standard.correlation) < 0.75
    independent = days(REFERENCE, 1)
    naive = calibrate(independent, rows(independent), VARIANCE)
    years = [days(250, seed, correlation=0.6) for seed in range(200, 210)]
    assert sum(bool((alarms(found, year) >= 0).any()) for year in years) <= 3
    assert sum(bool((alarms(naive, year) >= 0).any()) for year in years) >= 8


def test_a_lasting_shift_is_found_in_columns_that_remember_and_the_larger_the_sooner() -> None:
    past = days(2 * REFERENCE, 1, correlation=0.7)
    found = calibrate(past, rows(past), VARIANCE)
    for size, most in ((3.0, 40), (8.0, 12)):
        delays = []
        for seed in range(10):
            values = days(120, seed + 100, correlation=0.7)
            values[20:, 3] += size * SPREAD * (-1) ** seed
            delays.append(alarms(found, values)[3] - 19)
        assert np.median(delays) <= most
        assert min(delays) > 0


def test_columns_that_may_remember_for_too_long_raise_no_alarm() -> None:
    for count, correlation, is_watched in ((100, 0.9, False), (45, 0.7, False), (200, 0.7, True), (45, 0.2, True)):
        past = days(count, 1, correlation=correlation)
        found = calibrate(past, rows(past), VARIANCE)
        assert ((found.thresholds < drift_detection.NEVER).mean() > 0.5) == is_watched
    past = days(100, 1, correlation=0.9)
    assert (alarms(calibrate(past, rows(past), VARIANCE), days(250, 300, correlation=0.9)) < 0).all()


def test_a_column_that_the_reference_has_for_less_than_four_weeks_raises_no_alarm() -> None:
    past = days(REFERENCE, 1)
    past[:-27, 1] = past[:-28, 2] = np.nan
    found = calibrate(past, rows(past), VARIANCE)
    shifted = days(40, 300) + 5 * SPREAD
    first = alarms(found, shifted)
    assert first[1] == -1
    assert 0 <= first[2] < 10
    assert 0 <= first[0] < 10


def test_a_column_whose_days_resemble_those_of_a_week_before_raises_no_alarm() -> None:
    past = days(REFERENCE + 7, 1)
    weekly = past[7:].copy()
    weekly[:, 0] = 0.2 + (past[7:, 0] + past[:-7, 0] - 0.4) / np.sqrt(2)  # a correlation of a half after seven days
    found = calibrate(weekly, rows(weekly), VARIANCE)
    assert found.standard.correlation[0, 0] < 0.3
    assert found.thresholds[0] == drift_detection.NEVER
    assert (found.thresholds[1:] < drift_detection.NEVER).mean() > 0.8


def test_columns_that_are_alike_remember_as_long_as_the_longest_of_them() -> None:
    past = days(REFERENCE, 1)
    past[:, 0] = days(REFERENCE, 2, correlation=0.95)[:, 0]
    alike = np.arange(CHARTS) - 1
    alike[0] = 0
    alone, together = (calibrate(past, rows(past), VARIANCE, alike=given).thresholds for given in (None, alike))
    assert alone[0] == together[0] == together[1] == drift_detection.NEVER
    assert alone[1] < drift_detection.NEVER
    assert (together[2:] < drift_detection.NEVER).mean() > 0.8


def test_a_few_columns_that_are_known_late_take_little_from_the_others() -> None:
    past = days(REFERENCE, 1, charts=60)
    variance = np.full(60, 0.01)
    alone = calibrate(past[:, :54], rows(past[:, :54]), variance[:54]).thresholds
    past[:-40, 54:] = np.nan
    among = calibrate(past, rows(past), variance).thresholds
    told = (alone < drift_detection.NEVER) & (among[:54] < drift_detection.NEVER)
    assert np.median(among[:54][told] / alone[told]) < 1.1
    assert np.median(among[54:]) > np.median(among[:54])


def test_columns_that_remember_raise_no_threshold_of_those_that_do_not() -> None:
    short = days(REFERENCE, 1, charts=40)
    both = np.concatenate([short, days(REFERENCE, 2, correlation=0.9, charts=40)], axis=1)
    alone, among = (calibrate(past, rows(past), np.full(past.shape[1], 0.01)).thresholds for past in (short, both))
    assert np.median(among[:40]) < 1.5 * np.median(alone)
    assert np.median(among[40:]) > 2 * np.median(alone)


def test_a_replay_resembles_its_neighbours_as_the_reference_does_and_is_missing_where_it_was() -> None:
    past = days(2 * REFERENCE, 1, correlation=0.7)
    past[50, 1] = past[:90, 2] = np.nan
    kinds = np.zeros(CHARTS, dtype=bool)
    own = days_of(past, rows(past), VARIANCE, kinds, None)
    standard = standard_of(own, VARIANCE, kinds, 1)
    replays = Replays(standard, own)
    rng = np.random.default_rng(1)
    drawn = replays.past(rng, 10)
    made = standard_of(drawn, VARIANCE, kinds, 1)
    complete = np.delete(np.arange(CHARTS), [1, 2])
    assert np.median((made.correlation - standard.correlation)[:, complete]) == pytest.approx(0, abs=0.08)
    assert np.median((made.between / standard.between)[..., complete]) == pytest.approx(1, abs=0.15)
    missing = np.isnan(drawn.levelled).mean(axis=(0, 1))
    assert missing[2] == pytest.approx(0.45, abs=0.1)
    assert 0 < missing[1] < 0.05
    assert not missing[[0, *range(3, CHARTS)]].any()
    later = np.stack(list(replays.future(rng, made, 60)))
    assert (later[..., 2] != 0).all()  # a column that came late is there on every day that follows
    assert (later[..., 1] == 0).any()


def test_a_small_day_is_given_the_chance_that_few_rows_leave(calibration: Calibration) -> None:
    rng = np.random.default_rng(3)
    noisy = days(60, 7) + rng.normal(0, 0.1 / np.sqrt(1), (60, CHARTS))
    assert (alarms(calibration, noisy, of_rows=1.0) < 0).all()
    assert (alarms(calibration, noisy, of_rows=ROWS) >= 0).any()


def test_a_column_that_never_moved_alarms_when_it_does_and_not_before() -> None:
    past = days(REFERENCE, 1)
    past[:, 0] = 0.0
    variance = VARIANCE.copy()
    variance[0] = np.nan  # a share
    found = calibrate(past, rows(past), variance)
    values = days(60, 2)
    values[:, 0] = np.where(np.arange(60) < 30, 0.0, 0.05)
    assert 30 <= alarms(found, values)[0] <= 34
    values[:, 0] = 0.0
    values[50, 0] = 0.0005
    assert alarms(found, values)[0] == -1


def test_working_days_and_weekends_are_each_compared_with_their_own() -> None:
    week = (np.arange(REFERENCE) % 7 >= 5).astype(np.int64)
    past = days(REFERENCE, 1) + 20 * SPREAD * week[:, None]
    apart = calibrate(past, rows(past), VARIANCE, week)
    values = days(56, 3) + 20 * SPREAD * week[:56, None]
    values[28:, 4] += 3 * SPREAD
    found = first_alarms(apart, course(apart.standard, values, rows(values), week[:56]))
    assert 28 <= found[4] <= 38
    assert (np.delete(found, 4) < 0).all()
    mixed = calibrate(past, rows(past), VARIANCE)
    assert alarms(mixed, values)[4] == -1 or alarms(mixed, values)[4] > 38


def test_a_group_of_few_days_has_the_spread_of_all_and_an_unknown_one_is_refused() -> None:
    past = days(REFERENCE, 1)
    rare = (np.arange(REFERENCE) == 50).astype(np.int64)
    found = calibrate(past, rows(past), VARIANCE, rare)
    assert found.standard.mean[1] == pytest.approx(past.mean(axis=0)[None, :])
    with pytest.raises(ValueError, match="days of group 2: the reference has the groups 0 to 1"):
        course(found.standard, past, rows(past), rare * 2)


def test_a_day_without_values_changes_no_sum(calibration: Calibration) -> None:
    values = days(30, 4)
    values[10] = np.nan
    found = course(calibration.standard, values, rows(values))
    assert (found.shift[10] == 0).all()
    assert (found.up[10] <= found.up[9]).all()
    assert np.isfinite(found.up).all()


def test_one_wild_day_is_no_drift(calibration: Calibration) -> None:
    values = days(30, 6) * 0 + 0.2
    values[10, 0] += 100 * SPREAD
    assert (alarms(calibration, values) < 0).all()


def test_charts_know_nothing_of_later_days(calibration: Calibration) -> None:
    values = days(40, 8)
    changed = values.copy()
    changed[20:] += 1.0
    ours, others = (course(calibration.standard, of, rows(of)) for of in (values, changed))
    assert np.array_equal(ours.up[:20], others.up[:20])
    assert not np.array_equal(ours.up[20], others.up[20])


def test_calibration_repeats_to_the_bit_and_needs_four_weeks() -> None:
    past = days(40, 1, charts=3)
    ours, again = (calibrate(past, rows(past), VARIANCE[:3]) for _ in range(2))
    assert np.array_equal(ours.thresholds, again.thresholds)
    with pytest.raises(ValueError, match="27 reference days are too few"):
        calibrate(past[:27], rows(past[:27]), VARIANCE[:3])


def test_fewer_false_alarms_need_higher_thresholds(monkeypatch: pytest.MonkeyPatch) -> None:
    past = days(40, 1, charts=3)
    usual = calibrate(past, rows(past), VARIANCE[:3])
    monkeypatch.setattr(drift_detection, "FALSE_ALARMS", 0.5)
    assert (calibrate(past, rows(past), VARIANCE[:3]).thresholds < usual.thresholds).all()


def profiles_of(count: int) -> list[Profile]:
    return [Profile(f"f{place}", "category", categories=(), shares=()) for place in range(count)]


def test_the_shifted_column_is_blamed_first_and_importance_decides_between_two(calibration: Calibration) -> None:
    wanted = profiles_of(CHARTS // 2)  # two charts a column
    usd = {f"f{place}": 1.0 for place in range(CHARTS // 2)} | {"f7": 5.0, "f9": 50.0}
    weights = importances(usd, wanted)
    values = days(60, 9)
    values[20:, 5] += 3 * SPREAD
    found = blame(wanted, weights, calibration, course(calibration.standard, values, rows(values)), 40)
    assert found[0].feature == "f2"
    assert found[0].statistic == "new_share"
    assert found[0].shift == pytest.approx(3, abs=0.8)
    assert [column.score for column in found[1:]] == [0.0] * 9
    values[20:, 14] -= 2.5 * SPREAD
    both = blame(wanted, weights, calibration, course(calibration.standard, values, rows(values)), 40)
    assert [column.feature for column in both[:2]] == ["f7", "f2"]
    assert both[0].shift < 0


def test_what_is_no_feature_weighs_as_the_most_important_one() -> None:
    weights = importances({"f0": 1.0, "f1": 3.0}, [*profiles_of(2), Profile("prediction", "numeric")])
    assert weights == pytest.approx([0.25, 0.75, 0.75])
    assert importances({}, profiles_of(1)) == pytest.approx([1.0])


def test_the_expected_error_follows_the_width_of_intervals_and_holds_the_truth() -> None:
    rng = np.random.default_rng(1)
    widths = rng.uniform(100, 300, 60)
    errors = 0.2 * widths * rng.uniform(0.8, 1.2, 60)
    found = expected_error(600.0, widths, errors)
    assert found.value == pytest.approx(120, rel=0.05)
    assert found.lower < 120 < found.upper
    assert found.usual == pytest.approx(errors.mean())
    with pytest.raises(ValueError, match="too few"):
        expected_error(600.0, widths[:1], errors[:1])
