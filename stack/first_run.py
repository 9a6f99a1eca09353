"""The proof at the end of ``up``: a job runs to success, triggered through the REST API."""

from dataclasses import dataclass
from typing import Any

from stack.errors import FirstRunError
from standalone import health
from standalone.first_run import FAILED_STATES, LOG_LINES
from standalone.rest import AirflowApi

DAG_SECONDS = 180.0
RUN_SECONDS = 300.0
UNSCHEDULED = (None, "None")


@dataclass(frozen=True)
class _Seen:
    state: str
    failed: list[dict[str, Any]]


def pick(api: AirflowApi, wanted: str | None) -> str:
    """Return the DAG to run: ``wanted`` as DAG id or ``package.job``, else one without a schedule that dagsync made.

    Waits until there is one. Raises FirstRunError.
    """
    name = wanted.replace(".", "_") if wanted else None

    def look() -> str | None:
        dags = api.dags_with_schedule()
        if name:
            return name if name in dags else None
        return next((dag for dag in sorted(dags) if dags[dag] in UNSCHEDULED), None)

    found = health.poll(look, lambda dag: dag is not None, DAG_SECONDS)
    if found is None:
        what = f"no DAG {wanted}" if wanted else "no DAG without a schedule"
        raise FirstRunError(
            f"there is {what} after {DAG_SECONDS:.0f} s",
            "Airflow is up. Look: make logs STACK=... COMPONENT=dag-processor",
        )
    return found


def run(api: AirflowApi, dag: str, stack: str) -> None:
    """Trigger ``dag`` and wait for its success; one that was paused is paused again. Raises FirstRunError."""
    was_paused = api.is_paused(dag)
    api.set_paused(dag, False)
    run_id = api.trigger(dag)

    def look() -> _Seen:
        failed = [task for task in api.tasks(dag, run_id) if task["state"] in FAILED_STATES]
        return _Seen(api.run_state(dag, run_id), failed)

    try:
        seen = health.poll(look, lambda seen: bool(seen.failed) or seen.state in ("success", "failed"), RUN_SECONDS)
    finally:
        if was_paused:
            api.set_paused(dag, True)
    if seen.state == "success":
        return
    lines: list[str] = []
    if seen.failed:
        task = seen.failed[0]
        lines = api.task_log(dag, run_id, task["task_id"], max(1, task["try_number"]))
    log = "".join(f"\n    {line}" for line in lines[-LOG_LINES:])
    raise FirstRunError(
        f"{dag}: its first run is {seen.state}; the end of its log:{log}",
        f"Airflow is up. Run another first: make up STACK={stack} JOB=package.job",
    )
