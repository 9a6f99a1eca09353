"""One cluster for a whole run of the tests, a namespace of its own for each test, and the images to run in it."""

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from rich.console import Console

import cluster
from cluster import images as cluster_images
from cluster import programs
from images import docker
from images.buildah import Buildah
from images.layout import Image
from standalone.interruption import interruptible
from standalone.progress import Progress
from tests.cluster import stack_images as stack
from tests.cluster.kubernetes import PROBE_IMAGE, Kubernetes, in_namespace

TIMEOUT_SECONDS = 600
"""A test on two cores that others use too."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip where no cluster can run; with ``REQUIRE_CLUSTER=1`` what is missing fails."""
    reason = _missing()
    unbuilt = None if docker.answers() else Buildah.missing()
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        item.add_marker(pytest.mark.timeout(TIMEOUT_SECONDS))
        if os.environ.get("REQUIRE_CLUSTER") == "1":
            continue
        fixtures: list[str] = getattr(item, "fixturenames", [])
        if reason and "cluster_folder" in fixtures:
            item.add_marker(pytest.mark.skip(reason=reason))
        if unbuilt and "stack_images" in fixtures:
            item.add_marker(pytest.mark.skip(reason=f"no images: {unbuilt}"))


def _missing() -> str | None:
    try:
        programs.check_machine(Path(__file__).parent)
    except cluster.ClusterError as error:
        return " ".join(str(error).split())
    return None if _busybox() else "no static busybox: apt-get install busybox-static"


def _busybox() -> Path | None:
    found = shutil.which("busybox", path="/usr/bin:/bin")
    return Path(found) if found else None


@pytest.fixture(scope="session")
def cluster_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for state folders; what asks for it needs a machine that can run a cluster."""
    programs.check_machine(tmp_path_factory.getbasetemp())
    return tmp_path_factory.mktemp("clusters")


@pytest.fixture(scope="session")
def probe_archive(cluster_folder: Path) -> Path:
    """Return an image archive of busybox alone."""
    busybox = _busybox()
    assert busybox, "no static busybox: apt-get install busybox-static"
    archive = cluster_folder / "probe.tar"
    cluster_images.write_archive(busybox, PROBE_IMAGE, archive)
    return archive


@pytest.fixture(scope="session")
def up(cluster_folder: Path, probe_archive: Path) -> Generator[cluster.Cluster]:
    """Return the cluster, with the probe's image in it."""
    # A run that is ended from outside removes its cluster as well.
    with interruptible(), cluster.running("tests", cluster_folder / "tests", progress=Progress(Console())) as started:
        cluster.load(started, probe_archive)
        yield started


@pytest.fixture
def kubernetes(up: cluster.Cluster) -> Generator[Kubernetes]:
    """Return the cluster as seen from a namespace of the test's own, under restricted Pod Security."""
    with in_namespace(up.kubeconfig) as client:
        yield client


@pytest.fixture(scope="session")
def stack_images(up: cluster.Cluster) -> dict[str, Image]:
    """Return the images of the local stack by name, built where they have changed, and in the cluster."""
    return stack.loaded(up)
