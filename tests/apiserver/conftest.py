"""A real API server, and every stack in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from doubles.wire import plain
from rendering.program import render_stack, stack_file
from settings import PROJECT
from tests.apiserver.cluster import Cluster
from tests.apiserver.control_plane import control_plane
from tests.built_tools import built_tool, skip_without
from tests.engine.conftest import drive, pulumi

__all__ = ["applied", "cluster", "drive", "pulumi"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip_without(["etcd", "kube-apiserver"], "cluster", items)


@dataclass(frozen=True)
class AppliedStack:
    """The Kubernetes objects of one stack, in a namespace of its own."""

    name: str
    namespace: str
    objects: list[dict[str, Any]]
    """As the program declares them."""

    without_definition: list[str]
    """Kinds that need a CustomResourceDefinition and so were left out."""

    cluster: Cluster

    def kept(self, api_version: str, kind: str) -> list[dict[str, Any]]:
        """Return the stack's objects of a kind as the server keeps them."""
        return self.cluster.all_of(api_version, kind, self.namespace)

    def workloads(self) -> list[dict[str, Any]]:
        apps = [one for kind in ("Deployment", "StatefulSet") for one in self.kept("apps/v1", kind)]
        return apps + [one for kind in ("Job", "CronJob") for one in self.kept("batch/v1", kind)]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Return an API server with RBAC, Pod Security, quota and LimitRange admission, and no controllers."""
    etcd, kube_apiserver = built_tool("etcd"), built_tool("kube-apiserver")
    folder = tmp_path_factory.mktemp("control-plane")
    with control_plane(etcd, kube_apiserver, folder) as client:
        yield Cluster(client, folder / "kubeconfig")


@pytest.fixture(scope="session", params=["local", "dev", "prod"])
def applied(request: pytest.FixtureRequest, cluster: Cluster) -> AppliedStack:
    """Return a stack whose objects the server has accepted one by one, in the program's order."""
    namespace = f"airflow-{request.param}"
    values = {**stack_file(request.param), f"{PROJECT}:namespace": namespace}
    recorded = [one for one in render_stack(request.param, values) if one.type.startswith("kubernetes:")]
    objects = [plain(one.inputs) for one in recorded]
    served = [one for one in objects if cluster.serves(one)]
    for one in served:
        cluster.apply(one)
        if one["kind"] == "Namespace":
            # A controller would; pods that name no account of their own run as this one.
            default = {"name": "default", "namespace": namespace}
            cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": default})
    for quota in cluster.all_of("v1", "ResourceQuota", namespace):
        # Quota counts against its status, which a controller would fill in.
        used = dict.fromkeys(quota["spec"]["hard"], "0")
        cluster.put_status({**quota, "status": {"hard": quota["spec"]["hard"], "used": used}})
    return AppliedStack(
        request.param, namespace, served, sorted({one["kind"] for one in objects} - {one["kind"] for one in served}), cluster
    )
