"""What ``status`` tells of a stack: pods, versions, health, the last sync, broken DAG files."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from doubles.live.readiness import readiness
from doubles.live.reasons import reasons
from stack import address
from stack.bringing_up import admin
from stack.clusters import Target
from stack.state import Record
from standalone import health
from standalone.rest import AirflowApi

SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class PodReport:
    """One pod now."""

    name: str
    ready: str
    """Containers that are ready, of all: ``1/1``."""

    phase: str
    restarts: int
    age_seconds: int
    image: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """One stack now."""

    url: str | None
    kubernetes: str
    airflow: str | None
    pods: tuple[PodReport, ...]
    problems: Mapping[str, str]
    """What is not healthy, and what is known of it."""

    last_parse: str | None
    """When the dag-processor last read a DAG file, as the API says it."""

    dags: int
    import_errors: Mapping[str, str]
    """Broken DAG file to the last line of its error."""

    @property
    def healthy(self) -> bool:
        return bool(self.pods) and not self.problems

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"healthy": self.healthy}, indent=2)


def look(record: Record, target: Target) -> Report:
    """Return what runs, without changing anything."""
    pods = target.objects.all_of("v1", "Pod", record.namespace)
    problems = _workload_problems(target, record.namespace)
    forwarded = record.port is not None and address.forwarder(record) is not None
    seen = _ask(record, target) if forwarded else _Api(problems={"address": "no port is forwarded: make up"})
    return Report(
        url=record.url if forwarded else None,
        kubernetes=target.version,
        airflow=seen.version,
        pods=tuple(_pod(one) for one in pods),
        problems={**seen.problems, **problems},
        last_parse=seen.last_parse,
        dags=seen.dags,
        import_errors=seen.import_errors,
    )


@dataclass(frozen=True, kw_only=True)
class _Api:
    """What Airflow's API says."""

    problems: Mapping[str, str]
    version: str | None = None
    last_parse: str | None = None
    dags: int = 0
    import_errors: Mapping[str, str] = field(default_factory=dict[str, str])


def _ask(record: Record, target: Target) -> _Api:
    with AirflowApi(record.url) as api:
        problems = health.ask(api, 0)
        try:
            version = api.version()
            api.log_in(*admin(target, record.namespace))
            parsed = api.dags()
            broken = {one["filename"]: one["stack_trace"].strip().splitlines()[-1] for one in api.import_errors()}
        except httpx.HTTPError as error:
            return _Api(problems={**problems, "api": str(error) or type(error).__name__})
        last = max(parsed.values(), default=None)
        return _Api(
            problems=problems,
            version=version,
            last_parse=last.isoformat() if last else None,
            dags=len(parsed),
            import_errors=broken,
        )


def _workload_problems(target: Target, namespace: str) -> dict[str, str]:
    """Return every workload that is not ready, and why."""
    found: dict[str, str] = {}
    for api_version, kind in (("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("batch/v1", "Job")):
        for listed in target.objects.all_of(api_version, kind, namespace):
            one: dict[str, Any] = {"apiVersion": api_version, "kind": kind, **listed}
            verdict = readiness(one)
            if not verdict.ready:
                found[one["metadata"]["name"]] = "; ".join([verdict.message, *reasons(target.objects, one)])
    return found


def _pod(pod: Mapping[str, Any]) -> PodReport:
    status: dict[str, Any] = pod["status"]
    statuses: list[dict[str, Any]] = status.get("containerStatuses") or []
    created = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    containers: list[dict[str, Any]] = pod["spec"]["containers"]
    return PodReport(
        name=pod["metadata"]["name"],
        ready=f"{sum(bool(one['ready']) for one in statuses)}/{len(containers)}",
        phase="Terminating" if pod["metadata"].get("deletionTimestamp") else pod["status"].get("phase", "?"),
        restarts=sum(one["restartCount"] for one in statuses),
        age_seconds=int(time.time() - created.timestamp()),
        image=containers[0]["image"],
    )


def show(report: Report, console: Console) -> None:
    """Print the report for a person."""
    table = Table(box=None, pad_edge=False)
    for title in ("pod", "ready", "phase", "restarts", "age"):
        table.add_column(title, justify="right" if title in ("restarts", "age") else "left")
    for pod in report.pods:
        age = f"{pod.age_seconds // 3600}:{pod.age_seconds // 60 % 60:02d}:{pod.age_seconds % 60:02d}"
        table.add_row(pod.name, pod.ready, pod.phase, str(pod.restarts), age)
    console.print(table)
    images = ", ".join(sorted({pod.image for pod in report.pods}))
    console.print(f"images      {images}", highlight=False, soft_wrap=True)
    console.print(f"versions    Airflow {report.airflow or '?'}, Kubernetes {report.kubernetes}", highlight=False)
    if report.last_parse:
        seconds = int((datetime.now(UTC) - datetime.fromisoformat(report.last_parse)).total_seconds())
        console.print(f"DAGs        {report.dags}, last read {seconds} s ago", highlight=False)
    for file, error in list(report.import_errors.items())[:SHOWN]:
        console.print(f"[red]✗[/] {file} does not import: ", end="")
        console.print(error, markup=False, highlight=False, soft_wrap=True)
    for name, problem in report.problems.items():
        console.print("[red]✗[/] ", end="")
        console.print(f"{name}: {problem}", markup=False, highlight=False, soft_wrap=True)
    if report.healthy:
        console.print(f"[green]✓[/] healthy: {report.url}", highlight=False)
