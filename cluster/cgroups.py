"""The cgroups of one node: how all its processes are found, whatever became of their parents, and ended.

Both versions of cgroups are served. The daemons are in ``<identity>/node``, pods in ``<identity>/kubepods``.
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from cluster.errors import LeftoverError

KILL_SECONDS = 20.0
"""How long the kernel may take to end processes and to let go of their cgroups."""


def hierarchies() -> list[Path]:
    """Return where cgroups are mounted: once in version 2, once for each controller in version 1."""
    mounts = (line.split(" - ") for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines())
    return [Path(mount.split()[4]) for mount, filesystem in mounts if filesystem.split()[0] in ("cgroup", "cgroup2")]


def make(identity: str) -> list[Path]:
    """Make the node's cgroups and return the files that a process writes itself into to join them."""
    joined: list[Path] = []
    for hierarchy in hierarchies():
        for folder in (hierarchy / identity, hierarchy / identity / "node"):
            folder.mkdir(exist_ok=True)
            for name in ("cpuset.cpus", "cpuset.mems"):
                # A new cpuset of version 1 is empty, and nothing may join it.
                value = folder.parent / name
                if (hierarchy / "cpuset.sched_load_balance").exists() and value.exists():
                    (folder / name).write_text(value.read_text())
        joined.append(hierarchy / identity / "node" / "cgroup.procs")
    return joined


def pids(identity: str) -> set[int]:
    """Return every process of the node and its pods."""
    found: set[int] = set()
    for folder in _folders(identity):
        try:
            found.update(int(line) for line in (folder / "cgroup.procs").read_text().split())
        except OSError:
            # Gone meanwhile, or a threaded cgroup, whose processes its parent lists.
            continue
    return found - {os.getpid()}


def end(identity: str) -> int:
    """Kill every process of the node, remove its cgroups, and return how many processes there were.

    Raises LeftoverError if the kernel does not let go of one.
    """
    deadline = time.monotonic() + KILL_SECONDS
    count = len(pids(identity))
    while left := list(_folders(identity)):
        # Again for what was forked meanwhile.
        for pid in pids(identity):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for folder in left:
            try:
                folder.rmdir()
            except OSError:
                continue
        if time.monotonic() > deadline:
            alive = ", ".join(map(str, sorted(pids(identity)))) or "none"
            raise LeftoverError(
                f"cgroup {left[0]} could not be removed, processes in it: {alive}",
                "Look at them with ps; a process in state D waits for a disk. Then try again: make cluster-down",
            )
        time.sleep(0.05)
    return count


def _folders(identity: str) -> Iterator[Path]:
    """Yield the node's cgroups in every hierarchy, each after those inside it."""
    for hierarchy in hierarchies():
        for folder, _, _ in os.walk(hierarchy / identity, topdown=False):
            yield Path(folder)
