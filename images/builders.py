"""Who builds: Docker's buildx where its engine answers, buildah otherwise."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

from images import docker, layout
from images.buildah import Buildah
from images.errors import NoBuilderError
from images.layout import Image
from images.storage import Storage

Name = Literal["docker", "buildah"]


class Builder(Protocol):
    """What a build asks of either."""

    name: Name

    def has(self, image: str) -> bool:
        """Return whether ``image`` is here."""
        ...

    def resolves(self, image: str) -> bool:
        """Return whether ``image`` is here or a registry has it, in bounded time."""
        ...

    def build(self, context: Path, *, tag: str, arguments: Mapping[str, str], file: str, log: str) -> None:
        """Build ``file`` in ``context`` as ``tag``. Raises BuildError."""
        ...

    def image(self, reference: str, *, base: str, content: str) -> Image:
        """Return what was built as ``reference``."""
        ...


class DockerBuilder:
    """Docker's engine; the images stay in it."""

    name: Name = "docker"

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def has(self, image: str) -> bool:
        return docker.has(image)

    def resolves(self, image: str) -> bool:
        return docker.resolves(image)

    def build(self, context: Path, *, tag: str, arguments: Mapping[str, str], file: str, log: str) -> None:
        docker.build(context, tag=tag, arguments=arguments, file=file, log=self.storage.logs / f"{log}.log")

    def image(self, reference: str, *, base: str, content: str) -> Image:
        return Image(reference=reference, digest=docker.digest(reference), base=base, content=content, builder=self.name)


class BuildahBuilder:
    """buildah with storage of its own; the images are blobs in the storage folder too."""

    name: Name = "buildah"

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.buildah = Buildah.found(storage)

    def has(self, image: str) -> bool:
        return self.buildah.has(image)

    def resolves(self, image: str) -> bool:
        return self.has(image) or self.buildah.resolves(image)

    def build(self, context: Path, *, tag: str, arguments: Mapping[str, str], file: str, log: str) -> None:
        self.buildah.build(context, tag=tag, arguments=arguments, file=file, log=log)

    def image(self, reference: str, *, base: str, content: str) -> Image:
        return layout.add(self.storage, self.buildah, reference, base=base, content=content)


def choose(storage: Storage, asked: Name | None = None) -> Builder:
    """Return the builder ``asked`` for, or the first that works. Raises NoBuilderError where none does."""
    if asked != "buildah" and docker.answers():
        return DockerBuilder(storage)
    if asked == "docker":
        raise NoBuilderError(
            "docker: its engine, with buildx, does not answer", "Start it, or leave the choice: without --builder"
        )
    return BuildahBuilder(storage)
