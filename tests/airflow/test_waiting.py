"""Components that are started together with their database wait for its schema, in real Airflow."""

from collections.abc import Generator
from functools import partial
from pathlib import Path

import httpx
import pytest

from components.airflow_environment import AUTH_MANAGERS
from components.airflow_migrations import MIGRATE
from components.airflow_pods import components
from tests.airflow.server import PASSWORD, Airflow, environment, until

WAITING = ("python", "-m", "dagsync.waiting")


@pytest.fixture
def unmigrated(tmp_path: Path) -> Generator[Airflow]:
    """Return an Airflow whose database is empty."""
    for folder in ("home", "packages", "dags"):
        (tmp_path / folder).mkdir()
    variables = environment(tmp_path / "home", tmp_path / "packages", tmp_path / "dags") | {
        "AIRFLOW__CORE__AUTH_MANAGER": AUTH_MANAGERS["fab"],
        "ADMIN_USERNAME": "admin",
        "ADMIN_PASSWORD": PASSWORD,
    }
    airflow = Airflow(tmp_path / "home", variables)
    airflow.client = httpx.Client(base_url=f"http://127.0.0.1:{variables['AIRFLOW__API__PORT']}", timeout=20)
    try:
        yield airflow
    finally:
        airflow.stop()


def is_waiting(airflow: Airflow, component: str) -> bool:
    return "Waiting for migrations" in (airflow.home / f"{component}.log").read_text()


def triggerer_status(airflow: Airflow) -> str | None:
    return airflow.client.get("/api/v2/monitor/health").raise_for_status().json()["triggerer"]["status"]


def execution_api_answers(airflow: Airflow) -> bool:
    try:
        return airflow.client.get("/execution/health").is_success
    except httpx.TransportError:
        return False


def test_they_start_before_the_schema_is_there_and_serve_after(unmigrated: Airflow):
    waiting = [
        one.name for one in components(executor="LocalExecutor", grace_seconds=60, behind_proxy=False).values() if one.waits
    ]
    assert waiting == ["api-server", "triggerer"]
    for component in waiting:
        unmigrated.launch(component, by=WAITING)
    for component in waiting:
        until(partial(is_waiting, unmigrated, component), f"{component} waits", unmigrated, timeout_seconds=120)
    done = unmigrated.run(*MIGRATE)
    assert done.returncode == 0, done.stderr
    until(lambda: execution_api_answers(unmigrated), "the execution API answers", unmigrated, timeout_seconds=120)
    until(lambda: triggerer_status(unmigrated) == "healthy", "the triggerer is healthy", unmigrated, timeout_seconds=60)
    assert all(process.poll() is None for process in unmigrated.processes.values())
