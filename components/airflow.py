"""Airflow's workloads: configuration, database migration and the four long-running components.

Owns the order in which they come up. What a pod looks like is decided in ``airflow_pods``, who talks to whom in
``airflow_network_policies``, what Airflow reads from its environment in ``airflow_environment``, and what follows from the
choice of an executor in ``executor``.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as k8s

from components.airflow_environment import WORKER_LOG_PORT
from components.airflow_migrations import AirflowMigrations, AirflowMigrationsArgs
from components.airflow_network_policies import NetworkPoliciesArgs, network_policies
from components.airflow_pods import PodArgs, Resources, component_template, components
from components.airflow_secrets import AirflowSecrets
from components.airflow_stack_environment import StackEnvironmentArgs, stack_environment
from components.attachments import Attachments, together
from components.dag_delivery import DagDelivery, Pattern
from components.database_connection import DatabaseConnection
from components.executor import TASK, Executor, kubernetes_callers, service_account_name, task_runner
from components.job_namespace import JobNamespace
from components.kubernetes_access import token
from components.labels import labels, object_labels
from components.log_volume import LogVolume, LogVolumeArgs
from components.object_store import ObjectStore
from components.pod_template import pod_template
from components.task_logs import TaskLogs, component_logs
from components.task_pods import TaskPods, TaskPodsArgs
from components.workload_identity import WorkloadIdentity

SERVICE_PORT = 80


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
    logs: TaskLogs
    admin_username: str
    scale: Mapping[str, Scale]
    """By component: api-server, scheduler, dag-processor, triggerer."""

    executor: Executor = "LocalExecutor"
    task_pod: Resources
    """Resources of a task with ``KubernetesExecutor``."""

    delete_failed_task_pods: bool = True
    packages: ObjectStore | None = None
    """Where packages are published; ``None`` takes those of the image."""

    delivery: Pattern = "sidecar"
    jobs: JobNamespace | None = None
    """Where jobs that ask for a pod of their own run."""

    jobs_secret: str | None = None
    """A Secret there whose keys become variables of those pods."""

    sync_interval_seconds: int = 300
    refresh_interval_seconds: int = 30
    """How often the dag-processor looks for new and removed files, or for a new version of a bundle."""

    parallelism: int = 8
    """Tasks at once per scheduler."""

    grace_seconds: int = 600
    """Seconds a scheduler may take to finish the tasks of ``LocalExecutor``."""

    base_url: str | None = None
    kubernetes_ports: Sequence[int] = (443,)
    """TCP ports of the Kubernetes API, for network policies."""

    protect: bool = False
    """Whether the log volume refuses deletion."""

    identities: Mapping[str, WorkloadIdentity] = field(default_factory=dict[str, WorkloadIdentity])
    """Component to its cloud role; a pod made before its service account is bound would never get credentials."""


class Airflow(pulumi.ComponentResource):
    """Apache Airflow: api-server, scheduler, dag-processor, triggerer, and what its executor needs."""

    service_name: pulumi.Output[str]
    """Service of the api-server, port 80."""

    def __init__(self, name: str, args: AirflowArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:Airflow", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._components = components(executor=args.executor, grace_seconds=args.grace_seconds)
        self._callers = kubernetes_callers(args.executor, job_pods=args.jobs is not None)

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
        self._log_claim = self._log_volume()
        # Tasks in the scheduler's pod write to a volume there: its log server is how others read them.
        self._serves_logs = self._log_claim is not None and task_runner(args.executor) == "scheduler"
        task_pods = self._task_pods(pods, accounts)
        self._deployments(pods, accounts, task_pods, after=[migrations, *args.identities.values()])
        self.service_name = self._services()
        self.register_outputs({"serviceName": self.service_name})

    def _metadata(self, object_name: str, component: str) -> k8s.meta.v1.ObjectMetaArgs:
        return k8s.meta.v1.ObjectMetaArgs(name=object_name, namespace=self._args.namespace, labels=object_labels(component))

    def _unawaited(self, object_name: str, component: str) -> k8s.meta.v1.ObjectMetaArgs:
        """Return metadata of a Service nobody waits for: its pods come after the migrations, whose failure is told at once."""
        metadata = self._metadata(object_name, component)
        metadata.annotations = {"pulumi.com/skipAwait": "true"}
        return metadata

    def _network_policies(self) -> None:
        args = self._args
        policies = network_policies(
            NetworkPoliciesArgs(
                executor=args.executor,
                database=args.database.peers,
                database_port=args.database.port,
                log_ports=args.logs.ports() if isinstance(args.logs, ObjectStore) else (),
                package_ports=args.packages.ports() if args.packages is not None else (),
                kubernetes_ports=args.kubernetes_ports,
            )
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
        tasks = (TASK,) if task_runner(self._args.executor) == TASK else ()
        for component in (*self._components, "migrations", *tasks):
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
        environment = self._environment()
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
                "airflow-control-plane/config-checksum": environment.apply(config_checksum),
                "airflow-control-plane/secrets-checksum": self._args.secrets.checksum,
            },
            delivery=DagDelivery(
                pattern=self._args.delivery,
                interval_seconds=self._args.sync_interval_seconds,
                image=self._args.image,
                environment_from=[from_config_map],
                packages=self._args.packages,
            ),
        )

    def _environment(self) -> pulumi.Output[dict[str, str]]:
        args = self._args
        return stack_environment(
            StackEnvironmentArgs(
                namespace=args.namespace,
                image=args.image,
                execution_api_server_url=f"http://airflow-api-server:{SERVICE_PORT}/execution/",
                executor=args.executor,
                delete_failed_task_pods=args.delete_failed_task_pods,
                logs=args.logs,
                packages=args.packages,
                delivery=args.delivery,
                jobs=args.jobs,
                jobs_secret=args.jobs_secret,
                admin_username=args.admin_username,
                base_url=args.base_url,
                parallelism=args.parallelism,
                refresh_interval_seconds=args.refresh_interval_seconds,
            )
        )

    def _log_volume(self) -> pulumi.Output[str] | None:
        """Make the volume that task logs are kept on, unless they go to an object store, and return its claim."""
        if isinstance(self._args.logs, ObjectStore):
            return None
        return LogVolume(
            f"{self._name}-logs",
            LogVolumeArgs(namespace=self._args.namespace, logs=self._args.logs, protect=self._args.protect),
            opts=self._child,
        ).claim

    def _attachments(self, component: str) -> Attachments:
        """Return what a component's container gets beside DAGs: its secrets, its logs, its way to Kubernetes."""
        return together(
            [
                Attachments(environment_from=self._args.secrets.environment_from(component)),
                component_logs(component, executor=self._args.executor, logs=self._args.logs, claim=self._log_claim),
                token() if component in self._callers else Attachments(),
            ]
        )

    def _task_pods(self, pods: PodArgs, accounts: Mapping[str, pulumi.Output[str]]) -> TaskPods | None:
        if task_runner(self._args.executor) != TASK:
            return None
        template = pod_template(
            pods, resources=self._args.task_pod, service_account=accounts[TASK], attachments=self._attachments(TASK)
        )
        return TaskPods(
            f"{self._name}-task-pods",
            TaskPodsArgs(namespace=self._args.namespace, template=template, accounts=accounts),
            opts=self._child,
        )

    def _deployments(
        self,
        pods: PodArgs,
        accounts: Mapping[str, pulumi.Output[str]],
        task_pods: TaskPods | None,
        *,
        after: Sequence[pulumi.Resource],
    ) -> None:
        for component, definition in self._components.items():
            attachments, shared = self._attachments(component), pods
            if task_pods is not None and component == "scheduler":
                attachments += task_pods.template()
                checksum = {"airflow-control-plane/template-checksum": task_pods.template_checksum}
                shared = dataclasses.replace(pods, annotations={**pods.annotations, **checksum})
            scale = self._args.scale[component]
            lasting_name = self._serves_logs and component == "scheduler"
            k8s.apps.v1.Deployment(
                f"{self._name}-{component}",
                metadata=self._metadata(f"airflow-{component}", component),
                spec=k8s.apps.v1.DeploymentSpecArgs(
                    replicas=scale.replicas,
                    revision_history_limit=5,
                    progress_deadline_seconds=600,
                    selector=k8s.meta.v1.LabelSelectorArgs(match_labels=labels(component)),
                    strategy=_recreate() if component == "dag-processor" or lasting_name else _rolling(),
                    template=component_template(
                        shared,
                        definition,
                        resources=scale.resources,
                        service_account=accounts[component],
                        attachments=attachments,
                        lasting_name=lasting_name,
                    ),
                ),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[*after, *([task_pods] if task_pods else [])]),
            )

    def _services(self) -> pulumi.Output[str]:
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
        if self._serves_logs:
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
