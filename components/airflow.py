"""Airflow's workloads: configuration, database migration and the four long-running components.

Owns the order in which they come up. What a pod looks like is decided in ``airflow_pods``, who talks to whom in
``airflow_network_policies``, what Airflow reads from its environment in ``airflow_environment``.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi
import pulumi_kubernetes as k8s

from components.airflow_environment import (
    API_SERVER_PORT,
    WORKER_LOG_PORT,
    AirflowEnvironmentArgs,
    airflow_environment,
)
from components.airflow_migrations import AirflowMigrations, AirflowMigrationsArgs
from components.airflow_network_policies import network_policies
from components.airflow_pods import PodArgs, Resources, component_template, components
from components.airflow_secrets import AirflowSecrets
from components.dag_delivery import DagDelivery
from components.database_connection import DatabaseConnection
from components.labels import labels, object_labels
from components.options import stateful
from components.task_logs import RemoteLogs, VolumeLogs
from components.workload_identity import WorkloadIdentity

SERVICE_PORT = 80


def service_account_name(component: str) -> str:
    """Return the service account of a component, which is also what a cloud identity is bound to."""
    return f"airflow-{component}"


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How many pods of a component, and how large."""

    replicas: int
    resources: Resources


@dataclass(frozen=True, kw_only=True)
class AirflowArgs:
    namespace: pulumi.Input[str]
    image: pulumi.Input[str]
    database: DatabaseConnection
    secrets: AirflowSecrets
    logs: VolumeLogs | RemoteLogs
    admin_username: str
    scale: Mapping[str, Scale]
    """By component: api-server, scheduler, dag-processor, triggerer."""

    delivery: Literal["init", "sidecar"] = "sidecar"
    sync_interval_seconds: int = 300
    refresh_interval_seconds: int = 30
    """How often the dag-processor looks for new and removed files."""

    parallelism: int = 8
    """Tasks at once per scheduler."""

    grace_seconds: int = 600
    """Seconds a scheduler may take to finish its running tasks."""

    base_url: str | None = None
    protect: bool = False
    """Whether the log volume refuses deletion."""

    identities: Mapping[str, WorkloadIdentity] = field(default_factory=dict[str, WorkloadIdentity])
    """Component to its cloud role; a pod made before its service account is bound would never get credentials."""


