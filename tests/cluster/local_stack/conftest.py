"""One stack for all tests here, in which each finds what it asks for: bringing one up from nothing takes a minute."""

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

import cluster
from images.layout import Image
from stack.state import StateFolder
from tests.cluster import stack_images as images_of
from tests.cluster.kubernetes import Kubernetes, in_namespace
from tests.cluster.local_stack.live_stack import PATIENCE_SECONDS, LiveStack, Run, tree
from tests.cluster.local_stack.object_store import ObjectStore

IMAGE_ORIGIN = "the image"


@pytest.fixture(scope="package")
def images(up: cluster.Cluster, stack_images: dict[str, Image], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Image]:
    """Return the images, with the packages of these tests in that of Airflow."""
    return images_of.loaded(up, tree(tmp_path_factory.mktemp("image") / "packages", IMAGE_ORIGIN))


@pytest.fixture(scope="package")
def outside(up: cluster.Cluster) -> Generator[Kubernetes]:
    """Return a namespace that is not the stack's."""
    with in_namespace(up.kubeconfig) as kubernetes:
        yield kubernetes


@pytest.fixture(scope="package")
def store(
    up: cluster.Cluster, images: dict[str, Image], outside: Kubernetes, tmp_path_factory: pytest.TempPathFactory
) -> ObjectStore:
    """Return a store with S3's protocol in a namespace of its own, with packages published: pods wait for the first."""
    assert up.node_address
    made = ObjectStore(outside, images["moto"], up.node_address)
    made.publish(tree(tmp_path_factory.mktemp("published") / "packages", "the first publication"))
    return made


@pytest.fixture(scope="package")
def live(up: cluster.Cluster, images: dict[str, Image], tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveStack]:
    """Return the stack, which ``become`` brings to the settings a test asks for."""
    folder: Path = tmp_path_factory.mktemp("stack")
    made = LiveStack(up, images["airflow"], StateFolder(folder))
    yield made
    made.remove()


Waiting = Callable[..., list[Run]]


@pytest.fixture
def waiting(live: LiveStack, store: ObjectStore) -> Generator[Waiting]:
    """Return what starts a run for each name, all of them under way until ``store.go``, or until the test is over."""
    begun: list[str] = []

    def begin(*names: str, dag_id: str = "proofs_waits") -> list[Run]:
        begun.extend(names)
        runs = [live.trigger(dag_id, ledger=store.ledger, name=name) for name in names]
        for name in names:
            live.kubernetes.wait(f"{name} is under way", lambda name=name: store.count(name, "started") == 1, PATIENCE_SECONDS)
        return runs

    yield begin
    for name in begun:
        store.go(name)
