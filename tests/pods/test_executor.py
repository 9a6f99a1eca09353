"""KubernetesExecutor as a stack configures it, with a real Airflow and API server, and a node of processes.

The scheduler's account makes task pods from the stack's template, and a task ends well with what its pod is given, without any
secret of Airflow.
"""

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

import pytest

from tests.airflow.server import BIN, Airflow, environment, until
from tests.apiserver.cluster import Cluster
from tests.apiserver.conftest import AppliedStack, apply_stack
from tests.apiserver.control_plane import control_plane
from tests.built_tools import built_tool
from tests.components.variants import TASK_PODS, kubernetes
from tests.pods.conftest import kubeconfig
from tests.pods.kubelet import Kubelet

JOBS = {
    "adds": """
        import os

        def main(argv):
            print("the sum is", sum(int(word) for word in argv))
            print("given secrets:", [name for name in os.environ if "FERNET" in name or "JWT_SECRET" in name])
            print("database:", os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "none")[:30])
            return 0

        JOB = (main, "Adds", {"isolation": "inline"})
    """,
    "fails": """
        def main(argv):
            print("three rows are missing")
            return 3

        JOB = (main, "Fails", {"retries": 0})
    """,
}


class TaskNode(Kubelet):
    """A node of processes where dumb-init is not installed: what it would run is run."""

    def _start(self, name: str, container: Mapping[str, Any]) -> None:
        assert container["command"] == ["dumb-init", "--"]
        super()._start(name, {**container, "command": []})


@dataclass(frozen=True)
class Tasks:
    airflow: Airflow
    node: TaskNode
    stack: AppliedStack

    def pods_of(self, job: str) -> list[dict[str, Any]]:
        """Return all pods there ever were of a job's tasks."""
        return [pod for pod in self.node.pods.values() if pod["metadata"]["labels"]["dag_id"] == f"sums_{job}"]


def secret(name: str) -> bool:
    return any(word in name for word in ("SQL_ALCHEMY", "FERNET", "JWT", "SECRET_KEY"))


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Generator[Tasks]:
    """A running Airflow whose tasks run in pods, its packages those of the image, by bundle."""
    folder = tmp_path_factory.mktemp("tasks")
    packages, home, pod_home, state = (folder / name for name in ("packages", "airflow", "pod", "control-plane"))
    for each in (home, pod_home, state, packages / "sums" / "jobs"):
        each.mkdir(parents=True)
    (packages / "sums" / "__init__.py").touch()
    (pod_home / "airflow.cfg").touch()
    for name, source in JOBS.items():
        (packages / "sums" / "jobs" / f"{name}.py").write_text(dedent(source))
    with control_plane(built_tool("etcd"), built_tool("kube-apiserver"), state) as client:
        cluster = Cluster(client, state / "kubeconfig")
        stack = apply_stack(cluster, "executor", kubernetes(airflow=TASK_PODS, dags={"delivery": "bundle"}))
        (declared,) = (one["data"] for one in stack.kept("v1", "ConfigMap") if one["metadata"]["name"] == "airflow-config")
        template = folder / "pod-template.yaml"
        template.write_text(json.dumps(stack.task_pod()))
        (bundle,) = json.loads(declared["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])
        bundle["kwargs"] |= {"source": str(packages), "refresh_interval": 5}
        account = kubeconfig(cluster, state, str(client.base_url), stack.namespace, "airflow-scheduler")
        here = environment(home, packages, home / "dags")
        # What differs from the stack is where things are on this machine.
        given = {
            **declared,
            **{name: value for name, value in here.items() if name != "AIRFLOW__CORE__EXECUTOR"},
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home / "bundles"),
            "AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE": str(template),
            "AIRFLOW__KUBERNETES_EXECUTOR__IN_CLUSTER": "False",
            "AIRFLOW__KUBERNETES_EXECUTOR__CONFIG_FILE": str(account),
        }
        image = {name: value for name, value in given.items() if not secret(name)} | {
            "PATH": f"{BIN}:/usr/bin:/bin",
            "HOME": str(pod_home),
            "AIRFLOW_HOME": str(pod_home),
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(pod_home / "bundles"),
        }
        airflow = Airflow(home, given)
        migration = airflow.run("airflow", "db", "migrate")
        assert migration.returncode == 0, migration.stderr[-3000:]
        with TaskNode(client, stack.namespace, image, state) as node:
            try:
                airflow.start()
                for name in JOBS:
                    until(
                        lambda name=name: airflow.client.get(f"/api/v2/dags/sums_{name}").is_success,
                        f"sums_{name} is known",
                        airflow,
                        120,
                    )
                yield Tasks(airflow, node, stack)
            finally:
                airflow.stop()


def test_a_task_runs_in_a_pod_of_the_stack_s_template_without_a_secret_of_airflow(tasks: Tasks) -> None:
    run_id = tasks.airflow.trigger("sums_adds", {"args": ["40", "2"]})
    state = tasks.airflow.finished("sums_adds", run_id, timeout_seconds=180)
    log = tasks.airflow.task_log("sums_adds", run_id, "adds")
    assert state == "success", log
    assert "the sum is 42" in log
    assert "given secrets: []" in log
    (pod,) = tasks.pods_of("adds")
    assert pod["spec"]["serviceAccountName"] == "airflow-task"
    assert pod["metadata"]["labels"]["app.kubernetes.io/component"] == "task"


def test_a_task_that_fails_says_why_after_its_pod_is_gone(tasks: Tasks) -> None:
    run_id = tasks.airflow.trigger("sums_fails")
    assert tasks.airflow.finished("sums_fails", run_id, timeout_seconds=180) == "failed"
    (pod,) = tasks.pods_of("fails")
    name = pod["metadata"]["name"]
    until(
        lambda: name not in {one["metadata"]["name"] for one in tasks.stack.kept("v1", "Pod")},
        "the pod is gone",
        tasks.airflow,
        60,
    )
    assert "three rows are missing" in tasks.airflow.task_log("sums_fails", run_id, "fails")
