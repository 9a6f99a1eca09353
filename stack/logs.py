"""The logs of a stack's pods, one component or all beside each other."""
# The client has no types.
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import queue
import threading
from collections.abc import Iterator
from typing import Any

from kubernetes import client

from components.labels import labels
from stack.clusters import Target

COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer", "migrations", "database")
"""Label ``app.kubernetes.io/component``."""

Line = tuple[str, str]
"""Who wrote it, and what."""


def pods(target: Target, namespace: str, component: str | None) -> list[Any]:
    """Return the pods of a component, of all where it is ``None``."""
    found = target.objects.all_of("v1", "Pod", namespace)
    wanted = labels(component)["app.kubernetes.io/component"] if component else None
    return [pod for pod in found if wanted in (None, pod["metadata"].get("labels", {}).get("app.kubernetes.io/component"))]


def containers(pod: Any) -> list[str]:
    """Return the containers whose logs are worth a look: the main ones, and those that prepare."""
    return [one["name"] for one in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]]


def last_lines(target: Target, namespace: str, component: str | None, count: int) -> Iterator[Line]:
    """Yield the last lines of each container."""
    for pod in pods(target, namespace, component):
        for container in containers(pod):
            text = target.objects.log(namespace, pod["metadata"]["name"], container, lines=count)
            yield from ((_who(pod, container), line) for line in text.splitlines())


def follow(target: Target, namespace: str, component: str | None) -> Iterator[Line]:
    """Yield what is added from now on, until every container has ended or the caller stops."""
    lines: queue.Queue[Line | None] = queue.Queue()
    core: Any = client.CoreV1Api(target.objects.client)
    sources = [(pod, container) for pod in pods(target, namespace, component) for container in containers(pod)]

    def read(pod: Any, container: str) -> None:
        try:
            stream = core.read_namespaced_pod_log(
                pod["metadata"]["name"], namespace, container=container, follow=True, tail_lines=0, _preload_content=False
            )
            for line in stream:
                lines.put((_who(pod, container), line.decode(errors="replace").rstrip("\n")))
        except (client.ApiException, OSError) as error:
            lines.put((_who(pod, container), f"(no log: {error})"))
        finally:
            lines.put(None)

    for source in sources:
        threading.Thread(target=read, args=source, daemon=True).start()
    ended = 0
    while ended < len(sources):
        line = lines.get()
        if line is None:
            ended += 1
        else:
            yield line


def _who(pod: Any, container: str) -> str:
    component = pod["metadata"].get("labels", {}).get("app.kubernetes.io/component", pod["metadata"]["name"])
    return component if container in (component, "postgresql") else f"{component}/{container}"