class Airflow(pulumi.ComponentResource):
    """Apache Airflow with LocalExecutor: api-server, scheduler, dag-processor, triggerer."""

    service_name: pulumi.Output[str]
    """Service of the api-server, port 80."""

    def __init__(self, name: str, args: AirflowArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:Airflow", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._components = components(grace_seconds=args.grace_seconds)

        self._network_policies()
        accounts = self._service_accounts()
        pods = self._pods()
        migrations = AirflowMigrations(
            f"{name}-migrations",
            AirflowMigrationsArgs(
                namespace=args.namespace, pods=pods, secrets=args.secrets, service_account=accounts["migrations"]
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.database.ready)),
        )
        log_claim = self._log_claim()
        self._deployments(pods, accounts, log_claim, after=[migrations, *args.identities.values()])
        self.service_name = self._services(log_claim)
        self.register_outputs({"serviceName": self.service_name})

    def _metadata(self, object_name: str, component: str) -> k8s.meta.v1.ObjectMetaArgs:
        return k8s.meta.v1.ObjectMetaArgs(name=object_name, namespace=self._args.namespace, labels=object_labels(component))

    def _unawaited(self, object_name: str, component: str) -> k8s.meta.v1.ObjectMetaArgs:
        """Return metadata of a Service nobody waits for: its pods come after the migrations, whose failure is told at once."""
        metadata = self._metadata(object_name, component)
        metadata.annotations = {"pulumi.com/skipAwait": "true"}
        return metadata

    def _network_policies(self) -> None:
        policies = network_policies(
            database=self._args.database.peers,
            database_port=self._args.database.port,
            remote_logs=isinstance(self._args.logs, RemoteLogs),
        )
        for component, policy in policies.items():
            k8s.networking.v1.NetworkPolicy(
                f"{self._name}-{component}",
                metadata=self._metadata(f"airflow-{component}", component),
                spec=policy,
                opts=self._child,
            )

    def _service_accounts(self) -> dict[str, pulumi.Output[str]]:
        """Make an account per component and return their names."""
        accounts: dict[str, pulumi.Output[str]] = {}
        for component in (*self._components, "migrations"):
            identity = self._args.identities.get(component)
            metadata = self._metadata(service_account_name(component), component)
            metadata.annotations = dict(identity.annotations) if identity and identity.annotations else None
            account = k8s.core.v1.ServiceAccount(
                f"{self._name}-{component}",
                metadata=metadata,
                automount_service_account_token=False,
                opts=self._child,
            )
            accounts[component] = account.metadata.name
        return accounts

    def _pods(self) -> PodArgs:
        """Make the ConfigMap and return what all pods share."""
        environment = _environment(self._args)
        config_map = k8s.core.v1.ConfigMap(
            f"{self._name}-config",
            metadata=self._metadata("airflow-config", "config"),
            data=environment,
            opts=self._child,
        )
        from_config_map = k8s.core.v1.EnvFromSourceArgs(
            config_map_ref=k8s.core.v1.ConfigMapEnvSourceArgs(name=config_map.metadata.name)
        )
        return PodArgs(
            image=self._args.image,
            config_map=config_map.metadata.name,
            annotations={
                "airflow-control-plane/config-checksum": pulumi.Output.from_input(environment).apply(config_checksum),
                "airflow-control-plane/secrets-checksum": self._args.secrets.checksum,
            },
            delivery=DagDelivery(
                pattern=self._args.delivery,
                interval_seconds=self._args.sync_interval_seconds,
                image=self._args.image,
                environment_from=[from_config_map],
            ),
        )

    def _deployments(
        self,
        pods: PodArgs,
        accounts: Mapping[str, pulumi.Output[str]],
        log_claim: pulumi.Output[str] | None,
        *,
        after: Sequence[pulumi.Resource],
    ) -> None:
        for component, definition in self._components.items():
            claim = log_claim if component == "scheduler" else None
            scale = self._args.scale[component]
            k8s.apps.v1.Deployment(
                f"{self._name}-{component}",
                metadata=self._metadata(f"airflow-{component}", component),
                spec=k8s.apps.v1.DeploymentSpecArgs(
                    replicas=scale.replicas,
                    revision_history_limit=5,
                    progress_deadline_seconds=600,
                    selector=k8s.meta.v1.LabelSelectorArgs(match_labels=labels(component)),
                    strategy=_recreate() if component == "dag-processor" or claim is not None else _rolling(),
                    template=component_template(
                        pods,
                        definition,
                        secrets=self._args.secrets.environment_from(component),
                        resources=scale.resources,
                        service_account=accounts[component],
                        log_claim=claim,
                    ),
                ),
                opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
            )

    def _services(self, log_claim: pulumi.Output[str] | None) -> pulumi.Output[str]:
        """Make the Services and return the name of the api-server's."""
        api_server = k8s.core.v1.Service(
            f"{self._name}-api-server",
            metadata=self._unawaited("airflow-api-server", "api-server"),
            spec=k8s.core.v1.ServiceSpecArgs(
                selector=labels("api-server"),
                ports=[k8s.core.v1.ServicePortArgs(name="http", port=SERVICE_PORT, target_port="http")],
            ),
            opts=self._child,
        )
        if log_claim is not None:
            # Headless: gives the scheduler's pod the stable name under which its logs are read.
            k8s.core.v1.Service(
                f"{self._name}-scheduler",
                metadata=self._unawaited("airflow-scheduler", "scheduler"),
                spec=k8s.core.v1.ServiceSpecArgs(
                    selector=labels("scheduler"),
                    cluster_ip="None",
                    publish_not_ready_addresses=True,
                    ports=[k8s.core.v1.ServicePortArgs(name="logs", port=WORKER_LOG_PORT, target_port="logs")],
                ),
                opts=self._child,
            )
        return api_server.metadata.name

    def _log_claim(self) -> pulumi.Output[str] | None:
        """Make the volume that task logs are kept on, unless they go to an object store."""
        if isinstance(self._args.logs, RemoteLogs):
            return None
        metadata = self._metadata("airflow-logs", "scheduler")
        # A class that binds at first use leaves the claim pending until a pod mounts it.
        metadata.annotations = {"pulumi.com/skipAwait": "true"}
        claim = k8s.core.v1.PersistentVolumeClaim(
            f"{self._name}-logs",
            metadata=metadata,
            spec=k8s.core.v1.PersistentVolumeClaimSpecArgs(
                access_modes=["ReadWriteOnce"],
                resources=k8s.core.v1.VolumeResourceRequirementsArgs(requests={"storage": f"{self._args.logs.storage_gib}Gi"}),
            ),
            opts=stateful(self, protect=self._args.protect),
        )
        return claim.metadata.name


def _environment(args: AirflowArgs) -> pulumi.Output[dict[str, str]] | dict[str, str]:
    def environment(remote_base_log_folder: str | None) -> dict[str, str]:
        return airflow_environment(
            AirflowEnvironmentArgs(
                auth_manager="fab",
                admin_username=args.admin_username,
                base_url=args.base_url,
                execution_api_server_url=f"http://airflow-api-server:{SERVICE_PORT}/execution/",
                parallelism=args.parallelism,
                refresh_interval_seconds=args.refresh_interval_seconds,
                api_server_port=API_SERVER_PORT,
                # Pods of a Deployment have no names in DNS; the one that needs a name that lasts is given it.
                hostname_callable="airflow.utils.net.get_host_ip_address",
                remote_base_log_folder=remote_base_log_folder,
            )
        )

    if isinstance(args.logs, RemoteLogs):
        return args.logs.base_folder.apply(environment)
    return environment(None)


def config_checksum(environment: Mapping[str, str]) -> str:
    """Return 16 hexadecimal digits that change when any variable does."""
    return hashlib.sha256(json.dumps(environment, sort_keys=True).encode()).hexdigest()[:16]


def _recreate() -> k8s.apps.v1.DeploymentStrategyArgs:
    """Old pod first, new pod then: two dag-processors with different DAGs, or two pods on one volume, do harm."""
    return k8s.apps.v1.DeploymentStrategyArgs(type="Recreate")


def _rolling() -> k8s.apps.v1.DeploymentStrategyArgs:
    return k8s.apps.v1.DeploymentStrategyArgs(
        type="RollingUpdate",
        rolling_update=k8s.apps.v1.RollingUpdateDeploymentArgs(max_surge=1, max_unavailable=0),
    )
