"""What workloads need from a platform, whichever it is."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pulumi
import pulumi_kubernetes as k8s

from components.airflow_namespace import AirflowNamespace
from components.database_connection import DatabaseConnection
from components.front import Front
from components.object_store import ObjectStore
from components.task_logs import TaskLogs
from components.workload_identity import OidcProvider, WorkloadIdentity


class Infrastructure(Protocol):
    """A cluster to run in, an image to run, a place for logs and a database."""

    provider: k8s.Provider
    """Reaches the cluster."""

    account: pulumi.ResourceOptions | None
    """What makes resources in the AWS account; None without one."""

    oidc_provider: OidcProvider | None
    """What binds roles to service accounts by IRSA; None where nothing does."""

    image: pulumi.Output[str]
    logs: TaskLogs
    packages: ObjectStore | None
    """Where packages are published; None where they come with the image."""

    kubernetes_ports: Sequence[int]
    """TCP ports of the Kubernetes API, for network policies."""

    identities: Mapping[str, WorkloadIdentity]
    """Component, or ``etl-jobs``, to its cloud role, which must exist before its pods are made."""

    front: Front | None
    """What people reach Airflow's page through; None where nothing is made for them."""

    zone_id: pulumi.Output[str] | None
    """DNS zone that the page's host is entered in; None where somebody else does."""

    outputs: Mapping[str, pulumi.Output[Any]]
    """What the stack exports about the platform."""

    def database(self, namespace: AirflowNamespace) -> DatabaseConnection:
        """Return the metadata database; ``namespace`` is where it runs if it runs in the cluster."""
        ...
