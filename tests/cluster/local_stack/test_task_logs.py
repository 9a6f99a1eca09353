"""What a task said is read in Airflow's API after the pod that ran it is gone."""

import time
from collections.abc import Callable, Mapping, Sequence

import pytest

from components.executor import Executor
from docs.reliability import Row, median_and_longest
from tests.cluster.local_stack.combinations import LAST, Combination
from tests.cluster.local_stack.live_stack import PATIENCE_SECONDS, LiveStack, Run
from tests.cluster.local_stack.object_store import ObjectStore

GONE: Mapping[Executor, str] = {
    "KubernetesExecutor": "each task's pod is deleted at its end",
    "LocalExecutor": "the scheduler's pod, in which tasks run, is deleted after their end",
}
SAID = {"proofs_adds": "the sum is 42", "proofs_fails": "three rows are missing"}


@pytest.mark.timeout(3 * PATIENCE_SECONDS)
@pytest.mark.parametrize("executor", GONE)
def test_logs_outlive_the_pod_that_wrote_them(
    live: LiveStack, store: ObjectStore, reliability: Callable[[str, Row], None], executor: Executor
) -> None:
    live.become(Combination(executor, LAST.delivery, LAST.source).settings(store), store)
    runs = [live.trigger("proofs_adds", numbers=[40, 2]), live.trigger("proofs_fails")]
    assert [run.ends() for run in runs] == ["success", "failed"]
    seconds: Sequence[float] = ()
    if executor == "LocalExecutor":
        before, began = live.identities("scheduler"), time.monotonic()
        live.kubernetes.run("delete", "pod", *live.pods("scheduler"))
        live.replaced("scheduler", before)
        live.kubernetes.wait("the logs are read again", lambda: all(map(is_told, runs)), PATIENCE_SECONDS)
        seconds = median_and_longest([time.monotonic() - began])
    else:
        live.kubernetes.wait("the tasks' pods are gone", lambda: not any(run.pods() for run in runs), PATIENCE_SECONDS)
    lost = sum(not is_told(run) for run in runs)
    assert lost == 0, [run.log() for run in runs]
    row = Row(
        table="cluster",
        fault=f"{executor}: {GONE[executor]}",
        tried=f"{len(runs)} tasks, one of which failed",
        seen="the log of each in Airflow's API afterwards: what the job said, and why it failed",
        lost=lost,
        doubled=0,
        recovery_seconds=seconds,
        command="RELIABILITY=docs/reliability make test-cluster",
    )
    reliability(f"cluster-logs-{executor.lower()}", row)


def is_told(run: Run) -> bool:
    """Tell whether a run's log has what its job said."""
    return SAID[run.dag_id] in run.log()
