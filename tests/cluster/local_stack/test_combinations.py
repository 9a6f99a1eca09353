"""Every executor, delivery and source: what is published is seen, runs with its arguments, and fails in its own words."""

import shutil
from pathlib import Path

import pytest

from tests.cluster.local_stack.combinations import EVERY, Combination
from tests.cluster.local_stack.conftest import IMAGE_ORIGIN
from tests.cluster.local_stack.live_stack import PATIENCE_SECONDS, LiveStack, tree
from tests.cluster.local_stack.object_store import ObjectStore

JOB_PODS = ("LocalExecutor-sidecar-s3", "KubernetesExecutor-init-image", "KubernetesExecutor-bundle-s3")
"""Where a job has a pod of its own too: by each executor, with each way packages come into that pod."""


def published(store: ObjectStore, folder: Path, combination: Combination) -> str:
    """Publish a tree that differs from the image's in one job that is new, and return that job's DAG."""
    packages = tree(folder / "packages", f"publication for {combination}")
    jobs, new = packages / "proofs" / "jobs", f"adds_{combination.delivery}_{combination.executor.lower()}"
    shutil.copy(jobs / "adds.py", jobs / f"{new}.py")
    store.publish(packages)
    return f"proofs_{new}"


@pytest.mark.timeout(3 * PATIENCE_SECONDS)
@pytest.mark.parametrize("combination", EVERY, ids=str)
def test_jobs_come_run_and_fail_as_they_should(
    live: LiveStack, store: ObjectStore, tmp_path: Path, combination: Combination
) -> None:
    dag_id, origin = "proofs_adds", IMAGE_ORIGIN
    # `init` renders when a pod starts, so what it is to find has to be there before; the others find it afterwards.
    if combination.source == "s3":
        origin = f"publication for {combination}"
        if combination.delivery == "init":
            dag_id = published(store, tmp_path, combination)
    live.become(combination.settings(store), store)
    if combination.source == "s3" and combination.delivery != "init":
        dag_id = published(store, tmp_path, combination)
    seconds = live.wait(f"{dag_id} is visible", lambda api: dag_id in api.dags())
    print(f"{combination}: {dag_id} is visible {seconds:.1f} s after it was published")

    adds, fails = live.trigger(dag_id, numbers=[40, 2]), live.trigger("proofs_fails")
    in_a_pod = [live.trigger(f"proofs_{job}") for job in ("fails_in_a_pod",)] if str(combination) in JOB_PODS else []
    adds_in_a_pod = live.trigger("proofs_in_a_pod", numbers=[40, 2]) if in_a_pod else None
    assert adds.ends() == "success", adds.log()
    assert f"the sum is 42, by {origin}" in adds.log()
    assert fails.ends() == "failed"
    if adds_in_a_pod:
        assert adds_in_a_pod.ends() == "success", adds_in_a_pod.log()
        said = adds_in_a_pod.log()
        assert f"the sum is 42, by {origin}, in proofs-in-a-pod-" in said
        assert "user 50000, token: False, root is writable: False" in said
        assert "secrets of Airflow: []" in said
    for run in in_a_pod:
        assert run.ends() == "failed"
        assert "four rows are missing" in run.log()
        live.kubernetes.wait("the jobs' pods are gone", lambda: not live.job_pods())
    if combination.executor == "KubernetesExecutor":
        live.kubernetes.wait("the tasks' pods are gone", lambda: not live.pods("task"), PATIENCE_SECONDS)
    # By name, with nothing that comes of where it ran.
    said = fails.log()
    assert "three rows are missing" in said
    assert "JobFailedError" in said
    assert "FileNotFoundError" not in said
    assert f"the sum is 42, by {origin}" in adds.log()
    assert live.ask(lambda api: api.import_errors()) == []
