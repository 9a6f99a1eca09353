"""Where a cluster of one node keeps what it has: on this machine, and as its own mount namespace shows it."""

import hashlib
from pathlib import Path, PurePosixPath

REPOSITORY = Path(__file__).resolve().parent.parent
BUILT = REPOSITORY / ".tools" / "bin"
CLUSTERS = REPOSITORY / ".cluster"
"""Default place of all state folders."""

NODE = PurePosixPath("/run/cluster")
"""The state folder inside the node: short, as Unix sockets' paths are limited to 108 bytes."""

PROGRAMS = PurePosixPath("/run/programs")
"""What the node runs, inside the node."""

SOCKET = PurePosixPath("/run/containerd/containerd.sock")

PKI = NODE / "pki"
LOGS = NODE / "logs"
CONFIGURATION = NODE / "configuration"
VOLUMES = NODE / "volumes"


def socket_of(node_pid: int) -> Path:
    """Return containerd's socket as this machine reaches it: the node's /run is its own, and its first process leads there."""
    return Path(f"/proc/{node_pid}/root{SOCKET}")


class StateFolder:
    """The files of one cluster, all of which ``stop`` removes."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.kubeconfig = self.root / "kubeconfig"
        self.record = self.root / "cluster.json"
        self.lock = self.root / "lock"
        self.pki = self.root / "pki"
        self.logs = self.root / "logs"
        self.configuration = self.root / "configuration"
        self.audit_log = self.logs / "audit.log"

        self.failed_logs = self.root.with_name(f"{self.root.name}.failed")
        """Where the logs of a start that failed are kept."""

    @property
    def identity(self) -> str:
        """Return what names the cluster in the kernel, where two checkouts may use one cluster name: 15 bytes at most."""
        return f"acp{hashlib.sha256(str(self.root).encode()).hexdigest()[:10]}"
