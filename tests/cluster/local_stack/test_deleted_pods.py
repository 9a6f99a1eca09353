"""Any one pod is deleted: all is as before soon after, the run under way succeeds, and its job has done its work once."""

import time
from collections.abc import Callable, Mapping, Sequence

import pytest

from docs.reliability import Row, median_and_longest
from tests.cluster.local_stack.combinations import LAST
from tests.cluster.local_stack.conftest import Waiting
from tests.cluster.local_stack.live_stack import PATIENCE_SECONDS, LiveStack, Run
from tests.cluster.local_stack.object_store import ObjectStore

COMMAND = "RELIABILITY=docs/reliability make test-cluster"
WITH_NOTICE = ("--wait=false",)
AT_ONCE = ("--wait=false", "--grace-period=0", "--force")
DELETIONS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "api-server": (WITH_NOTICE, AT_ONCE),
    "scheduler": (WITH_NOTICE, AT_ONCE),
    "dag-processor": (WITH_NOTICE, AT_ONCE),
    "triggerer": (WITH_NOTICE, AT_ONCE),
    # By force, Kubernetes no longer knows of a pod that may still write when the next one opens the same data.
    "database": (WITH_NOTICE, ("--wait=false", "--grace-period=1")),
}


def unfinished(store: ObjectStore, *names: str) -> int:
    """Return how many jobs never came to their end."""
    return sum(store.count(name, "ended") == 0 for name in names)


def repeated(store: ObjectStore, *names: str) -> int:
    """Return how often a job came to its end once more."""
    return sum(max(0, store.count(name, "ended") - 1) for name in names)


@pytest.mark.timeout(4 * PATIENCE_SECONDS)
@pytest.mark.parametrize("component", DELETIONS)
def test_a_component_comes_back_and_no_run_notices(
    live: LiveStack, store: ObjectStore, waiting: Waiting, reliability: Callable[[str, Row], None], component: str
) -> None:
    live.become(LAST.settings(store), store)
    name = f"deleted-{component}"
    (run,) = waiting(name)
    seconds: list[float] = []
    for how in DELETIONS[component]:
        before = live.identities(component)
        began = time.monotonic()
        live.kubernetes.run("delete", "pod", *live.pods(component), *how)
        if how is DELETIONS[component][-1]:
            # What the task says at its end is not heard while the API server or its database is away.
            store.go(name)
            live.kubernetes.wait("the job has ended", lambda: store.count(name, "ended") == 1)
        live.replaced(component, before)
        live.healthy()
        seconds.append(time.monotonic() - began)
    assert run.ends() == "success", run.log()
    lost, doubled = unfinished(store, name), repeated(store, name)
    assert (lost, doubled, store.count(name, "started"), run.tries()) == (0, 0, 1, 1), run.log()
    assert live.ask(lambda api: api.import_errors()) == []
    how = "SIGKILL after 1 s" if component == "database" else "by force"
    row = Row(
        table="cluster",
        fault=f"the pod of {component} is deleted: with notice, then {how}",
        tried=f"{len(seconds)} deletions under one run, whose job ends while the second pod is away",
        seen="every component's heartbeat; the run, which succeeded at its first try; what its job left outside Airflow: "
        "it started once and ended once; import errors: none",
        lost=lost,
        doubled=doubled,
        recovery_seconds=median_and_longest(seconds),
        command=COMMAND,
    )
    reliability(f"cluster-deleted-{component}", row)


def tried_again(live: LiveStack, run: Run) -> bool:
    """Tell whether a run's task is under way for the second time."""
    (task,) = live.ask(lambda api: api.tasks(run.dag_id, run.run_id))
    return (task["try_number"], task["state"]) == (2, "running")


