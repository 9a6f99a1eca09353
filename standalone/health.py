"""Whether Airflow is healthy, and waiting until it is."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx

from standalone.rest import AirflowApi

T = TypeVar("T")

POLL_SECONDS = 0.25
HEARTBEATS = {
    "scheduler": "latest_scheduler_heartbeat",
    "dag_processor": "latest_dag_processor_heartbeat",
    "triggerer": "latest_triggerer_heartbeat",
}


def unhealthy(report: dict[str, Any], since: float) -> dict[str, str]:
    """Return what is not healthy in a ``/monitor/health`` answer, and what it says of it.

    A heartbeat older than ``since`` (seconds since the epoch) is that of a run before this one, which Airflow calls healthy
    for another 30 s.
    """
    found: dict[str, str] = {}
    if (state := report["metadatabase"]["status"]) != "healthy":
        found["database"] = str(state)
    for name, field in HEARTBEATS.items():
        beat = report[name][field]
        if beat is None or datetime.fromisoformat(beat) < datetime.fromtimestamp(since, UTC):
            found[name] = "no heartbeat yet"
        elif report[name]["status"] != "healthy":
            found[name] = f"last heartbeat {beat}"
    return found


def ask(api: AirflowApi, since: float) -> dict[str, str]:
    """Return what is not healthy now; the API server itself if it does not answer."""
    try:
        return unhealthy(api.health(), since)
    except httpx.HTTPError as error:
        return {"api-server": str(error) or type(error).__name__}


def poll(look: Callable[[], T], done: Callable[[T], bool], seconds: float) -> T:
    """Return the first look that is ``done``, or the last one before the deadline."""
    deadline = time.monotonic() + seconds
    while not done(seen := look()) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return seen
