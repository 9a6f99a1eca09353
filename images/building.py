"""What is built, in which order, and what is left as it is."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from images import builders, context, debian, layout
from images.buildah import Buildah
from images.builders import BuildahBuilder, Builder
from images.context import Files
from images.errors import BaseError, NoBuilderError
from images.layout import Image
from images.storage import Storage
from standalone.progress import Progress
from versions import AIRFLOW, AIRFLOW_IMAGE, POSTGRESQL, POSTGRESQL_IMAGE

AIRFLOW_NAME, POSTGRESQL_NAME, MOTO_NAME = NAMES = ("airflow", "postgresql", "moto")

STAND_IN = "localhost/airflow-stand-in"
"""Repository of the base that stands in for the official image."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What ``build`` was asked for."""

    names: Sequence[str]
    packages: Path
    """Folder of the packages to build in."""

    base: str | None = None
    """Reference of the base; ``None`` chooses."""

    builder: builders.Name | None = None
    """``None``: the first that works."""


@dataclass(frozen=True, kw_only=True)
class Base:
    """What the Airflow image stands on."""

    reference: str
    stands_in: bool
    """Whether it stands in for the official image."""


def build(storage: Storage, request: Request, progress: Progress) -> dict[str, Image]:
    """Build what has changed of ``request`` and return all of it by name.

    PostgreSQL is left to a cluster of Docker's, which has the same registry; a node without one is given it.
    """
    with storage.locked():
        with progress.step("choose builder and base") as step:
            builder = builders.choose(storage, request.builder)
            base = choose_base(builder, request, layout.recall(storage, AIRFLOW_NAME))
            if base.stands_in and not isinstance(builder, BuildahBuilder):
                builder = _buildah_for_stand_in(storage)
            step.note = f"{builder.name}, {base.reference}" + (" in place of the official image" if base.stands_in else "")
        if isinstance(builder, BuildahBuilder):
            builder.buildah.discard_containers()
        if base.stands_in and isinstance(builder, BuildahBuilder):
            _stand_in(storage, builder, base, progress)
        made: dict[str, Image] = {}
        for name in request.names:
            if name == POSTGRESQL_NAME and builder.name == "docker":
                progress.say(f"  {name}: a cluster of Docker's pulls {POSTGRESQL_IMAGE} itself")
                continue
            made[name] = _make(storage, builder, name, recipe(name, base, request.packages), progress)
        layout.prune(storage)
        return made


def stand_in_reference() -> str:
    """Return the reference of the base that stands in, whose tag follows what it is made of."""
    content = context.digest(_stand_in_files(), debian.reference(), AIRFLOW)
    return f"{STAND_IN}:{AIRFLOW}-{content}"


def choose_base(builder: Builder, request: Request, last: Image | None) -> Base:
    """Return the base ``request`` names, or the official image where it can be had, or a stand-in.

    ``last`` is the Airflow image that was built last. Raises BaseError for a base that is named and cannot be had.
    """
    if request.base:
        if not builder.resolves(request.base):
            raise BaseError(
                f"--base {request.base}: neither here nor in a registry that answers", "Check the name and the network"
            )
        return Base(reference=request.base, stands_in=False)
    # The stand-in stays until `clean`, so that a build without network asks nobody each time.
    stands_in = last is not None and last.base.startswith(f"{STAND_IN}:")
    if not stands_in and builder.resolves(AIRFLOW_IMAGE):
        return Base(reference=AIRFLOW_IMAGE, stands_in=False)
    return Base(reference=stand_in_reference(), stands_in=True)


def _buildah_for_stand_in(storage: Storage) -> BuildahBuilder:
    try:
        return BuildahBuilder(storage)
    except NoBuilderError as error:
        raise BaseError(
            f"{AIRFLOW_IMAGE} cannot be pulled, and nothing can stand in for it here: {Buildah.missing()}",
            "Check the network; or, on Linux as root: apt-get install buildah debootstrap",
        ) from error


def _stand_in_files() -> Files:
    return context.stand_in_files("airflow", "airflow-image.txt")


def _stand_in(storage: Storage, builder: BuildahBuilder, base: Base, progress: Progress) -> None:
    if not builder.has(debian.reference()):
        storage.check_free()
        with progress.step("Debian by debootstrap") as step:
            debian.build(builder.buildah)
            step.note = debian.reference()
    if not builder.has(base.reference):
        with progress.step("Airflow on Debian") as step, context.staged(_stand_in_files(), storage.temporary) as folder:
            arguments = {"DEBIAN": debian.reference(), "VERSION": AIRFLOW}
            builder.build(folder, tag=base.reference, arguments=arguments, file="Dockerfile", log="stand-in")
            step.note = base.reference


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What one image is made from."""

    reference: str
    """``{content}`` in it, or in an argument, becomes the digest of the content."""

    files: Files
    arguments: dict[str, str]
    base: str
    file: str = "Dockerfile"


def recipe(name: str, base: Base, packages: Path) -> Recipe:
    """Return how the image ``name`` is made on ``base``. Raises PackagesError."""
    match name:
        case "airflow":
            return Recipe(
                reference="localhost/airflow-control-plane:{content}",
                files=context.airflow_files(packages),
                arguments={"BASE_IMAGE": base.reference, "PACKAGES": context.PACKAGES, "VERSION": "{content}"},
                base=base.reference,
                file="image/Dockerfile",
            )
        case "postgresql" if not base.stands_in:
            return Recipe(
                reference=POSTGRESQL_IMAGE,
                files=context.stand_in_files("pulled"),
                arguments={"IMAGE": POSTGRESQL_IMAGE},
                base=POSTGRESQL_IMAGE,
            )
        case "postgresql":
            return Recipe(
                # The very reference the stack uses: the kubelet does not pull what is there.
                reference=POSTGRESQL_IMAGE,
                files=context.stand_in_files("postgresql"),
                arguments={"DEBIAN": debian.reference(), "MAJOR": POSTGRESQL},
                base=debian.reference(),
            )
        case _:
            return Recipe(
                reference="localhost/moto:{content}",
                files=context.stand_in_files("moto", "moto-image.txt"),
                arguments={"BASE_IMAGE": base.reference},
                base=base.reference,
            )


def _make(storage: Storage, builder: Builder, name: str, recipe: Recipe, progress: Progress) -> Image:
    words = [f"{key}={value}" for key, value in recipe.arguments.items()]
    content = context.digest(recipe.files, *words, platform.machine())
    last = layout.recall(storage, name)
    with progress.step(name) as step:
        if last and (last.content, last.builder) == (content, builder.name) and _is_there(builder, last):
            step.note = "unchanged"
            return last
        reference = recipe.reference.format(content=content)
        with context.staged(recipe.files, storage.temporary) as folder:
            arguments = {key: value.format(content=content) for key, value in recipe.arguments.items()}
            builder.build(folder, tag=reference, arguments=arguments, file=recipe.file, log=name)
        image = builder.image(reference, base=recipe.base, content=content)
        layout.remember(storage, name, image)
        step.note = image.reference
        return image


def _is_there(builder: Builder, image: Image) -> bool:
    # An image of buildah's is whole if its blobs are, which `recall` has seen.
    return image.builder == "buildah" or builder.has(image.reference)
