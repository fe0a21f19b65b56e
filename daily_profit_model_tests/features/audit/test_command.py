"""`dpm features audit` prints what was found, for people and for machines, and tells by its exit code."""

from __future__ import annotations

import json

import pytest

from daily_profit_model.features.audit.command import audit_lake
from daily_profit_model.lake import Lake
from daily_profit_model_tests.features.audit.small_lake import fill
from daily_profit_model_tests.features.audit.small_profits import DAYS, PROFITS, SPOILED, STEP, fill_raw, spoil


def test_the_command_prints_the_same_for_the_same_seed_and_tells_by_its_exit_code(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    fill_raw(lake)
    fill(lake, [STEP], DAYS)
    said = []
    for _ in range(2):
        assert audit_lake(lake, [STEP], {}, days=2, seed=11, as_json=True) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    told = json.loads(said[0])
    assert told["tables"][PROFITS.name]["columns"]["profit_2d"] == {
        "truncated": 0, "poisoned": 0, "backfill": 0, "look-back": 0
    }  # fmt: skip
    assert (told["holds"], told["deviations"], len(told["days"])) == (True, 0, 2)
    spoil(lake)
    assert audit_lake(lake, [STEP], {}, days=5, seed=11, as_json=False) == 1
    shown = capsys.readouterr().out
    assert "profit" in shown
    assert SPOILED in shown
    assert "1 deviations in 1 of 2 columns" in shown