@pytest.mark.timeout(4 * PATIENCE_SECONDS)
def test_a_task_whose_pod_is_deleted_is_tried_again(
    live: LiveStack, store: ObjectStore, waiting: Waiting, reliability: Callable[[str, Row], None]
) -> None:
    live.become(LAST.settings(store), store)
    ways = {"deleted-task-with-notice": WITH_NOTICE, "deleted-task-at-once": AT_ONCE}
    runs = dict(zip(ways, waiting(*ways), strict=True))
    seconds: list[float] = []
    for name, how in ways.items():
        run, began = runs[name], time.monotonic()
        live.kubernetes.run("delete", "pod", *run.pods(), *how)
        again = lambda run=run, name=name: tried_again(live, run) and store.count(name, "started") == 2  # noqa: E731
        live.kubernetes.wait(f"{name}: the job has started again", again, PATIENCE_SECONDS)
        seconds.append(time.monotonic() - began)
        store.go(name)
    for name, run in runs.items():
        assert run.ends() == "success", run.log(2)
        assert (run.tries(), store.count(name, "started")) == (2, 2), run.log(2)
    lost, doubled = unfinished(store, *ways), repeated(store, *ways)
    assert (lost, doubled) == (0, 0)
    live.healthy()
    assert live.ask(lambda api: api.import_errors()) == []
    row = Row(
        table="cluster",
        fault="the pod of a task is deleted while its job is at work: with notice, and by force",
        tried=f"{len(ways)} runs",
        seen="Airflow tries the task again, which makes a pod: the run succeeded at its second try; what its job left outside "
        "Airflow: it started twice and ended once",
        lost=lost,
        doubled=doubled,
        recovery_seconds=median_and_longest(seconds),
        command=COMMAND,
    )
    reliability("cluster-deleted-task", row)


@pytest.mark.timeout(4 * PATIENCE_SECONDS)
def test_a_job_in_a_pod_of_its_own_outlives_its_task_and_is_started_again_without_its_pod(
    live: LiveStack, store: ObjectStore, waiting: Waiting, reliability: Callable[[str, Row], None]
) -> None:
    live.become(LAST.settings(store), store)
    starts = {
        "deleted-job-with-notice": 2,
        "deleted-job-at-once": 2,
        "deleted-above-with-notice": 2,
        "deleted-above-at-once": 1,
    }
    runs = dict(zip(starts, waiting(*starts, dag_id="proofs_waits_in_a_pod"), strict=True))
    seconds: list[float] = []
    for name, run in runs.items():
        began = time.monotonic()
        how = AT_ONCE if name.endswith("at-once") else WITH_NOTICE
        if "above" in name:
            live.kubernetes.run("delete", "pod", *run.pods(), *how)
        else:
            live.jobs.run("delete", "pod", *live.job_pods(name), *how)
        again = lambda run=run, name=name: tried_again(live, run) and store.count(name, "started") == starts[name]  # noqa: E731
        live.kubernetes.wait(f"{name}: the task is tried again", again, PATIENCE_SECONDS)
        seconds.append(time.monotonic() - began)
        store.go(name)
    for name, run in runs.items():
        assert run.ends() == "success", run.log(2)
        assert (run.tries(), store.count(name, "started")) == (2, starts[name]), run.log(2)
    lost, doubled = unfinished(store, *starts), repeated(store, *starts)
    assert (lost, doubled) == (0, 0)
    live.kubernetes.wait("the jobs' pods are gone", lambda: not live.job_pods(), PATIENCE_SECONDS)
    live.healthy()
    assert live.ask(lambda api: api.import_errors()) == []
    row = Row(
        table="cluster",
        fault="of a job in a pod of its own, that pod or the pod of its task is deleted: with notice, and by force",
        tried=f"{len(starts)} runs, one for each of the four",
        seen="Airflow tries the task again: the run succeeded at its second try; what its job left outside Airflow: it ended "
        "once, and started once where the task's pod went by force and the next try found the job at work, twice otherwise",
        lost=lost,
        doubled=doubled,
        recovery_seconds=median_and_longest(seconds),
        command=COMMAND,
    )
    reliability("cluster-deleted-job", row)
