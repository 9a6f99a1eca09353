"""Components that are started together with their database wait for its schema, in real Airflow."""

from collections.abc import Generator
from functools import partial
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from components.airflow_environment import AUTH_MANAGERS
from components.airflow_migrations import MIGRATE
from components.airflow_pods import components
from dagsync import waiting
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


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    """Return a database that Airflow is told to use, with a schema that has just been made."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE ab_user (id INTEGER)"))
    monkeypatch.setattr("airflow.settings.get_engine", lambda: engine)
    return engine


@pytest.fixture
def slept(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return how often it was slept; the user is made meanwhile, the third time."""
    times: list[float] = []

    def sleep(seconds: float) -> None:
        times.append(seconds)
        if len(times) == 3:
            with engine.begin() as connection:
                connection.execute(sa.text("INSERT INTO ab_user VALUES (1)"))

    monkeypatch.setattr(waiting.time, "sleep", sleep)
    return times


def started(monkeypatch: pytest.MonkeyPatch, component: str) -> list[str]:
    """Start a component with commands that do nothing, and return those."""
    commands: list[str] = []

    class Commands:
        def run(self, *words: str) -> None:
            commands.append(" ".join(words[:2]))

        def wait_for_database(self) -> None:
            commands.append("wait for database")

    monkeypatch.setattr(waiting, "AirflowCommands", Commands)
    monkeypatch.setattr(waiting, "IMPORTED", {component: ()})
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "")
    waiting.main(component)
    return commands


def test_an_api_server_writes_roles_only_after_who_makes_the_first_user(slept: list[float], monkeypatch: pytest.MonkeyPatch):
    assert started(monkeypatch, "api-server") == ["wait for database", "db check-migrations", "api-server"]
    assert len(slept) == 3


def test_a_triggerer_waits_for_no_user(slept: list[float], monkeypatch: pytest.MonkeyPatch):
    assert started(monkeypatch, "triggerer")[-1] == "triggerer"
    assert slept == []


def test_who_has_no_users_is_served_in_the_end(slept: list[float], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(waiting, "USER_SECONDS", 0)
    assert started(monkeypatch, "api-server")[-1] == "api-server"
    assert slept == []


def test_a_schema_without_fab_has_no_user_to_wait_for(engine: sa.Engine, slept: list[float], monkeypatch: pytest.MonkeyPatch):
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE ab_user"))
    assert started(monkeypatch, "api-server")[-1] == "api-server"
    assert slept == []
