"""`dpm features audit` on the lake that the graph has filled: nothing of any feature comes from later."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daily_profit_model.cli import app
from daily_profit_model.features import CATALOGUE, FEATURES_ACCOUNT_DAILY
from daily_profit_model.tables.staging import STAGING_ACCOUNTS
from daily_profit_model_tests.end_to_end.conftest import Platform
from daily_profit_model_tests.end_to_end.firm import START, content_hashes

SEED = 2
"""Takes an early day: every day up to the audited one is made once more, so this one is soon done."""


def test_the_audit_finds_no_deviation_in_any_feature(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in platform.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = content_hashes(platform.data_dir, "staging", "features")
    result = CliRunner().invoke(app, ["features", "audit", "--days", "1", "--seed", str(SEED), "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["deviations"], told["findings"], told["versions"], told["suspicions"]) == (0, [], [], [])
    accounts = told["tables"][STAGING_ACCOUNTS.name]
    assert accounts["first_day"] == START.isoformat()  # a fold rests on every day before
    features = told["tables"][FEATURES_ACCOUNT_DAILY.name]
    assert {feature.name for feature in CATALOGUE} <= set(features["columns"])
    assert features["rows"] > 30
    assert told["history_accounts"] > 30
    assert list(tmp_path.iterdir()) == []  # what was made for it is gone
    assert content_hashes(platform.data_dir, "staging", "features") == before
