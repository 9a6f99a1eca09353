"""Pods of Airflow's components: commands, ports, probes, resources and the paths they may write.

Pure: arguments in, pod templates out. Commands and ports are those of Airflow 3.3's command line reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pulumi
import pulumi_kubernetes as k8s

from components.airflow_environment import (
    API_SERVER_PORT,
    SCHEDULER_HEALTH_PORT,
    TRIGGERER_LOG_PORT,
    WORKER_LOG_PORT,
)
from components.attachments import Attachments, scratch
from components.dag_delivery import DagDelivery
from components.executor import Executor, dag_readers
from components.labels import object_labels
from components.pod_security import container_security, pod_security

AIRFLOW_UID = 50000
"""User ``airflow`` of the official image; its group is 0, as OpenShift's arbitrary users need."""

NAMED_HOST = k8s.core.v1.EnvVarArgs(name="AIRFLOW__CORE__HOSTNAME_CALLABLE", value="airflow.utils.net.getfqdn")
"""For a pod that keeps its name when it is replaced; the others are known by address."""

SIGNALS_ALONE = k8s.core.v1.EnvVarArgs(name="DUMB_INIT_SETSID", value="0")
"""Tells dumb-init to pass signals to the process it started and not to that one's children, such as running tasks."""

TEMPORARY = scratch("tmp", "/tmp", size_limit="1Gi")  # noqa: S108 - an emptyDir of the pod


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What one container asks for, in Kubernetes' quantities."""

    cpu: str
    cpu_limit: str
    memory: str
    """Request and limit alike, so that the scheduler of Kubernetes never promises memory that is not there."""


@dataclass(frozen=True, kw_only=True)
class Component:
    """What distinguishes one of Airflow's components from the others."""

    name: str
    """As on Airflow's command line."""

    options: tuple[str, ...] = ()
    """Options there."""

    waits: bool = False
    """Whether it waits itself for the database and its schema, and so may be started together with them."""

    ports: Mapping[str, int] = field(default_factory=dict[str, int])
    liveness: k8s.core.v1.ProbeArgs
    readiness: k8s.core.v1.ProbeArgs | None = None
    """None where nobody sends requests, so that only liveness matters."""

    started: k8s.core.v1.HTTPGetActionArgs | None = None
    """What answers once the component has all it needs; None: what liveness asks."""

    reads_dags: bool = False
    grace_seconds: int = 30
    """Seconds to finish what is running after SIGTERM."""

    ends_its_own: bool = False
    """Whether SIGTERM goes to the component alone, which then waits for what it started; else to all processes at once."""

    drain_seconds: int = 0
    """Seconds to go on answering after leaving the Service's endpoints."""


def components(*, executor: Executor, grace_seconds: int, behind_proxy: bool) -> dict[str, Component]:
    """Return Airflow's long-running components by name.

    ``grace_seconds`` is what tasks that run in the scheduler get. ``behind_proxy`` has the API server read who asks, and how,
    from the headers of proxies that its environment trusts.
    """
    runs_tasks = executor == "LocalExecutor"
    version = k8s.core.v1.HTTPGetActionArgs(path="/api/v2/version", port="http")
    health = k8s.core.v1.HTTPGetActionArgs(path="/health", port="health")
    every = (
        Component(
            name="api-server",
            options=("--proxy-headers",) if behind_proxy else (),
            waits=True,
            ports={"http": API_SERVER_PORT},
            # /api/v2/version asks nothing of the database, whose failover must not restart every API server.
            liveness=k8s.core.v1.ProbeArgs(http_get=version, period_seconds=20, timeout_seconds=10, failure_threshold=6),
            readiness=k8s.core.v1.ProbeArgs(http_get=version, period_seconds=5, timeout_seconds=5, failure_threshold=3),
            # The first request to the execution API makes its routers, and stops all others for seconds meanwhile: it must not
            # be a task's.
            started=k8s.core.v1.HTTPGetActionArgs(path="/execution/health", port="http"),
            grace_seconds=60,
            # A load balancer hears of it later than the cluster's own Services, and sends on meanwhile.
            drain_seconds=30 if behind_proxy else 5,
        ),
        Component(
            name="scheduler",
            ports={"health": SCHEDULER_HEALTH_PORT, **({"logs": WORKER_LOG_PORT} if runs_tasks else {})},
            # Answers 503 while the database is away: ten minutes outlast a Multi-AZ failover.
            liveness=k8s.core.v1.ProbeArgs(http_get=health, period_seconds=60, timeout_seconds=20, failure_threshold=10),
            readiness=k8s.core.v1.ProbeArgs(http_get=health, period_seconds=10, timeout_seconds=10, failure_threshold=6),
            reads_dags="scheduler" in dag_readers(executor),
            grace_seconds=grace_seconds if runs_tasks else 60,
            ends_its_own=runs_tasks,
        ),
        Component(name="dag-processor", liveness=_heartbeat("DagProcessorJob"), reads_dags=True),
        Component(
            name="triggerer",
            waits=True,
            ports={"logs": TRIGGERER_LOG_PORT},
            liveness=_heartbeat("TriggererJob"),
            grace_seconds=60,
        ),
    )
    return {component.name: component for component in every}


