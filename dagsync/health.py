"""Answers the probes of a watching sync, and Prometheus.

``/healthz``: it works. ``/readyz``: the DAG folder is complete, and not older than a few intervals. ``/metrics``.
"""

import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from dagsync.errors import HealthPortError
from dagsync.metrics import CONTENT_TYPE, Metrics

MISSED_INTERVALS = 3
"""So many intervals without a sync that succeeds end readiness: one may fail, and one may be slow."""


class Health:
    """The state the probes are answered from. Written by the watching thread, read by the server's."""

    def __init__(self, stale_after_seconds: float, outdated_after_seconds: float = float("inf")) -> None:
        """``stale_after_seconds`` without ``beat`` mean that the watching thread hangs, ``outdated_after_seconds`` without
        ``set_ready`` that the DAGs may not be what the packages declare."""
        self._stale_after_seconds = stale_after_seconds
        self._outdated_after_seconds = outdated_after_seconds
        self._last_beat = time.monotonic()
        self._last_success: float | None = None

    def beat(self) -> None:
        self._last_beat = time.monotonic()

    def set_ready(self) -> None:
        """Note that a sync has just succeeded."""
        self._last_success = time.monotonic()

    @property
    def is_alive(self) -> bool:
        return time.monotonic() - self._last_beat < self._stale_after_seconds

    @property
    def unready(self) -> str | None:
        """Return why the DAG folder is not to be relied on, or ``None``."""
        if self._last_success is None:
            return "the first sync is not complete"
        age = time.monotonic() - self._last_success
        return f"no sync has succeeded for {age:.0f} s" if age > self._outdated_after_seconds else None


@contextmanager
def serving(health: Health, metrics: Metrics, host: str, port: int) -> Generator[int]:
    """Serve the probes on one address of this machine and yield the port, chosen by the system if 0 is asked for.

    Raises ``HealthPortError``.
    """

    class Probes(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/healthz":
                    self._answer(None if health.is_alive else "the last sync did not end", "ok")
                case "/readyz":
                    self._answer(health.unready, "ready")
                case "/metrics":
                    self._send(200, CONTENT_TYPE, metrics.text())
                case _:
                    self.send_error(404)

        def _answer(self, trouble: str | None, text: str) -> None:
            self._send(503 if trouble else 200, "text/plain; charset=utf-8", f"{trouble or text}\n")

        def _send(self, code: int, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
            """Probes come every few seconds and are not worth a line each."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True

    try:
        server = Server((host, port), Probes)
    except OSError as error:
        fix = "give a free port, and an address of this machine by --health-host"
        raise HealthPortError(f"--health-port {port} on {host}: {error.strerror}", fix) from error
    thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
