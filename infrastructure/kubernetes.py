"""A cluster that exists: kind, minikube, k3d, or any context of a kubeconfig. PostgreSQL and task logs live in it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.airflow_namespace import AirflowNamespace
from components.database_connection import DatabaseConnection
from components.front import Front
from components.kubernetes_provider import kubernetes_provider
from components.object_store import ObjectStore
from components.postgresql import PostgreSQL, PostgreSQLArgs
from components.task_logs import TaskLogs, VolumeLogs
from components.workload_identity import OidcProvider, WorkloadIdentity
from infrastructure.controller_front import controller_front
from settings import Settings
from settings.dags import DagsSettings
from settings.logs import LogsSettings


class KubernetesInfrastructure:
    """Infrastructure of the ``kubernetes`` platform."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.account: pulumi.ResourceOptions | None = None
        self.oidc_provider: OidcProvider | None = None
        self.provider = kubernetes_provider("cluster", context=settings.kubernetes.context)
        self.image = pulumi.Output.from_input(settings.image.reference or "")
        self.logs: TaskLogs = _task_logs(settings.logs)
        self.packages: ObjectStore | None = _packages(settings.dags)
        self.kubernetes_ports: Sequence[int] = settings.kubernetes.api_server_ports
        self.identities: Mapping[str, WorkloadIdentity] = {}
        self.front: Front | None = controller_front(settings)
        self.zone_id: pulumi.Output[str] | None = None
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


def _task_logs(logs: LogsSettings) -> TaskLogs:
    if logs.url is None:
        return VolumeLogs(storage_gib=logs.storage_gib, access_mode=logs.access_mode, storage_class=logs.storage_class)
    return ObjectStore(url=logs.url, endpoint_url=logs.endpoint_url, credentials_secret=logs.credentials_secret)


def _packages(dags: DagsSettings) -> ObjectStore | None:
    if dags.url is None:
        return None
    return ObjectStore(url=dags.url, endpoint_url=dags.endpoint_url, credentials_secret=dags.credentials_secret)
