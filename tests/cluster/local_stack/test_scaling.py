"""The API server is scaled to three and back under requests: whoever asks the Service is answered."""

import json
import time
from collections.abc import Callable, Generator
from typing import Any

import pytest

from components.airflow_pods import AIRFLOW_UID
from components.executor import TASK
from components.labels import labels
from docs.reliability import Row
from tests.cluster.kubernetes import Kubernetes
from tests.cluster.local_stack.combinations import LAST
from tests.cluster.local_stack.live_stack import PATIENCE_SECONDS, SMALL, LiveStack
from tests.cluster.local_stack.object_store import ObjectStore
from tests.cluster.pods import restricted_pod

CLIENTS = 4
# Each request has a connection of its own, so that each is one more choice of the Service among its pods.
ASKING = """
import http.client, json, pathlib, sys, threading, time

stop, paths, asked, failed = pathlib.Path("/tmp/stop"), ("/api/v2/version", "/api/v2/monitor/health"), [], []

def ask():
    while not stop.exists():
        path = paths[len(asked) % 2]
        began = time.monotonic()
        connection = http.client.HTTPConnection("airflow-api-server", timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                failed.append(f"{path}: {answer.status}")
        except Exception as error:
            failed.append(f"{path}: {error!r}")
        finally:
            connection.close()
        asked.append(time.monotonic() - began)
        time.sleep(0.05)

clients = [threading.Thread(target=ask) for _ in range(int(sys.argv[1]))]
[client.start() for client in clients]
[client.join() for client in clients]
print(json.dumps({"asked": len(asked), "slowest": max(asked), "failed": failed}))
"""


class Client:
    """A pod that asks the Service of the API server again and again."""

    def __init__(self, live: LiveStack) -> None:
        self.kubernetes: Kubernetes = live.kubernetes
        pod = restricted_pod("asking", live.image, user=AIRFLOW_UID, group=0, command=["python", "-c", ASKING, str(CLIENTS)])
        # As one of a task, it may ask.
        pod["metadata"]["labels"] = labels(TASK)
        self.kubernetes.apply(pod)
        self.kubernetes.wait_for_pod("asking")

    def told(self) -> dict[str, Any]:
        """Let it end, and return what it saw."""
        self.kubernetes.run("exec", "asking", "--", "touch", "/tmp/stop")
        assert self.kubernetes.wait_for_end("asking") == "Succeeded", self.kubernetes.run("logs", "asking").stdout
        return json.loads(self.kubernetes.run("logs", "asking").stdout)


@pytest.fixture
def client(live: LiveStack, store: ObjectStore) -> Generator[Client]:
    live.become(LAST.settings(store), store)
    yield Client(live)
    live.kubernetes.run("delete", "pod", "asking", "--wait=false")


def scale(live: LiveStack, settings: dict[str, Any], replicas: int) -> None:
    """Scale as a person does, and wait until no pod is left that is too many."""
    live.up(settings)

    def all_there() -> bool:
        found = live.kubernetes.get("pods", "--selector", "app.kubernetes.io/component=api-server")["items"]
        return len(found) == replicas

    live.kubernetes.wait(f"there are {replicas} pods", all_there, PATIENCE_SECONDS)
    live.healthy()


@pytest.mark.timeout(3 * PATIENCE_SECONDS)
def test_the_api_server_is_scaled_to_three_and_back_without_a_failed_request(
    live: LiveStack, client: Client, reliability: Callable[[str, Row], None]
) -> None:
    before = live.settings
    three = {**before["airflow"], "apiServer": {**SMALL["apiServer"], "replicas": 3}}
    scale(live, {**before, "airflow": three}, 3)
    scale(live, before, 1)
    # The last pods went a moment ago.
    time.sleep(2)
    told = client.told()
    print(told)
    assert told["asked"] > 500
    assert told["failed"] == []
    row = Row(
        table="cluster",
        fault="the API server is scaled to 3 and back to 1, by `airflow.apiServer.replicas` and `up`",
        tried=f"{told['asked']:,} requests by {CLIENTS} clients in a pod meanwhile, each with a connection of its own",
        seen=f"the answer to each, lost if there was none or another than 200; the slowest took {told['slowest']:.1f} s",
        lost=len(told["failed"]),
        doubled=0,
        command="RELIABILITY=docs/reliability make test-cluster",
    )
    reliability("cluster-scaled-api-server", row)
