"""What is known of a cluster once it is up, and the lock on its folder."""

import json
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from cluster.errors import BusyError, StateFolderError
from cluster.paths import StateFolder
from standalone.command_line import held
from standalone.state import write_private


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster that is up."""

    name: str
    provider: str
    """``node`` (ours), ``kind``, ``minikube`` or ``context`` (somebody else's, only used)."""

    context: str
    """The kubeconfig's context."""

    kubeconfig: Path
    """Read by kubectl, Pulumi and clients; ``kind`` and ``minikube`` write it too."""

    node_address: str | None = None
    """Where NodePorts of our own node answer, from this machine alone."""

    host_address: str | None = None
    """What pods of our own node reach programs on this machine by, if they listen there."""

    pid: int | None = None
    """The node's first process."""

    @property
    def environment(self) -> dict[str, str]:
        """Return the variable that makes programs use this cluster."""
        return {"KUBECONFIG": str(self.kubeconfig)}


def read(folder: StateFolder) -> Cluster | None:
    """Return what the last start wrote; ``None`` if there is nothing readable."""
    try:
        return TypeAdapter(Cluster).validate_json(folder.record.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write(folder: StateFolder, cluster: Cluster) -> None:
    write_private(folder.record, json.dumps(asdict(cluster) | {"kubeconfig": str(cluster.kubeconfig)}, indent=2) + "\n")


def prepare(folder: StateFolder) -> None:
    """Make the folder for this user alone. Raises StateFolderError for one that holds other things."""
    root = folder.root
    try:
        if root.is_dir() and any(root.iterdir()) and not folder.lock.is_file():
            raise StateFolderError(
                f"{root}: expected a new or empty folder or one made here, found other files",
                "Nothing in it was touched. Give another one with --state DIR.",
            )
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(0o700)
        folder.lock.touch()
    except OSError as error:
        raise StateFolderError(
            f"{root}: cannot write the state folder: {error.strerror}",
            "Make it writable, or give another one with --state DIR.",
        ) from error


def locked(folder: StateFolder) -> AbstractContextManager[None]:
    """Keep a second start or stop out."""
    return held(
        folder.lock,
        BusyError(
            f"{folder.root}: another start or stop is under way",
            "Wait for it, or end it with Ctrl-C where it runs; then try again.",
        ),
    )
