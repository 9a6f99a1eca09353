"""Airflow's workloads: configuration, database migration and the four long-running components.

Owns the order in which they come up. What a pod looks like is decided in ``airflow_pods``, who talks to whom in
``airflow_network_policies``, what Airflow reads from its environment in ``airflow_environment``, and what follows from the
choice of an executor in ``executor``.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as k8s

from components.airflow_args import AirflowArgs
from components.airflow_deployment import deployment_spec
from components.airflow_migrations import AirflowMigrations, AirflowMigrationsArgs
from components.airflow_network_policies import NetworkPoliciesArgs, network_policies
from components.airflow_pods import PodArgs, component_template, components
from components.airflow_reencryption import AirflowReencryption, AirflowReencryptionArgs
from components.airflow_service_accounts import service_accounts
from components.airflow_services import SERVICE_PORT, services
from components.airflow_stack_environment import StackEnvironmentArgs, stack_environment
from components.attachments import Attachments, together
from components.dag_delivery import DagDelivery
from components.database_login import PasswordLogin
from components.executor import TASK, kubernetes_callers, task_runner
from components.front import trusting
from components.kubernetes_access import token
from components.log_volume import LogVolume, LogVolumeArgs
from components.object_metadata import object_metadata
from components.object_store import AWS_PORTS, ObjectStore
from components.pod_template import pod_template
from components.task_logs import component_logs
from components.task_pods import TaskPods, TaskPodsArgs


class Airflow(pulumi.ComponentResource):
    """Apache Airflow: api-server, scheduler, dag-processor, triggerer, and what its executor needs."""

    service_name: pulumi.Output[str]
    """Service of the api-server, port 80."""

    api_server: pulumi.Resource
    """Deployment behind that Service."""

    def __init__(self, name: str, args: AirflowArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:Airflow", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._components = components(
            executor=args.executor, grace_seconds=args.grace_seconds, behind_proxy=args.front is not None
        )
        self._callers = kubernetes_callers(args.executor, job_pods=args.jobs is not None)

        self._network_policies()
        tasks = (TASK,) if task_runner(args.executor) == TASK else ()
        accounts = service_accounts(
            name,
            (*self._components, "migrations", *tasks),
            namespace=args.namespace,
            identities=args.identities,
            opts=self._child,
        )
        pods = self._pods()
        database = args.database.for_migrations()
        migrations = AirflowMigrations(
            f"{name}-migrations",
            AirflowMigrationsArgs(
                namespace=args.namespace,
                pods=pods,
                secrets=args.secrets,
                login=database.login,
                service_account=accounts["migrations"],
                identity=args.identities.get("migrations"),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(database.ready)),
        )
        self._log_claim = self._log_volume()
        # Tasks in the scheduler's pod write to a volume there: its log server is how others read them.
        self._serves_logs = self._log_claim is not None and task_runner(args.executor) == "scheduler"
        task_pods = self._task_pods(pods, accounts)
        # Pods connect to a proxy, which the migrations do not wait for.
        proxy = args.database.ready if args.database.direct is not None else ()
        deployments = self._deployments(pods, accounts, task_pods, migrations, after=[*args.identities.values(), *proxy])
        self.api_server = deployments["api-server"]
        self._reencryption(pods, accounts["migrations"], after=list(deployments.values()))
        self.service_name = services(name, namespace=args.namespace, scheduler_serves_logs=self._serves_logs, opts=self._child)
        self.register_outputs({"serviceName": self.service_name})

    def _network_policies(self) -> None:
        args = self._args
        policies = network_policies(
            NetworkPoliciesArgs(
                executor=args.executor,
                database=args.database.peers,
                migrations=args.database.for_migrations().peers,
                database_port=args.database.port,
                login_ports=() if isinstance(args.database.login, PasswordLogin) else AWS_PORTS,
                log_ports=args.logs.ports() if isinstance(args.logs, ObjectStore) else (),
                package_ports=args.packages.ports() if args.packages is not None else (),
                kubernetes_ports=args.kubernetes_ports,
                front=args.front.peers if args.front is not None else (),
            )
        )
        for component, policy in policies.items():
            k8s.networking.v1.NetworkPolicy(
                f"{self._name}-{component}",
                metadata=object_metadata(f"airflow-{component}", self._args.namespace, component),
                spec=policy,
                opts=self._child,
            )

    def _pods(self) -> PodArgs:
        """Make the ConfigMap and return what all pods share."""
        environment = self._environment()
        config_map = k8s.core.v1.ConfigMap(
            f"{self._name}-config",
            metadata=object_metadata("airflow-config", self._args.namespace, "config"),
            data=environment,
            opts=self._child,
        )
        from_config_map = k8s.core.v1.EnvFromSourceArgs(
            config_map_ref=k8s.core.v1.ConfigMapEnvSourceArgs(name=config_map.metadata.name)
        )
        return PodArgs(
            image=self._args.image,
            config_map=config_map.metadata.name,
            annotations={"airflow-control-plane/config-checksum": environment.apply(config_checksum)},
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
        """Return what a component's container gets beside DAGs: its secrets, its logs, its ways in and out."""
        return together(
            [
                self._args.secrets.attachments(component),
                component_logs(component, executor=self._args.executor, logs=self._args.logs, claim=self._log_claim),
                token() if component in self._callers else Attachments(),
                trusting(self._args.front) if component == "api-server" else Attachments(),
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
        migrations: AirflowMigrations,
        *,
        after: Sequence[pulumi.Resource],
    ) -> dict[str, pulumi.Resource]:
        made: dict[str, pulumi.Resource] = {}
        server = self._args.database.server
        for component, definition in self._components.items():
            attachments = self._attachments(component)
            shared = pods.annotated({"secrets": self._args.secrets.checksum(component)})
            if task_pods is not None and component == "scheduler":
                attachments += task_pods.template()
                shared = shared.annotated({"template": task_pods.template_checksum})
            scale = self._args.scale[component]
            lasting_name = self._serves_logs and component == "scheduler"
            made[component] = k8s.apps.v1.Deployment(
                f"{self._name}-{component}",
                metadata=object_metadata(f"airflow-{component}", self._args.namespace, component),
                spec=deployment_spec(
                    component,
                    component_template(
                        shared,
                        definition,
                        resources=scale.resources,
                        service_account=accounts[component],
                        attachments=attachments,
                        lasting_name=lasting_name,
                    ),
                    replicas=scale.replicas,
                    one_at_a_time=component == "dag-processor" or lasting_name,
                ),
                opts=pulumi.ResourceOptions(
                    parent=self,
                    depends_on=[
                        *after,
                        *([task_pods] if task_pods else []),
                        # A small database of ours is migrated in seconds, which some wait themselves. Migrations of a large
                        # one take longer than a Deployment may, and the others stop their pods before they start new ones.
                        *([] if server and definition.waits else [migrations, *server]),
                    ],
                ),
            )
        return made

    def _reencryption(self, pods: PodArgs, account: pulumi.Output[str], *, after: Sequence[pulumi.Resource]) -> None:
        """Encrypt anew what is stored, once all pods have a Fernet key that is not the first."""
        generation = self._args.secrets.fernet_generation
        if generation > 1:
            AirflowReencryption(
                f"{self._name}-rotate-fernet-key",
                AirflowReencryptionArgs(
                    namespace=self._args.namespace,
                    pods=pods,
                    generation=generation,
                    secrets=self._args.secrets.attachments("migrations"),
                    service_account=account,
                    workloads=after,
                ),
                opts=self._child,
            )


def config_checksum(environment: Mapping[str, str]) -> str:
    """Return 16 hexadecimal digits that change when any variable does."""
    return hashlib.sha256(json.dumps(environment, sort_keys=True).encode()).hexdigest()[:16]
