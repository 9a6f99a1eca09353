"""Layers of buildah's storage as the tar streams their digests name.

buildah's own ``push`` compresses every layer again (16 s of CPU for Airflow's) or writes an archive whole, whatever the other
side has. A layer lies in the storage as a folder and a list of what its tar stream had between the files
(https://github.com/vbatts/tar-split), so that one layer can be read alone, and proved by its digest.
"""

import base64
import gzip
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from images.errors import StorageError

FILE, SEGMENT = 1, 2
"""Types of tar-split's entries."""

CHUNK = 1 << 20


def copy_layer(root: Path, digest: str, blob: Path) -> None:
    """Write the layer with this digest (``sha256:…`` of its uncompressed stream) from the storage at ``root`` to ``blob``.

    Raises StorageError where the storage has no such layer, or its files are no longer those of the digest.
    """
    known = json.loads((root / "overlay-layers" / "layers.json").read_bytes())
    identity = next((layer["id"] for layer in known if layer.get("diff-digest") == digest), None)
    if identity is None:
        raise StorageError(f"{root}: has no layer {digest}", "Start afresh: make image-clean")
    seen = hashlib.sha256()
    unfinished = blob.with_name(f".{blob.name}")
    with unfinished.open("wb") as output:
        for piece in _stream(root, identity):
            seen.update(piece)
            output.write(piece)
    if f"sha256:{seen.hexdigest()}" != digest:
        unfinished.unlink()
        raise StorageError(f"{root}: layer {digest} was changed on disk", "Start afresh: make image-clean")
    unfinished.replace(blob)


def _stream(root: Path, identity: str) -> Iterator[bytes]:
    files = root / "overlay" / identity / "diff"
    with gzip.open(root / "overlay-layers" / f"{identity}.tar-split.gz") as entries:
        for line in entries:
            entry = json.loads(line)
            if entry["type"] == SEGMENT:
                yield base64.b64decode(entry["payload"])
            elif entry["type"] == FILE and entry.get("size"):
                # A name that is not UTF-8 is given as base64 beside it.
                name = os.fsdecode(base64.b64decode(entry["name_raw"])) if "name_raw" in entry else entry["name"]
                with (files / name).open("rb") as content:
                    while piece := content.read(CHUNK):
                        yield piece
