"""Archives of images, for clusters that are not on this machine's containerd."""

from collections.abc import Sequence
from pathlib import Path

from images import docker
from images.layout import Image, write_archive
from images.storage import Storage


def path(storage: Storage, name: str, image: Image) -> Path:
    """Return where the archive of ``image`` is, or will be: a name that follows its content."""
    return storage.archives / f"{name}-{image.digest.removeprefix('sha256:')[:12]}.tar"


def write(storage: Storage, images: Sequence[Image], archive: Path) -> None:
    """Write ``images`` to ``archive``; one in the storage folder that is there already is the same, and stays.

    Earlier archives of the same image are deleted. Raises BuildError where Docker cannot save.
    """
    ours = archive.parent == storage.archives
    if ours and archive.exists():
        return
    unfinished = archive.with_name(f".{archive.name}")
    if any(image.builder == "docker" for image in images):
        docker.save([image.reference for image in images], unfinished)
    else:
        with unfinished.open("wb") as output:
            write_archive(storage, images, output)
    unfinished.replace(archive)
    if ours:
        name = archive.name.rpartition("-")[0]
        for other in storage.archives.glob(f"{name}-*.tar"):
            if other != archive:
                other.unlink()
