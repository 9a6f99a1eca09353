"""A real Airflow on SQLite, in process groups of its own, and a client of its REST API."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from components.airflow_environment import AirflowEnvironmentArgs, airflow_environment
from tests.ports import free_ports

BIN = Path(sys.executable).parent
PASSWORD = "for-this-test-only"
POLL_SECONDS = 0.3

T = TypeVar("T")


def environment(home: Path, packages: Path, dags: Path) -> dict[str, str]:
    """Return the environment of every Airflow process: what a pod gets, with SQLite and secrets of this session."""
    api, health, logs, triggers = free_ports(4)
    passwords = home / "passwords.json"
    passwords.write_text(json.dumps({"admin": PASSWORD}))
    (home / "airflow.cfg").touch()
    declared = airflow_environment(
        AirflowEnvironmentArgs(
            execution_api_server_url=f"http://127.0.0.1:{api}/execution/",
            parallelism=2,
            refresh_interval_seconds=5,
            packages_root=str(packages),
            dags_dir=str(dags),
            logs_dir=str(home / "logs"),
            api_server_port=api,
            scheduler_health_port=health,
            worker_log_port=logs,
            triggerer_log_port=triggers,
            simple_auth_passwords_file=str(passwords),
        )
    )
    inherited = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return (
        inherited
        | declared
        | {
            "HOME": str(home),
            "AIRFLOW_HOME": str(home),
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "AIRFLOW__API__SECRET_KEY": "s" * 40,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API_AUTH__JWT_SECRET": "j" * 64,
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__FERNET_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            "AIRFLOW__DAG_PROCESSOR__DAG_VERSION_INFLATION_CHECK_LEVEL": "error",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            "DAGSYNC_ENVIRONMENTS": str(home / "environments"),
        }
    )


@dataclass
class Airflow:
    """The api-server, scheduler and dag-processor of one session."""

    home: Path
    environment: Mapping[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict[str, subprocess.Popen[bytes]])
    client: httpx.Client = field(default_factory=httpx.Client)

    def run(self, *arguments: str, timeout_seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command to its end in Airflow's environment."""
        return subprocess.run(
            arguments, env=self.environment, cwd=self.home, capture_output=True, text=True, timeout=timeout_seconds
        )

    def start(self) -> None:
        """Start all components and wait until they are healthy."""
        for component in ("api-server", "scheduler", "dag-processor"):
            self.launch(component)
        base = f"http://127.0.0.1:{self.environment['AIRFLOW__API__PORT']}"
        self.client = httpx.Client(base_url=base, timeout=20)
        until(self._log_in, "the api-server answers", self, timeout_seconds=90)
        until(self._is_healthy, "all components are healthy", self, timeout_seconds=90)

    def launch(self, component: str, *options: str, by: Sequence[str] = ("airflow",), **environment: str) -> None:
        """Start one more component with options of its command, run ``by`` another one; ``end`` or ``stop`` ends it."""
        with (self.home / f"{component}.log").open("wb") as log:
            self.processes[component] = subprocess.Popen(
                [BIN / by[0], *by[1:], component, *options],
                env={**self.environment, **environment},
                cwd=self.home,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A group of its own, so that ending it ends the executor's and the parser's processes too.
                start_new_session=True,
            )

    def end(self, component: str) -> None:
        """End one component and let it say goodbye in the database, so that its job there is not running any more."""
        _end([self.processes.pop(component)], polite_seconds=60)

    def stop(self) -> None:
        """End every process, politely first."""
        self.client.close()
        _end(list(self.processes.values()), polite_seconds=5)

    def get(self, path: str) -> Any:
        response = self.client.get(f"/api/v2{path}")
        response.raise_for_status()
        return response.json()

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> str:
        """Start a run and return its id."""
        body = {"logical_date": None, "conf": dict(conf or {})}
        response = self.client.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body)
        assert response.status_code == 200, response.text
        return str(response.json()["dag_run_id"])

    def finished(self, dag_id: str, run_id: str, timeout_seconds: float = 120) -> str:
        """Wait until a run is over and return its state."""

        def state() -> str | None:
            found = self.get(f"/dags/{dag_id}/dagRuns/{run_id}")["state"]
            return found if found in {"success", "failed"} else None

        return until(state, f"run {run_id} of {dag_id} ends", self, timeout_seconds)

    def task_log(self, dag_id: str, run_id: str, task_id: str, attempt: int = 1) -> str:
        """Return the text of a task's log as the web page shows it."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}?full_content=true"
        return "\n".join(json.dumps(line, ensure_ascii=False) for line in self.get(path)["content"])

    def _log_in(self) -> bool:
        try:
            response = self.client.post("/auth/token", json={"username": "admin", "password": PASSWORD})
        except httpx.TransportError:
            return False
        if response.status_code != 201:
            return False
        self.client.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
        return True

    def _is_healthy(self) -> bool:
        health = self.get("/monitor/health")
        return all(health[name]["status"] == "healthy" for name in ("metadatabase", "scheduler", "dag_processor"))


def until(probe: Callable[[], T | None], what: str, airflow: Airflow, timeout_seconds: float) -> T:
    """Poll until ``probe`` returns something true, and return it. Fails if a component dies or time runs out."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        if result := probe():
            return result
        dead = [name for name, process in airflow.processes.items() if process.poll() is not None]
        assert not dead, f"{dead} ended:\n" + "\n".join((airflow.home / f"{name}.log").read_text()[-3000:] for name in dead)
        assert time.monotonic() < deadline, f"not within {timeout_seconds:.0f} s: {what}"
        time.sleep(POLL_SECONDS)


def _end(processes: list[subprocess.Popen[bytes]], polite_seconds: float) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
        deadline = time.monotonic() + polite_seconds
        while time.monotonic() < deadline and any(_group_lives(process) for process in processes):
            time.sleep(0.1)


def _group_lives(process: subprocess.Popen[bytes]) -> bool:
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True
