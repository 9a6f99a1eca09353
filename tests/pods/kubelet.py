"""A node without containers: it runs what the API server binds to it as processes of this machine, and serves their logs.

Everything an operator can see of a real kubelet is there: phases, exit codes, termination messages, followed logs, graceful
deletion and the deadline. What a container is to a process (user, image, file systems) is not; admission judges that.
"""

import contextlib
import os
import re
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

NODE = "double"
POLL_SECONDS = 0.1
MESSAGE_BYTES = 2048
"""Of a log that becomes the termination message of a container that fails."""


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """Return what Kubernetes makes of ``$(NAME)`` and ``$$`` (k8s.io/kubernetes/third_party/forked/golang/expansion)."""

    def value(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else variables.get(found[1], found[0])

    return re.sub(r"\$\$|\$\(([^)]*)\)", value, text)


class Kubelet:
    """Runs the pods of one namespace; a context, at whose end none of their processes is left."""

    def __init__(self, client: httpx.Client, namespace: str, environment: Mapping[str, str], folder: Path) -> None:
        """``environment`` is that of the image; ``folder`` holds the API server's certificate, and the logs."""
        self._client, self._namespace, self._environment, self._folder = client, namespace, environment, folder
        self._running: dict[str, tuple[subprocess.Popen[bytes], datetime]] = {}
        self._killing: dict[str, float] = {}
        self._stop = threading.Event()
        self.pods: dict[str, dict[str, Any]] = {}
        """Every pod there ever was, as it was last seen, by name."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "kube-apiserver.crt", folder / "kube-apiserver.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._threads = [threading.Thread(target=self._server.serve_forever), threading.Thread(target=self._work)]

    def __enter__(self) -> "Kubelet":
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}
        self._call("POST", "/api/v1/nodes", node)
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self._server.server_address[1]}},
        }
        self._call("PATCH", f"/api/v1/nodes/{NODE}/status", {"status": status})
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._server.shutdown()
        for thread in self._threads:
            thread.join(30)
        self._server.server_close()
        for process, _ in self._running.values():
            _signal(process, signal.SIGKILL)
            process.wait(30)

    def lives(self, name: str) -> bool:
        """Tell whether any process of a pod is left."""
        process, _ = self._running[name]
        process.poll()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 0)
            return True
        return False

    def log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _work(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            for pod in self._call("GET", f"/api/v1/namespaces/{self._namespace}/pods")["items"]:
                name = pod["metadata"]["name"]
                self.pods[name] = pod
                if not pod["spec"].get("nodeName"):
                    target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
                    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
                    self._call("POST", f"{self._path(name)}/binding", binding)
                elif name not in self._running:
                    self._start(name, pod["spec"]["containers"][0])
                else:
                    self._follow(name, pod)

    def _start(self, name: str, container: Mapping[str, Any]) -> None:
        given: dict[str, str] = {}
        for each in container.get("env", []):
            given[each["name"]] = expanded(each.get("value", ""), given)
        command = [expanded(word, given) for word in [*container["command"], *container.get("args", [])]]
        with self.log(name).open("wb") as log:
            process = subprocess.Popen(
                command, env={**self._environment, **given}, stdout=log, stderr=log, start_new_session=True
            )
        self._running[name] = process, datetime.now(UTC)
        self._tell(name, "Running", {"running": {"startedAt": _stamp(self._running[name][1])}})

    def _follow(self, name: str, pod: Mapping[str, Any]) -> None:
        process, started = self._running[name]
        over = process.poll() is not None
        if pod["metadata"].get("deletionTimestamp"):
            if over:
                self._call("DELETE", self._path(name), {"gracePeriodSeconds": 0})
            elif name not in self._killing:
                self._killing[name] = time.monotonic() + pod["metadata"]["deletionGracePeriodSeconds"]
                # To the first process alone, as containers are ended.
                process.terminate()
            elif time.monotonic() > self._killing[name]:
                _signal(process, signal.SIGKILL)
        elif over and pod["status"]["phase"] == "Running":
            code = process.returncode if process.returncode >= 0 else 128 - process.returncode
            message = self.log(name).read_bytes()[-MESSAGE_BYTES:].decode(errors="replace") if code else ""
            ended = {
                "exitCode": code,
                "message": message,
                "startedAt": _stamp(started),
                "finishedAt": _stamp(datetime.now(UTC)),
            }
            self._tell(name, "Failed" if code else "Succeeded", {"terminated": ended})

    def _tell(self, name: str, phase: str, state: Mapping[str, Any]) -> None:
        status = {"name": "base", "image": "x", "imageID": "x", "restartCount": 0, "ready": False, "state": state}
        self._call("PATCH", f"{self._path(name)}/status", {"status": {"phase": phase, "containerStatuses": [status]}})

    def _path(self, name: str) -> str:
        return f"/api/v1/namespaces/{self._namespace}/pods/{name}"

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        kind = "application/strategic-merge-patch+json" if method == "PATCH" else "application/json"
        response = self._client.request(method, path, json=body, headers={"Content-Type": kind})
        # Somebody else may delete a pod at any time.
        assert response.is_success or response.status_code in {404, 409}, response.text
        return response.json()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        kubelet = self

        class Logs(BaseHTTPRequestHandler):
            """``GET /containerLogs/NAMESPACE/POD/CONTAINER``: all lines, and those to come."""

            def do_GET(self) -> None:
                name = self.path.partition("?")[0].split("/")[3]
                self.send_response(200)
                self.end_headers()
                process, _ = kubelet._running[name]
                with kubelet.log(name).open("rb") as log:
                    while True:
                        over = process.poll() is not None
                        self._send(log.readline)
                        if over:
                            return
                        time.sleep(POLL_SECONDS)

            def _send(self, readline: Callable[[], bytes]) -> None:
                while line := readline():
                    stamp = f"{_stamp(datetime.now(UTC))} " if "timestamps=true" in self.path else ""
                    self.wfile.write(stamp.encode() + line)
                self.wfile.flush()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Logs


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _signal(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
