"""``up`` is killed five times while it brings a stack up from nothing; repeated, it ends in what one ``up`` would have made."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import psutil
import pytest

import cluster
from docs.reliability import Row, median_and_longest
from images.layout import Image
from settings import PROJECT
from stack.state import REPOSITORY, StateFolder
from tests.cluster.local_stack.combinations import LAST
from tests.cluster.local_stack.live_stack import PATIENCE_SECONDS, LiveStack
from tests.cluster.local_stack.object_store import ObjectStore

SEED = 20261129
KILLS = 5
KINDS = {
    "core/v1": ("ConfigMap", "LimitRange", "PersistentVolumeClaim", "ResourceQuota", "Secret", "Service", "ServiceAccount"),
    "apps/v1": ("Deployment", "StatefulSet"),
    "batch/v1": ("Job",),
    "networking.k8s.io/v1": ("NetworkPolicy",),
    "rbac.authorization.k8s.io/v1": ("Role", "RoleBinding"),
}


class Stack(LiveStack):
    """A stack of its own beside the one of the other tests, whose ``up`` can be killed."""

    @property
    def resources(self) -> list[dict[str, Any]]:
        """What Pulumi has written down so far."""
        path = self.folder.backend / ".pulumi" / "stacks" / PROJECT / "local.json"
        return json.loads(path.read_text())["checkpoint"]["latest"].get("resources", []) if path.exists() else []

    def recorded(self) -> set[tuple[str, str]]:
        """Return kind and name of every object in the stack's namespaces that the state knows."""
        kinds = {f"kubernetes:{group}:{kind}": kind for group, names in KINDS.items() for kind in names}
        return {(kinds[one["type"]], one["id"]) for one in self.resources if one["type"] in kinds}

    def made(self) -> set[tuple[str, str]]:
        """Return kind and name of every object in the stack's namespaces that Pulumi made."""
        kinds = ",".join(kind.lower() for names in KINDS.values() for kind in names)
        found: set[tuple[str, str]] = set()
        for namespace in (self.kubernetes, self.jobs):
            for one in namespace.get(kinds, "--show-managed-fields")["items"]:
                managers = {field["manager"] for field in one["metadata"].get("managedFields", [])}
                if any(manager.startswith("pulumi-kubernetes") for manager in managers):
                    found.add((one["kind"], f"{namespace.namespace}/{one['metadata']['name']}"))
        return found

    def killed(self, settings: dict[str, Any], moment: Callable[[], bool], delay: float) -> float:
        """Begin an ``up``, kill all its processes ``delay`` seconds after the moment, and return how long it had run."""
        began = time.monotonic()
        command = [sys.executable, "-m", "tests.cluster.local_stack.one_up", str(self.folder.root)]
        with (self.folder.root.parent / "up.log").open("a") as log:
            process = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                env={**os.environ, **self.up_cluster.environment},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
            )
        assert process.stdin
        with process.stdin as overlay:
            json.dump(self.overlay(settings), overlay)
        root, deadline = psutil.Process(process.pid), began + PATIENCE_SECONDS
        # What an earlier `up` wrote down is there before this one is at work.
        while not (self.at_work(root) and moment()) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(delay)
        assert process.poll() is None, f"it is over after {time.monotonic() - began:.1f} s: see {log.name}"
        assert self.at_work(root)
        tree = [root, *root.children(recursive=True)]
        for one in tree:
            one.kill()
        process.wait(60)
        psutil.wait_procs(tree, 60)
        return time.monotonic() - began

    def at_work(self, root: psutil.Process) -> bool:
        """Tell whether a process below ``root`` holds the stack's lock."""
        try:
            held = {json.loads(path.read_text())["pid"] for path in self.folder.locks(PROJECT, "local")}
        except (FileNotFoundError, json.JSONDecodeError):
            # Just being taken off, or written.
            return False
        return not held.isdisjoint(one.pid for one in root.children(recursive=True))


@pytest.fixture
def stack(up: cluster.Cluster, images: dict[str, Image], store: ObjectStore, tmp_path: Path) -> Generator[Stack]:
    made = Stack(up, images["airflow"], StateFolder(tmp_path / "stack"), namespace="killed", jobs_namespace="killed-jobs")
    made.give_access(store)
    yield made
    made.remove()


@pytest.mark.timeout(4 * PATIENCE_SECONDS)
def test_an_up_that_was_killed_five_times_converges(
    stack: Stack, store: ObjectStore, reliability: Callable[[str, Row], None]
) -> None:
    settings = LAST.settings(store)
    chance = random.Random(SEED)
    points: list[str] = []
    stack.settings = settings
    planned = stack.preview()["create"]
    for number in range(KILLS):
        share = chance.uniform(number / KILLS, (number + 1) / KILLS)
        delay = chance.uniform(0, 2)
        wanted = int(share * planned)
        ran = stack.killed(settings, lambda wanted=wanted: len(stack.resources) >= wanted, delay)
        points.append(str(len(stack.resources)))
        print(
            f"up {number + 1} was killed after {ran:.1f} s, {delay:.1f} s after the state had {wanted} of {planned} resources"
        )
    began = time.monotonic()
    stack.up(settings)
    stack.healthy()
    seconds = time.monotonic() - began
    assert stack.preview() == {}
    run = stack.trigger("proofs_adds", numbers=[40, 2])
    assert run.ends() == "success", run.log()
    recorded, made = stack.recorded(), stack.made()
    lost, doubled = recorded - made, made - recorded
    assert (lost, doubled) == (set(), set())
    row = Row(
        table="cluster",
        fault="`up` of a stack from nothing is killed with all its processes, and begun again",
        tried=f"{KILLS} kills at random points, when {', '.join(points)} resources were written down (of {planned})",
        seen="the next `up`, which nobody killed; the preview after it, which was empty; health; a run; "
        f"{len(recorded)} objects in the namespaces: lost if Pulumi knows one that is not there, doubled if not known to it",
        lost=len(lost),
        doubled=len(doubled),
        recovery_seconds=median_and_longest([seconds]),
        command="RELIABILITY=docs/reliability make test-cluster",
    )
    reliability("cluster-killed-up", row)
