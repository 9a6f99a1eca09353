"""Pods of tasks and of jobs, made by Airflow's own code from what the stack gives it, and judged by a real API server."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver.cluster import RefusedError
from tests.apiserver.conftest import AppliedStack

TASK_STACKS = pytest.mark.parametrize("applied", ["prod", "tasks", "bundle"], indirect=True, scope="session")
CONSTRUCT = """
import json, sys
from airflow.providers.cncf.kubernetes.kube_config import KubeConfig
from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator
from kubernetes.client import models as k8s

config = KubeConfig()
asked = k8s.V1Pod(spec=k8s.V1PodSpec(containers=[k8s.V1Container(
    name="base", resources=k8s.V1ResourceRequirements(requests={"memory": "3Gi"}, limits={"memory": "3Gi"})
)]))
pods = [PodGenerator.construct_pod(
    dag_id="sales_load_orders", task_id="load_orders", pod_id=f"sales-load-orders-{name}", try_number=1,
    kube_image=config.kube_image, date=None, args=["python", "-m", "airflow.sdk.execution_time.execute_workload"],
    pod_override_object=override, base_worker_pod=PodGenerator.deserialize_model_file(config.pod_template_file),
    namespace=config.kube_namespace, scheduler_job_id="7", run_id="manual__1", with_mutation_hook=True,
) for name, override in (("plain", None), ("asked", asked))]
json.dump([PodGenerator.serialize_pod(pod) for pod in pods], sys.stdout)
"""
"""What KubernetesExecutor does with the configuration and the template (``kubernetes_executor_utils.run_next``)."""


@pytest.fixture(scope="module")
def with_tasks(applied: AppliedStack) -> AppliedStack:
    """Return a stack whose tasks run in pods."""
    return applied


@pytest.fixture(scope="module")
def task_pods(with_tasks: AppliedStack, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return the pods of two tasks, one of which asks for memory of its own, as Airflow would create them."""
    home = tmp_path_factory.mktemp("airflow")
    (config_map,) = [one for one in with_tasks.kept("v1", "ConfigMap") if one["metadata"]["name"] == "airflow-config"]
    (mounted,) = [one for one in with_tasks.kept("v1", "ConfigMap") if one["metadata"]["name"] == "airflow-pod-template"]
    file = home / Path(config_map["data"]["AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE"]).name
    file.write_text(mounted["data"][file.name])
    environment = {
        "PATH": os.environ["PATH"],
        "AIRFLOW_HOME": str(home),
        **config_map["data"],
        "AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE": str(file),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home),
        "AIRFLOW__LOGGING__REMOTE_LOGGING": "False",
    }
    made = subprocess.run(
        [sys.executable, "-c", CONSTRUCT], env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert made.returncode == 0, made.stderr[-3000:]
    return json.loads(made.stdout.splitlines()[-1])


@TASK_STACKS
def test_airflow_s_own_pods_are_admitted(with_tasks: AppliedStack, task_pods: list[dict[str, Any]]) -> None:
    for pod in task_pods:
        made = with_tasks.cluster.create(pod)
        assert made["metadata"]["namespace"] == with_tasks.namespace
        with_tasks.cluster.delete({**pod, "apiVersion": "v1", "kind": "Pod"})


@TASK_STACKS
def test_airflow_changes_of_the_template_what_is_the_task_s_and_keeps_the_rest(
    with_tasks: AppliedStack, task_pods: list[dict[str, Any]]
) -> None:
    template = with_tasks.task_pod()
    assert template is not None
    before = template["spec"]["containers"][0]
    for pod, memory in zip(task_pods, (before["resources"]["limits"]["memory"], "3Gi"), strict=True):
        (container,) = pod["spec"]["containers"]
        assert container["image"] == before["image"]
        assert container["args"][:3] == ["python", "-m", "airflow.sdk.execution_time.execute_workload"]
        assert container["command"] == ["dumb-init", "--"]
        assert container["resources"]["limits"]["memory"] == memory
        for key in ("securityContext", "envFrom", "volumeMounts"):
            assert container[key] == before[key], key
        assert pod["spec"]["serviceAccountName"] == "airflow-task"
        assert pod["spec"].get("initContainers", []) == template["spec"].get("initContainers", [])
        assert pod["metadata"]["labels"].items() >= template["metadata"]["labels"].items()


@TASK_STACKS
def test_a_task_pod_that_would_be_root_is_refused(with_tasks: AppliedStack, task_pods: list[dict[str, Any]]) -> None:
    pod = json.loads(json.dumps(task_pods[0]))
    pod["spec"]["securityContext"] |= {"runAsNonRoot": False, "runAsUser": 0}
    with pytest.raises(RefusedError, match=r'violates PodSecurity "restricted'):
        with_tasks.cluster.create(pod, dry_run=True)


def job_pod(applied: AppliedStack, **resources: str) -> dict[str, Any]:
    """Return a pod as small as the namespace's LimitRange lets one be written."""
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": "base",
        "image": "x:1",
        "securityContext": security,
        "resources": {"requests": resources, "limits": resources},
    }
    pod_security = {"runAsNonRoot": True, "runAsUser": 50000, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"containers": [container], "serviceAccountName": "etl-jobs", "securityContext": pod_security}
    metadata = {"name": "job", "namespace": applied.jobs_namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def test_a_job_s_pod_gets_limits_and_no_token(applied: AppliedStack) -> None:
    made = applied.cluster.create(job_pod(applied), dry_run=True)
    assert made["spec"]["containers"][0]["resources"]["limits"]["memory"]
    assert not [volume for volume in made["spec"].get("volumes", []) if "projected" in volume]


def test_a_job_that_asks_for_more_than_all_jobs_may_have_is_refused(applied: AppliedStack) -> None:
    with pytest.raises(RefusedError, match=r"exceeded quota.*requests\.memory"):
        applied.cluster.create(job_pod(applied, memory="400Gi"), dry_run=True)
