"""The key is in nothing that a failing run leaves: output, logs, errors, Dagster's storages, lake, request log."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus, urlsplit

import pytest

from daily_profit_model_tests.end_to_end.firm import dpm
from daily_profit_model_tests.risk_api import scripted_service as scripted
from daily_profit_model_tests.risk_api.scripted_service import Service, serving

KEY = 'K3y/of+the="tests&%\\9f3a'
FORMS = {
    form.encode()
    for form in (
        KEY,
        json.dumps(KEY)[1:-1],
        json.dumps(json.dumps(KEY))[1:-1],  # Dagster stores events as JSON inside JSON
        quote(KEY),
        quote(KEY, ""),
        quote_plus(KEY),
        repr(KEY)[1:-1],
        base64.b64encode(KEY.encode()).decode(),
        KEY[:12],
        KEY[-12:],
    )
}
SPOKEN = json.dumps({"Status": "fail", "Error": f"the key {KEY} is not known"}).encode()
GOOD = scripted.body(b'{"Status":"ok","Data":{"data":[],"total":0,"count":0}}')


def hang_up(handler: object) -> None:
    handler.close_connection = True  # type: ignore[attr-defined]  # a handler of http.server
    handler.connection.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]


WRONG = {
    "v2/metrics/alltime": scripted.status(401, SPOKEN),
    "v2/metrics/daily": scripted.status(302, SPOKEN, Location=f"http://127.0.0.1:9/?apiKey={quote(KEY)}"),
    "v2/metrics/hourly": scripted.status(500, SPOKEN),
    "v2/trades/closed": scripted.body(SPOKEN),
    "v2/trades/open": hang_up,
}


def by_endpoint(handler: object) -> None:
    """Every endpoint misbehaves in its own way, and repeats the key."""
    path = handler.path  # type: ignore[attr-defined]
    WRONG[urlsplit(path).path.removeprefix(scripted.PREFIX)](handler)  # type: ignore[arg-type]  # a handler


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service()) as running:
        yield running


@pytest.fixture
def variables(service: Service, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "regimes").mkdir()
    return {
        "DPM_DATA_DIR": str(tmp_path / "data"),
        "REGIMES_SOURCE": str(tmp_path / "regimes"),
        "RISK_API_BASE_URL": service.base_url,
        "RISK_API_KEY": KEY,
        "RISK_API_TIMEOUT": "5",
        "RISK_API_BREAKER_FAILURES": "2",
        "RISK_API_BREAKER_PAUSE": "0.01",
        "RISK_API_BREAKER_PATIENCE": "0.3",
    }


def ingest(variables: dict[str, str], *arguments: str) -> tuple[int, str]:
    """`dpm run --stages raw` of one day: exit code, and all that it says."""
    days = ("--start-date", "2026-03-01", "--end-date", "2026-03-01")
    result = dpm(variables, "run", "--stages", "raw", *days, *arguments)
    return result.returncode, result.stdout + result.stderr


def files_with_the_key(folder: Path) -> list[str]:
    """Files (names included) in which the key stands in any form."""
    found = []
    for path in folder.rglob("*"):
        text = str(path.relative_to(folder)).encode() + (path.read_bytes() if path.is_file() else b"")
        if any(form in text for form in FORMS):
            found.append(str(path))
    return found


@pytest.mark.parametrize(("log_format", "arguments"), [("console", ()), ("json", ("--debug",))])
def test_a_failing_run_leaves_the_key_nowhere(
    service: Service, variables: dict[str, str], tmp_path: Path, log_format: str, arguments: tuple[str, ...]
) -> None:
    service.faults = [GOOD, *[by_endpoint] * 999]  # the first request is the one by which `dpm run` tries the service
    code, said = ingest({**variables, "DPM_LOG_FORMAT": log_format}, *arguments)
    assert code == 1
    assert "RISK_API_KEY" in said
    assert not [form for form in FORMS if form in said.encode()]
    assert {path.removeprefix(scripted.PREFIX) for path, _, _ in service.asked} == set(WRONG)
    assert all(headers["apiKey"] == KEY for _, _, headers in service.asked)
    assert files_with_the_key(tmp_path) == []
    left = {path.name for path in (tmp_path / "data").rglob("*")}
    assert {"dagster", "requests", "index.db"} <= left  # there was something to look into
    if not arguments:
        assert [line for line in said.splitlines() if line.startswith("dpm: ")] == said.strip().splitlines()[-1:]


def test_a_key_that_is_refused_at_once_is_left_nowhere(
    service: Service, variables: dict[str, str], tmp_path: Path
) -> None:
    service.faults = [scripted.status(401, SPOKEN)]
    code, said = ingest(variables, "--debug")
    assert code != 0
    assert "RISK_API_KEY" in said
    assert not [form for form in FORMS if form in said.encode()]
    assert files_with_the_key(tmp_path) == []


def test_an_unreachable_service_leaves_the_key_nowhere(variables: dict[str, str], tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/"
    code, said = ingest({**variables, "RISK_API_BASE_URL": url}, "--debug")
    assert code != 0
    assert "Connection refused" in said
    assert not [form for form in FORMS if form in said.encode()]
    assert files_with_the_key(tmp_path) == []


def test_the_search_finds_a_key_that_is_left(tmp_path: Path) -> None:
    for number, form in enumerate(sorted(FORMS)):
        (tmp_path / str(number)).write_bytes(b"some\0bytes" + form + b"more")
    assert len(files_with_the_key(tmp_path)) == len(FORMS)
