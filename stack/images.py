"""The image of a stack on a cluster of one's own: built from this checkout and loaded, unless the stack names another."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cluster
from cluster.paths import socket_of
from images import archives, building, containerd
from images.errors import ImagesError
from images.layout import Image
from images.storage import Storage, default_folder
from settings import Settings
from stack.errors import NoImageError
from standalone.progress import Progress

BUILT_HERE = "docker.io/library/airflow-control-plane:local"
"""The reference that stands in Pulumi.local.yaml for the image built from this checkout."""


@dataclass(frozen=True)
class StackImages:
    """What the pods run."""

    reference: str
    loaded: tuple[str, ...] = ()
    """What is in the cluster by our hand, ``reference@digest``."""


def is_built_here(settings: Settings) -> bool:
    return settings.image.reference in (None, BUILT_HERE)


def provide(
    settings: Settings, into: cluster.Cluster | None, *, loaded: Sequence[str], repository: Path, progress: Progress
) -> StackImages:
    """Build what has changed and load what the cluster has not; return what to run. Raises NoImageError."""
    if not is_built_here(settings):
        return StackImages(settings.image.reference or "", tuple(loaded))
    if into is None:
        raise NoImageError(
            "the image is built here, and this cluster is not ours to load images into",
            "Push one that it can pull, and name it: image.reference in the stack file.",
        )
    try:
        storage = Storage(default_folder())
        names = (building.AIRFLOW_NAME, building.POSTGRESQL_NAME)
        request = building.Request(names=names, packages=repository / settings.image.packages)
        made = building.build(storage, request, progress)
        for name, image in made.items():
            with progress.step(f"load {name} into the cluster") as step:
                step.note = load(into, storage, name, image, known=loaded)
    except (ImagesError, cluster.ClusterError) as error:
        problem, _, fix = str(error).partition("\n  ")
        raise NoImageError(problem, fix) from error
    return StackImages(made["airflow"].reference, tuple(f"{one.reference}@{one.digest}" for one in made.values()))


def load(into: cluster.Cluster, storage: Storage, name: str, image: Image, *, known: Sequence[str] = ()) -> str:
    """Bring the image into the cluster and return what that took. Our own node is asked what it has; of others we remember."""
    if into.pid is not None and image.builder == "buildah":
        sent = containerd.load(storage, [image], address=socket_of(into.pid))
        return f"{sent} of {len(image.blobs(storage))} blobs sent"
    if f"{image.reference}@{image.digest}" in known:
        return "it is there"
    archive = archives.path(storage, name, image)
    archives.write(storage, [image], archive)
    cluster.load(into, archive, image.reference)
    return image.reference
