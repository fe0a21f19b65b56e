"""What drift detection promises, measured: false alarms in a year, delays, breaks, blame; beside Evidently and a KS test.

Run: python -m daily_profit_model_tests.benchmarks.drift_simulation [--worlds 100] [--correlation 0] [--after 40] [--json]

A world has 50 features and a prediction, which of the reference has the held-out days alone: 40 % zeros, the others Student t with 3 degrees of freedom, of which a share of
0 to 20 % of the variance is a factor that all accounts of a day share (t5), up to 10 % nulls, and 500 to 50,000 rows a
day. 120 reference days calibrate, 250 days of the same law follow; shifts are in standard deviations of a day's mean.
Given its factor, a day's rows are independent, so that the counts of cells, which all statistics are made of, are drawn
from their multinomial law instead of row by row; `real rows` compares the two. What production calls is called:
`statistics_of_counts`, `calibrate`, `course`, `blame`; on real rows `day_statistics` and `hard_break`.

Exit code 1 when a promise does not hold. `--correlation` makes days resemble their neighbours (no promise of delays).
Evidently, when it is installed, judges real rows of the same law, a day of 2,000 against as many reference rows, and is
timed on 20,000 rows, which takes a minute with all others at work; `--evidently-rows` asks for more.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import pyarrow as pa

from daily_profit_model.modeling.matrix import Floats
from daily_profit_model.monitoring.drift import (
    OF_NUMBERS,
    Profile,
    day_statistics,
    profile_of_numbers,
    statistics_of_counts,
)
from daily_profit_model.monitoring.drift_blame import blame
from daily_profit_model.monitoring.drift_breaks import hard_break
from daily_profit_model.monitoring.drift_detection import Calibration, calibrate, course, first_alarms
from daily_profit_model_tests.benchmarks.processes import print_table
from daily_profit_model_tests.benchmarks.shadow_simulation import upper_bound

COLUMNS, REFERENCE_DAYS, YEAR = 51, 120, 250
PREDICTION, HELD_OUT_DAYS = 50, 28
"""Column of the prediction, and the days of the reference that a version of such a history has not learnt from."""
IDLE, FREEDOM, FACTOR_FREEDOM, MOST_SHARED, MOST_NULLS = 0.4, 3.0, 5.0, 0.2, 0.1
SKETCH_ROWS = 60_000
"""As `modeling.reference.MOST_ROWS`."""
BEFORE, AFTER = 20, 40
"""Days without and with a shift; `--after` asks for more of the latter."""
SHIFTS_A_WORLD = 2
BROKEN_DAY_ROWS, COMPARED_ROWS = 500, 2_000


class World:
    """The law of one world and its draws."""

    def __init__(self, seed: int, correlation: float = 0.0, rows: int | None = None) -> None:
        self.rng = np.random.default_rng(seed)
        self.correlation = correlation
        self.shared = self.rng.uniform(0.0, MOST_SHARED, COLUMNS)
        self.nulls = self.rng.uniform(0.0, MOST_NULLS, COLUMNS)
        self.rows = rows or int(np.exp(self.rng.uniform(np.log(500), np.log(50_000))))
        factors = self._factors(REFERENCE_DAYS)
        a_day = SKETCH_ROWS // REFERENCE_DAYS
        self.profiles = [
            profile_of_numbers(f"f{at}", self._values(at, np.repeat(factors[:, at], a_day))) for at in range(COLUMNS)
        ]
        self.row_variance = np.concatenate([profile.row_variances for profile in self.profiles])

    def _factors(self, days: int) -> Floats:
        found = self.rng.standard_t(FACTOR_FREEDOM, (days, COLUMNS)) / np.sqrt(FACTOR_FREEDOM / (FACTOR_FREEDOM - 2))
        for day in range(1, days):
            found[day] *= np.sqrt(1 - self.correlation**2)
            found[day] += self.correlation * found[day - 1]
        return found

    def _values(self, at: int, factor: Floats) -> np.ndarray:
        """Rows of a column, of the days' factors."""
        own = self.rng.standard_t(FREEDOM, len(factor)) / np.sqrt(FREEDOM / (FREEDOM - 2))
        value = np.sqrt(self.shared[at]) * factor + np.sqrt(1 - self.shared[at]) * own
        return np.where(self.rng.random(len(factor)) < IDLE, 0.0, value).astype(np.float32)

    def day_spread(self, at: int) -> float:
        """Standard deviation of the mean of a day's values that are not zero."""
        known = self.rows * (1 - IDLE) * (1 - self.nulls[at])
        return float(np.sqrt(self.shared[at] + (1 - self.shared[at]) / known))

    def days(self, count: int, shifted: int = -1, by: float = 0.0) -> tuple[Floats, Floats]:
        """Statistics and known rows of days, days x charts; from BEFORE on, column `shifted` lies higher `by` day-level
        standard deviations."""
        factors = self._factors(count)
        rows = (self.rows * self.rng.uniform(0.8, 1.2, count)).astype(np.int64)
        made = []
        for at, profile in enumerate(self.profiles):
            centre = np.sqrt(self.shared[at]) * factors[:, at]
            if at == shifted:
                centre = centre + np.where(np.arange(count) >= BEFORE, by * self.day_spread(at), 0.0)
            known = self.rng.binomial(rows, 1 - self.nulls[at])
            shares, of_zero = self._cells(at, profile, centre)
            counts = self.rng.multinomial(known, shares)
            made.append((statistics_of_counts(counts, rows, counts[:, of_zero], profile), known))
        values = np.concatenate([values for values, _ in made], axis=1)
        of_rows = np.repeat(np.stack([known for _, known in made], axis=1), len(OF_NUMBERS), axis=1)
        return values, of_rows.astype(np.float64)

    def _cells(self, at: int, profile: Profile, centre: Floats) -> tuple[Floats, int]:
        """Probabilities of cells by day, and the cell of zero."""
        from scipy.special import stdtr

        unit = np.sqrt((1 - self.shared[at]) / (FREEDOM / (FREEDOM - 2)))
        below = stdtr(FREEDOM, (profile.knots[None, :] - centre[:, None]) / unit)
        edges = np.concatenate([np.zeros((len(centre), 1)), below, np.ones((len(centre), 1))], axis=1)
        shares = np.zeros((len(centre), 2 * len(profile.knots) + 1))
        shares[:, ::2] = np.diff(edges, axis=1) * (1 - IDLE)
        of_zero = 2 * int(np.searchsorted(profile.knots, 0.0)) + 1
        shares[:, of_zero] = IDLE
        return shares / shares.sum(axis=1, keepdims=True), of_zero

    def real_day(self, rows: int | None = None) -> pa.Table:
        """Rows of a day, each drawn."""
        count = rows or self.rows
        factors = self._factors(1)[0]
        columns = {}
        for at, profile in enumerate(self.profiles):
            values = self._values(at, np.full(count, factors[at]))
            is_null = self.rng.random(count) < self.nulls[at]
            columns[profile.feature] = pa.array(values, mask=is_null)
        return pa.table(columns)

    def calibrated(self) -> Calibration:
        values, rows = self.days(REFERENCE_DAYS)
        values[:-HELD_OUT_DAYS, PREDICTION * len(OF_NUMBERS) :] = np.nan
        return calibrate(values, rows, self.row_variance)


