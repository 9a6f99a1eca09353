"""Fixtures of the browser level: Airflow as ``make try`` starts it with the examples, and a Chromium that is logged in."""

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page

from standalone.rest import own_lines
from standalone.state import ADMIN_USERNAME, StateFolder
from tests.browser.pages import CHROMIUM, MISSING, chromium, logged_in
from tests.examples.conftest import IN_ORDER, PACKAGES, run_in
from tests.ports import free_port

REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 900
RUN_SECONDS = 300


@dataclass(frozen=True)
class Site:
    """A running Airflow."""

    url: str
    password: str
    data: Path
    """What the jobs read and write; every job has run here once."""

    client: httpx.Client
    """Of the REST API, with the admin's token."""

    def get(self, path: str, **parameters: str) -> Any:
        return self.client.get(f"/api/v2/{path}", params=parameters).raise_for_status().json()

    def run_ids(self, dag_id: str) -> set[str]:
        """Return the ids of the runs that were started by hand."""
        return {run["dag_run_id"] for run in self.get(f"dags/{dag_id}/dagRuns", run_type="manual")["dag_runs"]}

    def ended(self, dag_id: str, run_id: str) -> str:
        """Wait for the end of a run and return its state."""
        deadline = time.monotonic() + RUN_SECONDS
        while (state := self.get(f"dags/{dag_id}/dagRuns/{run_id}")["state"]) not in {"success", "failed"}:
            assert time.monotonic() < deadline, f"{run_id} of {dag_id} is {state} after {RUN_SECONDS} s"
            time.sleep(1)
        return state

    def said(self, dag_id: str, run_id: str, task_id: str) -> list[str]:
        """Return what a job and what failed wrote to the task's log, line by line."""
        log = self.get(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/1")
        return "\n".join(own_lines(log["content"])).splitlines()


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    if CHROMIUM is None and os.environ.get("REQUIRE_TOOLS") != "1":
        for item in items:
            if "tests/browser" in item.path.as_posix():
                item.add_marker(pytest.mark.skip(reason=MISSING))


def standalone(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "standalone", *map(str, arguments)],
        cwd=REPOSITORY,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    """Airflow with the example jobs, stopped afterwards."""
    state = tmp_path_factory.mktemp("state") / "airflow"
    # Short, as it is in the pictures.
    data = Path(tempfile.mkdtemp(prefix="shop-"))
    for command in IN_ORDER:
        run_in(data, command).check_returncode()
    port = free_port()
    try:
        started = standalone("start", "--state", state, "--port", port, "--no-first-run", ETL_DATA_DIR=str(data))
        assert started.returncode == 0, started.stdout + started.stderr
        password = StateFolder(state).read_secrets().admin_password
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
            token = client.post("/auth/token", json={"username": ADMIN_USERNAME, "password": password}).json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            yield Site(url, password, data, client)
    finally:
        standalone("stop", "--state", state)
        shutil.rmtree(data)


# Ended with its module: Playwright keeps an event loop running in the main thread, where other tests have theirs.
@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def page(browser: Browser, site: Site) -> Page:
    """A page on which somebody has logged in."""
    return logged_in(browser, site.url, ADMIN_USERNAME, site.password)


@pytest.fixture(scope="session")
def supplier() -> Generator[str]:
    """Address of the supplier's API, as the examples play it."""
    sys.path.insert(0, str(PACKAGES))
    try:
        with importlib.import_module("etl_core.partner_api").partner_api() as address:
            yield address
    finally:
        sys.path.remove(str(PACKAGES))
