"""What is looked at before anything starts: the machine, and a run that is up already."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from standalone import health, ports, processes, roster
from standalone.errors import AnotherRunError, DiskFullError, PortBusyError
from standalone.progress import Progress
from standalone.rest import AirflowApi
from standalone.state import Run, StateFolder

FREE_BYTES = 1 << 30
"""Airflow's database and logs grow by tens of MB a day; a full disk corrupts neither, but nothing works."""

DEFAULT_PORT = 8080
ALREADY_UP_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class StartOptions:
    """What ``start`` was asked for."""

    packages: Path
    port: int | None = None
    """``None``: 8080, or wherever a run that is up already listens."""

    first_run: bool = True
    job: str | None = None
    """``package.job`` to run first; ``None`` chooses."""


def already_up(folder: StateFolder, root: Path, options: StartOptions, progress: Progress) -> Run | None:
    """Return the run that is up with the same packages and healthy, or ``None`` after ending what is left of a broken one.

    Raises AnotherRunError for a whole one with other packages or on another port.
    """
    run = folder.read_run()
    components = run.components if run else ()
    if not processes.ours(folder.root, components):
        return None
    if run is not None and run.ready and not roster.dead(folder, run):
        if run.packages != str(root):
            raise AnotherRunError(f"Airflow is up at {run.url} with other packages: {run.packages}", "End it first: make stop")
        if options.port not in (None, run.port):
            raise AnotherRunError(
                f"Airflow is up on port {run.port}, not {options.port}", "Use that one, or end it first: make stop"
            )
        with AirflowApi(run.url) as api:
            if not health.poll(lambda: health.ask(api, run.began), lambda problems: not problems, ALREADY_UP_SECONDS):
                progress.say("Airflow is up already, and healthy.")
                return run
    with progress.step("ending what is left of the last run"):
        processes.stop(folder.root, components)
    return None


def check_machine(folder: StateFolder, port: int) -> None:
    """Raise DiskFullError or PortBusyError where Airflow could not live."""
    if (free := shutil.disk_usage(folder.root).free) < FREE_BYTES:
        raise DiskFullError(
            f"{folder.root}: expected 1 GB of free disk, found {free / FREE_BYTES:.1f} GB",
            "Free some, or use another disk: --state DIR",
        )
    if not ports.is_free(port):
        who = ports.listener(port) or "another program"
        raise PortBusyError(
            f"port {port} of {ports.LOOPBACK} is in use by {who}", f"End that, or take another port: make try PORT={port + 1}"
        )
