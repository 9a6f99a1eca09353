"""A new image is rolled out under runs: those that were under way go on, and those that are started meanwhile run."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from docs.reliability import Row, median_and_longest
from tests.cluster import stack_images as images_of
from tests.cluster.local_stack.combinations import LAST
from tests.cluster.local_stack.conftest import Waiting
from tests.cluster.local_stack.live_stack import PATIENCE_SECONDS, LiveStack, Run, tree
from tests.cluster.local_stack.object_store import ObjectStore

UNDER_WAY = 2
EVERY_SECONDS = 8.0


def started_meanwhile(live: LiveStack, store: ObjectStore, done: threading.Event) -> dict[str, Run]:
    """Start a run every few seconds until ``done``, each of a job that need not wait, and return them by name."""
    runs: dict[str, Run] = {}
    while not done.is_set():
        name = f"rollout-meanwhile-{len(runs)}"
        store.go(name)
        runs[name] = live.trigger("proofs_waits", ledger=store.ledger, name=name)
        done.wait(EVERY_SECONDS)
    return runs


@pytest.mark.timeout(4 * PATIENCE_SECONDS)
def test_a_new_image_rolls_without_a_lost_run(
    live: LiveStack, store: ObjectStore, waiting: Waiting, tmp_path: Path, reliability: Callable[[str, Row], None]
) -> None:
    live.become(LAST.settings(store), store)
    names = [f"rollout-{number}" for number in range(UNDER_WAY)]
    runs = dict(zip(names, waiting(*names), strict=True))
    before = live.image
    live.image = images_of.loaded(live.up_cluster, tree(tmp_path / "packages", "another image"))["airflow"]
    assert live.image.reference != before.reference

    done = threading.Event()
    meanwhile: dict[str, Run] = {}
    starting = threading.Thread(target=lambda: meanwhile.update(started_meanwhile(live, store, done)))
    starting.start()
    began = time.monotonic()
    try:
        live.up(live.settings)
        live.healthy()
    finally:
        done.set()
        starting.join()
    seconds = time.monotonic() - began
    assert len(meanwhile) > 2
    for component in ("api-server", "scheduler", "dag-processor", "triggerer"):
        (pod,) = live.pods(component)
        assert live.kubernetes.get("pod", pod)["spec"]["containers"][0]["image"] == live.image.reference
    for name in names:
        store.go(name)

    runs |= meanwhile
    failed = [run.log() for run in runs.values() if run.ends() != "success"]
    assert not failed, "\n".join(failed)
    lost = sum(store.count(name, "ended") == 0 for name in runs)
    doubled = sum(max(0, store.count(name, what) - 1) for name in runs for what in ("started", "ended"))
    assert (lost, doubled, {run.tries() for run in runs.values()}) == (0, 0, {1})
    assert live.ask(lambda api: api.import_errors()) == []
    row = Row(
        table="cluster",
        fault="`up` with another image, which replaces every pod of Airflow and runs the migrations",
        tried=f"{UNDER_WAY} runs under way all the while, {len(meanwhile)} started meanwhile",
        seen="every run, which succeeded at its first try; what its job left outside Airflow: it started once and ended once; "
        "the image of every pod afterwards",
        lost=lost,
        doubled=doubled,
        recovery_seconds=median_and_longest([seconds]),
        command="RELIABILITY=docs/reliability make test-cluster",
    )
    reliability("cluster-rollout", row)
