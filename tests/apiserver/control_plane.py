"""etcd and kube-apiserver on this machine: free ports, certificates of their own, RBAC on, nothing left afterwards."""

import json
import os
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from cluster.certificates import Authority, KeyPair, write_key
from cluster.components import Arguments, api_server_arguments, etcd_arguments, flags
from tests.ports import free_ports

READY_SECONDS = 60
STOP_SECONDS = 10


class ControlPlaneError(RuntimeError):
    """A control plane that did not come up, with the end of its log."""


@contextmanager
def _running(program: Path, arguments: Arguments, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``program`` in a process group of its own, and end the group."""
    command = [str(program), *flags(arguments)]
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
    authority.server("kube-apiserver")
    administrator = authority.administrator()
    write_key(folder / "service-accounts.key")
    client, peer, port = free_ports(3)
    etcd_url, peer_url = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    trust = ssl.create_default_context(cafile=str(authority.certificate))
    # As Python 3.13, which runs in the images, checks by itself.
    trust.verify_flags |= ssl.VERIFY_X509_STRICT
    trust.load_cert_chain(administrator.certificate, administrator.key)
    with ExitStack() as running:
        running.enter_context(_running(etcd, etcd_arguments(folder / "etcd", etcd_url, peer_url), folder / "etcd.log"))
        arguments = api_server_arguments(folder, etcd_url=etcd_url, address="127.0.0.1", port=port)
        # No controller keeps the endpoints of the API server's own Service.
        arguments |= {"endpoint-reconciler-type": "none"}
        log = folder / "kube-apiserver.log"
        process = running.enter_context(_running(kube_apiserver, arguments, log))
        client = running.enter_context(httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trust, timeout=30))
        _wait_until_ready(client, process, log)
        _write_kubeconfig(folder / "kubeconfig", f"https://127.0.0.1:{port}", authority.certificate, administrator)
        yield client


def _write_kubeconfig(path: Path, server: str, authority: Path, user: KeyPair) -> None:
    """Write the administrator's kubeconfig, its files by path."""
    names = {"cluster": "tests", "user": "admin"}
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": {"server": server, "certificate-authority": str(authority)}}],
        "users": [{"name": "admin", "user": {"client-certificate": str(user.certificate), "client-key": str(user.key)}}],
        "contexts": [{"name": "tests", "context": names}],
        "current-context": "tests",
    }
    path.write_text(json.dumps(kubeconfig))