def year(correlation: float, after: int, seed: int) -> dict[str, object]:
    """One world: whether a year without drift raises an alarm, delays of shifts, and who is blamed."""
    world = World(seed, correlation)
    calibration = world.calibrated()
    quiet = first_alarms(calibration, course(calibration.standard, *world.days(YEAR)))
    found: dict[str, object] = {"rows": world.rows, "alarm": bool((quiet >= 0).any()), "delays": {}, "first": []}
    for size in (2.0, 3.0):
        delays = []
        for _ in range(SHIFTS_A_WORLD):
            at = int(world.rng.integers(COLUMNS))
            charts = course(calibration.standard, *world.days(BEFORE + after, shifted=at, by=size))
            own = first_alarms(calibration, charts).reshape(COLUMNS, -1)[at]
            days = own[own >= BEFORE]
            delays.append(int(days.min()) - BEFORE + 1 if len(days) else after + 1)
            if len(days):
                importance = world.rng.dirichlet(np.ones(COLUMNS))
                listed = blame(world.profiles, importance, calibration, charts, int(days.min()))
                found["first"].append(listed[0].feature == f"f{at}")  # type: ignore[attr-defined]
        found["delays"][size] = delays  # type: ignore[index]
    return found


def breaks(seed: int) -> dict[str, object]:
    """Broken columns of real days of BROKEN_DAY_ROWS: how many are named on the day, and how many sound ones are."""
    world = World(seed)
    wrong = {
        "all null": lambda values: np.full(len(values), np.nan),
        "constant": lambda values: np.full(len(values), np.nanmax(values)),
        "unit": lambda values: values * 100,
        "unit/100": lambda values: values / 100,
        "sign": lambda values: -values,
    }
    found = dict.fromkeys(wrong, 0) | {"sound days alarmed": 0}
    days = 20
    for _ in range(days):
        rows = world.real_day(BROKEN_DAY_ROWS)
        for day, profile in zip(day_statistics(rows, world.profiles), world.profiles, strict=True):
            found["sound days alarmed"] += hard_break(day, profile) is not None
        at = int(world.rng.integers(COLUMNS))
        values = rows[f"f{at}"].to_numpy()
        for name, change in wrong.items():
            profile, today = world.profiles[at], values
            if name == "sign":  # of a column that has one sign: nobody can tell a flip of both
                profile, today = _one_sided(world, at), np.exp(values)
            broken = pa.table({profile.feature: pa.array(change(today), from_pandas=True)})
            found[name] += hard_break(day_statistics(broken, [profile])[0], profile) == name.split("/")[0]
    shown = {f"{name} of {days}": count for name, count in found.items()}
    return shown | {"holds": all(found[name] == days for name in wrong) and not found["sound days alarmed"]}


