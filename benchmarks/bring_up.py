"""From nothing to a finished run on a real cluster: ``make up`` beside manifests written by hand."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from statistics import median
from typing import Any

import cluster
from benchmarks import node_usage
from benchmarks.alternating import Contender
from benchmarks.measuring import BenchmarkError, Cost, cost_of
from benchmarks.report import MIB, Report, Table, Target, milliseconds
from benchmarks.settings import CONTENDERS, ENVIRONMENT, Run, take_turns
from doubles.live.objects import Objects
from images import building, layout
from images.storage import Storage, default_folder
from stack.configuration import settings_of
from stack.errors import NotUpError
from stack.state import REPOSITORY, StateFolder

NAME = "bring-up"
STACK = "local"
OURS, BY_HAND = f"make up STACK={STACK}", "manifests by hand"
BY_HAND_NAMESPACE = "by-hand"
KUBECTL = REPOSITORY / ".tools" / "bin" / "kubectl"
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer", "postgresql")
"""The triggerer is not among what was written by hand."""

IMAGES = (building.AIRFLOW_NAME, building.POSTGRESQL_NAME)
SHARED = ("api-server", "scheduler", "dag-processor")
"""Airflow's components that both contenders have, whose memory is compared."""


def run(settings: Run) -> Report:
    """Bring Airflow up on the cluster of ``make cluster``, run one DAG to success, and remove it; both ways take turns.

    The first round, which does not count, makes the image. Raises BenchmarkError where the stack is up already, or where this
    machine runs no cluster of our own.
    """
    if StateFolder().read(STACK) is not None:
        raise BenchmarkError(f"the stack {STACK} of this checkout is up; remove it first: make down STACK={STACK}")
    node = cluster.start()
    if node.pid is None:
        raise BenchmarkError(f"{node.name} is run by {node.provider}; only the control groups of our own node can be read")
    memory: dict[str, list[Mapping[str, int]]] = {OURS: [], BY_HAND: []}
    contenders = [
        Contender(
            name=OURS,
            run=lambda: _measured(node, partial(_stack, "up"), settings_of(STACK).namespace, memory[OURS]),
            prepare=partial(_remove, node),
        ),
        Contender(
            name=BY_HAND,
            run=lambda: _measured(node, partial(_by_hand, node), BY_HAND_NAMESPACE, memory[BY_HAND]),
            prepare=partial(_remove, node),
        ),
    ]
    try:
        samples = take_turns(settings, contenders, 3)
    finally:
        _remove(node)
    rows = tuple(
        (name, milliseconds(sample.wall), milliseconds(sample.cpu), f"{sample.wall.median / samples[BY_HAND].wall.median:.2f}")
        for name, sample in samples.items()
    )
    took = Table(
        title="From nothing, cluster and image there, to the first finished run",
        columns=("", "wall ms", "CPU ms of client and cluster", f"wall / {BY_HAND}"),
        rows=rows,
    )
    resident = {name: _medians(found) for name, found in memory.items()}
    control_plane = {name: sum(found.get(one, 0) for one in SHARED) for name, found in resident.items()}
    rows = tuple(
        (name, *(f"{resident[name].get(one, 0) / MIB:.0f}" for one in COMPONENTS), f"{control_plane[name] / MIB:.0f}")
        for name in resident
    )
    holds = Table(title="Resident MiB once the run is done", columns=("", *COMPONENTS, "the first three"), rows=rows)
    targets = (
        Target(what="wall to the first run", measured=samples[OURS].wall.median / samples[BY_HAND].wall.median, limit=1.3),
        Target(what="memory of the first three", measured=control_plane[OURS] / control_plane[BY_HAND], limit=1),
    )
    return Report(name=NAME, tables=(took, holds), targets=targets, notes=(_DIFFERENCE,))


_DIFFERENCE = (
    f"{OURS} also makes users, quotas, network policies, disruption budgets, a volume and a triggerer, and waits for all of "
    "them. Memory is anonymous memory of the pods' control groups, as the kernel counts it."
)


def _stack(command: str, *options: str, exit_codes: Sequence[int] = (0,)) -> Cost:
    # Without KUBECONFIG it goes to the cluster of `make cluster`.
    words = [sys.executable, "-m", "stack", command, "--stack", STACK, *options]
    return cost_of(words, environment={**ENVIRONMENT, "KUBECONFIG": ""}, timeout_seconds=1200, exit_codes=exit_codes)


def _by_hand(node: cluster.Cluster) -> Cost:
    airflow, postgresql = (layout.built(Storage(default_folder()), name).reference for name in IMAGES)
    command = [sys.executable, CONTENDERS / "by_hand.py", KUBECTL, airflow, postgresql, BY_HAND_NAMESPACE]
    return cost_of(command, environment={**ENVIRONMENT, **node.environment})


def _remove(node: cluster.Cluster) -> None:
    """Remove what either made; their namespaces are gone when this ends."""
    _stack("down", "--yes", exit_codes=(0, NotUpError.exit_code))
    command = [KUBECTL, "delete", "namespace", BY_HAND_NAMESPACE, "--ignore-not-found", "--timeout=300s"]
    cost_of(command, environment=node.environment)


def _measured(node: cluster.Cluster, act: Callable[[], Cost], namespace: str, memory: list[Mapping[str, int]]) -> Cost:
    """Do it and return its cost with the cluster's processor time in it; keep what its pods hold in memory."""
    before = node_usage.cpu_seconds(node)
    cost = act()
    cost = replace(cost, cpu_seconds=cost.cpu_seconds + node_usage.cpu_seconds(node) - before, output="")
    pods = Objects.from_kubeconfig(str(node.kubeconfig), node.context).all_of("v1", "Pod", namespace)
    running = [pod for pod in pods if pod["status"]["phase"] == "Running"]
    memory.append({_component(pod): node_usage.resident_bytes(node, pod) for pod in running})
    return cost


def _component(pod: Mapping[str, Any]) -> str:
    labels: Mapping[str, str] = pod["metadata"]["labels"]
    component = labels.get("app.kubernetes.io/component") or labels.get("app", "")
    return "postgresql" if component == "database" else component


def _medians(rounds: Sequence[Mapping[str, int]]) -> dict[str, int]:
    return {one: int(median(found.get(one, 0) for found in rounds)) for one in COMPONENTS}
