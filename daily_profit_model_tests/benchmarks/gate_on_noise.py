"""How often the gate lets a model through that has learnt nothing: targets permuted within each day.

Run: python -m daily_profit_model_tests.benchmarks.gate_on_noise [--models 100] [--objective two_part] [--json]

Each model is trained on a simulated panel of its own seed (150 accounts x 110 days) whose outcomes were shuffled among
the accounts of each day, so that no account's features say anything of its own outcome while days keep their market.
A model is refused unless it beats every baseline by whole days. Exit code 1 when more than one in a hundred passes.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import pyarrow as pa

from daily_profit_model.modeling.boosting import BoosterSettings
from daily_profit_model.modeling.gate import decide
from daily_profit_model.modeling.training import TrainSettings, train
from daily_profit_model_tests.benchmarks.processes import print_table
from daily_profit_model_tests.modeling.panel import simulate_panel

ACCOUNTS, DAYS = 150, 110
FREEST = 0.01
"""Share of worthless models that may pass."""


def judged(objective: str, seed: int) -> dict[str, object]:
    """The decision on one worthless model."""
    panel = simulate_panel(accounts=ACCOUNTS, days=DAYS, seed=seed)
    frame = shuffled_within_days(panel.frame, seed)
    settings = TrainSettings(objective=objective, booster=BoosterSettings(workers=1))
    cutoff = max(frame["target_date"].to_pylist())
    trained = train(frame, panel.features, cutoff=cutoff, settings=settings, data_versions={}, code_version="-")
    made = decide(trained.model.manifest, champion=None)
    skill = trained.evaluation.skill
    return {
        "seed": seed,
        "decision": made.decision,
        "skill": skill.value,
        "lower": skill.lower,
        "best": skill.best_baseline,
    }


def shuffled_within_days(frame: pa.Table, seed: int) -> pa.Table:
    """Outcomes dealt anew to the accounts of each day."""
    rng = np.random.default_rng(seed)
    day = frame["target_date"].cast(pa.int32()).to_numpy()
    places = np.lexsort((rng.random(len(day)), day))
    own = np.lexsort((np.arange(len(day)), day))
    taken = np.empty(len(day), dtype=np.int64)
    taken[own] = places
    for name in ("target_net_profit", "target_status"):
        frame = frame.set_column(frame.column_names.index(name), name, frame[name].take(pa.array(taken)))
    return frame


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--objective", default=TrainSettings().objective)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with ProcessPoolExecutor(asked.workers) as pool:
        rows = list(pool.map(partial(judged, asked.objective), range(1000, 1000 + asked.models)))
    skills = np.array([row["skill"] for row in rows], dtype=np.float64)
    passed = [row for row in rows if row["decision"] != "refused"]
    found = {
        "models": len(rows),
        "passed": len(passed),
        "mean skill": float(skills.mean()),
        "least skill": float(skills.min()),
        "greatest skill": float(skills.max()),
        "within 0.005": float((np.abs(skills) <= 0.005).mean()),
    }
    if asked.json:
        print(json.dumps({**found, "those that passed": passed}, indent=2))
    else:
        print_table([found])
        if passed:
            print_table(passed)
    sys.exit(len(passed) > FREEST * len(rows))


if __name__ == "__main__":
    main()
