"""What workloads need from a platform, whichever it is."""

from collections.abc import Mapping
from typing import Any, Protocol

import pulumi
import pulumi_kubernetes as k8s

from components.airflow_namespace import AirflowNamespace
from components.database_connection import DatabaseConnection
from components.task_logs import RemoteLogs, VolumeLogs
from components.workload_identity import WorkloadIdentity


class Infrastructure(Protocol):
    """A cluster to run in, an image to run, a place for logs and a database."""

    provider: k8s.Provider
    """Reaches the cluster."""

    image: pulumi.Output[str]
    logs: VolumeLogs | RemoteLogs
    identities: Mapping[str, WorkloadIdentity]
    """Component to its cloud role, which must exist before its pods are made."""

    outputs: Mapping[str, pulumi.Output[Any]]
    """What the stack exports about the platform."""

    def database(self, namespace: AirflowNamespace) -> DatabaseConnection:
        """Return the metadata database; ``namespace`` is where it runs if it runs in the cluster."""
        ...
