"""What must hold in every simulated world: identities, plan rules, and a little to learn."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from daily_profit_model.sandbox import symbols
from daily_profit_model.sandbox import world as worlds
from daily_profit_model.sandbox.world import World, WorldSettings, generate

SMALL = WorldSettings(accounts=30, days=8, seed=5, warmup_days=2)
DAY_MS = 86_400_000
FRIDAY = 4


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    folders = [worlds.save(generate(SMALL), tmp_path / name) for name in ("one", "two")]
    for first in sorted(folders[0].iterdir()):
        assert first.read_bytes() == (folders[1] / first.name).read_bytes(), first.name


def test_another_seed_gives_another_world() -> None:
    other = dataclasses.replace(SMALL, seed=6)
    assert not generate(SMALL).trades.equals(generate(other).trades)


def test_a_longer_world_begins_as_the_shorter_one() -> None:
    end = SMALL.end + timedelta(days=3)
    longer = generate(dataclasses.replace(SMALL, days=SMALL.days + 3, end=end))
    short = generate(SMALL)
    for name in ("trades", "open_trades", "account_days", "bars", "regimes"):
        table = getattr(short, name)
        assert getattr(longer, name).slice(0, table.num_rows).equals(table), name


def test_a_saved_world_is_loaded_as_it_was(tmp_path: Path) -> None:
    world = generate(SMALL)
    loaded = worlds.load(worlds.save(world, tmp_path / "world"), SMALL)
    assert loaded.settings == SMALL
    assert all(getattr(loaded, name).equals(getattr(world, name)) for name in worlds.TABLES)


def test_saving_again_replaces_the_world_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    worlds.save(generate(SMALL), tmp_path / "world")
    other = dataclasses.replace(SMALL, seed=9)
    worlds.save(generate(other), tmp_path / "world")
    assert worlds.load(tmp_path / "world").settings == other
    assert [path.name for path in tmp_path.iterdir()] == ["world"]


def test_loading_a_world_of_other_settings_is_one_clear_line(tmp_path: Path) -> None:
    worlds.save(generate(SMALL), tmp_path / "world")
    with pytest.raises(ValueError, match=r"seed=5.*not with.*seed=8") as error:
        worlds.load(tmp_path / "world", dataclasses.replace(SMALL, seed=8))
    assert "\n" not in str(error.value)


def test_loading_from_an_empty_folder_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"world\.json is missing"):
        worlds.load(tmp_path)


def test_a_world_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 10 accounts"):
        WorldSettings(accounts=3)


def test_balance_moves_by_net_profit_less_payouts(account_days: pd.DataFrame) -> None:
    before = account_days.groupby("uid")["balance"].shift(1).fillna(account_days["starting_balance"])
    expected = before + account_days["net"] - account_days["payout"]
    assert (account_days["balance"] - expected).abs().max() < 0.005
    assert (account_days["prior_balance"] - before).abs().max() < 0.005
    assert (account_days["payout"] > 0).any()


def test_net_profit_of_a_day_is_the_sum_over_its_trades(account_days: pd.DataFrame, trades: pd.DataFrame) -> None:
    summed = trades.groupby(["uid", "day"])["net"].sum()
    stated = account_days.set_index(["uid", "day"])["net"]
    assert (stated - summed.reindex(stated.index).fillna(0.0)).abs().max() < 0.005
    assert summed.index.isin(stated.index).all()


def test_account_days_are_unbroken_from_opening_to_end(account_days: pd.DataFrame, world: World) -> None:
    days = account_days.groupby("uid")["day"].agg(["min", "max", "size"])
    assert (days["max"] - days["min"] + 1 == days["size"]).all()
    ended = world.accounts.to_pandas()["ended"]
    last = pd.to_datetime(days["max"], unit="D").dt.date
    assert (last[ended.notna().to_numpy()] == ended[ended.notna()].to_numpy()).all()
    assert (last[ended.isna().to_numpy()] == world.settings.end).all()


def test_no_account_trades_after_its_end_or_before_its_opening(
    account_days: pd.DataFrame, trades: pd.DataFrame
) -> None:
    lived = account_days.groupby("uid")["day"].agg(["min", "max"])
    bounds = lived.loc[trades["uid"]]
    assert (trades["day"].to_numpy() <= bounds["max"].to_numpy()).all()
    assert (trades["open_ms"].to_numpy() >= bounds["min"].to_numpy() * DAY_MS).all()


def test_the_live_population_stays_about_the_same(account_days: pd.DataFrame, world: World) -> None:
    live = account_days.groupby("day").size()
    assert live.between(0.97 * world.settings.accounts, 1.03 * world.settings.accounts).all()


def test_a_profit_is_side_times_move_times_size_in_usd(trades: pd.DataFrame) -> None:
    code = trades["symbol"].to_numpy()
    close = trades["close_price"].to_numpy()
    quote = np.where(symbols.QUOTED_IN_JPY[code], 1.0 / close, 1.0)
    move = trades["side"] * (close - trades["open_price"])
    expected = move * trades["lots"] * symbols.CONTRACT_SIZE[code] * quote
    # A close in two parts shares its cents between the tickets: one part may be off by their lots' share.
    difference = (trades["profit"] - expected).abs().to_numpy()
    whole = ~trades.duplicated(["position", "day"], keep=False)
    assert difference[whole].max() < 0.0051
    by_position = (trades["profit"] - expected).groupby(trades["position"]).sum()
    assert by_position.abs().max() < 0.0102


def test_prices_lie_within_their_hourly_bars(trades: pd.DataFrame, world: World) -> None:
    bars = world.bars.to_pandas().set_index(["symbol", "time"])
    for stamp, price in (("open_ms", "open_price"), ("close_ms", "close_price")):
        hours = trades[stamp] // 3_600_000 * 3600
        found = bars.reindex(pd.MultiIndex.from_arrays([trades["symbol"], hours]))
        known = found["low"].notna().to_numpy()
        assert known.mean() > 0.999
        inside = trades[price].between(found["low"].to_numpy(), found["high"].to_numpy())
        assert inside[known].all()


def test_costs_are_never_gains(trades: pd.DataFrame) -> None:
    assert (trades[["commission", "fee", "swap"]] <= 0).all().all()
    assert (trades["swap"] < 0).any()
    assert (trades["fee"] < 0).any()


def test_stops_are_kept_on_the_losing_side(trades: pd.DataFrame) -> None:
    stopped = trades[trades["close_price"] == trades["stop_loss"]]
    gained = trades[trades["close_price"] == trades["take_profit"]]
    assert len(stopped) > 100
    assert (stopped["profit"] <= 0).all()
    assert len(gained) > 100
    assert (gained["profit"] >= 0).all()
    beyond = trades["side"] * (trades["close_price"] - trades["stop_loss"]) < 0
    assert not beyond.any()


def test_only_crypto_is_opened_at_weekends(trades: pd.DataFrame) -> None:
    weekday = (trades["open_ms"] // DAY_MS + 3) % 7
    weekend = trades[weekday >= 5]
    assert len(weekend) > 0
    assert symbols.CRYPTO[weekend["symbol"].to_numpy()].all()


def test_some_closes_come_in_two_tickets_of_one_position(trades: pd.DataFrame) -> None:
    parts = trades.groupby("position")["ticket"].agg(["size", "nunique"])
    assert parts["size"].max() == 2
    assert (parts["size"] == parts["nunique"]).all()
    assert 0.01 < (parts["size"] == 2).mean() < 0.05


def test_logins_repeat_across_platforms_but_not_within_one(world: World) -> None:
    register = world.accounts.to_pandas()
    assert register["login"].duplicated().any()
    assert not register.duplicated(["login", "platform", "broker"]).any()


def test_a_handful_of_test_accounts_has_no_account_id(world: World, trades: pd.DataFrame) -> None:
    register = world.accounts.to_pandas()
    assert 1 <= register["is_test"].sum() <= 5
    assert register["account_id"].isna().equals(register["is_test"])
    assert trades["uid"].isin(register.index[register["is_test"]]).any()


def test_a_metrics_row_stands_for_each_trading_first_and_last_day(account_days: pd.DataFrame) -> None:
    first = ~account_days.duplicated("uid")
    must = (account_days["trades"] > 0) | first | (account_days["status"] != 1)
    assert account_days.loc[must, "shown"].all()
    idle = account_days[~must]
    assert 0.15 < idle["shown"].mean() < 0.25


def test_corrections_are_a_few_of_the_rows(account_days: pd.DataFrame) -> None:
    corrected = account_days["lag"] > 0
    assert 0.005 < corrected[account_days["shown"]].mean() < 0.05
    assert (account_days.loc[corrected, "fee"] < 0).all()
    assert set(account_days.loc[corrected, "lag"]) == {1, 2, 3}
