"""Pods of every kind of workload: how they run, what they run, what they are told."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policy.model import UNKNOWN, Resource, Rule, inside, is_object, may_be, object_at, objects

TEMPLATES = {
    "kubernetes:apps/v1:DaemonSet": "spec.template.spec",
    "kubernetes:apps/v1:Deployment": "spec.template.spec",
    "kubernetes:apps/v1:StatefulSet": "spec.template.spec",
    "kubernetes:batch/v1:CronJob": "spec.jobTemplate.spec.template.spec",
    "kubernetes:batch/v1:Job": "spec.template.spec",
    "kubernetes:core/v1:Pod": "spec",
}
"""Type to where its pod is."""

HOST = ("hostNetwork", "hostPID", "hostIPC")
SECRET = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE_KEY|ACCESS_KEY|API_KEY|FERNET|CREDENTIAL", re.IGNORECASE)
NAMES = re.compile(r"(?:_FILE|_PATH|_NAME|_ARN|_URL|_BACKEND|_CMD|_HEADER|_SECONDS|_TTL|_EXPIRATION.*)$", re.IGNORECASE)
"""Ends of names of settings that say where a secret is or how long it lasts."""

CREDENTIALS = re.compile(r"^[\w+.-]+://[^/\s:@]+:[^@\s]+@")
"""A URL with a password in it."""


def _pod(resource: Resource) -> Mapping[str, Any] | None:
    pod = inside(resource.properties, TEMPLATES[resource.type]) if resource.type in TEMPLATES else None
    return pod if is_object(pod) else None


def _containers(resource: Resource) -> Iterator[Mapping[str, Any]]:
    if (pod := _pod(resource)) is not None:
        for kind in ("initContainers", "containers"):
            yield from objects(pod.get(kind))


def unrestricted(resource: Resource) -> Iterator[str]:
    """What Pod Security's level ``restricted`` refuses."""
    if (pod := _pod(resource)) is None:
        return
    for name in HOST:
        if not may_be(pod.get(name), None, False):
            yield f"{name} is true"
    for volume in objects(pod.get("volumes")):
        if volume.get("hostPath") is not None:
            yield f"the volume {volume.get('name')} is a folder of the node"
    for container in _containers(resource):
        for problem in _loose(object_at(pod, "securityContext"), object_at(container, "securityContext")):
            yield f"container {container.get('name')}: {problem}"


def _loose(of_pod: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[str]:
    if not may_be(context.get("privileged"), None, False):
        yield "privileged"
    if not may_be(context.get("allowPrivilegeEscalation"), False):
        yield "allowPrivilegeEscalation is not false"
    if not may_be(context.get("runAsNonRoot", of_pod.get("runAsNonRoot")), True):
        yield "runAsNonRoot is not true"
    dropped = inside(context, "capabilities.drop")
    if dropped != UNKNOWN and "ALL" not in (dropped or ()):
        yield "capabilities.drop has not ALL"
    profile = object_at(context, "seccompProfile") or object_at(of_pod, "seccompProfile")
    if not may_be(profile.get("type"), "RuntimeDefault", "Localhost"):
        yield "seccompProfile is not RuntimeDefault"


def without_limits(resource: Resource) -> Iterator[str]:
    for container in _containers(resource):
        for path in ("requests.cpu", "requests.memory", "limits.memory"):
            if not inside(container, f"resources.{path}"):
                yield f"container {container.get('name')}: no resources.{path}"


def loose_image(resource: Resource) -> Iterator[str]:
    for container in _containers(resource):
        image = container.get("image")
        if image == UNKNOWN:
            continue
        name = str(image).rpartition("/")[2]
        if "@sha256:" not in name and (":" not in name or name.endswith(":latest")):
            yield f"container {container.get('name')}: image {image!r} has no digest and no tag other than latest"


def plain_secret(resource: Resource) -> Iterator[str]:
    """A value beside the name of a secret, where it should come from a Secret; in a ConfigMap too."""
    for container in _containers(resource):
        for variable in objects(container.get("env")):
            if _tells(str(variable.get("name")), variable.get("value")):
                yield f"container {container.get('name')}: {variable.get('name')} is in plain text; take it from a Secret"
    data = resource.properties.get("data") if resource.type == "kubernetes:core/v1:ConfigMap" else None
    for name, value in data.items() if is_object(data) else ():
        if _tells(name, value):
            yield f"{name} is in a ConfigMap; put it in a Secret"


def _tells(name: str, value: Any) -> bool:
    if not isinstance(value, str) or value in ("", UNKNOWN):
        return False
    named = bool(SECRET.search(name)) and not NAMES.search(name)
    return named or bool(CREDENTIALS.match(value))


RULES = (
    Rule(name="pod-restricted", description="Pods keep to Pod Security's level restricted.", check=unrestricted),
    Rule(name="pod-resources", description="Containers say what they need and what they may take.", check=without_limits),
    Rule(name="image-pinned", description="Images are named by digest or by a tag other than latest.", check=loose_image),
    Rule(name="secret-in-plain-text", description="Secrets reach pods from a Secret.", check=plain_secret),
)
