"""The pages that engineers live in, in a real browser against the real webserver and daemon."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from daily_profit_model.defs.build import build_definitions
from daily_profit_model.defs.calendars import range_tags
from daily_profit_model.defs.launch.instance import stored_instance
from daily_profit_model.defs.launch.quality import report
from daily_profit_model.lake import Lake, read, write_revision
from daily_profit_model.lake.lake import revision_of
from daily_profit_model.settings import load_settings
from daily_profit_model.tables.raw import RAW_METRICS_DAILY
from daily_profit_model_tests.end_to_end.conftest import Platform

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_S = 90

if CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip("no Chromium on this machine; CI installs one", allow_module_level=True)


METRICS = dg.AssetKey(["raw", "metrics_daily"])
CHECKED, SPOILED = ("2026-04-27", "2026-05-07"), "2026-05-06"


def spoil_a_day(variables: Mapping[str, str]) -> None:
    """A day comes again with equity lost and profits in cents; then ten days are judged, and a page is written."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.setenv("DAGSTER_HOME", "")  # so that it is as before afterwards
        settings = load_settings()
        lake = Lake(settings.lake_root)
        rows = read(lake, RAW_METRICS_DAILY, [SPOILED], as_known="newest")
        cents = pc.multiply(rows["net_profit"], 100.0)
        rows = rows.set_column(rows.schema.get_field_index("net_profit"), "net_profit", cents)
        lost = pa.nulls(rows.num_rows, pa.float64())
        rows = rows.set_column(rows.schema.get_field_index("current_equity"), "current_equity", lost)
        facts = {"received": rows.num_rows, "stored": rows.num_rows}
        newest = revision_of(lake.files(RAW_METRICS_DAILY.name, SPOILED)[-1])
        assert newest is not None
        at = newest + timedelta(minutes=1)
        write_revision(lake, RAW_METRICS_DAILY, SPOILED, rows, ingested_at=at, code_version="1", facts=facts)
        judging = dg.define_asset_job("judging", selection=dg.AssetSelection.checks_for_assets(METRICS))
        defs = dg.Definitions.merge(build_definitions(), dg.Definitions(jobs=[judging]))
        with stored_instance(settings) as instance:
            run = defs.resolve_job_def("judging").execute_in_process(instance=instance, tags=range_tags(*CHECKED))
        assert run.success
        html = settings.dpm_data_dir / "page.html"
        assert report(settings, date.fromisoformat(SPOILED), METRICS.to_user_string(), html, as_json=False) == 1


class Ui:
    """The running pages and their GraphQL."""

    def __init__(self, root: str, data_dir: Path) -> None:
        self.root = root
        self.data_dir = data_dir

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.root}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
        assert "errors" not in found, found
        data: dict[str, Any] = found["data"]
        return data


