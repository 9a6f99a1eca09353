"""Executor, delivery and source: every combination that the settings allow."""

from dataclasses import dataclass
from itertools import product
from typing import Any

from components.dag_delivery import Pattern
from components.executor import Executor
from tests.cluster.local_stack.object_store import SECRET, ObjectStore

REFRESH_SECONDS = 5


@dataclass(frozen=True)
class Combination:
    executor: Executor
    delivery: Pattern
    source: str

    def settings(self, store: ObjectStore) -> dict[str, Any]:
        """Return the sections of the stack file that make it."""
        dags: dict[str, Any] = {"source": self.source, "delivery": self.delivery, "refreshSeconds": REFRESH_SECONDS}
        if self.source == "s3":
            dags |= {"url": store.url, "endpointUrl": store.endpoint, "credentialsSecret": SECRET}
            dags |= {"intervalSeconds": REFRESH_SECONDS} if self.delivery == "sidecar" else {}
        return {"airflow": {"executor": self.executor}, "dags": dags, "jobs": {"secret": SECRET}}

    def __str__(self) -> str:
        return f"{self.executor}-{self.delivery}-{self.source}"


EXECUTORS: tuple[Executor, ...] = ("LocalExecutor", "KubernetesExecutor")
DELIVERIES: tuple[Pattern, ...] = ("init", "sidecar", "bundle")
SOURCES = ("image", "s3")
EVERY = [Combination(*one) for one in product(EXECUTORS, DELIVERIES, SOURCES)]
LAST = EVERY[-1]
"""What the tests of faults run on: nothing has to be changed for it after all combinations."""
