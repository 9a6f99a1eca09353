"""Divides work on many files among the processors this process may use, by forks of it."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

LEAST = 1_000
"""Files to a process. Reading them takes a fifth of a second and more, a fork and handing over what it found a twentieth."""

Given = TypeVar("Given")
Found = TypeVar("Found")


def divided(work: Callable[[Sequence[Given]], Found], given: Sequence[Given]) -> list[Found]:
    """Return what ``work`` makes of the parts of ``given``, in their order.

    ``work`` must return what pickle takes, and change nothing. All of it is one part where there is little, where only one
    processor may be used, and in a process with threads, of which a fork would have but one. A fork that does not end well,
    as one that is killed for want of memory, leaves its part to this process.
    """
    number = min(len(given) // LEAST, processors()) if _is_alone() else 1
    if number < 2:
        return [work(given)]
    # Imported here, with pickle: most syncs read a module or two.
    from dagsync.forks import Fork

    size = -(-len(given) // number)
    first, *others = (given[start : start + size] for start in range(0, len(given), size))
    forks: list[Fork[Found]] = []
    try:
        forks.extend(Fork(work, part) for part in others)
        found = [work(first)]
        for fork, part in zip(forks, others, strict=True):
            result = fork.result()
            found.append(work(part) if result is None else result)
        return found
    finally:
        for fork in forks:
            fork.end()


def _is_alone() -> bool:
    """Return whether this is the only thread; ``False`` where that cannot be told."""
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir()) == 1
    except OSError:
        return False


def processors(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Return how many processors this process may keep busy: those it may run on, and no more than its container has.

    ``quota`` is ``cpu.max`` of the second version of cgroups: microseconds of all processors per period, or ``max``.
    """
    usable = len(os.sched_getaffinity(0))
    try:
        most, period = quota.read_text().split()
        return max(1, min(usable, int(most) // int(period)))
    except (OSError, ValueError):
        return usable
