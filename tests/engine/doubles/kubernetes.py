"""The kubernetes provider: autonaming, immutable fields and namespaces as the true one and an API server treat them."""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.engine.doubles import sdk_types, wire
from tests.engine.doubles.provider import ProviderDouble, RefusedError, Values

Apply = Callable[[Values, bool], Values]
"""Server-side apply of one object, dry or not, that returns what the server made of it."""

AUTONAMED = "pulumi.com/autonamed"
BUILT_IN_NAMESPACES = {"default", "kube-system", "kube-public", "kube-node-lease"}
CLUSTER_SCOPED = {
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "Namespace",
    "PersistentVolume",
    "PriorityClass",
    "StorageClass",
}

REPLACING: dict[str, tuple[str, ...]] = {
    "ConfigMap": ("data", "binaryData"),
    "DaemonSet": ("spec.selector",),
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


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _metadata(inputs: Values) -> Values:
    return inputs.get("metadata") or {}


class KubernetesDouble(ProviderDouble):
    """Keeps objects by kind, namespace and name; ``apply_to`` has a real API server judge each of them."""

    package = "kubernetes"
    apply_to: Apply | None = None

    def problems(self, token: str, news: Values) -> Iterator[tuple[str, str]]:
        if not self._is_custom(token):
            yield from sdk_types.unknown_inputs(token, news)

    @staticmethod
    def _is_custom(token: str) -> bool:
        """Tell kinds that a CustomResourceDefinition brings: the SDK has no types for them."""
        group = token.split(":")[1].split("/")[0]
        return "." in group and not group.endswith("k8s.io")

    def defaults(self, token: str, name: str, news: Values, olds: Values) -> Values:
        metadata: dict[str, Any] = {}
        given, before = _metadata(news), _metadata(olds)
        if not given.get("name"):
            autonamed = (before.get("annotations") or {}).get(AUTONAMED) == "true"
            metadata |= {
                "name": before["name"] if autonamed else f"{name}-{secrets.token_hex(4)}",
                "annotations": {AUTONAMED: "true"},
            }
        if not given.get("namespace") and token.rpartition(":")[2] not in CLUSTER_SCOPED:
            metadata["namespace"] = self.config.get("namespace") or "default"
        return {"metadata": metadata} if metadata else {}

    def replacing(self, token: str, olds: Values, news: Values) -> list[str]:
        kind = token.rpartition(":")[2]
        paths = ("metadata.name", "metadata.namespace", *REPLACING.get(kind, ()))
        if kind in ("ConfigMap", "Secret") and self._mutable(kind) and not news.get("immutable"):
            paths = paths[:2]
        return [path for path in paths if _at(olds, path) != _at(news, path)]

    def _mutable(self, kind: str) -> bool:
        return str(self.config.get(f"enable{kind}Mutable", "")).lower() == "true"

    def replaced_in_place(self, token: str, olds: Values, news: Values) -> bool:
        old, new = _metadata(olds), _metadata(news)
        autonamed = (new.get("annotations") or {}).get(AUTONAMED) == "true"
        return not autonamed and all(old.get(key) == new.get(key) for key in ("name", "namespace"))

    def identity(self, token: str, name: str, inputs: Values) -> str:
        metadata = _metadata(inputs)
        return "/".join(str(metadata[key]) for key in ("namespace", "name") if metadata.get(key))

    def admit(self, token: str, inputs: Values, *, dry_run: bool, update: bool) -> None:
        namespace = _metadata(inputs).get("namespace")
        if not dry_run and namespace and namespace not in BUILT_IN_NAMESPACES | self._namespaces():
            raise RefusedError(f'namespaces "{namespace}" not found')
        if self.apply_to is not None and not wire.has_unknown(inputs):
            self.apply_to(inputs, dry_run)

    def release(self, token: str, resource_id: str, inputs: Values) -> None:
        """An API server would delete everything in the namespace; here whatever is left in it was not deleted by the engine."""
        if token != "kubernetes:core/v1:Namespace":
            return
        left = [key for key, values in self.ledger.live.items() if _metadata(values).get("namespace") == resource_id]
        if left:
            raise RefusedError(f"namespace {resource_id!r} is deleted while it still holds {left}")

    def _namespaces(self) -> set[str]:
        return set(self.ledger.of_type("kubernetes:core/v1:Namespace"))

    def config_replacing(self, olds: Values, news: Values) -> list[str]:
        """Another cluster means other objects."""
        return ["kubeconfig"] if _server(olds.get("kubeconfig")) != _server(news.get("kubeconfig")) else []


def _server(kubeconfig: Any) -> str | None:
    """Return the address of a kubeconfig's first cluster, ``None`` where it is a path or not there."""
    try:
        return json.loads(kubeconfig)["clusters"][0]["cluster"]["server"]
    except (TypeError, ValueError, LookupError):
        return None
