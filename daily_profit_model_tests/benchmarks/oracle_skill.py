"""How much of the achievable skill the served predictions reach: a filled demo against its firm's own truth.

Run after `dpm demo`: python -m daily_profit_model_tests.benchmarks.oracle_skill [--data-dir data/local] [--json]

The truth (conditional quantiles by Monte Carlo from the latent state, 400 draws) is computed for every
predicted day that has an outcome. Loss: pinball of the 5 %, 50 % and 95 % quantiles, mean of accounts, then
of days. Share of the oracle = (best baseline − model) / (best baseline − oracle), with an interval from a
bootstrap over whole days. Nothing of the truth reaches the platform.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from upath import UPath

from daily_profit_model.lake import Lake, read
from daily_profit_model.modeling.evaluation import pinball
from daily_profit_model.sandbox import truth
from daily_profit_model.sandbox.world import load
from daily_profit_model.tables.monitoring import BASELINE_COLUMNS, MODEL_PERFORMANCE, MONITORING_OUTCOMES

LEVELS = (0.05, 0.5, 0.95)
DRAWS, SEED = 4000, 1


def measure(data_dir: Path) -> dict[str, object]:
    """Losses and shares for the demo in `data_dir`."""
    lake = Lake(UPath(data_dir / "lake"))
    performance = read(lake, MODEL_PERFORMANCE, lake.partitions(MODEL_PERFORMANCE.name)).sort_by("prediction_date")
    days = [day.isoformat() for day in performance["prediction_date"].to_pylist()]
    world = load(data_dir / "sandbox")
    known = {day.isoformat(): rows for day, rows in truth.conditional(world, days=len(days) + 1)}
    rows = [day_losses(read(lake, MONITORING_OUTCOMES, [day]), known[day]) for day in days]
    oracle = np.array([row["oracle"] for row in rows])
    model = np.array([row["model"] for row in rows])
    found: dict[str, object] = {"days": len(days), "from": days[0], "to": days[-1]}
    for name, pick in (("three quantiles", slice(0, 3)), ("median", slice(1, 2))):
        suffix = "" if name == "three quantiles" else "_50"
        baselines = {b: np.array(performance[f"baseline_{b}{suffix}"].to_pylist()) for b in BASELINE_COLUMNS}
        best = min(baselines, key=lambda b: float(baselines[b].mean()))
        found[name] = shares(model[:, pick].mean(axis=1), oracle[:, pick].mean(axis=1), baselines[best]) | {
            "best": best
        }
    found["coverage of the oracle"] = float(np.mean([row["covered"] for row in rows]))
    return found


def day_losses(outcomes: pa.Table, oracle: pa.Table) -> dict[str, object]:
    """Pinball losses by level of the served and the true quantiles, over the accounts that both hold."""
    settled = outcomes.filter(pc.is_valid(outcomes["net_profit"]))
    both = settled.join(oracle, "account_id", join_type="inner")
    actual = np.array(both["net_profit"].to_pylist())
    served = ("lower_90", "predicted_net_profit", "upper_90")
    return {
        "model": [float(pinball(actual, column(both, n), q).mean()) for n, q in zip(served, LEVELS, strict=True)],
        "oracle": [float(pinball(actual, column(both, n), q).mean())
                   for n, q in zip(("q05", "q50", "q95"), LEVELS, strict=True)],
        "covered": float(((actual >= column(both, "q05")) & (actual <= column(both, "q95"))).mean()),
    }  # fmt: skip


def column(rows: pa.Table, name: str) -> npt.NDArray[np.float64]:
    """A column as floats."""
    return np.asarray(rows[name].to_numpy(), dtype=np.float64)


def shares(
    model: npt.NDArray[np.float64], oracle: npt.NDArray[np.float64], baseline: npt.NDArray[np.float64]
) -> dict[str, object]:
    """Skills of model and oracle over the baseline, and the share, each with a 95 % interval over days."""
    picks = np.random.default_rng(SEED).integers(0, len(model), (DRAWS, len(model)))
    m, o, b = (values[picks].mean(axis=1) for values in (model, oracle, baseline))

    def three(whole: float, draws: npt.NDArray[np.float64]) -> list[float]:
        return [round(float(v), 4) for v in (whole, *np.quantile(draws, [0.025, 0.975]))]

    whole_m, whole_o, whole_b = model.mean(), oracle.mean(), baseline.mean()
    return {
        "loss of model, oracle, baseline": [round(float(v), 3) for v in (whole_m, whole_o, whole_b)],
        "skill of the model": three(1 - whole_m / whole_b, 1 - m / b),
        "skill of the oracle": three(1 - whole_o / whole_b, 1 - o / b),
        "share of the oracle's": three((whole_b - whole_m) / (whole_b - whole_o), (b - m) / (b - o)),
    }


def main() -> None:
    """Print the figures of one filled demo."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data-dir", type=Path, default=Path("data/local"))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = measure(arguments.data_dir)
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        if isinstance(value, dict):
            print(name)
            for inner, figure in value.items():
                print(f"  {inner:<34} {figure}")
        else:
            print(f"{name:<36} {value}")


if __name__ == "__main__":
    main()
