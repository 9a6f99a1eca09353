"""Bringing a node up: from an empty folder to a cluster that runs pods, each step with its time."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from cluster import addons, cgroups, components, images, installation, network, record
from cluster.api import api_server_of, condition, path_of, server_url, wait
from cluster.errors import NodeError
from cluster.paths import BUILT, StateFolder, socket_of
from cluster.record import Cluster
from standalone.errors import tail
from standalone.progress import Progress

READY_SECONDS = 180
"""For the API server, the node and DNS each; some seconds on a quiet machine."""

STARTS = 5
"""How often a program may end while the node comes up."""

NAMESPACE_SECONDS = 10


class Starting:
    """One start of one node."""

    def __init__(self, name: str, folder: StateFolder, progress: Progress) -> None:
        self.name = name
        self.folder = folder
        self.progress = progress
        self._unshare: subprocess.Popen[bytes] | None = None

    def bring_up(self) -> Cluster:
        """Start everything and return once a pod can run. Raises NodeError."""
        with self.progress.step("certificates and configuration"), network.reserved() as cable:
            installation.write(self.name, self.folder, cable)
            pid = self._launch(cable)
        cluster = Cluster(
            name=self.name,
            provider="node",
            context=self.name,
            kubeconfig=self.folder.kubeconfig,
            node_address=cable.node,
            host_address=cable.host,
            pid=pid,
        )
        with api_server_of(self.folder, cable.node) as api:
            with self.progress.step("API server") as step:
                self._wait("the API server is not ready", api.is_ready)
                for manifest in addons.manifests():
                    api.apply(manifest, path_of(manifest))
                step.note = server_url(cable.node)
            with self.progress.step("images of pause and CoreDNS"):
                self._load_images(pid)
            with self.progress.step("node ready"):
                node = f"/api/v1/nodes/{self.name}"
                self._wait("the node is not ready", lambda: condition(api.get(node), "Ready"))
            with self.progress.step("DNS answers"):
                deployment = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
                self._wait("CoreDNS is not available", lambda: condition(api.get(deployment), "Available"))
                account = "/api/v1/namespaces/default/serviceaccounts/default"
                self._wait("pods have no account", lambda: api.get(account) is not None)
        record.write(self.folder, cluster)
        return cluster

    def _launch(self, cable: network.Cable) -> int:
        """Start process 1 in its own namespaces and cgroup, and plug the cable. Returns its pid."""
        join = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 1; shift; done; shift; exec "$@"'
        namespaces = ["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc"]
        node = [sys.executable, "-I", str(Path(__file__).with_name("node.py")), str(self.folder.root / "node.json")]
        with (self.folder.logs / "node.log").open("wb") as log:
            process = subprocess.Popen(
                ["sh", "-c", join, "sh", *map(str, cgroups.make(self.folder.identity)), "--", *namespaces, *node],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        deadline = time.monotonic() + NAMESPACE_SECONDS
        while not (found := _own_namespace(process.pid) and children.read_text().split()):
            if process.poll() is not None or time.monotonic() > deadline:
                raise NodeError(f"the node did not start:{tail(self._log('node'))}", "May root make namespaces here?")
            time.sleep(0.01)
        pid = int(found[0])
        self._unshare = process
        network.plug(cable, self.folder.identity, pid)
        return pid

    def _load_images(self, pid: int) -> None:
        self._wait("containerd does not answer", socket_of(pid).exists)
        for program, reference in (("pause", components.PAUSE_IMAGE), ("coredns", components.DNS_IMAGE)):
            archive = self.folder.root / f"{program}.tar"
            images.write_archive(BUILT / program, reference, archive)
            images.load(pid, archive)
            archive.unlink()

    def _wait(self, problem: str, holds: Callable[[], bool]) -> None:
        """Return once it holds. Raises NodeError after the deadline, or as soon as one of the programs plainly cannot run."""
        if wait(lambda: holds() or not self._is_alive() or self._ends_again_and_again() is not None, READY_SECONDS):
            if holds():
                return
            program = self._ends_again_and_again()
            problem, log = (f"{program} ends again and again", program) if program else ("the node ended", "node")
        else:
            problem, log = f"{problem} after {READY_SECONDS} s", "node"
        raise NodeError(f"{problem}; the end of its log:{tail(self._log(log))}", f"The logs are in {self.folder.failed_logs}")

    def _is_alive(self) -> bool:
        return self._unshare is not None and self._unshare.poll() is None

    def _ends_again_and_again(self) -> str | None:
        """Return the program that process 1 has started too often."""
        starts = Counter(line.split()[0] for line in self._log("node").read_text().splitlines() if " ended with " in line)
        return next((name for name, count in starts.items() if count >= STARTS), None)

    def _log(self, name: str) -> Path:
        return self.folder.logs / f"{name}.log"


def _own_namespace(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()
    except OSError:
        return False
