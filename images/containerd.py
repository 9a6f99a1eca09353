"""Loading images into a containerd: only what it has not."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from images.errors import LoadError
from images.layout import Image, write_archive
from images.storage import Storage

NAMESPACE = "k8s.io"
"""Where the kubelet looks."""


def load(storage: Storage, images: Sequence[Image], *, address: Path, namespace: str = NAMESPACE) -> int:
    """Load ``images`` into the containerd at ``address`` (its socket) and return how many blobs were sent.

    Raises LoadError where containerd does not answer or does not take them.
    """
    known = set(_ctr(address, namespace, "content", "ls", "--quiet").split())
    needed = {digest for image in images for digest in image.blobs(storage)} - known
    command = _command(address, namespace, "images", "import", "-")
    with subprocess.Popen(  # noqa: S603 - arguments are ours
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as importing:
        assert importing.stdin is not None  # noqa: S101 - PIPE
        assert importing.stdout is not None  # noqa: S101 - PIPE
        try:
            write_archive(storage, images, importing.stdin, known=known)
            importing.stdin.close()
        except BrokenPipeError:
            pass
        said = importing.stdout.read().decode(errors="replace").strip()
    if importing.returncode:
        raise LoadError(f"{address}: containerd did not take the images: {said[-500:]}", "See containerd's log")
    return len(needed)


def present(address: Path, namespace: str = NAMESPACE) -> set[str]:
    """Return the references of the images that the containerd at ``address`` has. Raises LoadError."""
    return set(_ctr(address, namespace, "images", "ls", "--quiet").split())


def _command(address: Path, namespace: str, *arguments: str) -> list[str]:
    if shutil.which("ctr") is None:
        raise LoadError("ctr: not installed", "On Debian and Ubuntu: apt-get install containerd")
    return ["ctr", "--address", str(address), "--namespace", namespace, *arguments]


def _ctr(address: Path, namespace: str, *arguments: str) -> str:
    ran = subprocess.run(  # noqa: S603 - arguments are ours
        _command(address, namespace, *arguments), capture_output=True, text=True, check=False, timeout=60
    )
    if ran.returncode:
        raise LoadError(
            f"{address}: containerd does not answer: {ran.stderr.strip()[-300:]}",
            "Start the cluster, or name its socket: --containerd /run/containerd/containerd.sock",
        )
    return ran.stdout
