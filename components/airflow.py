"""Airflow's workloads: configuration, database migration and the four long-running components.

Owns the order in which they come up. What a pod looks like is decided in ``airflow_pods``, who talks to whom in
``airflow_network_policies``, what Airflow reads from its environment in ``airflow_environment``.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_kubernetes as k8s

from components.airflow_environment import API_SERVER_PORT, AirflowEnvironmentArgs, airflow_environment
from components.airflow_migrations import AirflowMigrations, AirflowMigrationsArgs
from components.airflow_network_policies import network_policies
from components.airflow_pods import PodArgs, Resources, component_template, components
from components.airflow_secrets import AirflowSecrets
from components.dag_delivery import DagDelivery
from components.database_connection import DatabaseConnection
from components.labels import labels, object_labels
from components.options import stateful

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
class VolumeLogs:
    """Task logs on a volume of the scheduler, which serves them."""

    storage_gib: int
    """Size of the volume, in GiB."""


@dataclass(frozen=True, kw_only=True)
class RemoteLogs:
    """Task logs in an object store."""

    base_folder: pulumi.Output[str]
    """``s3://bucket/prefix``."""


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

    identities: Sequence[pulumi.Resource] = ()
    """Bindings of service accounts to cloud roles; a pod made before its binding would never get credentials."""


class Airflow(pulumi.ComponentResource):
    """Apache Airflow with LocalExecutor: api-server, scheduler, dag-processor, triggerer."""

    service_name: pulumi.Output[str]
    """Service of the api-server, port 80."""

    def __init__(self, name: str, args: AirflowArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:Airflow", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        long_running = components(grace_seconds=args.grace_seconds)

        def metadata(object_name: str, component: str) -> k8s.meta.v1.ObjectMetaArgs:
            return k8s.meta.v1.ObjectMetaArgs(name=object_name, namespace=args.namespace, labels=object_labels(component))

        environment = _environment(args)
        config_map = k8s.core.v1.ConfigMap(
            f"{name}-config", metadata=metadata("airflow-config", "config"), data=environment, opts=child
        )
        policies = network_policies(
            database=args.database.peer,
            database_port=args.database.port,
            remote_logs=isinstance(args.logs, RemoteLogs),
        )
        for component, policy in policies.items():
            k8s.networking.v1.NetworkPolicy(
                f"{name}-{component}", metadata=metadata(f"airflow-{component}", component), spec=policy, opts=child
            )
        accounts = {
            component: k8s.core.v1.ServiceAccount(
                f"{name}-{component}",
                metadata=metadata(service_account_name(component), component),
                automount_service_account_token=False,
                opts=child,
            )
            for component in (*long_running, "migrations")
        }
        pods = PodArgs(
            image=args.image,
            config_map=config_map.metadata.name,
            annotations={
                "airflow-control-plane/config-checksum": pulumi.Output.from_input(environment).apply(config_checksum),
                "airflow-control-plane/secrets-checksum": args.secrets.checksum,
            },
            delivery=DagDelivery(
                pattern=args.delivery,
                interval_seconds=args.sync_interval_seconds,
                image=args.image,
                environment_from=[
                    k8s.core.v1.EnvFromSourceArgs(
                        config_map_ref=k8s.core.v1.ConfigMapEnvSourceArgs(name=config_map.metadata.name)
                    )
                ],
            ),
        )
        migrations = AirflowMigrations(
            f"{name}-migrations",
            AirflowMigrationsArgs(
                namespace=args.namespace,
                pods=pods,
                secrets=args.secrets,
                service_account=accounts["migrations"].metadata.name,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.database.ready]),
        )
        log_claim = self._log_claim(name, args.logs, metadata("airflow-logs", "scheduler"), protect=args.protect)
        services = {
            "api-server": k8s.core.v1.ServiceSpecArgs(
                selector=labels("api-server"),
                ports=[k8s.core.v1.ServicePortArgs(name="http", port=SERVICE_PORT, target_port="http")],
            )
        }
        if log_claim is not None:
            # Headless: gives the scheduler's pod the stable name under which its logs are read.
            services["scheduler"] = k8s.core.v1.ServiceSpecArgs(
                selector=labels("scheduler"),
                cluster_ip="None",
                publish_not_ready_addresses=True,
                ports=[k8s.core.v1.ServicePortArgs(name="logs", port=8793, target_port="logs")],
            )
        for component, definition in long_running.items():
            one_writer = component == "dag-processor" or (component == "scheduler" and log_claim is not None)
            k8s.apps.v1.Deployment(
                f"{name}-{component}",
                metadata=metadata(f"airflow-{component}", component),
                spec=k8s.apps.v1.DeploymentSpecArgs(
                    replicas=args.scale[component].replicas,
                    revision_history_limit=5,
                    progress_deadline_seconds=600,
                    selector=k8s.meta.v1.LabelSelectorArgs(match_labels=labels(component)),
                    strategy=_recreate() if one_writer else _rolling(),
                    template=component_template(
                        pods,
                        definition,
                        secrets=args.secrets.environment_from(component),
                        resources=args.scale[component].resources,
                        service_account=accounts[component].metadata.name,
                        log_claim=log_claim if component == "scheduler" else None,
                    ),
                ),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[migrations, *args.identities]),
            )
        made = {
            component: k8s.core.v1.Service(
                f"{name}-{component}", metadata=metadata(f"airflow-{component}", component), spec=spec, opts=child
            )
            for component, spec in services.items()
        }
        self.service_name = made["api-server"].metadata.name
        self.register_outputs({"serviceName": self.service_name})

    def _log_claim(
        self, name: str, logs: VolumeLogs | RemoteLogs, metadata: k8s.meta.v1.ObjectMetaArgs, *, protect: bool
    ) -> pulumi.Output[str] | None:
        """Make the volume that task logs are kept on, unless they go to an object store."""
        if isinstance(logs, RemoteLogs):
            return None
        metadata.annotations = {
            # A class that binds at first use leaves the claim pending until a pod mounts it.
            "pulumi.com/skipAwait": "true"
        }
        claim = k8s.core.v1.PersistentVolumeClaim(
            f"{name}-logs",
            metadata=metadata,
            spec=k8s.core.v1.PersistentVolumeClaimSpecArgs(
                access_modes=["ReadWriteOnce"],
                resources=k8s.core.v1.VolumeResourceRequirementsArgs(requests={"storage": f"{logs.storage_gib}Gi"}),
            ),
            opts=stateful(self, protect=protect),
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
