"""Ctrl-C, and what means the same."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


@contextmanager
def interruptible() -> Generator[None]:
    """Treat a closed terminal and SIGTERM like Ctrl-C, and a second one while cleaning up not at all."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        for name in handled:
            signal.signal(name, signal.SIG_IGN)
        raise KeyboardInterrupt

    handled = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(name, interrupt) for name in handled]
    try:
        yield
    finally:
        for name, handler in zip(handled, before, strict=True):
            signal.signal(name, handler)
