"""Each pod's environment and volumes hold its row of the table and nothing else."""

from typing import Any

import pytest

from tests.components.variants import TASK_PODS, eks, kubernetes

FERNET, API, JWT, DATABASE = "airflow-fernet-key", "airflow-api-secret-key", "airflow-jwt-keys", "airflow-database"
ALWAYS = {
    "airflow-api-server/api-server": {FERNET, API, JWT, DATABASE},
    "airflow-dag-processor/dag-processor": {FERNET, DATABASE},
    "airflow-triggerer/triggerer": {FERNET, API, DATABASE},
    "airflow-migrations/migrate": {FERNET, DATABASE, "airflow-admin"},
}
ROWS = {
    "LocalExecutor": {**ALWAYS, "airflow-scheduler/scheduler": {FERNET, API, JWT, DATABASE}},
    # Serves no logs where its tasks have pods of their own.
    "KubernetesExecutor": {**ALWAYS, "airflow-scheduler/scheduler": {FERNET, JWT, DATABASE}},
}
"""Executor to container to the Secrets it may read. Everything that is not here reads none."""

LOGINS = {"password": {}, "secret": {"database": {"login": "secret"}}, "iam": {"database": {"login": "iam"}}}


def read_by(spec: dict[str, Any], container: dict[str, Any]) -> set[str]:
    """Return the Secrets a container reads, by variable, all at once or as files."""
    found = {source["secretRef"]["name"] for source in container.get("envFrom") or () if "secretRef" in source}
    for variable in container.get("env") or ():
        if reference := (variable.get("valueFrom") or {}).get("secretKeyRef"):
            found.add(reference["name"])
    mounted = {mount["name"] for mount in container.get("volumeMounts") or ()}
    for volume in spec.get("volumes") or ():
        if volume["name"] in mounted:
            sources = [volume, *((volume.get("projected") or {}).get("sources") or ())]
            found |= {
                source["secret"].get("secretName") or source["secret"]["name"] for source in sources if "secret" in source
            }
    return found


def all_readers(stack: Any) -> dict[str, set[str]]:
    specs = {name: template["spec"] for name, template in stack.pods().items() if name.startswith("airflow-")}
    if stack.environment()["AIRFLOW__CORE__EXECUTOR"] == "KubernetesExecutor":
        specs["task"] = stack.task_pod()["spec"]
    return {
        f"{pod}/{container['name']}": read
        for pod, spec in specs.items()
        for container in [*(spec.get("initContainers") or []), *spec["containers"]]
        if (read := read_by(spec, container))
    }


@pytest.mark.parametrize("executor", ROWS)
def test_every_container_reads_its_row(deploy: Any, executor: str):
    assert all_readers(deploy("local", kubernetes(airflow={"executor": executor}))) == ROWS[executor]


@pytest.mark.parametrize("executor", ROWS)
@pytest.mark.parametrize("login", LOGINS)
def test_every_container_on_eks_reads_its_row(deploy: Any, executor: str, login: str):
    found = all_readers(deploy("dev", eks(airflow={"executor": executor}, **LOGINS[login])))
    maker = {"airflow-migrations/database-user": {FERNET, DATABASE}} if login == "iam" else {}
    assert found == ROWS[executor] | maker


def test_a_task_pod_knows_nothing_of_a_secret_but_its_own_store_s(deploy: Any):
    spec = deploy("local", kubernetes(airflow=TASK_PODS)).task_pod()["spec"]
    assert [volume for volume in spec["volumes"] if "secret" in volume or "projected" in volume] == [
        volume for volume in spec["volumes"] if volume["name"] == "kubernetes-api"
    ]
    names = {variable["name"] for container in spec["containers"] for variable in container.get("env") or ()}
    assert not {name for name in names if name.startswith("AIRFLOW__DATABASE__") or "FERNET" in name or "JWT" in name}


def test_a_changed_secret_restarts_only_the_pods_that_read_it(deploy: Any):
    """Another Service name changes the database's URL and no key."""
    key = "airflow-control-plane/secrets-checksum"
    stack = deploy("local", kubernetes())
    sums = {name: template["metadata"]["annotations"][key] for name, template in stack.pods().items() if key in str(template)}
    assert set(sums) == {
        "airflow-api-server",
        "airflow-scheduler",
        "airflow-dag-processor",
        "airflow-triggerer",
        "airflow-migrations",
    }
    # The same secrets give the same digest, others another.
    assert sums["airflow-dag-processor"] == sums["airflow-migrations"]
    assert sums["airflow-api-server"] == sums["airflow-scheduler"]
    assert len(set(sums.values())) == 3
