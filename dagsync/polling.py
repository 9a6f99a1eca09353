"""Repeats a fetch and sync at every interval, until told to stop."""

import random
import threading
import time
from collections.abc import Callable

from dagsync.errors import DagsyncError
from dagsync.health import Health
from dagsync.watching import JITTER

_BEAT_SECONDS = 1.0


def poll(
    run: Callable[[], None],
    failed: Callable[[DagsyncError], None],
    interval_seconds: float,
    stop: threading.Event,
    health: Health,
) -> None:
    """Call ``run`` now and about every ``interval_seconds`` until ``stop`` is set, and ``failed`` with its ``DagsyncError``."""
    while not stop.is_set():
        health.beat()
        try:
            run()
            health.set_ready()
        except DagsyncError as error:
            failed(error)
        due = time.monotonic() + interval_seconds * random.uniform(1 - JITTER, 1)  # noqa: S311 - no secret
        while (left := due - time.monotonic()) > 0 and not stop.wait(min(left, _BEAT_SECONDS)):
            health.beat()
