"""`dpm sandbox serve`: a world, generated or taken from a folder, served until it is told to stop."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from daily_profit_model.sandbox import truth
from daily_profit_model.sandbox.faults.plan import FaultPlan
from daily_profit_model.sandbox.plans import write_csv
from daily_profit_model.sandbox.server import Address, serve
from daily_profit_model.sandbox.settings import WorldSettings
from daily_profit_model.sandbox.world import World, generate, load, save


def serve_world(
    *,
    accounts: int,
    days: int,
    seed: int,
    end: date | None,
    port: int,
    key: str,
    rate_limit: float,
    burst: int,
    folder: Path | None,
    truth_days: int = 0,
    faults: int = 0,
    retry_after: bool = True,
) -> None:
    """Serve the world of these settings on 127.0.0.1 until SIGTERM or Ctrl-C; `folder` keeps it.

    `faults` is the seed of a plan of all faults; 0: none.

    Raises ValueError when the folder holds another world, OSError when the port is taken.
    """
    last = end or datetime.now(UTC).date() - timedelta(days=1)
    world = world_of(WorldSettings(accounts=accounts, days=days, seed=seed, end=last), folder, truth_days)
    serve(
        world,
        port=port,
        api_key=key,
        rate_limit=rate_limit,
        burst=burst,
        retry_after=retry_after,
        faults=FaultPlan.random(faults) if faults else None,
        ready=_announce,
    )


def world_of(settings: WorldSettings, folder: Path | None, truth_days: int = 0) -> World:
    """The world of `settings`, from `folder` when it is kept there, else generated (and kept)."""
    if folder is None:
        return generate(settings)
    if (folder / "world.json").exists():
        world = load(folder, settings)
    else:
        world = generate(settings)
        save(world, folder)
    write_csv(world, folder / "plans")
    if truth_days:
        truth.write(world, folder, days=truth_days)
    return world


def _announce(address: Address) -> None:
    print(f"RISK_API_BASE_URL={address.base_url}")
    print(f"REGIMES_SOURCE={address.root}/regimes")
    print(f"MARKET_API_BASE_URL={address.root}/market/", flush=True)
