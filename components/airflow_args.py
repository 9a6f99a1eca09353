"""What one Airflow is made of: the arguments of the component ``airflow``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from components.airflow_pods import Resources
from components.airflow_secrets import AirflowSecrets
from components.dag_delivery import Pattern
from components.database_connection import DatabaseConnection
from components.executor import Executor
from components.front import Front
from components.job_namespace import JobNamespace
from components.object_store import ObjectStore
from components.task_logs import TaskLogs
from components.workload_identity import WorkloadIdentity


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
    front: Front | None = None
    """What people reach the API server through; ``None`` lets nothing from outside in."""

    kubernetes_ports: Sequence[int] = (443,)
    """TCP ports of the Kubernetes API, for network policies."""

    protect: bool = False
    """Whether the log volume refuses deletion."""

    identities: Mapping[str, WorkloadIdentity] = field(default_factory=dict[str, WorkloadIdentity])
    """Component to its cloud role; a pod made before its service account is bound would never get credentials."""
