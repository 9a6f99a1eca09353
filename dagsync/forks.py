"""A fork of this process that does one thing and hands over what it found.

Not by ``multiprocessing``: its processes keep what is open here, so that one which outlives its parent would hold the lock of
the DAG folder, and its pools start threads.
"""

import os
import pickle
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Generic, NoReturn, TypeVar

Given = TypeVar("Given")
Found = TypeVar("Found")


class Fork(Generic[Found]):
    """A fork that works on one part; without it, where this host has no room for another process, the part is left."""

    def __init__(self, work: Callable[[Given], Found], part: Given) -> None:
        reading, writing = os.pipe()
        try:
            self._process = os.fork()
        except OSError:
            self._process = None
        if self._process == 0:
            _hand_over(work, part, writing)
        os.close(writing)
        self._stream = os.fdopen(reading, "rb")

    def result(self) -> Found | None:
        try:
            return pickle.load(self._stream)  # noqa: S301 - written by a fork of this process
        except (EOFError, pickle.UnpicklingError):
            return None

    def end(self) -> None:
        """Leave nothing of it, whether it is done or not."""
        self._stream.close()
        if self._process is not None:
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)


def _hand_over(work: Callable[[Given], Found], part: Given, writing: int) -> NoReturn:
    try:
        # What is open here would stay open if this outlived its parent: the lock of a folder, or the output somebody reads.
        # Those that are, and not all that could be: a container may allow a thousand million, each a call in some Pythons.
        for number in [int(each.name) for each in Path("/proc/self/fd").iterdir()]:
            if number != writing:
                with suppress(OSError):
                    os.close(number)
        with os.fdopen(writing, "wb") as stream:
            pickle.dump(work(part), stream, pickle.HIGHEST_PROTOCOL)
    finally:
        # Whatever happened: what a process does at its end, and what the callers do, is the parent's.
        os._exit(0)
