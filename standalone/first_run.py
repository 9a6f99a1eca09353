"""The proof at the end of a start: every job is a DAG, and one of them runs to success."""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from standalone import health
from standalone.errors import FirstRunError, JobsNotLoadedError, PackagesError
from standalone.packages import Discovery, Job, missing_modules
from standalone.rest import AirflowApi

FAILED_STATES = frozenset({"failed", "upstream_failed", "up_for_retry"})
"""A task that waits for its retry has failed once: nobody wants to wait minutes for the second time."""

SHOWN = 5
LOG_LINES = 8


def pick(discovery: Discovery, packages: Path, wanted: str | None = None) -> Job | None:
    """Return the job to run first: ``wanted`` (``package.job``), or one that waits for no other
    and whose imports are installed.

    ``None`` if there is none. Raises PackagesError if ``wanted`` is not a job.
    """
    if wanted is not None:
        for job in discovery.jobs:
            if wanted in (job.full_name, job.dag_id):
                return job
        known = ", ".join(job.full_name for job in discovery.jobs)
        raise PackagesError(f"{wanted}: not a job in {packages}", f"Choose one of {known}")
    alone = [job for job in discovery.jobs if not job.after]
    # One without a schedule is meant to be started by hand.
    alone.sort(key=lambda job: (job.schedule is not None, job.full_name))
    return next((job for job in alone if not missing_modules(job, packages)), None)


@dataclass(frozen=True, kw_only=True)
class _Loaded:
    missing: set[str]
    broken: list[dict[str, Any]]


def wait_for_dags(
    api: AirflowApi, expected: Collection[str], *, since: float, seconds: float, check: Callable[[], None]
) -> None:
    """Wait until each expected DAG was parsed after ``since`` (seconds since the epoch) and no DAG file is broken.

    ``check`` is called at each look and raises when waiting is pointless.
    Raises JobsNotLoadedError with the broken files, or with the jobs that are no DAG at the deadline.
    """
    start = datetime.fromtimestamp(since, UTC)

    def look() -> _Loaded:
        check()
        parsed = {dag for dag, at in api.dags().items() if at >= start}
        return _Loaded(missing=set(expected) - parsed, broken=api.import_errors())

    def done(seen: _Loaded) -> bool:
        # An error left from the last run goes away once its file is parsed again; a new one will not.
        hopeless = any(datetime.fromisoformat(error["timestamp"]) >= start for error in seen.broken)
        return hopeless or not (seen.missing or seen.broken)

    seen = health.poll(look, done, seconds)
    if seen.broken:
        lasts = (f"{error['filename']}: {error['stack_trace'].strip().splitlines()[-1]}" for error in seen.broken[:SHOWN])
        listed = "".join(f"\n    {last}" for last in lasts)
        raise JobsNotLoadedError(
            f"{len(seen.broken)} DAG file(s) do not import:{listed}", "Airflow is up. Look closer: make logs"
        )
    if seen.missing:
        listed = ", ".join(sorted(seen.missing)[:SHOWN])
        raise JobsNotLoadedError(
            f"{len(seen.missing)} of {len(expected)} jobs did not become DAGs in {seconds:.0f} s: {listed}",
            "Airflow is up. Look at: python -m standalone logs dag-processor",
        )


@dataclass(frozen=True, kw_only=True)
class _Running:
    state: str
    failed: list[dict[str, Any]]


def run(api: AirflowApi, job: Job, *, seconds: float, check: Callable[[], None]) -> None:
    """Trigger ``job`` and wait for its success. A DAG that was paused is paused again: its schedule is not what was asked for.

    ``check`` is called at each look and raises when waiting is pointless.
    Raises FirstRunError with the end of the task's log, or at the deadline.
    """
    was_paused = api.is_paused(job.dag_id)
    api.set_paused(job.dag_id, False)
    run_id = api.trigger(job.dag_id)

    def look() -> _Running:
        check()
        failed = [task for task in api.tasks(job.dag_id, run_id) if task["state"] in FAILED_STATES]
        return _Running(state=api.run_state(job.dag_id, run_id), failed=failed)

    try:
        seen = health.poll(look, lambda seen: bool(seen.failed) or seen.state in ("success", "failed"), seconds)
    finally:
        if was_paused:
            with suppress(httpx.HTTPError):
                api.set_paused(job.dag_id, True)
    if seen.state == "success":
        return
    if not seen.failed and seen.state != "failed":
        raise FirstRunError(
            f"{job.full_name}: still {seen.state} after {seconds:.0f} s",
            "Airflow is up and goes on with it. Start without it: --no-first-run",
        )
    lines: list[str] = []
    if seen.failed:
        task = seen.failed[0]
        lines = api.task_log(job.dag_id, run_id, task["task_id"], max(1, task["try_number"]))
    log = "".join(f"\n    {line}" for line in lines[-LOG_LINES:])
    raise FirstRunError(
        f"{job.full_name}: its first run failed; the end of its log:{log}",
        "Airflow is up. Run another job first with --job PACKAGE.JOB, or none with --no-first-run.",
    )
