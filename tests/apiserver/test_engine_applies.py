"""The engine and the API server together: a stack's whole life on a server that refuses what cannot be changed in place."""

from doubles.live.objects import Objects
from doubles.live.provider import LiveKubernetesDouble
from tests.apiserver.cluster import Cluster
from tests.apiserver.controllers import controllers
from tests.engine.conftest import Drive

NAMESPACE = "airflow-applied"
KINDS = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "Job"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
)


def names(cluster: Cluster, api_version: str, kind: str) -> set[str]:
    return {one["metadata"]["name"] for one in cluster.all_of(api_version, kind, NAMESPACE)}


def images(cluster: Cluster) -> set[str]:
    deployments = cluster.all_of("apps/v1", "Deployment", NAMESPACE)
    return {one["spec"]["template"]["spec"]["containers"][0]["image"] for one in deployments}


def test_local_is_made_changed_and_removed_on_a_real_api_server(drive: Drive, cluster: Cluster) -> None:
    stack = drive("local", kubernetes=LiveKubernetesDouble(Objects.from_kubeconfig(str(cluster.kubeconfig))))
    stack.configure("namespace", NAMESPACE)
    with controllers(cluster, NAMESPACE, "etl-jobs"):
        stack.up()
        assert names(cluster, "batch/v1", "Job") == {"airflow-migrations"}
        assert all(names(cluster, api_version, kind) for api_version, kind in KINDS)
        assert stack.preview() == {}

        stack.configure("image.reference", "docker.io/library/airflow-control-plane:next")
        stack.configure("airflow.parallelism", 12)
        stack.up()
        assert images(cluster) == {"docker.io/library/airflow-control-plane:next"}
        assert stack.preview() == {}

        stack.destroy()
    assert {(api_version, kind): left for api_version, kind in KINDS if (left := names(cluster, api_version, kind))} == {}
