"""Airflow's executor, and what follows from the choice: which pods run tasks, write their logs and ask Kubernetes."""

from collections.abc import Mapping
from typing import Literal

Executor = Literal["LocalExecutor", "KubernetesExecutor"]

TASK = "task"
"""Component of the pods that KubernetesExecutor makes, one per task."""


def service_account_name(component: str) -> str:
    """Return the service account of a component, which is also what a cloud identity is bound to."""
    return f"airflow-{component}"


def task_runner(executor: Executor) -> str:
    """Return the component whose pods run tasks."""
    return TASK if executor == "KubernetesExecutor" else "scheduler"


def dag_readers(executor: Executor) -> tuple[str, ...]:
    """Return the components that read DAG files and packages."""
    return ("dag-processor", task_runner(executor))


def log_access(executor: Executor) -> Mapping[str, bool]:
    """Return the components that use the store of the task logs, and whether each also writes to it.

    Triggers of a task write to its log too.
    """
    return {"api-server": False, task_runner(executor): True, "triggerer": True}


def log_volume_access(executor: Executor) -> Mapping[str, bool]:
    """Return the components that mount a volume of task logs, and whether each also writes to it.

    With LocalExecutor the scheduler alone does, and serves them over HTTP. Task pods are gone when somebody reads, so with
    KubernetesExecutor every component reads and writes files.
    """
    return {"scheduler": True} if executor == "LocalExecutor" else log_access(executor)


def kubernetes_callers(executor: Executor, *, job_pods: bool) -> tuple[str, ...]:
    """Return the components that use the Kubernetes API; with ``job_pods`` what runs tasks makes pods for jobs.

    The scheduler makes task pods, and the API server reads what a running one logs.
    """
    callers = ("scheduler", "api-server") if executor == "KubernetesExecutor" else ()
    return (*callers, task_runner(executor)) if job_pods else callers
