"""Clusters that other programs make: kind, minikube, and any that is there already."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cluster.choice import Situation
from cluster.errors import ContextError, ImageError, NodeError
from cluster.paths import BUILT, CLUSTERS, StateFolder
from cluster.record import Cluster
from standalone.progress import Progress

DOCKER_SECONDS = 10
START_SECONDS = 600
"""Both pull an image of a gigabyte the first time."""


def situation(context: str | None, environment: Mapping[str, str]) -> Situation:
    """Look at this machine; nothing is started. A ``KUBECONFIG`` that a cluster of ours has printed names no other."""
    given = environment.get("KUBECONFIG", "")
    return Situation(
        context=context,
        kubeconfig=None if _is_ours(given) else given or None,
        docker_answers=_answers("docker", "version", "--format", "{{.Server.Version}}"),
        kind=shutil.which("kind") is not None,
        minikube=shutil.which("minikube") is not None,
    )


def _is_ours(kubeconfig: str) -> bool:
    path = Path(kubeconfig)
    return path.is_relative_to(CLUSTERS) or (path.name == "kubeconfig" and path.with_name("cluster.json").exists())


@dataclass(frozen=True)
class Commands:
    """How one program makes, ends and loads a cluster."""

    start: Sequence[str]
    stop: Sequence[str]
    load: Sequence[str]
    context: str


def commands(provider: str, name: str, archive: Path | None = None) -> Commands:
    """Return the command lines of kind 0.24 or newer, whose network enforces policies, or of minikube with one that does."""
    if provider == "kind":
        return Commands(
            ("kind", "create", "cluster", "--name", name, "--wait", "180s"),
            ("kind", "delete", "cluster", "--name", name),
            ("kind", "load", "image-archive", str(archive), "--name", name),
            f"kind-{name}",
        )
    return Commands(
        ("minikube", "start", "--profile", name, "--driver", "docker", "--cni", "calico", "--wait", "all"),
        ("minikube", "delete", "--profile", name),
        ("minikube", "image", "load", str(archive), "--profile", name),
        name,
    )


def start(provider: str, name: str, folder: StateFolder, progress: Progress) -> Cluster:
    """Make a cluster by kind or minikube, which write its kubeconfig where ours would be. Raises NodeError."""
    given = commands(provider, name)
    with progress.step(f"{provider} makes the cluster"):
        _run(given.start, folder, START_SECONDS)
    folder.kubeconfig.chmod(0o600)
    return Cluster(name=name, provider=provider, context=given.context, kubeconfig=folder.kubeconfig)


def stop(cluster: Cluster, folder: StateFolder) -> None:
    """End a cluster of kind or minikube. Raises NodeError."""
    _run(commands(cluster.provider, cluster.name).stop, folder, START_SECONDS)


def load(cluster: Cluster, folder: StateFolder, archive: Path) -> None:
    """Load an image archive by kind or minikube. Raises ImageError."""
    try:
        _run(commands(cluster.provider, cluster.name, archive).load, folder, START_SECONDS)
    except NodeError as error:
        raise ImageError(f"{archive}: {error}", "Is it whole, and an OCI or docker archive?") from error


def use(name: str, context: str | None, environment: Mapping[str, str]) -> Cluster:
    """Return somebody else's cluster if it answers. Raises ContextError."""
    files = environment.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    # Several files are merged by kubectl; ours is the first that has the context.
    for file in map(Path, files.split(os.pathsep)):
        if not file.is_file():
            continue
        content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        chosen: str | None = context or content.get("current-context")
        contexts: list[dict[str, Any]] = content.get("contexts") or []
        if chosen is not None and chosen in [one["name"] for one in contexts]:
            _check_answers(file, chosen)
            return Cluster(name=name, provider="context", context=chosen, kubeconfig=file)
    raise ContextError(f"context {context or '(current)'}: not in {files}", "See what there is: kubectl config get-contexts")


def _check_answers(kubeconfig: Path, context: str) -> None:
    kubectl = shutil.which("kubectl") or str(BUILT / "kubectl")
    command = [
        kubectl,
        "--kubeconfig",
        str(kubeconfig),
        "--context",
        context,
        "get",
        "--raw",
        "/readyz",
        "--request-timeout",
        "15s",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ContextError("there is no kubectl", "Install it, or build it: tools/build kubectl") from error
    if done.returncode:
        raise ContextError(f"context {context} does not answer: {done.stderr.strip()}", "Is its cluster up?")


def _run(command: Sequence[str], folder: StateFolder, seconds: int) -> None:
    environment = {**os.environ, "KUBECONFIG": str(folder.kubeconfig)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds, check=False)
    if done.returncode:
        raise NodeError(
            f"{' '.join(command)} failed:\n{done.stderr.strip()}", f"Run it by hand with KUBECONFIG={folder.kubeconfig}"
        )


def _answers(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=DOCKER_SECONDS, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
