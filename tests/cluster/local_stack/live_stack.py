"""The stack ``local`` on the cluster of the run: brought up, changed, asked and looked at."""

import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
from rich.console import Console

import cluster
from images.layout import Image
from settings import PROJECT
from stack import address, bringing_up, clusters
from stack.engine import find
from stack.operations import Operations
from stack.state import Record, StateFolder
from standalone import health
from standalone.progress import Progress
from standalone.rest import AirflowApi
from tests.cluster.kubernetes import Kubernetes
from tests.cluster.local_stack.object_store import ObjectStore
from tests.ports import free_port

T = TypeVar("T")

PACKAGES = Path(__file__).with_name("packages")
PATIENCE_SECONDS = 300.0
"""For anything that Airflow does on two cores that others use too."""

CPU = {"cpu": "50m"}
SMALL: Mapping[str, Any] = {
    "apiServer": {**CPU, "memory": "1Gi"},
    "scheduler": CPU,
    "dagProcessor": {**CPU, "memory": "768Mi"},
    "triggerer": CPU,
    "taskPod": {**CPU, "memory": "768Mi"},
}
"""So that three of one kind fit a node with two cores; limits stay as they are."""


def tree(folder: Path, origin: str) -> Path:
    """Copy the packages of the tests, with ``origin`` as what their jobs say they are from."""
    shutil.copytree(PACKAGES, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "proofs" / "origin.py").write_text(f"ORIGIN = {origin!r}\n")
    return folder


