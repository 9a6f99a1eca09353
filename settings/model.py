"""Every key a stack can set: the one description of its type, default and meaning.

``Pulumi.yaml``'s ``config:`` block, the JSON Schema of the stack files and ``docs/configuration.md`` are generated from these
models (``make docs``) and tested against them.
"""

from typing import Literal

from pydantic import Field

from settings.cluster import ClusterSettings, KubernetesSettings
from settings.dags import DagsSettings
from settings.database import DatabaseSettings
from settings.image import ImageSettings
from settings.ingress import ALB, IngressSettings
from settings.logs import LogsSettings
from settings.network import NetworkSettings
from settings.processes import AirflowSettings, JobsSettings
from settings.secrets import SecretsSettings
from settings.section import Section
from settings.values import KubernetesName


class Settings(Section):
    """Everything one stack configures, validated."""

    platform: Literal["kubernetes", "eks"] = "kubernetes"
    """kubernetes: a cluster that exists, PostgreSQL in it. eks: network, cluster, database and buckets are made on AWS."""

    namespace: KubernetesName = "airflow"
    """Kubernetes namespace of Airflow. Changing it replaces everything in it."""

    protect: bool = False
    """Stateful resources refuse deletion and are retained. On for production."""

    tags: dict[str, str] = Field(default_factory=dict[str, str])
    """Tags of every AWS resource."""

    kubernetes: KubernetesSettings = KubernetesSettings()
    """Which cluster the kubernetes platform uses."""

    network: NetworkSettings = NetworkSettings()
    """The VPC of the eks platform."""

    cluster: ClusterSettings = ClusterSettings()
    """The EKS cluster of the eks platform."""

    database: DatabaseSettings = DatabaseSettings()
    """The metadata database."""

    logs: LogsSettings = LogsSettings()
    """Task logs."""

    dags: DagsSettings = DagsSettings()
    """Where packages come from and how they become DAGs."""

    image: ImageSettings = ImageSettings()
    """The image of every Airflow pod."""

    secrets: SecretsSettings = SecretsSettings()
    """Airflow's keys."""

    airflow: AirflowSettings = AirflowSettings()
    """Airflow itself."""

    ingress: IngressSettings = IngressSettings()
    """The address people open Airflow at."""

    jobs: JobsSettings = JobsSettings()
    """Where jobs that ask for a pod of their own run."""

    def url(self) -> str | None:
        """Return the address people use, if anything says which."""
        return self.airflow.base_url or self.ingress.url()

    def has_load_balancer(self) -> bool:
        """Tell whether the page is behind a load balancer of AWS."""
        return self.platform == "eks" and self.ingress.host is not None and self.ingress.class_name in (None, ALB)
