"""Repeats a sync whenever the packages change, and every interval anyway, until told to stop."""

import random
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import watchfiles

from dagsync.errors import DagsyncError
from dagsync.health import Health
from dagsync.mounts import announces_changes

RETRY_SECONDS = 5.0
"""How soon a sync that failed as a whole is tried again, if the interval is longer."""

POLL_SECONDS = 5.0
"""How often the tree is looked at where changes are not announced; it costs one ``stat`` per file."""

JITTER = 0.1
"""Of the interval: it ends up to so much sooner, so that pods that started together do not sync in step for ever."""

_QUIET_MS = 50
_BURST_MS = 400
_TICK_MS = 1000


@contextmanager
def stopping_on_signals() -> Generator[threading.Event]:
    """Yield an event that SIGTERM and SIGINT set, so that the sync under way ends first."""
    stop = threading.Event()
    signals = (signal.SIGTERM, signal.SIGINT)

    def set_stop(_: int, __: object) -> None:
        stop.set()

    previous = [signal.signal(each, set_stop) for each in signals]
    try:
        yield stop
    finally:
        for each, handler in zip(signals, previous, strict=True):
            signal.signal(each, handler)


def watch(
    root: Path,
    run: Callable[[], None],
    failed: Callable[[DagsyncError], None],
    interval_seconds: float,
    stop: threading.Event,
    health: Health,
    *,
    poll: bool = False,
) -> None:
    """Call ``run`` now, when a Python file below ``root`` changes, and every ``interval_seconds``, until ``stop`` is set.

    A ``DagsyncError`` is given to ``failed`` and the next round comes sooner. ``poll`` looks at the tree every few seconds
    instead of waiting for the kernel to announce changes, as is done anyway on network file systems.
    """
    due = 0.0
    for changed in _ticks(root, stop, min(POLL_SECONDS, interval_seconds), always_poll=poll):
        health.beat()
        if not changed and time.monotonic() < due:
            continue
        pause = interval_seconds
        try:
            run()
            health.set_ready()
        except DagsyncError as error:
            failed(error)
            pause = min(interval_seconds, RETRY_SECONDS)
        due = time.monotonic() + pause * random.uniform(1 - JITTER, 1)  # noqa: S311 - no secret


def _ticks(root: Path, stop: threading.Event, poll_seconds: float, *, always_poll: bool) -> Iterator[bool]:
    """Yield ``True`` when something may have changed and ``False`` about once a second otherwise, until ``stop`` is set."""
    yield True
    while not stop.is_set():
        if always_poll or not announces_changes(root):
            if not stop.wait(poll_seconds):
                yield True
            continue
        identity = _identity(root)
        # The watch begins a moment after the last look at the tree; what changed in between is looked for once.
        unseen = True
        try:
            for changes in watchfiles.watch(
                root,
                watch_filter=_is_source,
                debounce=_BURST_MS,
                step=_QUIET_MS,
                stop_event=stop,
                rust_timeout=_TICK_MS,
                yield_on_timeout=True,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                yield bool(changes) or unseen
                unseen = False
                if _identity(root) != identity:
                    break
        except (OSError, RuntimeError):
            # No root yet, or the kernel has no watches left: looking every few seconds is cheap enough.
            if not stop.wait(RETRY_SECONDS):
                yield True


def _identity(root: Path) -> tuple[int, int] | None:
    """Return what changes when a folder is replaced by another of the same name, which ends its watch silently."""
    try:
        status = root.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_source(_: watchfiles.Change, path: str) -> bool:
    # A name without a suffix may be a folder, and with it come and go all files in it.
    name = path[path.rfind("/") + 1 :]
    return (
        (name.endswith(".py") or name == "pyproject.toml" or "." not in name)
        and "/__pycache__" not in path
        and "/.git/" not in path
    )
