"""Starting processes that outlive us, and finding and ending every one of them.

A component leads a session of its own, so neither Ctrl-C nor a closed terminal reaches it. Its children may leave its
group (Airflow gives each task its own): they are found by the marker in their environment and by parentage.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import psutil

from standalone.environment import MARKER
from standalone.errors import StopError
from standalone.state import Component

GRACE_SECONDS = 15.0
"""How long a component may take to end its work after SIGTERM."""

KILL_SECONDS = 5.0
"""How long the kernel may take to end a process after SIGKILL."""

CLOCK_TOLERANCE_SECONDS = 2.0
"""Creation times are boot time plus ticks, and boot time moves when the clock is set."""


def python(*arguments: str) -> list[str]:
    """Return the command line of a module in this interpreter; ``-P`` keeps the working directory off its path."""
    return [sys.executable, "-P", "-m", *arguments]


def launch(
    name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path
) -> tuple[Component, subprocess.Popen[bytes]]:
    """Start a component with its output in ``log``; the log before it is kept as ``….log.1``."""
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the command is ours
            command,
            env=dict(environment),
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Component(name=name, pid=process.pid, started=psutil.Process(process.pid).create_time()), process


def find(component: Component, root: Path) -> psutil.Process | None:
    """Return the live process of a component, or ``None`` if it ended, even if its pid is somebody else's now."""
    try:
        process = psutil.Process(component.pid)
        if not is_alive(process):
            return None
        same_start = abs(process.create_time() - component.started) < CLOCK_TOLERANCE_SECONDS
        return process if same_start or _is_marked(process, root) else None
    except psutil.Error:
        return None


def ours(root: Path, components: Iterable[Component]) -> set[psutil.Process]:
    """Return every live process of the state folder ``root``, this one excepted."""
    found = {process for process in psutil.process_iter() if _is_marked(process, root)}
    for component in components:
        if process := find(component, root):
            found.add(process)
            try:
                found.update(process.children(recursive=True))
            except psutil.Error:
                continue
    return {process for process in found if process.pid != os.getpid() and is_alive(process)}


def stop(root: Path, components: Sequence[Component], *, grace_seconds: float = GRACE_SECONDS) -> int:
    """End every process of ``root`` and return how many there were.

    SIGTERM to whole groups first, then SIGKILL after the grace period, again for what was forked meanwhile.
    Raises StopError if one survives that.
    """
    count = len(ours(root, components))
    for signal_number, patience in (
        (signal.SIGTERM, grace_seconds),
        (signal.SIGKILL, KILL_SECONDS),
        (signal.SIGKILL, KILL_SECONDS),
    ):
        targets = ours(root, components)
        for group in _groups(targets):
            try:
                os.killpg(group, signal_number)
            except (ProcessLookupError, PermissionError):
                continue
        psutil.wait_procs(targets, timeout=patience)
    if survivors := ours(root, components):
        listed = ", ".join(f"{process.pid}" for process in survivors)
        raise StopError(
            f"still alive after SIGKILL: pid {listed}", "Look at them with ps; a process in state D waits for a disk."
        )
    return count


def _groups(targets: Iterable[psutil.Process]) -> set[int]:
    """Return the process groups of ``targets``; never this process's own."""
    groups: set[int] = set()
    for process in targets:
        try:
            groups.add(os.getpgid(process.pid))
        except ProcessLookupError:
            continue
    return groups - {os.getpgrp()}


def _is_marked(process: psutil.Process, root: Path) -> bool:
    try:
        return process.environ().get(MARKER) == str(root)
    except (psutil.Error, OSError):
        return False


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process is there still; one that was killed and that nobody has asked for its end is not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
