"""Images of a node: made from one static program, and loaded from archives."""

import hashlib
import io
import json
import platform
import subprocess
import tarfile
from pathlib import Path

from cluster.errors import ImageError
from cluster.paths import socket_of

NAMESPACE = "k8s.io"
"""Where containerd keeps what the kubelet sees."""

NOBODY = "65532:65532"


def write_archive(program: Path, reference: str, archive: Path) -> None:
    """Write an image as ``docker save`` does that holds ``program`` alone and runs it as nobody."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as files:
        entry = tarfile.TarInfo(program.name)
        entry.size, entry.mode = program.stat().st_size, 0o755
        with program.open("rb") as content:
            files.addfile(entry, content)
    digest = hashlib.sha256(layer.getbuffer()).hexdigest()
    config = {
        "architecture": _architecture(),
        "os": "linux",
        "config": {"Entrypoint": [f"/{program.name}"], "User": NOBODY},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [reference], "Layers": ["layer.tar"]}]
    with tarfile.open(archive, "w") as files:
        for name, content in (("config.json", json.dumps(config).encode()), ("layer.tar", layer.getvalue())):
            _add(files, name, content)
        _add(files, "manifest.json", json.dumps(manifest).encode())


def load(node_pid: int, archive: Path, reference: str | None = None) -> list[str]:
    """Load an OCI or docker archive into the node and return the names of its images.

    ``reference`` names an archive's only image anew, as ``docker.io/library/postgres:17``. Raises ImageError.
    """
    if not archive.is_file():
        raise ImageError(f"{archive}: no such file", "Name a tar file as docker save, buildah push or skopeo copy write it.")
    printed = _ctr(node_pid, archive, "images", "import", "--digests", str(archive.resolve()))
    names = [line.split()[1] for line in printed.splitlines() if line.startswith("unpacking ")]
    tagged = sorted({name for name in names if "@" not in name})
    if reference is None:
        if not tagged:
            raise ImageError(f"{archive}: its image has no name", "Give it one: --as docker.io/library/NAME:TAG")
        return tagged
    if not names:
        raise ImageError(f"{archive}: holds no image of this machine's architecture", "Build one for it.")
    _ctr(node_pid, archive, "images", "tag", "--force", (tagged or names)[0], reference)
    return [reference]


def _ctr(node_pid: int, archive: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["ctr", "--address", str(socket_of(node_pid)), "--namespace", NAMESPACE, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ImageError(f"{archive}: {done.stderr.strip()}", "Is it whole, and an OCI or docker archive?")
    return done.stdout


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def _add(files: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    files.addfile(entry, io.BytesIO(content))
