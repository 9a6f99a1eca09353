"""A cluster that exists: kind, minikube, k3d, or any context of a kubeconfig. PostgreSQL and task logs live in it."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components.airflow_namespace import AirflowNamespace
from components.database_connection import DatabaseConnection
from components.kubernetes_provider import kubernetes_provider
from components.postgresql import PostgreSQL, PostgreSQLArgs
from components.task_logs import RemoteLogs, VolumeLogs
from components.workload_identity import WorkloadIdentity
from settings import Settings


class KubernetesInfrastructure:
    """Infrastructure of the ``kubernetes`` platform."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.provider = kubernetes_provider("cluster", context=settings.kubernetes.context)
        self.image = pulumi.Output.from_input(settings.image.reference or "")
        self.logs: VolumeLogs | RemoteLogs = VolumeLogs(storage_gib=settings.logs.storage_gib)
        self.identities: Mapping[str, WorkloadIdentity] = {}
        self.outputs: Mapping[str, pulumi.Output[Any]] = {}

    def database(self, namespace: AirflowNamespace) -> DatabaseConnection:
        """Declare PostgreSQL in ``namespace``."""
        postgresql = PostgreSQL(
            "postgresql",
            PostgreSQLArgs(
                namespace=namespace.name,
                namespace_name=self._settings.namespace,
                image=self._settings.database.image,
                storage_gib=self._settings.database.storage_gib,
                protect=self._settings.protect,
            ),
            opts=pulumi.ResourceOptions(provider=self.provider),
        )
        return postgresql.connection
