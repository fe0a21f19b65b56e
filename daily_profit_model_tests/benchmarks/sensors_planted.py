"""What `sensors_end_to_end` plants: traders and features that change, and a champion that is easily beaten."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

SEED = 7
CHANGE = 53
"""Day of the world, from 0; the first version serves from about day 50 on."""
MORE_RISK, MORE_TRADES = 3.0, 2.5
"""Factors of the profit deviation of a trading day and of the trades on it, of every trader from the change on."""
SHIFT, SHIFT_FACTOR, PLANTED = 59, 10.0, "planted"
"""Day of the world from which on features tell profits so many times as large: less than the thirtyfold of a hard break,
and far enough off to be an alarm within two weeks by a reference of 46 days. Code version of these partitions."""
FIRST_TRAINING_DAYS = 44
MIDDLE = ("size_15", "size_30", "size_50", "size_70")
"""Boosters that the worse champion has from its 85 % quantile."""


def plant_world(folder: Path, accounts: int, days: int, end: date) -> None:
    """A world whose traders change on day CHANGE, kept where the sandbox finds it."""
    from daily_profit_model.sandbox import firm, population
    from daily_profit_model.sandbox.command import world_of
    from daily_profit_model.sandbox.settings import WorldSettings
    from daily_profit_model.sandbox.state import Accounts, Traits

    settings = WorldSettings(accounts=accounts, days=days, seed=SEED, end=end)
    change = settings.warmup_days + CHANGE
    simulated, simulate, draw_traits = Counter[str](), firm.days.simulate, population.draw_traits

    def changed(traits: Traits) -> Traits:
        return replace(traits, risk=traits.risk * MORE_RISK, trades=traits.trades * MORE_TRADES)

    def a_day(accounts: Accounts, *given: Any) -> Any:
        is_change = simulated["days"] == change
        simulated["days"] += 1
        return simulate(replace(accounts, traits=changed(accounts.traits)) if is_change else accounts, *given)

    def newcomers(*given: Any) -> Traits:
        traits = draw_traits(*given)
        return changed(traits) if simulated["days"] > change else traits

    with patch.object(firm.days, "simulate", a_day), patch.object(population, "draw_traits", newcomers):
        world_of(settings, folder)


def fill(start: date, end: date) -> str:
    """The lake up to the features of `end`, the first version, and a worse one that serves; its version."""
    from daily_profit_model.defs.launch.command import run_steps
    from daily_profit_model.defs.launch.plan import STEPS
    from daily_profit_model.defs.launch.runs import Launcher
    from daily_profit_model.partitions import first_cut_off
    from daily_profit_model.settings import load_settings

    launcher = Launcher(load_settings())
    run_steps(launcher, [step for step in STEPS if step.stage in ("raw", "staging", "features")], start, end)
    cutoff = first_cut_off(start, FIRST_TRAINING_DAYS)
    run_steps(launcher, [step for step in STEPS if step.stage in ("training", "models")], start, cutoff)
    plant_features(start + timedelta(days=SHIFT))
    return handicapped(cutoff)


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


def handicapped(cutoff: date) -> str:
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
    lucky = model.files[booster_file("size_85")]
    worse = assemble(model.manifest, {**model.files, **dict.fromkeys(map(booster_file, MIDDLE), lucky)})
    save(worse, settings.models_dir)
    wish = Wish("champion", worse.version, "planted: its median is its 85 % quantile", "the benchmark")
    record(lake, with_bundle(lake, settings.models_dir, wish))
    return worse.version
