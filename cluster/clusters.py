"""Start, find, load and stop a cluster, whoever makes it."""

import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from cluster import external, images, one_node, record
from cluster.choice import Choice, Provider, choose
from cluster.errors import ImageError, NotUpError
from cluster.paths import CLUSTERS, StateFolder
from cluster.record import Cluster
from standalone.progress import Progress

DEFAULT_NAME = "airflow-control-plane"


def folder_of(name: str, state: Path | None = None) -> StateFolder:
    """Return the folder of a cluster: ``state``, or the name's own below the checkout."""
    return StateFolder(state or CLUSTERS / name)


def start(
    name: str = DEFAULT_NAME,
    state: Path | None = None,
    *,
    provider: Provider | None = "node",
    context: str | None = None,
    progress: Progress | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Cluster:
    """Return a cluster that runs pods, starting one unless it is up.

    ``provider`` ``None`` chooses as ``make cluster`` does. Raises ClusterError.
    """
    folder = folder_of(name, state)
    progress = progress or Progress(Console(quiet=True))
    choice = Choice(provider, "as asked") if provider else choose(external.situation(context, environment))
    if up := find(name, state):
        progress.say(f"The cluster {name} is up already.")
        return up
    progress.say(f"[bold]Kubernetes[/] {name}: {choice.reason}")
    if choice.provider == "node":
        return one_node.start(name, folder, progress)
    if choice.provider == "context":
        # Nothing of ours is made, so nothing is kept either.
        return external.use(name, context, environment)
    record.prepare(folder)
    with record.locked(folder):
        cluster = external.start(choice.provider, name, folder, progress)
        record.write(folder, cluster)
        return cluster


def find(name: str = DEFAULT_NAME, state: Path | None = None) -> Cluster | None:
    """Return the cluster that was started under the name, if it is up."""
    folder = folder_of(name, state)
    cluster = record.read(folder)
    if cluster is None:
        return None
    return one_node.up(folder) if cluster.provider == "node" else cluster


def load(cluster: Cluster, archive: Path, reference: str | None = None) -> list[str]:
    """Load an image archive and return its names; ``reference`` gives its only image another. Raises ImageError."""
    if cluster.pid is not None:
        return images.load(cluster.pid, archive, reference)
    if cluster.provider == "context":
        raise ImageError(f"{cluster.context} is not ours to load images into", "Push the image to a registry it can pull from.")
    external.load(cluster, StateFolder(cluster.kubeconfig.parent), archive)
    return []


def stop(name: str = DEFAULT_NAME, state: Path | None = None) -> int:
    """Remove the cluster, its data and its images; return how many processes of ours ended. Raises LeftoverError."""
    folder = folder_of(name, state)
    cluster = record.read(folder)
    if cluster is None or cluster.provider == "node":
        return one_node.stop(folder)
    with record.locked(folder):
        external.stop(cluster, folder)
        shutil.rmtree(folder.root)
    return 0


@contextmanager
def running(name: str, state: Path | None = None, *, progress: Progress | None = None) -> Generator[Cluster]:
    """Start a node of our own and remove it after the block."""
    try:
        yield start(name, state, progress=progress)
    finally:
        stop(name, state)


def found(name: str, state: Path | None) -> Cluster:
    """Return the cluster. Raises NotUpError."""
    if cluster := find(name, state):
        return cluster
    raise NotUpError(f"the cluster {name} is not up", "Start it: make cluster")