@pytest.fixture(scope="module")
def ui(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """`dpm ui` on a copy of the filled platform."""
    copy = tmp_path_factory.mktemp("ui") / "data"
    shutil.copytree(platform.data_dir, copy)
    spoil_a_day({**platform.variables, "DPM_DATA_DIR": str(copy)})
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "daily_profit_model.cli", "ui", "--port", str(port)],
        env={**os.environ, **platform.variables, "DPM_DATA_DIR": str(copy)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    started = Ui(f"http://127.0.0.1:{port}", copy)
    try:
        until(lambda: _loaded(started), "the code location to load")
        yield started
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _loaded(ui: Ui) -> bool:
    try:
        answer = ui.ask("{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }")
    except OSError:
        return False
    nodes = answer["repositoriesOrError"].get("nodes", [])
    return any(node["location"]["name"] == "daily_profit_model" for node in nodes)


def until(holds: Any, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def page(ui: Ui) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    assert CHROMIUM is not None, "CI must have Chromium: this test is not skipped there"
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page(viewport={"width": 1600, "height": 1000})
        browser.close()


def test_a_partition_of_the_features_shows_its_metadata(ui: Ui, page: Any) -> None:
    page.goto(f"{ui.root}/assets/features/account_daily?view=partitions&partition=2026-05-05")
    page.get_by_text("content_hash").wait_for(timeout=PATIENCE_S * 1000)
    page.get_by_text("dagster/row_count").wait_for()
    assert page.get_by_text("Failed (0)").count() == 1


def test_the_graph_shows_every_layer(ui: Ui, page: Any) -> None:
    page.goto(f"{ui.root}/asset-groups")
    for layer in ("raw", "staging", "features", "training", "models", "predictions", "monitoring"):
        page.get_by_text(layer, exact=True).first.wait_for(timeout=PATIENCE_S * 1000)


def test_the_checks_page_shows_a_status_for_each_partition(ui: Ui, page: Any) -> None:
    page.goto(f"{ui.root}/assets/features/account_daily?view=checks")
    page.get_by_text("Passed").first.wait_for(timeout=PATIENCE_S * 1000)
    nodes = ui.ask(
        """{ assetNodes(assetKeys: [{path: ["features", "account_daily"]}]) {
            assetChecksOrError { ... on AssetChecks { checks { name } } } } }"""
    )["assetNodes"]
    assert nodes[0]["assetChecksOrError"]["checks"]


def test_a_failing_check_shows_its_partition_what_was_seen_and_a_curve(ui: Ui, page: Any, tmp_path: Path) -> None:
    page.goto(f"{ui.root}/assets/raw/metrics_daily?view=checks&checkDetail=day_not_broken")
    page.get_by_text("Plots", exact=True).wait_for(timeout=PATIENCE_S * 1000)
    page.get_by_text("observed", exact=True).last.scroll_into_view_if_needed()
    page.locator("canvas").nth(1).wait_for(timeout=PATIENCE_S * 1000)  # of what was observed, and of its limit
    page.screenshot(path=tmp_path / "check_over_time.png")
    page.get_by_text("Execution history", exact=True).click()
    failed = page.locator("tr", has_text=SPOILED).filter(has_text="Failed")
    failed.wait_for()
    assert 'and so is "no column\'s size has jumped as by another unit"' in failed.inner_text()
    failed.locator("button").last.click()
    page.get_by_text("net_profit", exact=True).wait_for()
    page.screenshot(path=tmp_path / "check_metadata.png")
    page.get_by_text("Close", exact=True).click()
    own_tab = next(tab for tab in page.get_by_text("Partitions", exact=True).all() if tab.bounding_box()["x"] > 700)
    own_tab.click()  # the other one, further left, is the asset's
    page.get_by_text("Failed (1)").wait_for()
    page.screenshot(path=tmp_path / "check_partitions.png")


def test_the_quality_page_opens_failing_rules_to_their_rows_without_any_server(
    ui: Ui, page: Any, tmp_path: Path
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    address = (ui.data_dir / "page.html").as_uri()
    page.goto(address)
    first = page.locator("details").first
    assert first.locator("summary b").inner_text() == "day_not_broken"
    assert first.get_by_text("current_equity", exact=True).is_visible()
    assert first.get_by_text("net_profit", exact=True).is_visible()
    closed = page.locator("details").last
    assert not closed.get_by_text("What to do:").is_visible()
    closed.locator("summary").click()
    assert closed.get_by_text("What to do:").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert asked == [address]
    page.screenshot(path=tmp_path / "quality_page.png")


def test_a_backfill_of_five_days_launched_from_the_ui_succeeds_as_one_run(ui: Ui) -> None:
    days = [f"2026-05-0{number}" for number in range(1, 6)]
    launched = ui.ask(
        """mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) {
            ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
        p={"assetSelection": [{"path": ["features", "account_daily"]}], "partitionNames": days},
    )["launchPartitionBackfill"]
    backfill = launched["backfillId"]

    def runs() -> list[str]:
        found = ui.ask(
            """query($b: String!) { runsOrError(filter: {tags: [{key: "dagster/backfill", value: $b}]}) {
                ... on Runs { results { status } } } }""",
            b=backfill,
        )["runsOrError"]["results"]
        return [run["status"] for run in found]

    until(lambda: any(status in ("SUCCESS", "FAILURE") for status in runs()), "the backfill's run")
    assert runs() == ["SUCCESS"]


def test_the_pages_have_no_dialog_and_no_failed_code_location(ui: Ui, page: Any, tmp_path: Path) -> None:
    page.goto(f"{ui.root}/locations")
    page.get_by_text("Loaded").first.wait_for(timeout=PATIENCE_S * 1000)
    assert page.get_by_text("Failed", exact=True).count() == 0
    page.screenshot(path=tmp_path / "locations.png")
    assert (tmp_path / "locations.png").stat().st_size > 10_000
