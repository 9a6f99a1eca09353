"""Why pods are not ready, in their own words: what they wait for, how they ended, their last lines."""

from collections.abc import Iterator, Mapping
from typing import Any

from doubles.live.objects import Objects
from doubles.wire import list_in, struct_in

LOG_LINES = 8
ORDINARY = frozenset({"ContainerCreating", "PodInitializing"})
"""What every pod waits for in its first seconds."""


def pods_of(objects: Objects, owner: Mapping[str, Any]) -> list[Any]:
    """Return the pods of a workload; of any other object none."""
    spec, metadata = struct_in(owner, "spec"), owner["metadata"]
    match owner["kind"]:
        case "Pod":
            return [owner]
        case "Job":
            selector = {"batch.kubernetes.io/job-name": metadata["name"]}
        case "Deployment" | "StatefulSet" | "DaemonSet":
            selector = struct_in(struct_in(spec, "selector"), "matchLabels")
        case _:
            return []
    return objects.all_of("v1", "Pod", metadata["namespace"], selector=selector) if selector else []


def reasons(objects: Objects, owner: Mapping[str, Any], *, logs: int = 0) -> list[str]:
    """Return a sentence for each container that is in trouble; with ``logs`` that many of its last lines."""
    found: list[str] = []
    for pod in pods_of(objects, owner):
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        for container, sentence, previous in _trouble(pod):
            text = objects.log(namespace, name, container, lines=logs, previous=previous) if logs and container else ""
            lines = "".join(f"\n    {line}" for line in text.splitlines())
            found.append(f"pod {name}{f', container {container}' if container else ''}: {sentence}{lines}")
    return found


def _trouble(pod: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Yield container (empty: the pod itself), what is wrong, and whether its log is that of the try before."""
    status = struct_in(pod, "status")
    for condition in list_in(status, "conditions"):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield "", f"cannot be scheduled: {condition.get('message', condition.get('reason'))}", False
    if status.get("phase") == "Failed" and status.get("message"):
        yield "", str(status["message"]), False
    for one in [*list_in(status, "initContainerStatuses"), *list_in(status, "containerStatuses")]:
        state, last = struct_in(one, "state"), struct_in(one, "lastState")
        if (waiting := state.get("waiting")) and waiting.get("reason") not in ORDINARY:
            ended = f"; it {_ended(last['terminated'])}" if last.get("terminated") else ""
            said = waiting.get("message") or ""
            yield one["name"], f"{waiting.get('reason')}{f': {said}' if said else ''}{ended}", bool(ended)
        elif (terminated := state.get("terminated")) and terminated.get("exitCode"):
            yield one["name"], _ended(terminated), False
        elif last.get("terminated") and not one.get("ready"):
            yield one["name"], f"restarted {one.get('restartCount', 0)} times; it {_ended(last['terminated'])}", True


def _ended(terminated: Mapping[str, Any]) -> str:
    reason = terminated.get("reason")
    return f"ended with exit code {terminated.get('exitCode')}{f' ({reason})' if reason and reason != 'Error' else ''}"
