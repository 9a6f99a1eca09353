"""Where packages come from and how they become DAGs: every source with every delivery."""

import json
from typing import Any

import pytest

from tests.components.test_executors import mounted
from tests.components.variants import ENDPOINT, TASK_PODS, dags, eks, kubernetes

EVERY = [(source, delivery) for source in ("image", "s3") for delivery in ("init", "sidecar", "bundle")]


def readers(stack: Any) -> dict[str, dict[str, Any]]:
    """Return the pods that read DAGs, by name."""
    return {"airflow-dag-processor": stack.pods()["airflow-dag-processor"]["spec"], "task": stack.task_pod()["spec"]}


def variables(container: dict[str, Any]) -> dict[str, Any]:
    return {variable["name"]: variable.get("value") for variable in container.get("env") or ()}


def secrets(container: dict[str, Any]) -> set[str]:
    return {source["secretRef"]["name"] for source in container["envFrom"] if "secretRef" in source}


@pytest.mark.parametrize(("source", "delivery"), EVERY)
def test_airflow_looks_for_dags_and_packages_where_they_are_put(deploy: Any, source: str, delivery: str):
    stack = deploy("local", kubernetes(airflow=TASK_PODS, dags=dags(source, delivery)))
    environment = stack.environment()
    (bundle,) = json.loads(environment["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])
    for spec in readers(stack).values():
        main = spec["containers"][0]["name"]
        if delivery == "bundle":
            assert bundle["classpath"] == "dagsync.bundle.PackagesBundle"
            assert bundle["kwargs"]["source"] == ("s3://bucket/packages" if source == "s3" else "/app/packages")
            mount = mounted(spec, "bundles")[main]
            assert mount["mountPath"] == environment["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH"]
            assert not mount.get("readOnly")
            assert not spec.get("initContainers")
        else:
            assert bundle["kwargs"]["path"] == mounted(spec, "dags")[main]["mountPath"] == environment["AIRFLOW_DAGS_DIR"]
            assert mounted(spec, "dags")[main]["readOnly"] is True
            if source == "s3":
                assert environment["ETL_PACKAGES_ROOT"] == mounted(spec, "packages")[main]["mountPath"] + "/current"
                assert mounted(spec, "packages")[main]["readOnly"] is True
            else:
                assert environment["ETL_PACKAGES_ROOT"] == "/app/packages"


@pytest.mark.parametrize(("source", "delivery"), [pair for pair in EVERY if pair[1] != "bundle"])
def test_what_syncs_knows_its_source_and_writes_to_what_airflow_reads(deploy: Any, source: str, delivery: str):
    stack = deploy("local", kubernetes(airflow=TASK_PODS, dags=dags(source, delivery)))
    environment = stack.environment()
    for name, spec in readers(stack).items():
        (sync,) = spec["initContainers"]
        shared = ["dags", "packages"] if source == "s3" else ["dags"]
        for volume in shared:
            assert not mounted(spec, volume)[sync["name"]].get("readOnly")
        assert {"configMapRef": {"name": "airflow-config"}} in sync["envFrom"]
        if source == "s3":
            # Also for tasks: a job's pod fetches the version of its run from there.
            assert environment["DAGSYNC_SOURCE"] == "s3://bucket/packages"
            assert environment["DAGSYNC_CACHE"] == mounted(spec, "packages")[sync["name"]]["mountPath"]
            assert variables(sync) == {"AWS_ENDPOINT_URL_S3": ENDPOINT}
        else:
            assert variables(sync) == {}
            assert "DAGSYNC_SOURCE" not in environment
        stays = delivery == "sidecar" and name != "task"
        assert ("--watch" in sync["command"], sync.get("restartPolicy")) == (stays, "Always" if stays else None)


@pytest.mark.parametrize("delivery", ["init", "sidecar", "bundle"])
def test_credentials_of_the_bucket_go_to_what_fetches_and_nowhere_else(deploy: Any, delivery: str):
    stack = deploy("local", kubernetes(airflow=TASK_PODS, dags=dags("s3", delivery)))
    specs = {name: template["spec"] for name, template in stack.pods().items()} | {"task": stack.task_pod()["spec"]}
    having = {
        f"{name}/{container['name']}"
        for name, spec in specs.items()
        for container in [*(spec.get("initContainers") or []), *spec["containers"]]
        if "packages-reader" in secrets({"envFrom": [], **container})
    }
    fetching = {
        "init": {"airflow-dag-processor/dag-sync", "task/dag-sync"},
        "sidecar": {"airflow-dag-processor/dag-sync-sidecar", "task/dag-sync"},
        "bundle": {"airflow-dag-processor/dag-processor", "task/base"},
    }
    assert having == fetching[delivery]


def test_the_sidecar_looks_often_where_a_look_is_cheap(deploy: Any):
    def interval(**given: Any) -> str:
        (sidecar,) = deploy("local", kubernetes(**given)).pods()["airflow-dag-processor"]["spec"]["initContainers"]
        return sidecar["command"][sidecar["command"].index("--interval") + 1]

    assert interval() == "300"
    assert interval(dags=dags("s3", "sidecar")) == "10"
    assert interval(dags=dags("s3", "sidecar") | {"intervalSeconds": 42}) == "42"


@pytest.mark.parametrize(
    ("endpoint", "ports"), [(None, [443, 80]), ("http://10.1.2.3:9000", [9000]), ("https://minio.example.com", [443])]
)
def test_the_dag_processor_reaches_the_bucket_at_its_port(deploy: Any, endpoint: str | None, ports: list[int]):
    given = {"source": "s3", "url": "s3://bucket/packages", "endpointUrl": endpoint}
    stack = deploy("local", kubernetes(dags={key: value for key, value in given.items() if value}))
    egress = stack.only("NetworkPolicy", "airflow-dag-processor")["spec"]["egress"]
    assert [port["port"] for port in egress[-1]["ports"]] == ports


@pytest.mark.parametrize("executor", ["LocalExecutor", "KubernetesExecutor"])
def test_on_eks_the_bucket_is_made_and_read_by_what_reads_dags(deploy: Any, executor: str):
    stack = deploy("dev", eks(airflow={"executor": executor}, dags={"source": "s3"}))
    runner = "airflow-scheduler" if executor == "LocalExecutor" else "airflow-task"
    policies = {policy.name: json.loads(policy.inputs["policy"])["Statement"] for policy in stack.all("RolePolicy")}
    assert set(policies) == {"airflow-api-server", "airflow-triggerer", "airflow-dag-processor", runner, "etl-jobs"}
    assert policies["airflow-dag-processor"] == [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "${packages.arn}/packages/*"},
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": "${packages.arn}",
            "Condition": {"StringLike": {"s3:prefix": ["packages/*"]}},
        },
    ]
    readers = {name for name, statements in policies.items() if any("packages" in str(s["Resource"]) for s in statements)}
    assert readers == {"airflow-dag-processor", runner, "etl-jobs"}
    assert policies["etl-jobs"] == policies["airflow-dag-processor"]
    (jobs,) = [one.inputs for one in stack.all("PodIdentityAssociation") if one.name == "etl-jobs"]
    assert (jobs["namespace"], jobs["serviceAccount"]) == ("etl-jobs", "etl-jobs")
    writers = {name for name, statements in policies.items() if any("s3:PutObject" in s["Action"] for s in statements)}
    assert writers == {"airflow-triggerer", runner}


def test_the_bucket_of_packages_is_private_encrypted_and_remembers(deploy: Any):
    stack = deploy("dev", eks(dags={"source": "s3"}))
    block = stack.only("BucketPublicAccessBlock", "packages")
    assert all(
        block[key] is True for key in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    )
    assert stack.only("BucketVersioning", "packages")["versioningConfiguration"]["status"] == "Enabled"
    (rule,) = stack.only("BucketLifecycleConfiguration", "packages")["rules"]
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    assert "expiration" not in rule
    assert stack.only("BucketServerSideEncryptionConfiguration", "packages")["rules"]
    (statement,) = json.loads(stack.only("BucketPolicy", "packages")["policy"])["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
