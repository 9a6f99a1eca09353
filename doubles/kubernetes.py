"""The kubernetes provider: autonaming, immutable fields and namespaces as the true one and an API server treat them."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

from doubles import sdk_types, wire
from doubles.differences import Difference
from doubles.provider import ProviderDouble, RefusedError, Values

AUTONAMED = "pulumi.com/autonamed"
RELEASE = "kubernetes:helm.sh/v3:Release"
"""Made by Helm in the provider: its name and namespace are inputs of their own, and there is no object behind it."""

INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
BUILT_IN_NAMESPACES = {"default", "kube-system", "kube-public", "kube-node-lease"}
CLUSTER_SCOPED = {
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "IngressClassParams",
    "Namespace",
    "PersistentVolume",
    "PriorityClass",
    "StorageClass",
}

REPLACING: dict[str, tuple[str, ...]] = {
    "ConfigMap": ("data", "binaryData"),
    "DaemonSet": ("spec.selector",),
    "IngressClass": ("spec.controller",),
    "Deployment": ("spec.selector",),
    "Job": ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    "PersistentVolumeClaim": ("spec",),
    "ResourceQuota": ("spec.scopes",),
    "ClusterRoleBinding": ("roleRef",),
    "RoleBinding": ("roleRef",),
    "Secret": ("type", "data", "stringData"),
    "Service": ("spec.clusterIP",),
    "StatefulSet": (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    "StorageClass": ("parameters", "provisioner"),
}
"""Kind to the fields whose change makes a new object, from ``provider/pkg/provider/diff.go`` of pulumi-kubernetes v4.

ConfigMaps and Secrets are replaced unless the provider is told that they may change.
"""


def _metadata(inputs: Values) -> dict[str, Any]:
    return inputs.get("metadata") or {}


def _autonamed(inputs: Values) -> bool:
    annotations: dict[str, str] = _metadata(inputs).get("annotations") or {}
    return annotations.get(AUTONAMED) == "true"


class KubernetesDouble(ProviderDouble):
    """Keeps objects by kind, namespace and name. ``doubles.live`` makes them on an API server instead."""

    package = "kubernetes"

    def problems(self, token: str, news: Values) -> Iterator[tuple[str, str]]:
        if not self._is_custom(token):
            yield from sdk_types.unknown_inputs(token, news)

    @staticmethod
    def _is_custom(token: str) -> bool:
        """Tell kinds that a CustomResourceDefinition brings: the SDK has no types for them."""
        group = token.split(":")[1].split("/")[0]
        return "." in group and not group.endswith("k8s.io") and token != RELEASE

    def defaults(self, token: str, name: str, news: Values, olds: Values) -> Values:
        if token == RELEASE:
            return {} if news.get("name") else {"name": olds.get("name") or f"{name}-{secrets.token_hex(4)}"}
        metadata: dict[str, Any] = {}
        given, before = _metadata(news), _metadata(olds)
        if not given.get("name"):
            metadata |= {
                "name": before["name"] if _autonamed(olds) else f"{name}-{secrets.token_hex(4)}",
                "annotations": {AUTONAMED: "true"},
            }
        if not given.get("namespace") and token.rpartition(":")[2] not in CLUSTER_SCOPED:
            metadata["namespace"] = self.config.get("namespace") or "default"
        return {"metadata": metadata} if metadata else {}

    def replaces(self, token: str, difference: Difference, news: Values) -> bool:
        if token == RELEASE:
            return difference.path[0] in ("name", "namespace")
        kind = token.rpartition(":")[2]
        mutable = kind in ("ConfigMap", "Secret") and self._mutable(kind) and not news.get("immutable")
        patterns = ("metadata.name", "metadata.namespace", *(() if mutable else REPLACING.get(kind, ())))
        return any(difference.touches(pattern) for pattern in patterns)

    def _mutable(self, kind: str) -> bool:
        return str(self.config.get(f"enable{kind}Mutable", "")).lower() == "true"

    def replaced_in_place(self, token: str, olds: Values, news: Values) -> bool:
        old, new = _metadata(olds), _metadata(news)
        return not _autonamed(news) and all(old.get(key) == new.get(key) for key in ("name", "namespace"))

    def identity(self, token: str, name: str, inputs: Values) -> str:
        metadata = inputs if token == RELEASE else _metadata(inputs)
        return "/".join(str(metadata[key]) for key in ("namespace", "name") if metadata.get(key))

    def computed(self, token: str, name: str, resource_id: str, inputs: Values) -> Values:
        """Its controller gives an Ingress a load balancer, which the provider waits for."""
        if token != INGRESS:
            return {}
        host = f"k8s-{_metadata(inputs)['name']}-c0ffee.eu-west-1.elb.amazonaws.com"
        return {"status": {"loadBalancer": {"ingress": [{"hostname": host}]}}}

    def unknown(self, token: str, inputs: Values) -> Values:
        return {"status": wire.UNKNOWN} if token == INGRESS else {}

    def admit(self, token: str, inputs: Values, *, dry_run: bool) -> None:
        namespace = _metadata(inputs).get("namespace")
        exists = not namespace or namespace in BUILT_IN_NAMESPACES | self._namespaces()
        if not dry_run and not exists:
            raise RefusedError(f'namespaces "{namespace}" not found')

    def release(self, token: str, resource_id: str, inputs: Values) -> None:
        """An API server would delete everything in the namespace; here whatever is left in it was not deleted by the engine."""
        if token != "kubernetes:core/v1:Namespace":
            return
        left = [key for key, values in self.ledger.live.items() if _metadata(values).get("namespace") == resource_id]
        if left:
            raise RefusedError(f"namespace {resource_id!r} is deleted while it still holds {left}")

    def _namespaces(self) -> set[str]:
        return set(self.ledger.of_type("kubernetes:core/v1:Namespace"))

    def config_replaces(self, difference: Difference, olds: Values, news: Values) -> bool:
        """Another cluster means other objects."""
        servers = (_server(values.get("kubeconfig")) for values in (olds, news))
        return difference.path[0] == "kubeconfig" and len(set(servers)) == 2


def _server(kubeconfig: Any) -> str | None:
    """Return the address of a kubeconfig's first cluster, ``None`` where it is a path or not there."""
    try:
        return json.loads(kubeconfig)["clusters"][0]["cluster"]["server"]
    except (TypeError, ValueError, LookupError):
        return None
