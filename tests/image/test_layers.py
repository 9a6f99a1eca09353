"""A layer read from buildah's storage is the tar stream its digest names, or nothing."""

import base64
import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from images.errors import StorageError
from images.layers import FILE, SEGMENT, copy_layer

CONTENT = {"app/a.py": b"print()\n", "app/empty": b"", "app/big": bytes(range(256)) * 10_000, "app/\udcff": b"not UTF-8"}


@pytest.fixture
def storage(tmp_path: Path) -> tuple[Path, bytes]:
    """Return a storage with one layer, and the tar stream of the layer."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", errors="surrogateescape") as archive:
        for name, content in CONTENT.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
            file = tmp_path / "overlay" / "one" / "diff" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    stream = whole.getvalue()
    entries: list[dict[str, object]] = []
    position = 0
    for name, content in CONTENT.items():
        start = stream.index(content, position) if content else position
        entries.append({"type": SEGMENT, "payload": base64.b64encode(stream[position:start]).decode()})
        position = start + len(content)
        raw = name.encode(errors="surrogateescape")
        named = {"name_raw": base64.b64encode(raw).decode()} if b"\xff" in raw else {"name": name}
        entries.append({"type": FILE, "size": len(content), "payload": "", **named})
    entries.append({"type": SEGMENT, "payload": base64.b64encode(stream[position:]).decode()})
    layers = tmp_path / "overlay-layers"
    layers.mkdir()
    digest = f"sha256:{hashlib.sha256(stream).hexdigest()}"
    (layers / "layers.json").write_text(json.dumps([{"id": "zero"}, {"id": "one", "diff-digest": digest}]))
    with gzip.open(layers / "one.tar-split.gz", "wt") as file:
        file.writelines(json.dumps(entry) + "\n" for entry in entries)
    return tmp_path, stream


def test_a_layer_is_its_stream_to_the_byte(storage: tuple[Path, bytes], tmp_path: Path) -> None:
    root, stream = storage
    copy_layer(root, f"sha256:{hashlib.sha256(stream).hexdigest()}", tmp_path / "blob")
    assert (tmp_path / "blob").read_bytes() == stream


def test_a_layer_that_was_changed_on_disk_is_refused(storage: tuple[Path, bytes], tmp_path: Path) -> None:
    root, stream = storage
    (root / "overlay/one/diff/app/a.py").write_bytes(b"PRINT()\n")
    with pytest.raises(StorageError, match="was changed on disk"):
        copy_layer(root, f"sha256:{hashlib.sha256(stream).hexdigest()}", tmp_path / "blob")
    assert not list(tmp_path.glob("*blob*"))


def test_a_layer_that_is_not_there_is_said(storage: tuple[Path, bytes], tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="has no layer sha256:00"):
        copy_layer(storage[0], "sha256:00", tmp_path / "blob")
