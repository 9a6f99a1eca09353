"""A real API server, and every stack in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from doubles.wire import plain
from rendering.program import render_stack, stack_file
from settings import PROJECT
from tests.apiserver.cluster import Cluster, pod_templates
from tests.apiserver.control_plane import control_plane
from tests.built_tools import built_tool, skip_without
from tests.components.variants import LOGS_IN_BUCKET, TASK_PODS, dags, eks, kubernetes
from tests.engine.conftest import account_numbers, drive, moto
from tests.engine.variants import INTERNET_FACING

__all__ = ["account_numbers", "applied", "cluster", "drive", "moto"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip_without(["etcd", "kube-apiserver"], "cluster", items)


@dataclass(frozen=True)
class AppliedStack:
    """The Kubernetes objects of one stack, in a namespace of its own."""

    name: str
    namespace: str
    jobs_namespace: str
    objects: list[dict[str, Any]]
    """As the program declares them."""

    without_definition: list[str]
    """Kinds that need a CustomResourceDefinition and so were left out."""

    cluster: Cluster

    def kept(self, api_version: str, kind: str) -> list[dict[str, Any]]:
        """Return the stack's objects of a kind as the server keeps them."""
        return self.cluster.all_of(api_version, kind, self.namespace)

    def task_pod(self) -> dict[str, Any] | None:
        """Return the template of KubernetesExecutor's pods, if that is the executor."""
        for one in self.kept("v1", "ConfigMap"):
            if one["metadata"]["name"] == "airflow-pod-template":
                return yaml.safe_load(one["data"]["pod-template.yaml"])
        return None

    def templates(self) -> list[dict[str, Any]]:
        """Return the template of every pod there may be, those of tasks included."""
        found = [template for workload in self.workloads() for template in pod_templates(workload)]
        task = self.task_pod()
        return [*found, task] if task is not None else found

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


PAGE = {"host": "airflow.example.com"}
VARIANTS: dict[str, dict[str, Any]] = {
    "tasks": kubernetes(airflow=TASK_PODS, dags=dags("s3", "sidecar")),
    "bundle": kubernetes(airflow=TASK_PODS, dags=dags("s3", "bundle"), logs=LOGS_IN_BUCKET),
    "init": kubernetes(dags=dags("s3", "init"), logs=LOGS_IN_BUCKET, jobs={"secret": "warehouse"}),
    "nginx": kubernetes(ingress={**PAGE, "className": "nginx", "tlsSecret": "page", "controllerNamespace": "ingress-nginx"}),
    "traefik": kubernetes(ingress={**PAGE, "issuer": "letsencrypt", "controllerNamespace": "traefik"}),
    "auto-mode": eks(ingress=INTERNET_FACING),
}
"""Stacks beside those of the stack files, by name."""

BROUGHT = ("packages-reader", "logs-writer")
"""Secrets that somebody else makes in the namespace."""


@pytest.fixture(scope="session", params=["local", "dev", "prod", *VARIANTS])
def applied(request: pytest.FixtureRequest, cluster: Cluster) -> AppliedStack:
    """Return a stack whose objects the server has accepted one by one, in the order of `make render`."""
    return apply_stack(cluster, request.param, VARIANTS.get(request.param) or stack_file(request.param))


def apply_stack(cluster: Cluster, name: str, configuration: Mapping[str, Any]) -> AppliedStack:
    """Apply a stack in namespaces named after it."""
    namespace, jobs = f"airflow-{name}", f"jobs-{name}"
    values = {
        **configuration,
        f"{PROJECT}:namespace": namespace,
        f"{PROJECT}:jobs": {**configuration.get(f"{PROJECT}:jobs", {}), "namespace": jobs},
    }
    recorded = [one for one in render_stack("local", values) if one.type.startswith("kubernetes:")]
    # Helm's releases are no objects of the cluster.
    objects = [plain(one.inputs) for one in recorded if "apiVersion" in one.inputs]
    served = [one for one in objects if cluster.serves(one)]
    for one in served:
        cluster.apply(one)
        if one["kind"] == "Namespace":
            # A controller would; pods that name no account of their own run as this one.
            default = {"name": "default", "namespace": one["metadata"]["name"]}
            cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": default})
    for secret in BROUGHT:
        cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret, "namespace": namespace}})
    for quota in [*cluster.all_of("v1", "ResourceQuota", namespace), *cluster.all_of("v1", "ResourceQuota", jobs)]:
        # Quota counts against its status, which a controller would fill in.
        used = dict.fromkeys(quota["spec"]["hard"], "0")
        cluster.put_status({**quota, "status": {"hard": quota["spec"]["hard"], "used": used}})
    without = sorted({one["kind"] for one in objects} - {one["kind"] for one in served})
    return AppliedStack(name, namespace, jobs, served, without, cluster)
