"""etcd and kube-apiserver on this machine: free ports, certificates of their own, RBAC on, nothing left afterwards."""

import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from tests.apiserver.certificates import Authority, write_key

READY_SECONDS = 60
STOP_SECONDS = 10


class ControlPlaneError(RuntimeError):
    """A control plane that did not come up, with the end of its log."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def _running(program: Path, arguments: dict[str, object], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``program`` in a process group of its own, and end the group."""
    command = [str(program), *(f"--{name}={value}" for name, value in arguments.items())]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        yield process
    finally:
        # Nothing in it is worth a graceful end, and etcd alone would take seconds for one.
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)


def _wait_until_ready(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if client.get("/readyz").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise ControlPlaneError(
        f"kube-apiserver was not ready within {READY_SECONDS} s; the end of {log}:\n{log.read_text()[-3000:]}"
    )


@contextmanager
def control_plane(etcd: Path, kube_apiserver: Path, folder: Path) -> Iterator[httpx.Client]:
    """Start both and yield an administrator's client, which checks the server's certificate."""
    authority = Authority(folder)
    server, administrator = authority.server(), authority.administrator()
    write_key(folder / "service-accounts.key")
    etcd_url, peer_url, port = f"http://127.0.0.1:{_free_port()}", f"http://127.0.0.1:{_free_port()}", _free_port()
    trust = ssl.create_default_context(cafile=str(authority.certificate))
    trust.load_cert_chain(administrator.certificate, administrator.key)
    with ExitStack() as running:
        running.enter_context(
            _running(
                etcd,
                {
                    "data-dir": folder / "etcd",
                    "listen-client-urls": etcd_url,
                    "advertise-client-urls": etcd_url,
                    "listen-peer-urls": peer_url,
                    "initial-advertise-peer-urls": peer_url,
                    "initial-cluster": f"default={peer_url}",
                    "unsafe-no-fsync": "true",
                },
                folder / "etcd.log",
            )
        )
        process = running.enter_context(
            _running(
                kube_apiserver,
                {
                    "etcd-servers": etcd_url,
                    "bind-address": "127.0.0.1",
                    "secure-port": port,
                    "endpoint-reconciler-type": "none",
                    "tls-cert-file": server.certificate,
                    "tls-private-key-file": server.key,
                    "client-ca-file": authority.certificate,
                    "service-account-issuer": "https://kubernetes.default.svc",
                    "service-account-key-file": folder / "service-accounts.key",
                    "service-account-signing-key-file": folder / "service-accounts.key",
                    "service-cluster-ip-range": "10.96.0.0/16",
                    "authorization-mode": "RBAC",
                    "allow-privileged": "true",
                },
                folder / "kube-apiserver.log",
            )
        )
        client = running.enter_context(httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trust, timeout=30))
        _wait_until_ready(client, process, folder / "kube-apiserver.log")
        yield client
