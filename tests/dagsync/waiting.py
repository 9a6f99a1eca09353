"""Waits for what another process does, with a deadline."""

import time
from collections.abc import Callable
from pathlib import Path


def until(probe: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait until ``probe`` is true; fail after ``seconds``, saying ``what`` did not happen."""
    deadline = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Return whether a process has ended, even if nobody has asked how yet."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"
