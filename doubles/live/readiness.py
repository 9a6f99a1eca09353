"""When an object counts as ready, by kind, as the plugin's awaiters decide it. Pure: objects in, verdicts out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from doubles.wire import list_in, struct_in

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Readiness:
    """What is known of an object now."""

    ready: bool
    message: str = ""
    """What is still missing, or why it failed."""

    failed: bool = False
    """Waiting on is pointless."""


READY = Readiness(True)


def readiness(found: Object) -> Readiness:
    """Return the verdict on an object as the server has it; kinds without a rule are ready when they exist."""
    rule = RULES.get(found["kind"])
    if rule is None:
        return READY
    seen = _status(found).get("observedGeneration", 0)
    if found["kind"] in OBSERVED and seen < found["metadata"].get("generation", 0):
        return Readiness(False, "its controller has not seen the change yet")
    return rule(found)


def _status(found: Object) -> dict[str, Any]:
    return struct_in(found, "status")


def _conditions(found: Object) -> dict[str, dict[str, Any]]:
    conditions: list[dict[str, Any]] = list_in(_status(found), "conditions")
    return {one["type"]: one for one in conditions}


def _is(condition: Mapping[str, Any] | None, status: str = "True") -> bool:
    return condition is not None and condition.get("status") == status


def _replicas(found: Object) -> int:
    return int(found["spec"].get("replicas", 1))


def _deployment(found: Object) -> Readiness:
    conditions, status, wanted = _conditions(found), _status(found), _replicas(found)
    progressing = conditions.get("Progressing")
    if _is(progressing, "False"):
        return Readiness(False, str(progressing and progressing.get("message")), failed=True)
    if _is(failure := conditions.get("ReplicaFailure")):
        return Readiness(False, str(failure and failure.get("message")))
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    available = status.get("availableReplicas", 0)
    if updated < wanted:
        return Readiness(False, f"{updated} of {wanted} pods are new")
    if total > updated:
        return Readiness(False, f"{total - updated} old pods are still there")
    if available < updated or not _is(conditions.get("Available")):
        return Readiness(False, f"{available} of {wanted} pods are available")
    return READY


def _stateful_set(found: Object) -> Readiness:
    status, wanted = _status(found), _replicas(found)
    strategy = struct_in(found["spec"], "updateStrategy")
    ready, updated = status.get("readyReplicas", 0), status.get("updatedReplicas", 0)
    rolling = strategy.get("type", "RollingUpdate") == "RollingUpdate"
    partition = struct_in(strategy, "rollingUpdate").get("partition", 0)
    if rolling and not partition and (updated < wanted or status.get("currentRevision") != status.get("updateRevision")):
        return Readiness(False, f"{updated} of {wanted} pods are new")
    return READY if ready >= wanted else Readiness(False, f"{ready} of {wanted} pods are ready")


def _daemon_set(found: Object) -> Readiness:
    status = _status(found)
    wanted, available = status.get("desiredNumberScheduled", 0), status.get("numberAvailable", 0)
    updated = status.get("updatedNumberScheduled", 0)
    return READY if available == updated == wanted else Readiness(False, f"{available} of {wanted} pods are available")


def _job(found: Object) -> Readiness:
    conditions = _conditions(found)
    if _is(failed := conditions.get("Failed")) or _is(failed := conditions.get("FailureTarget")):
        return Readiness(False, f"the Job failed: {failed and (failed.get('message') or failed.get('reason'))}", failed=True)
    if _is(conditions.get("Complete")) or found["spec"].get("suspend"):
        return READY
    counts = {word: _status(found).get(word, 0) for word in ("active", "succeeded", "failed")}
    return Readiness(False, "pods: " + ", ".join(f"{count} {word}" for word, count in counts.items()))


def _pod(found: Object) -> Readiness:
    phase = _status(found).get("phase")
    if phase == "Failed":
        return Readiness(False, "the pod failed", failed=True)
    return READY if phase == "Succeeded" or _is(_conditions(found).get("Ready")) else Readiness(False, f"the pod is {phase}")


def _claim(found: Object) -> Readiness:
    phase = _status(found).get("phase")
    return READY if phase == "Bound" else Readiness(False, f"the claim is {phase}", failed=phase == "Lost")


def _ingress(found: Object) -> Readiness:
    return READY if struct_in(_status(found), "loadBalancer").get("ingress") else Readiness(False, "no address yet")


def _service(found: Object) -> Readiness:
    return _ingress(found) if found["spec"].get("type") == "LoadBalancer" else READY


def _definition(found: Object) -> Readiness:
    return READY if _is(_conditions(found).get("Established")) else Readiness(False, "not established yet")


OBSERVED = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
"""Kinds whose controllers say which generation their status is of."""

RULES: dict[str, Callable[[Object], Readiness]] = {
    "CustomResourceDefinition": _definition,
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "Ingress": _ingress,
    "Job": _job,
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "Service": _service,
    "StatefulSet": _stateful_set,
}


def needs_endpoints(service: Object) -> bool:
    """Tell whether a Service counts as ready only with a ready pod behind it: one that selects pods."""
    return bool(service["spec"].get("selector")) and service["spec"].get("type") != "ExternalName"


def has_endpoint(slices: list[Any]) -> bool:
    """Tell whether any of a Service's EndpointSlices holds an endpoint that takes traffic."""
    endpoints = [endpoint for one in slices for endpoint in list_in(one, "endpoints")]
    return any(struct_in(endpoint, "conditions").get("ready", True) is not False for endpoint in endpoints)
