"""A store with S3's protocol in the cluster: moto's server in a pod, reached from here by a NodePort."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from components.airflow_pods import AIRFLOW_UID
from dagsync.publishing import publish
from dagsync.s3 import S3Store
from images.layout import Image
from tests.cluster.kubernetes import Kubernetes
from tests.cluster.pods import restricted_pod

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PORT = 5000
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "proofs", "AWS_SECRET_ACCESS_KEY": "not a secret: moto takes any"}
REGION = "us-east-1"
SECRET = "packages"
"""The Secret with the access to it, in the namespaces of a stack."""


class ObjectStore:
    """Buckets ``jobs``, which packages are published to, and ``ledger``, where jobs leave traces."""

    def __init__(self, kubernetes: Kubernetes, image: Image, node_address: str) -> None:
        self.kubernetes = kubernetes
        server = restricted_pod("moto", image, user=AIRFLOW_UID, group=0)
        server["spec"]["containers"][0]["readinessProbe"] = {"tcpSocket": {"port": PORT}, "periodSeconds": 1}
        ports = [{"port": PORT, "targetPort": PORT}]
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "moto"},
            "spec": {"type": "NodePort", "selector": {"app": "moto"}, "ports": ports},
        }
        kubernetes.apply(server, service)
        kubernetes.wait_for_pod("moto")
        node_port: int = kubernetes.get("service", "moto")["spec"]["ports"][0]["nodePort"]
        self.endpoint = f"http://moto.{kubernetes.namespace}.svc.cluster.local:{PORT}"
        """Its address for pods."""

        self.client: S3Client = boto3.client(
            "s3",
            endpoint_url=f"http://{node_address}:{node_port}",
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(proxies={}, s3={"addressing_style": "path"}, retries={"total_max_attempts": 10, "mode": "standard"}),
        )
        kubernetes.wait("the object store answers", self._answers)
        for bucket in ("jobs", "ledger"):
            self.client.create_bucket(Bucket=bucket)

    def grant(self, namespace: Kubernetes) -> None:
        """Make the Secret, as whoever runs a stack without AWS does."""
        access = {**CREDENTIALS, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL_S3": self.endpoint}
        metadata = {"name": SECRET, "namespace": namespace.namespace}
        namespace.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": access})

    def _answers(self) -> bool:
        try:
            self.client.list_buckets()
        except (BotoCoreError, ClientError):
            return False
        return True

    @property
    def url(self) -> str:
        """Where packages are published."""
        return "s3://jobs/packages"

    @property
    def ledger(self) -> str:
        """Address for jobs that leave traces."""
        return f"{self.endpoint}/ledger"

    def publish(self, packages: Path) -> str:
        """Make ``packages`` the current version and return its name."""
        return publish(packages, S3Store(self.url, self.client)).pointer.version

    def go(self, name: str) -> None:
        """Let the run ``name`` of the job that waits go on."""
        self.client.put_object(Bucket="ledger", Key=f"{name}/go", Body=b"", ACL="public-read")

    def count(self, name: str, what: str) -> int:
        """Return how often the run ``name`` wrote ``what``."""
        found: dict[str, Any] = dict(self.client.list_objects_v2(Bucket="ledger", Prefix=f"{name}/{what}/"))
        return len(found.get("Contents", []))
