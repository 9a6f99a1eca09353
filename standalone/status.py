"""What ``status`` tells."""

import json
import time
from dataclasses import asdict, dataclass

import psutil
from rich.console import Console
from rich.table import Table

from standalone import health, processes
from standalone.rest import AirflowApi
from standalone.roster import COMPONENTS
from standalone.state import StateFolder


@dataclass(frozen=True, kw_only=True)
class ComponentReport:
    """One component now."""

    name: str
    pid: int | None
    """``None`` if it is not running."""

    processes: int = 0
    """It and its children."""

    memory_mb: int = 0
    """Memory of all of them together."""

    up_seconds: int = 0


@dataclass(frozen=True, kw_only=True)
class Report:
    """Airflow of one state folder now."""

    running: bool
    """Whether any process of it lives."""

    url: str | None
    packages: str | None
    problems: dict[str, str]
    """What is not healthy, and what is known of it."""

    components: tuple[ComponentReport, ...]

    @property
    def healthy(self) -> bool:
        return self.running and not self.problems

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"healthy": self.healthy}, indent=2)


def look(folder: StateFolder) -> Report:
    """Return what runs, without changing anything."""
    run = folder.read_run()
    components = run.components if run else ()
    if run is None or not processes.ours(folder.root, components):
        return Report(running=False, url=None, packages=None, problems={}, components=())
    by_name = {component.name: component for component in components}
    found: list[ComponentReport] = []
    for name in COMPONENTS:
        process = processes.find(by_name[name], folder.root) if name in by_name else None
        found.append(_report(name, process) if process else ComponentReport(name=name, pid=None))
    problems = {report.name: "not running" for report in found if report.pid is None}
    with AirflowApi(run.url) as api:
        # A component that just died still has a young heartbeat, so the processes come first.
        problems = health.ask(api, run.began) | problems
    return Report(running=True, url=run.url, packages=run.packages, problems=problems, components=tuple(found))


def show(report: Report, console: Console) -> None:
    """Print the report for a person."""
    if not report.running:
        return
    table = Table(box=None, pad_edge=False)
    for title in ("component", "pid", "processes", "memory", "up"):
        table.add_column(title, justify="left" if title == "component" else "right")
    for component in report.components:
        if component.pid is None:
            table.add_row(component.name, "[red]not running[/]")
            continue
        up = f"{component.up_seconds // 60}:{component.up_seconds % 60:02d}"
        table.add_row(component.name, str(component.pid), str(component.processes), f"{component.memory_mb} MB", up)
    console.print(table)
    for name, problem in report.problems.items():
        console.print(f"[red]✗[/] {name}: {problem}", highlight=False)
    if report.healthy:
        console.print(f"[green]✓[/] healthy: {report.url}", highlight=False)


def _report(name: str, process: psutil.Process) -> ComponentReport:
    try:
        family = [process, *process.children(recursive=True)]
        memory = sum(_memory(member) for member in family)
        up = time.time() - process.create_time()
    except psutil.Error:
        return ComponentReport(name=name, pid=None)
    return ComponentReport(name=name, pid=process.pid, processes=len(family), memory_mb=memory >> 20, up_seconds=int(up))


def _memory(process: psutil.Process) -> int:
    try:
        memory = process.memory_full_info()
    except psutil.Error:
        return 0
    # Forked processes share most of theirs: Linux can tell each one's part, other systems only what is theirs alone.
    return getattr(memory, "pss", memory.uss)
