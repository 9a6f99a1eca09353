"""Images as blobs and archives."""

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from images import archives, layout
from images.errors import NotBuiltError, StorageError
from images.layout import Image
from images.storage import Storage, mounts_below


def put(storage: Storage, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    (storage.blobs / digest).write_bytes(content)
    return f"sha256:{digest}"


def image(storage: Storage, name: str, *layers: bytes) -> Image:
    manifest = {
        "config": {"digest": put(storage, f"config of {name}".encode())},
        "layers": [{"digest": put(storage, layer)} for layer in layers],
    }
    digest = put(storage, json.dumps(manifest).encode())
    made = Image(reference=f"localhost/{name}:1", digest=digest, base="base", content="0", builder="buildah")
    layout.remember(storage, name, made)
    return made


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    storage = Storage(tmp_path / "storage")
    with storage.locked():
        return storage


def read(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        names = tar.getnames()
        assert len(names) == len(set(names))
        return {name: file.read() for name in names if (file := tar.extractfile(name))}


def archived(storage: Storage, *images: Image, known: tuple[str, ...] = ()) -> dict[str, bytes]:
    output = io.BytesIO()
    layout.write_archive(storage, images, output, known=known)
    return read(output.getvalue())


def test_an_archive_has_every_blob_once_and_names_for_every_loader(storage: Storage) -> None:
    one, two = image(storage, "one", b"base", b"one"), image(storage, "two", b"base", b"two")
    files = archived(storage, one, two)
    blobs = {name: content for name, content in files.items() if name.startswith("blobs/")}
    assert len(blobs) == 7, "three layers, two configurations, two manifests"
    assert all(name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}" for name, content in blobs.items())
    index = json.loads(files["index.json"])["manifests"]
    assert [entry["annotations"]["io.containerd.image.name"] for entry in index] == [one.reference, two.reference]
    assert all(entry["size"] == len(files[f"blobs/{entry['digest'].replace(':', '/')}"]) for entry in index)
    docker = json.loads(files["manifest.json"])
    assert [entry["RepoTags"] for entry in docker] == [[one.reference], [two.reference]]
    assert all(path in files for entry in docker for path in (entry["Config"], *entry["Layers"]))
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}


def test_what_the_other_side_knows_is_not_sent(storage: Storage) -> None:
    one = image(storage, "one", b"base", b"jobs")
    files = archived(storage, one, known=(f"sha256:{hashlib.sha256(b'base').hexdigest()}",))
    assert b"base" not in files.values()
    assert b"jobs" in files.values()


def test_an_image_with_a_blob_missing_is_none(storage: Storage) -> None:
    one = image(storage, "one", b"base", b"jobs")
    assert layout.recall(storage, "one") == one
    (storage.blobs / hashlib.sha256(b"jobs").hexdigest()).unlink()
    assert layout.recall(storage, "one") is None
    with pytest.raises(NotBuiltError, match="python -m images build one"):
        layout.built(storage, "one")


def test_what_no_image_needs_is_deleted(storage: Storage) -> None:
    image(storage, "one", b"base", b"old jobs")
    for blob in storage.blobs.iterdir():
        os.utime(blob, (0, 0))
    image(storage, "one", b"base", b"jobs that are being loaded")
    image(storage, "one", b"base", b"new jobs")
    other = image(storage, "other", b"base")
    layout.prune(storage)
    assert b"jobs that are being loaded" in {path.read_bytes() for path in storage.blobs.iterdir()}
    assert {path.read_bytes() for path in storage.blobs.iterdir()} >= {b"base", b"new jobs"}
    assert b"old jobs" not in {path.read_bytes() for path in storage.blobs.iterdir()}
    assert layout.recall(storage, "other") == other


def test_an_archive_follows_its_image(storage: Storage) -> None:
    old = image(storage, "one", b"base", b"old jobs")
    archives.write(storage, [old], archives.path(storage, "one", old))
    new = image(storage, "one", b"base", b"new jobs")
    path = archives.path(storage, "one", new)
    archives.write(storage, [new], path)
    assert list(storage.archives.iterdir()) == [path]
    assert b"new jobs" in read(path.read_bytes()).values()
    written = path.stat().st_mtime_ns
    archives.write(storage, [new], path)
    assert path.stat().st_mtime_ns == written, "what is there is not written again"


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(StorageError, match="holds files that are not ours"), Storage(tmp_path).locked():
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_mounts_are_found_from_the_top_down(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    lines = [
        "1 0 8:1 / / rw - ext4 /dev/vda rw",
        f"2 1 8:1 / {tmp_path}/a\\040folder/buildah/overlay rw - ext4 /dev/vda rw",
        f"3 2 0:1 / {tmp_path}/a\\040folder/buildah/overlay/1/merged rw - overlay overlay rw",
        f"4 1 0:2 / {tmp_path}/a\\040folder-of-others rw - tmpfs tmpfs rw",
    ]
    (tmp_path / "mountinfo").write_text("\n".join(lines))
    found = mounts_below(folder, tmp_path / "mountinfo")
    assert found == [folder / "buildah/overlay/1/merged", folder / "buildah/overlay"]
    assert mounts_below(folder, tmp_path / "none") == []
