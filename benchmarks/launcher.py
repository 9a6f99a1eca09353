"""Runs one command and prints what it cost, as JSON; started with ``python -I -S`` so that it is small itself.

Linux counts the memory of the process that forks towards the peak of its child, so a launcher of 60 MiB would hide
whatever needs less.
"""

import json
import os
import sys
import time


def main(descriptor: int, command: list[str]) -> None:
    """Run ``command``, whose output goes where the launcher's does, and write its cost to ``descriptor``."""
    began = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_CLOSE, descriptor)])
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    cost = {
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "wall_seconds": wall,
        "peak_bytes": usage.ru_maxrss * 1024,
        "exit_code": os.waitstatus_to_exitcode(status),
    }
    os.write(descriptor, json.dumps(cost).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
