"""`dpm explain` on a lake with one served day: words, JSON, a picture, and each refusal in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from daily_profit_model.cli import app
from daily_profit_model.features.snapshot import FEATURE_SNAPSHOTS
from daily_profit_model.lake import Lake, LakeError, write
from daily_profit_model.modeling.bundle import save
from daily_profit_model.settings import WrongUse
from daily_profit_model.tables import Column, Table
from daily_profit_model.tables.predictions import PREDICTIONS_ACCOUNT_DAILY
from daily_profit_model_tests.modeling.served_day import ServedDay, with_cell

ACCOUNT = "a00004"


@pytest.fixture
def day(lake: Lake, tmp_path: Path, served_day: ServedDay, monkeypatch: pytest.MonkeyPatch) -> str:
    """The served day in a lake; its snapshot has the panel's features instead of the catalogue's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DPM_DATA_DIR", str(tmp_path))
    found: str = served_day.rows["prediction_date"][0].as_py().isoformat()
    save(served_day.model, tmp_path / "models")
    store_snapshot(lake, found, served_day.snapshot)
    store(lake, found, served_day.rows)
    return found


def store(lake: Lake, day: str, rows: pa.Table) -> None:
    write(lake, PREDICTIONS_ACCOUNT_DAILY, day, rows, code_version="1")


def store_snapshot(lake: Lake, day: str, rows: pa.Table) -> None:
    columns = tuple(Column(field.name, field.type, field.name) for field in rows.schema)
    table = Table(FEATURE_SNAPSHOTS.name, "", FEATURE_SNAPSHOTS.key, columns, day_column="prediction_date")
    write(lake, table, day, rows, code_version="1")


def explain(*words: str) -> str:
    done = CliRunner().invoke(app, ["explain", *words])
    if done.exception:
        raise done.exception
    assert done.exit_code == 0
    return done.stdout


def test_an_accounts_prediction_is_told_with_its_reasons_by_id_and_by_login(day: str) -> None:
    words = explain("--date", day, "--account", ACCOUNT)
    assert words.startswith(f"{ACCOUNT} on {day}: net profit ")
    assert "Why the median is" in words
    assert "base: what the model says" in words
    assert explain("--account", ACCOUNT) == words


def test_json_is_one_document_that_holds_all_reasons(day: str, served_day: ServedDay) -> None:
    found = json.loads(explain("--account", ACCOUNT, "--json"))
    assert found["account_id"] == ACCOUNT
    reasons = found["explanation"]["reasons"]
    stored = served_day.rows.to_pylist()[4]["top_features"]
    assert [(one["name"], one["value"], one["contribution"]) for one in reasons[: len(stored)]] == [
        (one["name"], one["value"], one["contribution"]) for one in stored
    ]


def test_the_waterfall_is_drawn_where_asked_for_and_nowhere_else(day: str, tmp_path: Path) -> None:
    explain("--account", ACCOUNT, "--png", str(tmp_path / "why.png"))
    assert (tmp_path / "why.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(WrongUse, match="there is no folder"):
        explain("--account", ACCOUNT, "--png", str(tmp_path / "nowhere" / "why.png"))


def test_an_unknown_account_or_day_is_refused_with_what_there_is(day: str) -> None:
    with pytest.raises(LakeError, match="account nobody is not among the 150 accounts predicted for"):
        explain("--account", "nobody")
    with pytest.raises(LakeError, match=f"there are no predictions of 2031-01-01; there are {day}"):
        explain("--account", ACCOUNT, "--date", "2031-01-01")


def test_a_login_of_several_accounts_asks_for_one_of_them(day: str, lake: Lake, served_day: ServedDay) -> None:
    shared = with_cell(with_cell(served_day.rows, "a00001", "login", "77"), "a00002", "login", "77")
    store(lake, day, shared)
    with pytest.raises(WrongUse, match=r"77 is the login of 2 accounts on .*: give one of a00001, a00002"):
        explain("--account", "77")


def test_a_snapshot_that_is_not_the_one_that_was_served_is_not_explained(
    day: str, lake: Lake, served_day: ServedDay
) -> None:
    store_snapshot(lake, day, with_cell(served_day.snapshot, ACCOUNT, "size", 1.0))
    with pytest.raises(LakeError, match="predictions/feature_snapshots of .* is not in the lake"):
        explain("--account", ACCOUNT)


def test_reasons_that_were_stored_otherwise_are_refused(day: str, lake: Lake, served_day: ServedDay) -> None:
    store(lake, day, with_cell(served_day.rows, ACCOUNT, "top_features", []))
    with pytest.raises(ValueError, match=f"account {ACCOUNT} on {day}: the stored reasons are not those"):
        explain("--account", ACCOUNT)
