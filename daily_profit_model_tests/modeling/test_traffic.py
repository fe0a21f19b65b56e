"""Whose number an account is served: the same every day, in the share that was asked for, in one order."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from daily_profit_model.modeling.calibration import levels_of, version_of
from daily_profit_model.modeling.replay import differences, replay
from daily_profit_model.modeling.serving import CHAMPION, Telemetry
from daily_profit_model.modeling.traffic import assigned, calibration_of, place_of, served_by, text_of
from daily_profit_model_tests.modeling.served_day import ServedDay

IDS = [f"acc-{number}" for number in range(10_000)]
NAME = "s1-20260614-0a0a0a0a"


def row_of(day: ServedDay, **values: object) -> dict[str, object]:
    """The day's own calibration as a row of PREDICTIONS_TRAFFIC."""
    return {
        "prediction_date": day.calibration["prediction_date"][0].as_py(),
        "deployment": NAME,
        "model_version": day.model.version,
        "model_hash": day.model.hash,
        "calibration_version": version_of(day.calibration),
        "calibration": text_of(day.calibration),
        **values,
    }


@pytest.mark.parametrize("traffic", [5, 25, 50])
def test_of_many_accounts_the_share_that_was_asked_for_is_in_traffic(traffic: int) -> None:
    share = assigned(IDS, [(NAME, traffic)]).count(NAME) / len(IDS)
    assert abs(share - traffic / 100) < 0.02


def test_an_account_has_one_place_by_a_hash_that_does_not_change() -> None:
    # by sha256sum: 0x002e311d6122528f, 0x835ea3ab175302c5 and 0xf9299a41426bac8a modulo 100
    assert [place_of(NAME, account) for account in ("acc-0", "acc-1", "acc-2")] == [95, 49, 82]
    assert assigned(IDS[:3], [(NAME, 0)]) == [CHAMPION] * 3
    assert assigned(IDS[:3], [(NAME, 100)]) == [NAME] * 3


def test_more_traffic_keeps_every_account_that_less_of_it_had() -> None:
    less, more = (assigned(IDS, [(NAME, traffic)]) for traffic in (25, 50))
    assert all(grown == NAME for grown, kept in zip(more, less, strict=True) if kept == NAME)


def test_deployments_choose_apart_and_an_account_of_several_is_the_first_ones() -> None:
    one, two = (NAME, 30), ("s2-20260621-0b0b0b0b", 30)
    both, alone = assigned(IDS, [one, two]), assigned(IDS, [one])
    assert [server == NAME for server in both] == [server == NAME for server in alone]
    # of those that the first leaves the second has its share
    left = [server for server in both if server != NAME]
    assert abs(left.count(two[0]) / len(left) - 0.3) < 0.02


def test_a_calibration_comes_back_from_its_text_to_the_last_bit(served_day: ServedDay) -> None:
    again = calibration_of(row_of(served_day))
    stored, read = levels_of(served_day.calibration), levels_of(again)
    assert version_of(again) == version_of(served_day.calibration)
    assert (read.lower_level, read.upper_level) == (stored.lower_level, stored.upper_level)
    assert (read.lower == stored.lower).all()
    assert (read.upper == stored.upper).all()


def test_a_shadow_serves_its_accounts_what_it_would_serve_all_and_it_can_be_made_again(served_day: ServedDay) -> None:
    accounts = served_day.rows["account_id"].slice(10, 20)
    telemetry = Telemetry(served_day.telemetry.snapshot_hash, served_day.telemetry.code_version, NAME)
    rows = served_by(row_of(served_day), served_day.model, served_day.snapshot, accounts, telemetry)
    assert rows["account_id"].to_pylist() == accounts.to_pylist()
    assert pc.unique(rows["served_by"]).to_pylist() == [NAME]
    others = [name for name in rows.column_names if name != "served_by"]
    assert rows.select(others).equals(served_day.rows.slice(10, 20).select(others))
    again = replay(
        served_day.model,
        served_day.snapshot,
        calibration_of(row_of(served_day)),
        "code-1",
        pa.chunked_array([accounts.to_pylist()]).combine_chunks(),
        NAME,
    )
    assert differences(rows, again) == []


def test_a_bundle_that_is_not_the_deployments_serves_nobody(served_day: ServedDay) -> None:
    accounts = served_day.rows["account_id"]
    row = row_of(served_day, model_hash="0b" * 32)
    with pytest.raises(ValueError, match=f"{NAME} runs .*, whose bundle has another hash"):
        served_by(row, served_day.model, served_day.snapshot, accounts, served_day.telemetry)
