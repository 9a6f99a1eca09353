"""What ``status`` tells of a node of our own."""

import time
from dataclasses import dataclass

import psutil
from rich.console import Console
from rich.table import Table

from cluster import cgroups
from cluster.components import components
from cluster.paths import StateFolder


@dataclass(frozen=True)
class Program:
    """One program of the node now."""

    name: str
    pid: int
    memory_mb: int
    """Its part of resident memory, shared pages divided by their users (PSS)."""

    up_seconds: int


def look(folder: StateFolder) -> list[Program]:
    """Return the node's programs, its pods' processes left out."""
    found: list[Program] = []
    names = components("", "")
    for pid in sorted(cgroups.pids(folder.identity)):
        try:
            process = psutil.Process(pid)
            if process.name()[:15] not in {name[:15] for name in names}:
                continue
            memory = process.memory_full_info().pss >> 20
            found.append(Program(process.name(), pid, memory, int(time.time() - process.create_time())))
        except psutil.Error:
            continue
    return found


def show(found: list[Program], console: Console) -> None:
    """Print a table for a person."""
    table = Table(box=None, pad_edge=False)
    for title in ("program", "pid", "memory", "up"):
        table.add_column(title, justify="left" if title == "program" else "right")
    for one in found:
        table.add_row(one.name, str(one.pid), f"{one.memory_mb} MB", f"{one.up_seconds // 60}:{one.up_seconds % 60:02d}")
    console.print(table)
