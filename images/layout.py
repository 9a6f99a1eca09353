"""Images as an OCI image layout: blobs that images share, and archives made of them.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

import hashlib
import io
import json
import tarfile
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from images.buildah import Buildah
from images.errors import NotBuiltError
from images.layers import copy_layer
from images.storage import Storage

KEPT_SECONDS = 3600
"""How long a blob stays that no newest image needs: another checkout of the same user may be about to load it."""

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True, kw_only=True)
class Image:
    """One image that was built."""

    reference: str
    """``localhost/airflow-control-plane:…``, as a pod names it."""

    digest: str
    """Of the manifest, ``sha256:…``."""

    base: str
    """What it stands on."""

    content: str
    """Digest of what it was built from."""

    builder: str
    """``buildah``: its blobs are in the storage folder. ``docker``: it is in Docker's engine."""

    def manifest(self, storage: Storage) -> dict[str, Any]:
        return json.loads(_blob(storage, self.digest).read_bytes())

    def blobs(self, storage: Storage) -> list[str]:
        """Return the digests of all it consists of: layers from the lowest, configuration, manifest."""
        manifest = self.manifest(storage)
        return [layer["digest"] for layer in manifest["layers"]] + [manifest["config"]["digest"], self.digest]


def remember(storage: Storage, name: str, image: Image) -> None:
    """Note ``image`` as the newest of that name."""
    _write(storage.images / f"{name}.json", json.dumps(asdict(image), indent=2).encode())


def recall(storage: Storage, name: str) -> Image | None:
    """Return the newest image of that name, if all of it is still there."""
    try:
        image = Image(**json.loads((storage.images / f"{name}.json").read_bytes()))
        whole = image.builder == "docker" or all(_blob(storage, digest).is_file() for digest in image.blobs(storage))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return image if whole else None


def built(storage: Storage, name: str) -> Image:
    """Return the newest image of that name; raises NotBuiltError where there is none."""
    image = recall(storage, name)
    if image is None:
        raise NotBuiltError(f"{name}: no image of that name was built", f"Build it: python -m images build {name}")
    return image


def add(storage: Storage, buildah: Buildah, reference: str, *, base: str, content: str) -> Image:
    """Add the image from buildah's storage, writing only layers that no earlier image had."""
    manifest, manifest_bytes, config = buildah.manifest(reference)
    for layer in manifest["layers"]:
        blob = _blob(storage, layer["digest"])
        if not blob.is_file():
            copy_layer(buildah.root, layer["digest"], blob)
    for document in (config, manifest_bytes):
        _write(storage.blobs / hashlib.sha256(document).hexdigest(), document)
    digest = f"sha256:{hashlib.sha256(manifest_bytes).hexdigest()}"
    return Image(reference=reference, digest=digest, base=base, content=content, builder="buildah")


def write_archive(storage: Storage, images: Sequence[Image], output: IO[bytes], *, known: Collection[str] = ()) -> None:
    """Write ``images`` as a tar archive that containerd, Docker and podman load, without the blobs of ``known`` digests."""
    with tarfile.open(fileobj=output, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        written: set[str] = set(known)
        for image in images:
            for digest in image.blobs(storage):
                if digest not in written:
                    with _blob(storage, digest).open("rb") as blob:
                        archive.addfile(_entry(_path(digest), _blob(storage, digest).stat().st_size), blob)
                written.add(digest)
        index = {"schemaVersion": 2, "manifests": [_descriptor(storage, image) for image in images]}
        # Docker reads this one, before version 25 nothing else.
        docker = [
            {
                "Config": _path(image.manifest(storage)["config"]["digest"]),
                "RepoTags": [image.reference],
                "Layers": [_path(layer["digest"]) for layer in image.manifest(storage)["layers"]],
            }
            for image in images
        ]
        documents = {"oci-layout": {"imageLayoutVersion": "1.0.0"}, "index.json": index, "manifest.json": docker}
        for name, document in documents.items():
            content = json.dumps(document).encode()
            archive.addfile(_entry(name, len(content)), io.BytesIO(content))


def prune(storage: Storage) -> None:
    """Delete the blobs that the newest images do not need, those of the last hour left for a load that is under way."""
    recent = time.time() - KEPT_SECONDS
    kept: set[str] = set()
    for record in storage.images.glob("*.json"):
        image = recall(storage, record.stem)
        if image and image.builder == "buildah":
            kept.update(image.blobs(storage))
    for blob in storage.blobs.iterdir():
        if f"sha256:{blob.name}" not in kept and blob.stat().st_mtime < recent:
            blob.unlink()


def _descriptor(storage: Storage, image: Image) -> dict[str, Any]:
    # containerd takes the name from the first annotation, podman from the second.
    names = {"io.containerd.image.name": image.reference, "org.opencontainers.image.ref.name": image.reference}
    size = _blob(storage, image.digest).stat().st_size
    return {"mediaType": MANIFEST, "digest": image.digest, "size": size, "annotations": names}


def _blob(storage: Storage, digest: str) -> Path:
    return storage.blobs / digest.removeprefix("sha256:")


def _path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    return entry


def _write(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_bytes(content)
    unfinished.replace(path)
