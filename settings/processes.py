"""Settings of Airflow, its processes and the pods of jobs."""

from typing import Literal

from pydantic import Field

from settings.section import Section
from settings.values import Cpu, KubernetesName, Memory


class ResourceSettings(Section):
    """Resources of one container."""

    cpu: Cpu = "250m"
    """CPU request."""

    cpu_limit: Cpu = "2"
    """CPU limit; starting Airflow is what needs it."""

    memory: Memory = "1Gi"
    """Memory request and limit."""


class ProcessSettings(ResourceSettings):
    """Replicas and resources of one Airflow component."""

    replicas: int = Field(default=1, ge=1, le=20)
    """Pods."""


class TaskPodSettings(ResourceSettings):
    """The pods of KubernetesExecutor, one per task."""

    delete_failed: bool = True
    """Whether a pod that failed is removed like one that succeeded. Its task's log stays either way."""


class AirflowSettings(Section):
    """Airflow itself."""

    executor: Literal["LocalExecutor", "KubernetesExecutor"] = "LocalExecutor"
    """Where tasks run: LocalExecutor in the scheduler's pod, KubernetesExecutor each in a pod of its own."""

    parallelism: int = Field(default=8, ge=1, le=512)
    """Tasks at once per scheduler. With LocalExecutor each is a process that stays, about 15 MiB when idle."""

    admin_username: str = Field(default="admin", pattern=r"^[A-Za-z0-9._@-]{1,64}$")
    """First user; the password is generated and kept in the Secret airflow-admin."""

    base_url: str | None = Field(default=None, pattern=r"^https?://[^/\s]+$")
    """Address people use, for links in mails and redirects. None is that of ingress.host, if there is one."""

    grace_seconds: int = Field(default=600, ge=30, le=86400)
    """Seconds a scheduler may take to finish the tasks of LocalExecutor when its pod is stopped."""

    api_server: ProcessSettings = ProcessSettings(memory="2Gi")
    """REST API, execution API and user interface."""

    scheduler: ProcessSettings = ProcessSettings(cpu="500m", memory="2Gi")
    """Scheduler, and its tasks with LocalExecutor."""

    dag_processor: ProcessSettings = ProcessSettings(memory="1Gi")
    """Parses DAG files. One replica: two with different views would deactivate each other's DAGs."""

    triggerer: ProcessSettings = ProcessSettings(memory="512Mi")
    """Runs deferred tasks' triggers."""

    task_pod: TaskPodSettings = TaskPodSettings()
    """Pod of a task with KubernetesExecutor; a job's ``resources`` win."""

    def processes(self) -> dict[str, ProcessSettings]:
        """Return the settings of each component by its name on Airflow's command line."""
        return {
            "api-server": self.api_server,
            "scheduler": self.scheduler,
            "dag-processor": self.dag_processor,
            "triggerer": self.triggerer,
        }


class JobsSettings(Section):
    """The namespace for pods of jobs with ``isolation="kubernetes"``."""

    enabled: bool = True
    """Whether there is one. What runs tasks may make pods in it, and nowhere else."""

    namespace: KubernetesName = "etl-jobs"
    """Its name. Changing it replaces everything in it."""

    secret: KubernetesName | None = Field(default=None, examples=["job-credentials"])
    """Secret in it whose keys become variables of the pods: what jobs need, and the access to dags.url beside AWS."""

    pods: int = Field(default=50, ge=1, le=10000)
    """Most pods at once."""

    cpu: Cpu = "32"
    """Most CPU they may request together."""

    memory: Memory = "64Gi"
    """Most memory they may request together."""
