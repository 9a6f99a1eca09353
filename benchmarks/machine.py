"""What figures depend on besides the code: processor, load, versions."""

import os
import platform
import subprocess
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ("apache-airflow", "apache-airflow-task-sdk", "pulumi", "watchfiles")


def load() -> str:
    """Return the load averages of the last 1 and 5 minutes."""
    one, five, _ = os.getloadavg()
    return f"{one:.1f}, {five:.1f}"


def conditions(load_before: str) -> list[str]:
    """Return date, machine, load and versions, a line each."""
    return [
        f"{date.today().isoformat()}, commit {_commit()}, niceness {os.nice(0)}",
        f"{_processor()}, {os.cpu_count()} CPUs, {_memory()}, Linux {platform.release()}",
        f"load average (1 and 5 minutes) {load_before} before, {load()} after",
        f"Python {platform.python_version()}, " + ", ".join(f"{name} {_version(name)}" for name in LIBRARIES),
    ]


def _commit() -> str:
    def git(*words: str) -> str:
        folder = Path(__file__).parent.parent
        return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=False).stdout.strip()

    changed = " with changes to dagsync" if git("status", "--porcelain", "dagsync") else ""
    return f"{git('rev-parse', '--short', 'HEAD') or 'unknown'}{changed}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1024**3:.0f} GiB"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
