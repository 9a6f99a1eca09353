"""Airflow beside a real API server with a node of processes: tasks make real pods, with the rights their account has."""

import base64
import json
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from tests.airflow.server import BIN, Airflow, environment, until
from tests.apiserver.cluster import Cluster
from tests.apiserver.control_plane import control_plane
from tests.built_tools import built_tool, skip_without
from tests.pods.kubelet import Kubelet

JOBS_NAMESPACE = "etl-jobs"

JOBS = {
    "tells": """
        import argparse
        import json
        import os
        from pathlib import Path
        from dagsync import Job, Resources

        def main(argv):
            parser = argparse.ArgumentParser()
            parser.add_argument("--day", default="$(HOME)")
            parser.add_argument("tables", nargs="*")
            given = vars(parser.parse_args(argv))
            print("told")
            given |= {"environment": {name: value for name, value in os.environ.items() if "_" in name}}
            Path(os.environ["ETL_OUT"]).write_text(json.dumps(given))

        JOB = Job(
            main, "Tells what it was given", isolation="kubernetes", resources=Resources(cpu="250m", memory="64Mi"),
            image="registry.example.com/pods/tells:1",
        )
    """,
    "fails": """
        from dagsync import Job

        def main(argv):
            print("three rows are missing")
            return 3

        JOB = Job(main, "Fails", isolation="kubernetes", retries=0)
    """,
    "stays": """
        import os
        import signal
        import time
        from pathlib import Path
        from dagsync import Job

        def main(argv):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print("still at it", flush=True)
            time.sleep(600)

        JOB = Job(main, "Does not end", isolation="kubernetes", timeout=8, retries=0)
    """,
    "waits": """
        import os
        import time
        from datetime import timedelta
        from pathlib import Path
        from dagsync import Job

        def main(argv):
            print("waiting", flush=True)
            flag = Path(os.environ["ETL_OUT"]).with_name(argv[0])
            deadline = time.monotonic() + 300
            while not flag.exists():
                if time.monotonic() > deadline:
                    return 1
                time.sleep(0.1)
            print("done waiting")

        JOB = Job(main, "Waits for a file", isolation="kubernetes", retries=1, retry_delay=timedelta(seconds=1))
    """,
    "asks_too_much": """
        from dagsync import Job, Resources

        JOB = Job(print, "Is larger than the quota", isolation="kubernetes", resources=Resources(memory="64Gi"), retries=0)
    """,
}

OBJECTS = [
    {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": JOBS_NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
    },
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "airflow"}},
    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "etl-jobs", "namespace": JOBS_NAMESPACE}},
    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "tasks", "namespace": "airflow"}},
    {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "defaults", "namespace": JOBS_NAMESPACE},
        "spec": {"limits": [{"type": "Container", "default": {"cpu": "1", "memory": "512Mi"}}]},
    },
    {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "enough", "namespace": JOBS_NAMESPACE},
        "spec": {"hard": {"limits.memory": "8Gi"}},
    },
    # What tasks need, and nothing else: with less, the tests here fail.
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "tasks", "namespace": JOBS_NAMESPACE},
        "rules": [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "delete", "get", "list", "patch"]},
            {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["events"], "verbs": ["list"]},
        ],
    },
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "tasks", "namespace": JOBS_NAMESPACE},
        "subjects": [{"kind": "ServiceAccount", "name": "tasks", "namespace": "airflow"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "tasks"},
    },
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip_without(["etcd", "kube-apiserver"], "pods", items)


@dataclass(frozen=True)
class Pods:
    """A running Airflow and the node its jobs' pods come to."""

    airflow: Airflow
    kubelet: Kubelet
    cluster: Cluster
    out: Path
    """What the job that tells what it was given writes."""

    def of(self, job: str) -> list[str]:
        """Return the names of all pods there ever were of a job."""
        return [name for name, pod in self.kubelet.pods.items() if pod["metadata"]["labels"]["job"] == job]


def kubeconfig(cluster: Cluster, folder: Path, url: str, namespace: str, account: str) -> Path:
    """Write the credentials of a service account."""
    token = cluster.token(namespace, account)
    authority = base64.b64encode((folder / "ca.crt").read_bytes()).decode()
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "tests",
        "clusters": [{"name": "tests", "cluster": {"server": url, "certificate-authority-data": authority}}],
        "users": [{"name": "tests", "user": {"token": token}}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
    }
    path = folder / f"{account}.kubeconfig"
    path.touch(mode=0o600)
    path.write_text(json.dumps(document))
    return path


@pytest.fixture(scope="module")
def pods(tmp_path_factory: pytest.TempPathFactory) -> Generator[Pods]:
    """A running Airflow whose jobs run in pods."""
    yield from _started(tmp_path_factory.mktemp("pods"))


def _started(folder: Path) -> Iterator[Pods]:
    packages, home, state = folder / "packages", folder / "airflow", folder / "control-plane"
    for name, source in JOBS.items():
        path = packages / "pods" / "jobs" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source))
    (packages / "pods" / "__init__.py").touch()
    home.mkdir()
    state.mkdir()
    with control_plane(built_tool("etcd"), built_tool("kube-apiserver"), state) as client:
        cluster = Cluster(client, state / "kubeconfig")
        for each in OBJECTS:
            cluster.apply(each)
        for quota in cluster.all_of("v1", "ResourceQuota", JOBS_NAMESPACE):
            hard = quota["spec"]["hard"]
            cluster.put_status({**quota, "status": {"hard": hard, "used": dict.fromkeys(hard, "0")}})
        image = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": "/tmp", "ETL_PACKAGES_ROOT": str(packages)}
        given = environment(home, packages, home / "dags") | {
            "KUBECONFIG": str(kubeconfig(cluster, state, str(client.base_url), "airflow", "tasks")),
            "DAGSYNC_JOBS_IMAGE": "registry.example.com/airflow:1",
            "ETL_OUT": str(folder / "told.json"),
            "ETL_PRICE": "$$5 $(HOME)",
            "ETL_PASSWORD": "held back",
        }
        airflow = Airflow(home, given)
        assert airflow.run(sys.executable, "-m", "dagsync", "sync").returncode == 0
        migration = airflow.run("airflow", "db", "migrate")
        assert migration.returncode == 0, migration.stderr[-3000:]
        with Kubelet(client, JOBS_NAMESPACE, image, state) as kubelet:
            try:
                airflow.start()
                for name in JOBS:
                    dag_id = f"pods_{name}"
                    until(
                        lambda dag_id=dag_id: airflow.client.get(f"/api/v2/dags/{dag_id}").is_success,
                        f"{dag_id} is known",
                        airflow,
                        120,
                    )
                yield Pods(airflow, kubelet, cluster, folder / "told.json")
            finally:
                airflow.stop()