def _heartbeat(job_type: str) -> k8s.core.v1.ProbeArgs:
    """Probe a component without a port by its heartbeat; ``airflow jobs check`` would import all of Airflow each time."""
    return k8s.core.v1.ProbeArgs(
        exec_=k8s.core.v1.ExecActionArgs(command=["airflow-control-plane", "heartbeat", job_type]),
        period_seconds=60,
        timeout_seconds=30,
        failure_threshold=10,
    )


def _startup(component: Component) -> k8s.core.v1.ProbeArgs:
    """Importing Airflow takes from seconds to a minute on a busy node: only this probe, not liveness, waits five for it."""
    asked = component.started or component.liveness.http_get
    # A request costs nothing; a command costs a process, on a node that is busy starting Airflow.
    period_seconds = 1 if asked is not None else 3
    return k8s.core.v1.ProbeArgs(
        http_get=asked,
        exec_=component.liveness.exec_,
        period_seconds=period_seconds,
        timeout_seconds=20,
        failure_threshold=300 // period_seconds,
    )


@dataclass(frozen=True, kw_only=True)
class PodArgs:
    """What all pods of one Airflow share."""

    image: pulumi.Input[str]
    config_map: pulumi.Input[str]
    """ConfigMap with Airflow's environment."""

    annotations: Mapping[str, pulumi.Input[str]]
    """Checksums of what the pods read at start, so that a change restarts them."""

    delivery: DagDelivery

    def annotated(self, checksums: Mapping[str, pulumi.Input[str]]) -> "PodArgs":
        """Return the same with more checksums: those of what only some of the pods read."""
        named = {f"airflow-control-plane/{what}-checksum": checksum for what, checksum in checksums.items()}
        return replace(self, annotations={**self.annotations, **named})


def airflow_container(
    args: PodArgs, *, name: str, command: list[str], resources: Resources, attachments: Attachments
) -> k8s.core.v1.ContainerArgs:
    """Return a container of Airflow's image that may write to what is attached and to temporary files alone."""
    return k8s.core.v1.ContainerArgs(
        name=name,
        image=args.image,
        image_pull_policy="IfNotPresent",
        command=["dumb-init", "--", *command],
        env_from=[
            k8s.core.v1.EnvFromSourceArgs(config_map_ref=k8s.core.v1.ConfigMapEnvSourceArgs(name=args.config_map)),
            *attachments.environment_from,
        ],
        env=list(attachments.environment) or None,
        resources=k8s.core.v1.ResourceRequirementsArgs(
            requests={"cpu": resources.cpu, "memory": resources.memory},
            limits={"cpu": resources.cpu_limit, "memory": resources.memory},
        ),
        security_context=container_security(),
        volume_mounts=[*TEMPORARY.mounts, *attachments.mounts],
    )


def pod_spec(
    *,
    service_account: pulumi.Input[str],
    containers: list[k8s.core.v1.ContainerArgs],
    init_containers: list[k8s.core.v1.ContainerArgs],
    attachments: Attachments,
) -> k8s.core.v1.PodSpecArgs:
    """Return a pod under restricted Pod Security around ``containers``, with the volumes of ``attachments``."""
    return k8s.core.v1.PodSpecArgs(
        service_account_name=service_account,
        automount_service_account_token=False,
        enable_service_links=False,
        security_context=pod_security(user=AIRFLOW_UID, group=0),
        init_containers=init_containers or None,
        containers=containers,
        volumes=[*TEMPORARY.volumes, *attachments.volumes],
    )


def component_template(
    args: PodArgs,
    component: Component,
    *,
    resources: Resources,
    service_account: pulumi.Input[str],
    attachments: Attachments,
    lasting_name: bool,
) -> k8s.core.v1.PodTemplateSpecArgs:
    """Return the pod template of one long-running component.

    ``lasting_name`` gives its one pod a name in DNS that the pod after it has too. The log server is called back by the name a
    run recorded, so old logs stay readable.
    """
    delivery = args.delivery.attachments() if component.reads_dags else Attachments()
    chosen = (*([NAMED_HOST] if lasting_name else []), *([SIGNALS_ALONE] if component.ends_its_own else []))
    attached = attachments + delivery + Attachments(environment=chosen)
    airflow = ["python", "-m", "dagsync.waiting"] if component.waits else ["airflow"]
    command = [*airflow, component.name, *component.options]
    container = airflow_container(args, name=component.name, command=command, resources=resources, attachments=attached)
    container.ports = [
        k8s.core.v1.ContainerPortArgs(name=port_name, container_port=port) for port_name, port in component.ports.items()
    ]
    container.liveness_probe = component.liveness
    container.readiness_probe = component.readiness
    container.startup_probe = _startup(component)
    if component.drain_seconds:
        container.lifecycle = k8s.core.v1.LifecycleArgs(
            pre_stop=k8s.core.v1.LifecycleHandlerArgs(sleep=k8s.core.v1.SleepActionArgs(seconds=component.drain_seconds))
        )
    spec = pod_spec(
        service_account=service_account,
        containers=[container],
        init_containers=args.delivery.init_containers(once=False) if component.reads_dags else [],
        attachments=attached,
    )
    if lasting_name:
        spec.hostname = spec.subdomain = f"airflow-{component.name}"
    spec.termination_grace_period_seconds = component.grace_seconds
    metadata = k8s.meta.v1.ObjectMetaArgs(labels=object_labels(component.name), annotations=dict(args.annotations))
    return k8s.core.v1.PodTemplateSpecArgs(metadata=metadata, spec=spec)
