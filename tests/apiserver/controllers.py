"""What the controllers of a cluster would do to the objects of a few namespaces, where none run."""

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.apiserver.cluster import Cluster, RefusedError

Object = dict[str, Any]
NOW = "2026-01-01T00:00:00Z"
REVISION = {"currentRevision": "1", "updateRevision": "1"}


def deployment(found: Object) -> Object:
    count = found["spec"]["replicas"]
    return {
        "observedGeneration": found["metadata"]["generation"],
        **dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), count),
        "conditions": [{"type": "Available", "status": "True"}, {"type": "Progressing", "status": "True"}],
    }


def stateful_set(found: Object) -> Object:
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas"), found["spec"]["replicas"])
    return {"observedGeneration": found["metadata"]["generation"], **counts, **REVISION}


def job(found: Object) -> Object:
    """The server wants the success to be met before the Job is complete, so this is the state after both steps."""
    conditions = [{"type": kind, "status": "True", "lastTransitionTime": NOW} for kind in ("SuccessCriteriaMet", "Complete")]
    return {"startTime": NOW, "completionTime": NOW, "succeeded": 1, "conditions": conditions}


Controller = Callable[[Object], Object | None]
CONTROLLERS: dict[tuple[str, str], Controller] = {
    ("apps/v1", "Deployment"): deployment,
    ("apps/v1", "StatefulSet"): stateful_set,
    ("batch/v1", "Job"): job,
}
KINDS = (
    *CONTROLLERS,
    *(("v1", kind) for kind in ("ConfigMap", "LimitRange", "PersistentVolumeClaim", "ResourceQuota", "Secret", "Service")),
    ("v1", "ServiceAccount"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
)
"""What is let go when it is deleted in the foreground."""


@contextmanager
def controllers(cluster: Cluster, *namespaces: str, changed: Mapping[str, Controller] | None = None) -> Generator[None]:
    """Look after ``namespaces`` until the block ends; ``changed`` has another verdict for objects by name."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            for namespace in namespaces:
                _look(cluster, namespace, changed or {})

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(30)


def _look(cluster: Cluster, namespace: str, changed: Mapping[str, Controller]) -> None:
    for (api_version, kind), controller in CONTROLLERS.items():
        for found in cluster.all_of(api_version, kind, namespace):
            status = changed.get(found["metadata"]["name"], controller)(found)
            if status is not None and not found["metadata"].get("deletionTimestamp"):
                _tolerant(lambda found=found, status=status: cluster.patch_status(found, status))
    for found in cluster.all_of("v1", "Service", namespace):
        if found["spec"].get("selector"):
            _tolerant(lambda found=found: cluster.apply(_endpoints(found)))
    for api_version, kind in KINDS:
        for found in cluster.all_of(api_version, kind, namespace):
            if found["metadata"].get("deletionTimestamp"):
                _tolerant(lambda found=found: cluster.release(found))
    for found in cluster.all_of("v1", "Namespace"):
        if found["metadata"]["name"] == namespace and found["metadata"].get("deletionTimestamp"):
            _tolerant(lambda found=found: cluster.release(found))


def _endpoints(service: Object) -> Object:
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": namespace, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": True}}],
    }


def _tolerant(act: Callable[[], Any]) -> None:
    """Do what may come too late: the object changed or went meanwhile, and the next look sees it as it is."""
    try:
        act()
    except RefusedError as error:
        if not str(error).startswith(("404", "409", "422")):
            raise
