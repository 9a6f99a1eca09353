"""Which cluster a stack goes to."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cluster
from doubles.live.objects import ApiError, Objects
from settings import PROJECT, Settings
from stack.errors import NoClusterError
from stack.state import Record
from standalone.progress import Progress
from standalone.state import write_private


@dataclass(frozen=True, kw_only=True)
class Target:
    """A cluster that answers."""

    objects: Objects
    kubeconfig: str | None
    context: str | None
    ours: cluster.Cluster | None = None
    """The cluster of ``make cluster``, where it is that one: images can be loaded into it."""

    version: str = ""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """What leads other programs to it."""

    @property
    def kubectl(self) -> str:
        """The command a person would type for this cluster."""
        where = f"KUBECONFIG={self.kubeconfig} " if self.kubeconfig else ""
        return f"{where}kubectl{f' --context {self.context}' if self.context else ''}"


def start(settings: Settings, progress: Progress, *, context: str | None = None) -> Target:
    """Return the cluster of a stack on the platform ``kubernetes``, starting one where nothing is named.

    A context that is named wins, then ``KUBECONFIG``, then the cluster of ``make cluster``. Never the current context of
    ``~/.kube/config``: nobody said that this one is for trying things out. Raises NoClusterError.
    """
    wanted = context or settings.kubernetes.context
    try:
        if wanted or os.environ.get("KUBECONFIG"):
            return _answering(_named(os.environ.get("KUBECONFIG"), wanted))
        found = cluster.find() or cluster.start(provider=None, progress=progress)
    except cluster.ClusterError as error:
        raise NoClusterError(*_two(error)) from error
    return _answering(_made(found))


def look(settings: Settings, record: Record, *, context: str | None = None) -> Target:
    """Return the cluster ``up`` would use, starting none. Raises NoClusterError."""
    wanted = context or settings.kubernetes.context
    if wanted or os.environ.get("KUBECONFIG"):
        return _answering(_named(os.environ.get("KUBECONFIG"), wanted))
    if record.kubeconfig:
        return find(record.kubeconfig, record.context)
    found = cluster.find()
    if found is None:
        raise NoClusterError("no cluster is up, and none is named", "Start one: make cluster. Or name one: CONTEXT=name")
    return _answering(_made(found))


def config(target: Target, image: str | None) -> Mapping[str, Any]:
    """Return what is laid over the stack file: where the stack goes, and the image that was built for it."""
    reference = {f"{PROJECT}:image": {"reference": image}} if image else {}
    return {**reference, f"{PROJECT}:kubernetes": {"context": target.context}}


def find(kubeconfig: str | None, context: str | None) -> Target:
    """Return the cluster an earlier ``up`` used. Raises NoClusterError."""
    found = cluster.find()
    if found is not None and str(found.kubeconfig) == kubeconfig:
        return _answering(_made(found))
    return _answering(_named(kubeconfig, context))


def _made(found: cluster.Cluster) -> Target:
    kubeconfig = str(found.kubeconfig)
    objects = _opened(kubeconfig, found.context)
    return Target(
        objects=objects, kubeconfig=kubeconfig, context=found.context, ours=found, environment={"KUBECONFIG": kubeconfig}
    )


def _named(kubeconfig: str | None, context: str | None) -> Target:
    environment = {"KUBECONFIG": kubeconfig} if kubeconfig else {}
    return Target(objects=_opened(kubeconfig, context), kubeconfig=kubeconfig, context=context, environment=environment)


def _opened(kubeconfig: str | None, context: str | None) -> Objects:
    try:
        return Objects.from_kubeconfig(kubeconfig, context)
    except ApiError as error:
        fix = "See what there is: kubectl config get-contexts. Or start one: make cluster"
        raise NoClusterError(str(error), fix) from error


def _answering(target: Target) -> Target:
    try:
        version: Any = target.objects.version()
    except ApiError as error:
        named = f"context {target.context}" if target.context else f"KUBECONFIG {target.kubeconfig}"
        raise NoClusterError(
            f"{named}: {error}", "Start that cluster, name another (CONTEXT=name), or unset KUBECONFIG and: make cluster"
        ) from error
    return Target(**{**target.__dict__, "version": version})


def _two(error: Exception) -> tuple[str, str]:
    problem, _, fix = str(error).partition("\n  ")
    return problem, fix or "See: make cluster"


def is_gone(kubeconfig: str) -> bool:
    """Tell whether a cluster of ours was removed: its kubeconfig went with it."""
    return not Path(kubeconfig).exists()


def from_output(kubeconfig: Any, path: Path) -> Target:
    """Return the cluster a stack made, its kubeconfig kept at ``path`` for this user alone."""
    write_private(path, kubeconfig if isinstance(kubeconfig, str) else json.dumps(kubeconfig))
    return find(str(path), None)
