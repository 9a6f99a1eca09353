"""Answers the probes of a watching sync: ``/healthz`` while it works, ``/readyz`` once the DAG folder is complete."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from dagsync.errors import HealthPortError


class Health:
    """The state the probes are answered from. Written by the watching thread, read by the server's."""

    def __init__(self, stale_after_seconds: float) -> None:
        """``stale_after_seconds`` without ``beat`` mean that the watching thread hangs."""
        self._stale_after_seconds = stale_after_seconds
        self._last_beat = time.monotonic()
        self._ready = False

    def beat(self) -> None:
        self._last_beat = time.monotonic()

    def set_ready(self) -> None:
        self._ready = True

    @property
    def is_alive(self) -> bool:
        return time.monotonic() - self._last_beat < self._stale_after_seconds

    @property
    def is_ready(self) -> bool:
        return self._ready


@contextmanager
def serving(health: Health, port: int) -> Generator[int]:
    """Serve the probes on all addresses and yield the port, chosen by the system if 0 is asked for.

    Raises ``HealthPortError``.
    """

    class Probes(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            match self.path:
                case "/healthz":
                    self._answer(health.is_alive, "ok", "the last sync did not end")
                case "/readyz":
                    self._answer(health.is_ready, "ready", "the first sync is not complete")
                case _:
                    self.send_error(404)

        def _answer(self, good: bool, text: str, otherwise: str) -> None:
            body = f"{text if good else otherwise}\n".encode()
            self.send_response(200 if good else 503)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
            """Probes come every few seconds and are not worth a line each."""

    try:
        server = ThreadingHTTPServer(("", port), Probes)
    except OSError as error:
        raise HealthPortError(f"--health-port {port}: {error.strerror}", "give a free port") from error
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
