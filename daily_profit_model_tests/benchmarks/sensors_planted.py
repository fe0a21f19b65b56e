"""What `sensors_end_to_end` plants: traders and features that change, and a champion that is easily beaten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

SEED = 7
SHIFT_FACTOR, PLANTED = 10.0, "planted"
"""Features tell profits so many times as large: less than the thirtyfold of a hard break, and far enough off to be an
alarm within two weeks by a reference of 46 days. Code version of these partitions."""


@dataclass(frozen=True)
class Scenario:
    """A firm, what is planted in it, and the graph that its sensors belong to. Days are the world's, from 0."""

    accounts: int
    days: int
    graph: str
    """Module of the code location."""
    change: int
    """From this day on every trader's profit deviation and trades are those of before times the factors."""
    more_risk: float
    more_trades: float
    shift: int | None
    """From this day on features tell larger profits; None: never."""
    first_training_days: int
    taken_from: Mapping[str, str]
    """Boosters of the first version that its copy, the champion, has from another one of its own, so that it is worse."""
    first_day: int | None = None
    """The first day that arrives; None: the first that the champion can serve."""
    cooldown_days: int = 28
    """Between trainings because of alarms. As long as a shadow runs, where its decision is waited for: the gate may
    promote the next version at once."""


LOWERED = Scenario(
    accounts=60,
    days=95,
    graph="daily_profit_model_tests.benchmarks.sensors_location",
    change=53,
    more_risk=3.0,
    more_trades=2.5,
    shift=59,
    first_training_days=44,
    taken_from=dict.fromkeys(("size_15", "size_30", "size_50", "size_70"), "size_85"),
)
"""Small and quick: the gate replaced and the bars of promotion lowered."""

REAL = Scenario(
    accounts=500,
    days=200,
    graph="daily_profit_model.definitions",
    change=105,
    more_risk=1.5,
    more_trades=2.0,
    shift=None,
    first_training_days=80,
    taken_from={"size_50": "size_70"},
    first_day=102,
    cooldown_days=60,
)
"""The platform as it is. The champion is worse by some half a standard deviation of a day: a much worse one the gate
replaces at once, without a shadow, and a difference of a fifth is not found in 60 days."""


def plant_world(folder: Path, scenario: Scenario, end: date) -> None:
    """A world whose traders change, kept where the sandbox finds it."""
    from daily_profit_model.sandbox import firm, population
    from daily_profit_model.sandbox.command import world_of
    from daily_profit_model.sandbox.settings import WorldSettings
    from daily_profit_model.sandbox.state import Accounts, Traits

    settings = WorldSettings(accounts=scenario.accounts, days=scenario.days, seed=SEED, end=end)
    change = settings.warmup_days + scenario.change
    simulated, simulate, draw_traits = Counter[str](), firm.days.simulate, population.draw_traits

    def changed(traits: Traits) -> Traits:
        return replace(traits, risk=traits.risk * scenario.more_risk, trades=traits.trades * scenario.more_trades)

    def a_day(accounts: Accounts, *given: Any) -> Any:
        is_change = simulated["days"] == change
        simulated["days"] += 1
        return simulate(replace(accounts, traits=changed(accounts.traits)) if is_change else accounts, *given)

    def newcomers(*given: Any) -> Traits:
        traits = draw_traits(*given)
        return changed(traits) if simulated["days"] > change else traits

    with patch.object(firm.days, "simulate", a_day), patch.object(population, "draw_traits", newcomers):
        world_of(settings, folder)


def fill(scenario: Scenario, start: date, end: date) -> str:
    """The lake up to the features of `end`, the first version, and a worse one that serves; its version."""
    from daily_profit_model.defs.launch.command import run_steps
    from daily_profit_model.defs.launch.plan import STEPS
    from daily_profit_model.defs.launch.runs import Launcher
    from daily_profit_model.partitions import first_cut_off
    from daily_profit_model.settings import load_settings

    launcher = Launcher(load_settings())
    run_steps(launcher, [step for step in STEPS if step.stage in ("raw", "staging", "features")], start, end)
    cutoff = first_cut_off(start, scenario.first_training_days)
    run_steps(launcher, [step for step in STEPS if step.stage in ("training", "models")], start, cutoff)
    if scenario.shift is not None:
        plant_features(start + timedelta(days=scenario.shift))
    return handicapped(cutoff, scenario.taken_from)


def plant_features(first: date) -> None:
    """Let features tell profits SHIFT_FACTOR times as large from a day on; once, however often it is called."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from daily_profit_model.features import FEATURES_ACCOUNT_DAILY
    from daily_profit_model.lake import Lake, read, write
    from daily_profit_model.settings import load_settings

    lake = Lake(load_settings().lake_root)
    for day in lake.partitions(FEATURES_ACCOUNT_DAILY.name):
        file = lake.describe(FEATURES_ACCOUNT_DAILY.name, day)
        if day < first.isoformat() or file is None or file.code_version == PLANTED:
            continue
        rows = read(lake, FEATURES_ACCOUNT_DAILY, [day])
        for place, field in enumerate(rows.schema):
            if field.name.startswith("pnl_") and pa.types.is_floating(field.type):
                rows = rows.set_column(place, field, pc.multiply(rows[field.name], SHIFT_FACTOR).cast(field.type))
        write(lake, FEATURES_ACCOUNT_DAILY, day, rows, code_version=PLANTED)


def handicapped(cutoff: date, taken_from: Mapping[str, str]) -> str:
    """Make a worse copy of the version of a cut-off champion; its version."""
    from daily_profit_model.defs.models.deployments import with_bundle
    from daily_profit_model.defs.models.registry import acts, record
    from daily_profit_model.lake import Lake, read
    from daily_profit_model.modeling.acts import Wish
    from daily_profit_model.modeling.bundle import assemble, booster_file, load, save
    from daily_profit_model.modeling.contracts import MODELS_NET_PROFIT
    from daily_profit_model.settings import load_settings

    settings = load_settings()
    lake = Lake(settings.lake_root)
    if known := acts(lake).to_pylist():  # in a folder that is gone on with
        return str(known[0]["version"])
    (row,) = read(lake, MODELS_NET_PROFIT, [cutoff.isoformat()]).to_pylist()
    model = load(settings.models_dir / row["folder"])
    others = {booster_file(name): model.files[booster_file(other)] for name, other in taken_from.items()}
    worse = assemble(model.manifest, {**model.files, **others})
    save(worse, settings.models_dir)
    wish = Wish("champion", worse.version, f"planted: {taken_from['size_50']} in place of its median", "the benchmark")
    record(lake, with_bundle(lake, settings.models_dir, wish))
    return worse.version
