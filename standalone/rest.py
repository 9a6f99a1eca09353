"""Airflow's REST API on this machine, as far as a start needs it."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx

TIMEOUT_SECONDS = 20.0
PAGE = 100
"""Airflow's ``[api] maximum_page_limit``."""


class AirflowApi:
    """A client with the admin's token. Raises httpx.HTTPError for what the server refuses or does not answer."""

    def __init__(self, url: str) -> None:
        # Not through HTTP_PROXY: the server is on this machine.
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def health(self) -> dict[str, Any]:
        """Return ``/api/v2/monitor/health``, which needs no token."""
        return self._get("/api/v2/monitor/health")

    def log_in(self, username: str, password: str) -> None:
        """Fetch a token for the calls below."""
        answer = self._client.post("/auth/token", json={"username": username, "password": password}).raise_for_status()
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def dags(self) -> dict[str, datetime]:
        """Return every DAG that is not stale, and when it was last parsed."""
        return {
            dag["dag_id"]: datetime.fromisoformat(dag["last_parsed_time"])
            for dag in self._pages("/api/v2/dags", "dags")
            if dag["last_parsed_time"]
        }

    def dags_with_schedule(self) -> dict[str, str | None]:
        """Return every DAG that is not stale, and its schedule in words; ``None`` for those started by hand."""
        return {dag["dag_id"]: dag["timetable_summary"] for dag in self._pages("/api/v2/dags", "dags")}

    def version(self) -> str:
        """Return Airflow's version; needs no token."""
        return self._get("/api/v2/version")["version"]

    def import_errors(self) -> list[dict[str, Any]]:
        """Return each broken DAG file: ``filename``, ``timestamp``, ``stack_trace``."""
        return list(self._pages("/api/v2/importErrors", "import_errors"))

    def is_paused(self, dag_id: str) -> bool:
        return self._get(f"/api/v2/dags/{dag_id}")["is_paused"]

    def set_paused(self, dag_id: str, paused: bool) -> None:
        self._client.patch(f"/api/v2/dags/{dag_id}", json={"is_paused": paused}).raise_for_status()

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None, run_id: str | None = None) -> str:
        """Start a run now, with ``conf`` as its parameters, and return its id. Airflow refuses a second ``run_id``."""
        asked = {"logical_date": None, "conf": dict(conf or {}), **({"dag_run_id": run_id} if run_id else {})}
        answer = self._client.post(f"/api/v2/dags/{dag_id}/dagRuns", json=asked)
        return answer.raise_for_status().json()["dag_run_id"]

    def run_state(self, dag_id: str, run_id: str) -> str:
        return self._get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"]

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return the run's task instances: ``task_id``, ``state``, ``try_number``."""
        return self._get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]

    def task_log(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> list[str]:
        """Return what the job itself wrote in one try, then the exceptions that ended it."""
        return own_lines(self._task_log(dag_id, run_id, task_id, try_number))

    def whole_task_log(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> str:
        """Return all of one try's log, Airflow's own lines included, each with its details as JSON."""
        return "\n".join(map(json.dumps, self._task_log(dag_id, run_id, task_id, try_number)))

    def _task_log(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> list[dict[str, Any]]:
        return self._get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}")["content"]

    def _get(self, path: str, **parameters: int) -> dict[str, Any]:
        return self._client.get(path, params=parameters).raise_for_status().json()

    def _pages(self, path: str, key: str) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            page = self._get(path, limit=PAGE, offset=offset)
            yield from page[key]
            offset += PAGE
            if offset >= page["total_entries"]:
                return


def own_lines(content: list[dict[str, Any]]) -> list[str]:
    """Return a job's own lines of a task's structured log, without Airflow's, then ``Type: message`` of each exception."""
    said: list[str] = []
    raised: list[str] = []
    # Standard output comes through a pipe of its own and may arrive after what was logged later.
    for line in sorted(content, key=lambda line: line.get("timestamp") or ""):
        logger = line.get("logger", "task")
        raised += [f"{each['exc_type']}: {each['exc_value']}" for each in line.get("error_detail", [])]
        if logger != "task" and not logger.startswith("airflow."):
            said.append(line["event"])
    return said + raised