def _one_sided(world: World, at: int) -> Profile:
    factor = np.repeat(world._factors(REFERENCE_DAYS)[:, at], 100)
    return profile_of_numbers("f", np.exp(world._values(at, factor)))


def real_rows(seed: int) -> dict[str, object]:
    """Whether drawn counts vary from day to day as counted rows do: ratios of spreads over all charts."""
    world = World(seed, rows=2_000)
    counted = np.stack([
        np.concatenate([day.values for day in day_statistics(world.real_day(), world.profiles)])
        for _ in range(REFERENCE_DAYS)
    ])  # fmt: skip
    drawn, of_rows = world.days(REFERENCE_DAYS)
    ratio = counted.std(axis=0) / drawn.std(axis=0)
    calibration = calibrate(drawn, of_rows, world.row_variance)
    alarms = first_alarms(calibration, course(calibration.standard, counted, of_rows))
    return {
        "days of real rows": REFERENCE_DAYS,
        "charts": len(ratio),
        "spread counted / drawn, median": float(np.median(ratio)),
        "largest distance of means, spreads": float(
            np.max(np.abs(counted.mean(axis=0) - drawn.mean(axis=0)) / drawn.std(axis=0))
        ),
        "alarms": int((alarms >= 0).sum()),
    }


def side_by_side(seed: int, days: int) -> dict[str, object]:
    """Share of sound days on which each method reports drift: a day of COMPARED_ROWS against as many reference rows."""
    from scipy.stats import ks_2samp

    world = World(seed, rows=COMPARED_ROWS)
    calibration = world.calibrated()
    reference = pa.concat_tables([world.real_day(COMPARED_ROWS // 50) for _ in range(50)])
    told = dict.fromkeys(
        ("ks any column", "ks any column, Bonferroni", "Evidently any column", "Evidently data set"), 0.0
    )
    values, rows = [], []
    usual = [reference[profile.feature].drop_null().to_numpy() for profile in world.profiles]
    for _ in range(days):
        today = world.real_day()
        pairs = zip(world.profiles, usual, strict=True)
        p = np.array(
            [ks_2samp(before, today[profile.feature].drop_null().to_numpy()).pvalue for profile, before in pairs]
        )
        told["ks any column"] += bool((p < 0.05).any())
        told["ks any column, Bonferroni"] += bool((p < 0.05 / COLUMNS).any())
        drifted = _evidently(reference, today)
        told["Evidently any column"] += drifted if np.isnan(drifted) else drifted > 0
        told["Evidently data set"] += drifted if np.isnan(drifted) else drifted >= 0.5
        statistics = day_statistics(today, world.profiles)
        values.append(np.concatenate([day.values for day in statistics]))
        rows.append(np.repeat([day.known for day in statistics], len(OF_NUMBERS)))
    alarms = first_alarms(calibration, course(calibration.standard, np.stack(values), np.stack(rows).astype(float)))
    shares = {f"{name} %": 100 * count / days for name, count in told.items()}
    return {"days": days, **shares, "ours, in all days": bool((alarms >= 0).any())}


def _evidently(reference: pa.Table, today: pa.Table) -> float:
    """Share of columns that Evidently's default report calls drifted; NaN where it is not installed."""
    try:
        from evidently import Dataset, Report
        from evidently.presets import DataDriftPreset
    except ImportError:
        return float("nan")
    datasets = (Dataset.from_pandas(rows.to_pandas()) for rows in (today, reference))
    metrics = Report([DataDriftPreset()]).run(*datasets).dict()["metrics"]
    counted = next(metric["value"] for metric in metrics if "DriftedColumnsCount" in metric["metric_name"])
    return float(counted["share"])


def speed(rows: int, seed: int, evidently_rows: int) -> dict[str, object]:
    """Seconds of one day's statistics over 50 columns, and of Evidently's report on as many or fewer rows."""
    world = World(seed, rows=1_000)
    wanted = world.profiles[:50]
    today = world.real_day(rows).select([profile.feature for profile in wanted])
    ours = min(_timed(lambda: day_statistics(today, wanted)) for _ in range(3))
    few = today.slice(0, evidently_rows)
    at_few = min(_timed(lambda: day_statistics(few, wanted)) for _ in range(3))
    installed = not np.isnan(_evidently(few.slice(0, 100), few.slice(0, 100)))  # and imported, before it is timed
    theirs = _timed(lambda: _evidently(few, few))
    return {
        "rows x 50": rows,
        "seconds": ours,
        "rows for Evidently": evidently_rows,
        "ours, s": at_few,
        "Evidently, s": theirs if installed else float("nan"),
        "ratio": theirs / at_few if installed else float("nan"),
        "holds": ours <= 3.0,
    }


def _timed(act) -> float:  # type: ignore[no-untyped-def]
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def summary(years: list[dict[str, object]], correlation: float) -> list[dict[str, object]]:
    """The promises over all worlds."""
    alarmed = sum(bool(found["alarm"]) for found in years)
    delays = {size: np.concatenate([found["delays"][size] for found in years]) for size in (2.0, 3.0)}  # type: ignore[index]
    first = np.concatenate([found["first"] for found in years])
    promised = correlation == 0
    two, three = (float(np.median(delays[size])) for size in (2.0, 3.0))
    measures = [
        ("worlds with a false alarm in 250 days, %", 100 * alarmed / len(years), 10.0, alarmed <= 0.1 * len(years)),
        (
            "the same, upper 95 % bound",
            100 * upper_bound(alarmed, len(years), 0.95),
            0.0,
            "-",
        ),
        ("median delay of 2 sd, days", two, 10.0, two <= 10 if promised else "-"),
        ("90 % within, days", float(np.quantile(delays[2.0], 0.9)), 0.0, "-"),
        ("median delay of 3 sd, days", three, 5.0, three <= 5 if promised else "-"),
        ("90 % within, days", float(np.quantile(delays[3.0], 0.9)), 0.0, "-"),
        ("shifted column first in blame, %", 100 * float(first.mean()), 90.0, bool(first.mean() >= 0.9)),
    ]
    return [
        {"measure": name, "value": value, "promised": promise or "-", "holds": holds}
        for name, value, promise, holds in measures
    ]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--worlds", type=int, default=100)
    parser.add_argument("--correlation", type=float, default=0.0)
    parser.add_argument("--after", type=int, default=AFTER, help="days with a shift")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the speed")
    parser.add_argument("--evidently-rows", type=int, default=20_000)
    parser.add_argument("--compared-days", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with ProcessPoolExecutor(asked.workers) as pool:
        years = list(
            pool.map(partial(year, asked.correlation, asked.after), range(asked.seed, asked.seed + asked.worlds))
        )
    tables = {
        f"{asked.worlds} worlds, day correlation {asked.correlation}": summary(years, asked.correlation),
        "broken on the day": [breaks(asked.seed)],
        "real rows": [real_rows(asked.seed)],
        "days without drift that are called drifted": [side_by_side(asked.seed, asked.compared_days)],
        "speed": [speed(asked.rows, asked.seed, asked.evidently_rows)],
    }
    if asked.json:
        print(json.dumps(tables, indent=2))
    else:
        for name, rows in tables.items():
            print(f"\n{name}")
            print_table(rows)
    sys.exit(any(row.get("holds") is False for rows in tables.values() for row in rows))


if __name__ == "__main__":
    main()
