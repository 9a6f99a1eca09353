"""The network policies of the stack, by the flows of its own pods: what is allowed passes, what is denied times out."""

import json
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from components.airflow_pods import AIRFLOW_UID
from docs.reliability import Row
from images.layout import Image
from tests.cluster.kubernetes import Kubernetes
from tests.cluster.local_stack.combinations import LAST
from tests.cluster.local_stack.conftest import Waiting
from tests.cluster.local_stack.live_stack import PATIENCE_SECONDS, LiveStack
from tests.cluster.local_stack.object_store import ObjectStore
from tests.cluster.pods import restricted_pod

KNOCK = """
import concurrent.futures, json, socket, sys, time

def knock(target):
    host, port = target
    address = socket.gethostbyname(host)
    began = time.monotonic()
    try:
        socket.create_connection((address, port), timeout=4).close()
        return "passes"
    except TimeoutError:
        return "times out"
    except OSError as error:
        return f"{error} after {time.monotonic() - began:.1f} s"

targets = json.loads(sys.argv[1])
with concurrent.futures.ThreadPoolExecutor(len(targets)) as at_once:
    print(json.dumps(dict(zip(targets, at_once.map(knock, targets.values())))))
"""
ALLOWED: Mapping[str, set[str]] = {
    "api-server": {"database", "kubernetes", "triggerer"},
    "scheduler": {"database", "kubernetes"},
    "dag-processor": {"database", "store"},
    # What triggers and jobs wait for or read cannot be known; what Airflow lets in can.
    "triggerer": {"database", "kubernetes", "store", "api-server"},
    "task": {"kubernetes", "store", "api-server"},
    "job": {"kubernetes", "store"},
    "stranger": {"kubernetes", "store"},
}
"""Who may reach what, with KubernetesExecutor and packages in a bucket; nothing else but each itself."""


def sleeper(namespace: Kubernetes, image: Image) -> Kubernetes:
    """Start a pod that does nothing, and return its namespace."""
    namespace.apply(restricted_pod("sleeper", image, user=AIRFLOW_UID, group=0, command=["sleep", "3600"]))
    namespace.wait_for_pod("sleeper")
    return namespace


@pytest.fixture
def knocks(
    live: LiveStack,
    store: ObjectStore,
    outside: Kubernetes,
    images: dict[str, Image],
    waiting: Waiting,
) -> Generator[dict[str, Callable[[], dict[str, str]]]]:
    """Return who can knock, each with what tells how its knocks at every door ended."""
    live.become(LAST.settings(store), store)
    (waits,) = waiting("flows")
    where = {name: (live.kubernetes, live.pods(name)[0]) for name in ("api-server", "scheduler", "dag-processor", "triggerer")}
    where["task"] = (live.kubernetes, waits.pods()[0])
    where["job"] = (sleeper(live.jobs, images["airflow"]), "sleeper")
    where["stranger"] = (sleeper(outside, images["airflow"]), "sleeper")

    def address(component: str) -> str:
        return live.kubernetes.get("pod", live.pods(component)[0])["status"]["podIP"]

    doors = {
        "database": (address("database"), 5432),
        "api-server": (f"airflow-api-server.{live.namespace}.svc.cluster.local", 80),
        "scheduler": (address("scheduler"), 8974),
        "triggerer": (address("triggerer"), 8794),
        "kubernetes": ("kubernetes.default.svc.cluster.local", 443),
        "store": (f"moto.{outside.namespace}.svc.cluster.local", 5000),
    }

    def knock(namespace: Kubernetes, pod: str) -> dict[str, str]:
        return json.loads(namespace.run("exec", pod, "--", "python", "-c", KNOCK, json.dumps(doors)).stdout)

    yield {name: lambda at=at: knock(*at) for name, at in where.items()}
    store.go("flows")
    for namespace in (live.jobs, outside):
        namespace.run("delete", "pod", "sleeper", "--wait=false")
    assert waits.ends() == "success"


@pytest.mark.timeout(2 * PATIENCE_SECONDS)
def test_allowed_flows_pass_and_all_others_time_out(
    knocks: dict[str, Callable[[], dict[str, str]]], reliability: Callable[[str, Row], None]
) -> None:
    with ThreadPoolExecutor(len(knocks)) as at_once:
        found = dict(zip(knocks, at_once.map(lambda knock: knock(), knocks.values()), strict=True))
    expected = {
        name: {door: "passes" if door in ALLOWED[name] | {name} else "times out" for door in doors}
        for name, doors in found.items()
    }
    assert found == expected
    ends = [end for doors in found.values() for end in doors.values()]
    row = Row(
        table="cluster",
        fault="every kind of pod, one that runs a job and a stranger's among them, knocks at every door of the stack",
        tried=f"{len(ends)} connections, {ends.count('times out')} of them denied by the network policies",
        seen=f"how each ended: {ends.count('passes')} allowed ones passed, every denied one timed out",
        lost=0,
        doubled=0,
        command="RELIABILITY=docs/reliability make test-cluster",
    )
    reliability("cluster-flows-denied", row)