@dataclass
class LiveStack:
    """One stack in a namespace of its own, reached by a forwarded port."""

    up_cluster: cluster.Cluster
    image: Image
    folder: StateFolder
    namespace: str = "airflow"
    jobs_namespace: str = "etl-jobs"
    settings: dict[str, Any] = field(default_factory=dict)
    """What the last ``up`` laid over the stack file, by section."""

    def __post_init__(self) -> None:
        self.kubernetes = Kubernetes(self.up_cluster.kubeconfig, self.namespace)
        self.target = clusters.find(str(self.up_cluster.kubeconfig), self.up_cluster.context)
        self.record = Record(namespace=self.namespace)
        self.client: AirflowApi | None = None

    def overlay(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Return what is laid over the stack file."""
        sections = deepcopy(settings)
        sections["airflow"] = {**SMALL, **sections.get("airflow", {})}
        sections["jobs"] = {"namespace": self.jobs_namespace, **sections.get("jobs", {})}
        sections["image"] = {"reference": self.image.reference}
        sections["kubernetes"] = {"context": self.up_cluster.context}
        values: dict[str, Any] = {f"{PROJECT}:{name}": values for name, values in sections.items()}
        return {**values, f"{PROJECT}:namespace": self.namespace}

    def become(self, settings: dict[str, Any], store: ObjectStore) -> None:
        """Bring the stack to ``settings`` unless it has them, with access to ``store``."""
        if self.settings == settings:
            return
        if not self.settings:
            self.give_access(store)
        self.up(settings)
        if self.client is None:
            _ = self.api

    def give_access(self, store: ObjectStore) -> None:
        """Make the namespaces with what pods wait to be given: it has to be there while the first ``up`` waits for them."""
        for namespace in (self.namespace, self.jobs_namespace):
            client = Kubernetes(self.up_cluster.kubeconfig, namespace)
            client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
            store.grant(client)

    def up(self, settings: dict[str, Any]) -> dict[str, int]:
        """Run ``up`` with ``settings``, by section, and return what changed."""
        with self.opened(settings) as operations:
            changes = operations.up()
        self.settings = settings
        return changes

    def preview(self) -> dict[str, int]:
        """Return what another ``up`` would change."""
        with self.opened(self.settings) as operations:
            return operations.preview(print)

    def remove(self) -> None:
        """Remove what is in the cluster and the forwarded port; the state goes with its folder."""
        address.stop(self.record)
        if self.client is not None:
            self.client.close()
        self.kubernetes.run("delete", "namespace", self.namespace, self.jobs_namespace, "--ignore-not-found", "--wait=false")

    def opened(self, settings: dict[str, Any]) -> AbstractContextManager[Operations]:
        return Operations.opened(
            "local",
            find("kubernetes"),
            self.folder,
            Progress(Console()),
            more_environment=self.up_cluster.environment,
            config=self.overlay(settings),
        )

    @property
    def api(self) -> AirflowApi:
        """Airflow's API, with a port forwarded to it and a user logged in."""
        if self.client is None:
            port = free_port()
            pid, started = address.start(self.folder, "local", self.target, self.namespace, port)
            self.record = Record(namespace=self.namespace, port=port, forward_pid=pid, forward_started=started)
            self.client = AirflowApi(self.record.url)
            user = bringing_up.admin(self.target, self.namespace)
            self.ask(lambda api: api.log_in(*user))
        return self.client

    def ask(self, question: Callable[[AirflowApi], T]) -> T:
        """Return the API's answer; a forwarded port that ended with its pod is waited for."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return question(self.api)
            except httpx.HTTPError as error:
                refused = isinstance(error, httpx.HTTPStatusError) and error.response.status_code < 500
                if refused or time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def wait(self, what: str, question: Callable[[AirflowApi], bool]) -> float:
        """Wait until the API says so and return the seconds it took."""
        began = time.monotonic()
        self.kubernetes.wait(what, lambda: self.ask(question), PATIENCE_SECONDS)
        return time.monotonic() - began

    def healthy(self) -> None:
        """Wait until every pod is ready, and every component has sent a heartbeat since now."""
        since = time.time()
        self.kubernetes.wait("all pods are ready", self.settled, PATIENCE_SECONDS)
        self.kubernetes.wait("Airflow is healthy", lambda: not health.ask(self.api, since), PATIENCE_SECONDS)

    def settled(self) -> bool:
        """Tell whether every workload has the pods it wants, ready and of its last version, and no others."""
        found = [one for kind in ("deployments", "statefulsets") for one in self.kubernetes.get(kind)["items"]]
        return all(
            one["status"].get("observedGeneration") == one["metadata"]["generation"]
            and {one["status"].get(f"{state}eplicas") for state in ("r", "readyR", "updatedR")} == {one["spec"]["replicas"]}
            for one in found
        )

    def replaced(self, component: str, before: set[str]) -> None:
        """Wait until a component has pods and none of those it had."""

        def others() -> bool:
            found = self.identities(component)
            return bool(found) and not found & before

        self.kubernetes.wait(f"other pods of {component} are there", others, PATIENCE_SECONDS)

    def pods(self, component: str) -> list[str]:
        """Return the names of a component's pods that are not being deleted."""
        return [one["name"] for one in self._pods(component)]

    def identities(self, component: str) -> set[str]:
        """Return what tells those pods from others that have, or will have, the same names."""
        return {one["uid"] for one in self._pods(component)}

    def _pods(self, component: str) -> list[dict[str, Any]]:
        listed = self.kubernetes.get("pods", "--selector", f"app.kubernetes.io/component={component}")["items"]
        return [one["metadata"] for one in listed if not one["metadata"].get("deletionTimestamp")]

    @property
    def jobs(self) -> Kubernetes:
        """The namespace of the pods of jobs that have one of their own."""
        return Kubernetes(self.up_cluster.kubeconfig, self.jobs_namespace)

    def job_pods(self, argument: str | None = None) -> list[str]:
        """Return the names of the pods of jobs that have one of their own; with ``argument``, of those that are given it."""
        listed = self.jobs.get("pods", "--selector", "app.kubernetes.io/component=job")["items"]
        return [
            one["metadata"]["name"]
            for one in listed
            if argument is None or any(argument in container["command"] for container in one["spec"]["containers"])
        ]

    def trigger(self, dag_id: str, **conf: Any) -> "Run":
        """Start a run of a DAG once it is there."""
        self.wait(f"{dag_id} is visible", lambda api: dag_id in api.dags())
        self.ask(lambda api: api.set_paused(dag_id, False))
        run_id = f"test__{secrets.token_hex(8)}"
        try:
            self.ask(lambda api: api.trigger(dag_id, conf, run_id))
        except httpx.HTTPStatusError as error:
            # An answer that was lost with its pod is asked for again.
            if error.response.status_code != httpx.codes.CONFLICT:
                raise
        return Run(self, dag_id, run_id)


@dataclass(frozen=True)
class Run:
    """A run of a DAG with one task, whose id is the job's name."""

    stack: LiveStack
    dag_id: str
    run_id: str

    def state(self) -> str:
        return self.stack.ask(lambda api: api.run_state(self.dag_id, self.run_id))

    def ends(self) -> str:
        """Wait for the run's end and return its state."""
        self.stack.kubernetes.wait(f"{self.dag_id} ended", lambda: self.state() in ("success", "failed"), PATIENCE_SECONDS)
        return self.state()

    def pods(self) -> list[str]:
        """Return the names of the pods that KubernetesExecutor made for it and that are there still."""
        listed = self.stack.kubernetes.get("pods", "--selector", "app.kubernetes.io/component=task")["items"]
        return [
            one["metadata"]["name"] for one in listed if one["metadata"].get("annotations", {}).get("run_id") == self.run_id
        ]

    def tries(self) -> int:
        (task,) = self.stack.ask(lambda api: api.tasks(self.dag_id, self.run_id))
        return task["try_number"]

    def log(self, attempt: int = 1) -> str:
        """Return all of a try's log: Airflow's words, the job's, and the exceptions."""
        task = self.dag_id.partition("_")[2]
        return self.stack.ask(lambda api: api.whole_task_log(self.dag_id, self.run_id, task, attempt))
