"""What an executor changes: where tasks run, what they are given, who asks Kubernetes for what."""

from typing import Any

import pytest

from tests.components.variants import LOGS_IN_BUCKET, TASK_PODS, eks, kubernetes


@pytest.fixture(scope="module")
def tasks(deploy: Any) -> Any:
    """Return a stack whose tasks run in pods, their logs on a volume."""
    return deploy("local", kubernetes(airflow=TASK_PODS))


@pytest.fixture(scope="module")
def tasks_on_eks(deploy: Any) -> Any:
    return deploy("dev", eks(airflow=TASK_PODS))


def mounted(spec: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """Return the mounts of a volume by container."""
    containers = [*(spec.get("initContainers") or []), *spec["containers"]]
    return {one["name"]: mount for one in containers for mount in one["volumeMounts"] if mount["name"] == name}


def rules(stack: Any, role: str) -> dict[str, list[str]]:
    return {rule["resources"][0]: rule["verbs"] for rule in stack.only("Role", role)["rules"]}


def bound(stack: Any) -> dict[str, tuple[str, str]]:
    """Return role to the one account that is given it, and that account's namespace."""
    found = {}
    for binding in stack.all("RoleBinding"):
        (subject,) = binding.inputs["subjects"]
        assert binding.inputs["roleRef"] == {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": binding.inputs["metadata"]["name"],
        }
        found[binding.inputs["metadata"]["name"]] = (subject["name"], subject["namespace"])
    return found


def test_a_task_pod_is_written_for_restricted_pod_security(tasks: Any):
    spec = tasks.task_pod()["spec"]
    security = spec["securityContext"]
    assert (security["runAsNonRoot"], security["runAsUser"]) == (True, 50000)
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in [*spec["initContainers"], *spec["containers"]]:
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        assert container["image"] == "registry.example.com/airflow:1"
    assert (spec["restartPolicy"], spec["automountServiceAccountToken"]) == ("Never", False)


def test_a_task_pod_is_what_kubernetes_executor_fills_in(tasks: Any):
    (container,) = tasks.task_pod()["spec"]["containers"]
    assert container["name"] == "base"
    assert container["command"] == ["dumb-init", "--"]
    assert "args" not in container


def test_a_task_pod_is_given_no_secret_of_airflow(tasks: Any, tasks_on_eks: Any):
    for stack in (tasks, tasks_on_eks):
        spec = stack.task_pod()["spec"]
        assert spec["serviceAccountName"] == "airflow-task"
        for container in [*spec["initContainers"], *spec["containers"]]:
            assert container["envFrom"] == [{"configMapRef": {"name": "airflow-config"}}]
            assert not any("valueFrom" in variable for variable in container.get("env", ()))


def test_the_scheduler_reads_the_template_where_it_is_mounted_and_restarts_when_it_changes(deploy: Any, tasks: Any):
    spec = tasks.pods()["airflow-scheduler"]["spec"]
    folder = mounted(spec, "pod-template")["scheduler"]["mountPath"]
    assert tasks.environment()["AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE"] == f"{folder}/pod-template.yaml"
    other = deploy("local", kubernetes(airflow=TASK_PODS | {"taskPod": {"memory": "3Gi"}}))
    (container,) = other.task_pod()["spec"]["containers"]
    assert container["resources"]["limits"]["memory"] == "3Gi"
    key = "airflow-control-plane/template-checksum"
    before, after = (one.pods()["airflow-scheduler"]["metadata"]["annotations"][key] for one in (tasks, other))
    assert before != after


def test_task_pods_are_made_in_airflow_s_namespace_and_in_no_other(tasks: Any):
    environment = tasks.environment()
    assert environment["AIRFLOW__CORE__EXECUTOR"] == "KubernetesExecutor"
    assert environment["AIRFLOW__KUBERNETES_EXECUTOR__NAMESPACE"] == "airflow"
    assert environment["AIRFLOW__KUBERNETES_EXECUTOR__MULTI_NAMESPACE_MODE"] == "False"


@pytest.mark.parametrize("delete", [True, False])
def test_failed_pods_stay_if_asked_for(deploy: Any, delete: bool):
    stack = deploy("local", kubernetes(airflow=TASK_PODS | {"taskPod": {"deleteFailed": delete}}))
    assert stack.environment()["AIRFLOW__KUBERNETES_EXECUTOR__DELETE_WORKER_PODS_ON_FAILURE"] == str(delete)


def test_local_executor_has_nothing_of_task_pods(local: Any):
    assert not [name for name in local.environment() if "KUBERNETES_EXECUTOR" in name]
    names = {one.inputs["metadata"]["name"] for one in local.resources if one.type.startswith("kubernetes:")}
    assert not {name for name in names if "task" in name or "template" in name}


def test_kubernetes_executor_takes_dags_tasks_and_the_log_server_out_of_the_scheduler(tasks: Any):
    deployment, spec = tasks.only("Deployment", "airflow-scheduler")["spec"], tasks.pods()["airflow-scheduler"]["spec"]
    assert deployment["strategy"]["type"] == "RollingUpdate"
    assert {volume["name"] for volume in spec["volumes"]} == {"tmp", "logs", "kubernetes-api", "pod-template", "token-keys"}
    assert spec["terminationGracePeriodSeconds"] == 60
    (container,) = spec["containers"]
    assert {port["name"] for port in container["ports"]} == {"health"}
    assert "hostname" not in spec
    assert {one.inputs["metadata"]["name"] for one in tasks.all("Service")} == {"postgresql", "airflow-api-server"}


def test_logs_of_task_pods_are_on_a_volume_that_writers_write_and_the_api_server_reads(tasks: Any):
    specs = {name: template["spec"] for name, template in tasks.pods().items()} | {"task": tasks.task_pod()["spec"]}
    access = {}
    for name, spec in specs.items():
        claims = {v["name"]: v["persistentVolumeClaim"]["claimName"] for v in spec["volumes"] if "persistentVolumeClaim" in v}
        if claims == {"logs": "airflow-logs"}:
            access[name] = [mount.get("readOnly", False) for mount in mounted(spec, "logs").values()]
    assert access == {"airflow-api-server": [True], "airflow-triggerer": [False], "task": [False]}


def test_the_log_volume_is_as_configured(deploy: Any):
    logs = {"accessMode": "ReadWriteMany", "storageClass": "nfs", "storageGib": 7}
    claim = deploy("local", kubernetes(logs=logs)).only("PersistentVolumeClaim", "airflow-logs")["spec"]
    assert (claim["accessModes"], claim["storageClassName"]) == (["ReadWriteMany"], "nfs")
    assert claim["resources"]["requests"] == {"storage": "7Gi"}


def test_logs_in_a_bucket_are_reached_by_a_connection_of_their_own(deploy: Any):
    stack = deploy("local", kubernetes(airflow=TASK_PODS, logs=LOGS_IN_BUCKET))
    assert not stack.all("PersistentVolumeClaim")
    assert stack.environment()["AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER"] == "s3://bucket/logs"
    assert stack.environment()["AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID"] == "task_logs"
    having = {
        f"{name}/{container['name']}"
        for name, spec in {**{n: t["spec"] for n, t in stack.pods().items()}, "task": stack.task_pod()["spec"]}.items()
        for container in [*(spec.get("initContainers") or []), *spec["containers"]]
        if any(variable["name"] == "AIRFLOW_CONN_TASK_LOGS" for variable in container.get("env") or ())
    }
    assert having == {"airflow-api-server/api-server", "airflow-triggerer/triggerer", "task/base"}
    variables = {v["name"]: v for v in stack.task_pod()["spec"]["containers"][0]["env"]}
    assert variables["TASK_LOGS_SECRET_ACCESS_KEY"]["valueFrom"]["secretKeyRef"] == {
        "name": "logs-writer",
        "key": "AWS_SECRET_ACCESS_KEY",
    }
    order = list(variables)
    # Kubernetes expands only what was named before.
    assert order.index("AIRFLOW_CONN_TASK_LOGS") > order.index("TASK_LOGS_SECRET_ACCESS_KEY")


def test_the_scheduler_makes_task_pods_and_the_api_server_only_reads_them(tasks: Any):
    assert bound(tasks) == {
        "airflow-scheduler-task-pods": ("airflow-scheduler", "airflow"),
        "airflow-api-server-task-pods": ("airflow-api-server", "airflow"),
        "airflow-job-pods": ("airflow-task", "airflow"),
    }
    verbs = rules(tasks, "airflow-scheduler-task-pods")
    assert verbs == {"pods": ["create", "get", "list", "watch", "patch", "delete"], "pods/log": ["get"]}
    assert rules(tasks, "airflow-api-server-task-pods") == {"pods": ["get", "list"], "pods/log": ["get"]}
    assert not tasks.all("ClusterRole")
    assert not tasks.all("ClusterRoleBinding")


def test_with_local_executor_the_scheduler_makes_the_pods_of_jobs(local: Any):
    assert bound(local) == {"airflow-job-pods": ("airflow-scheduler", "airflow")}
    assert local.only("Role", "airflow-job-pods")["metadata"]["namespace"] == "etl-jobs"
    assert "pods/exec" not in rules(local, "airflow-job-pods")


@pytest.mark.parametrize(
    ("executor", "jobs", "callers"),
    [
        ("LocalExecutor", True, {"airflow-scheduler/scheduler"}),
        ("LocalExecutor", False, set[str]()),
        ("KubernetesExecutor", True, {"airflow-scheduler/scheduler", "airflow-api-server/api-server", "task/base"}),
        ("KubernetesExecutor", False, {"airflow-scheduler/scheduler", "airflow-api-server/api-server"}),
    ],
)
def test_a_token_is_in_the_one_container_that_uses_it(deploy: Any, executor: str, jobs: bool, callers: set[str]):
    stack = deploy("local", kubernetes(airflow={"executor": executor}, jobs={"enabled": jobs}))
    specs = {name: template["spec"] for name, template in stack.pods().items()}
    if executor == "KubernetesExecutor":
        specs["task"] = stack.task_pod()["spec"]
    found = {f"{name}/{container}" for name, spec in specs.items() for container in mounted(spec, "kubernetes-api")}
    assert found == callers


def test_task_pods_reach_the_execution_api_and_the_world_but_not_the_database(tasks: Any):
    (to_api, outside) = tasks.only("NetworkPolicy", "airflow-task")["spec"]["egress"]
    assert to_api["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "api-server"
    assert outside["to"][0]["ipBlock"]["except"] == ["169.254.169.254/32"]
    (rule,) = tasks.only("NetworkPolicy", "postgresql")["spec"]["ingress"]
    (users,) = rule["from"][0]["podSelector"]["matchExpressions"]
    assert users["operator"] == "In"
    assert "task" not in users["values"]
    assert {"scheduler", "api-server", "dag-processor", "triggerer", "migrations"} == set(users["values"])


def test_with_task_pods_the_scheduler_reaches_the_database_and_kubernetes_alone(deploy: Any):
    values = kubernetes(airflow=TASK_PODS, kubernetes={"apiServerPorts": [16443]})
    egress = deploy("local", values).only("NetworkPolicy", "airflow-scheduler")["spec"]["egress"]
    assert [[port["port"] for port in rule["ports"]] for rule in egress] == [[5432], [16443]]


def test_jobs_have_a_namespace_without_doors_tokens_or_room_without_end(local: Any):
    quota = next(q.inputs for q in local.all("ResourceQuota") if q.inputs["metadata"]["namespace"] == "etl-jobs")
    assert quota["spec"]["hard"]["pods"] == "50"
    assert {"requests.cpu", "requests.memory", "services"} <= set(quota["spec"]["hard"])
    account = local.only("ServiceAccount", "etl-jobs")
    assert account["metadata"]["namespace"] == "etl-jobs"
    assert account["automountServiceAccountToken"] is False
    environment = local.environment()
    assert (environment["DAGSYNC_JOBS_NAMESPACE"], environment["DAGSYNC_JOBS_SERVICE_ACCOUNT"]) == ("etl-jobs", "etl-jobs")
    assert environment["DAGSYNC_JOBS_IMAGE"] == local.pods()["airflow-scheduler"]["spec"]["containers"][0]["image"]


def test_pods_of_jobs_are_given_the_secret_that_was_named(deploy: Any, local: Any):
    stack = deploy("local", kubernetes(jobs={"secret": "warehouse"}))
    assert stack.environment()["DAGSYNC_JOBS_SECRET"] == "warehouse"
    assert "DAGSYNC_JOBS_SECRET" not in local.environment()


def test_without_pods_for_jobs_there_is_no_trace_of_them(deploy: Any):
    stack = deploy("local", kubernetes(jobs={"enabled": False}))
    assert not [name for name in stack.environment() if name.startswith("DAGSYNC_JOBS")]
    assert not stack.all("Role")
    assert [one.inputs["metadata"]["name"] for one in stack.all("Namespace")] == ["airflow"]
