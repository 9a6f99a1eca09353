"""A small tree of jobs, what a command did, and what runs, for the tests of this folder."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Outcome:
    """What a command line did."""

    code: int
    out: str
    err: str


def write_job(root: Path, package: str, job: str, *, imports: str = "sys") -> Path:
    """Add a job that prints its arguments, and return the packages folder."""
    jobs = root / package / "jobs"
    jobs.mkdir(parents=True, exist_ok=True)
    for init in (jobs.parent / "__init__.py", jobs / "__init__.py"):
        init.touch()
    (jobs / f"{job}.py").write_text(
        f'import {imports}\n\n\ndef main(argv: list[str]) -> int:\n    print("arguments", argv)\n    return 0\n\n\n'
        f'JOB = (main, "{job} of {package}")\n'
    )
    return root


def processes_of(root: Path) -> list[str]:
    """Return every process that has ``root`` in its environment or command line, found without the code under test."""
    found: list[str] = []
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if any(str(root) in text for text in (*process.environ().values(), *process.cmdline())):
                found.append(f"{process.pid} {' '.join(process.cmdline())}")
        except psutil.Error:
            continue
    return found


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)
