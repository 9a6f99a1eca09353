"""The environment of Airflow in a stack, of which some values are known only when what they name exists."""

from dataclasses import dataclass
from typing import Any

import pulumi

from components.airflow_environment import (
    API_SERVER_PORT,
    DAGS_DIR,
    PACKAGES_CACHE,
    PACKAGES_ROOT,
    AirflowEnvironmentArgs,
    JobPods,
    TaskPods,
    airflow_environment,
)
from components.dag_delivery import Pattern
from components.executor import Executor
from components.job_namespace import JobNamespace
from components.object_store import ObjectStore
from components.task_logs import TaskLogs
from components.task_pods import TEMPLATE_FILE


@dataclass(frozen=True, kw_only=True)
class StackEnvironmentArgs:
    namespace: pulumi.Input[str]
    image: pulumi.Input[str]
    execution_api_server_url: str
    executor: Executor
    delete_failed_task_pods: bool
    logs: TaskLogs
    packages: ObjectStore | None
    """``None`` where packages come with the image."""

    delivery: Pattern
    jobs: JobNamespace | None
    jobs_secret: str | None
    admin_username: str
    base_url: str | None
    parallelism: int
    refresh_interval_seconds: int


def stack_environment(args: StackEnvironmentArgs) -> pulumi.Output[dict[str, str]]:
    """Return the variables of ``airflow_environment`` for a stack."""
    return pulumi.Output.all(
        namespace=args.namespace,
        image=args.image,
        logs=args.logs.url if isinstance(args.logs, ObjectStore) else None,
        packages=args.packages.url if args.packages is not None else None,
        job_namespace=args.jobs.name if args.jobs is not None else None,
        job_account=args.jobs.service_account if args.jobs is not None else None,
    ).apply(lambda known: _environment(args, known))


def _environment(args: StackEnvironmentArgs, known: dict[str, Any]) -> dict[str, str]:
    bundle = args.delivery == "bundle"
    follows_bucket = args.packages is not None and not bundle
    task_pods = TaskPods(namespace=known["namespace"], template_file=TEMPLATE_FILE, delete_failed=args.delete_failed_task_pods)
    job_pods = JobPods(
        namespace=known["job_namespace"], service_account=known["job_account"], image=known["image"], secret=args.jobs_secret
    )
    return airflow_environment(
        AirflowEnvironmentArgs(
            auth_manager="fab",
            admin_username=args.admin_username,
            base_url=args.base_url,
            execution_api_server_url=args.execution_api_server_url,
            executor=args.executor,
            task_pods=task_pods if args.executor == "KubernetesExecutor" else None,
            job_pods=job_pods if args.jobs is not None else None,
            parallelism=args.parallelism,
            refresh_interval_seconds=args.refresh_interval_seconds,
            bundle_source=(known["packages"] or PACKAGES_ROOT) if bundle else None,
            packages_source=known["packages"] if follows_bucket else None,
            packages_root=f"{PACKAGES_CACHE}/current" if follows_bucket else PACKAGES_ROOT,
            dags_dir=DAGS_DIR,
            api_server_port=API_SERVER_PORT,
            # Pods of a Deployment have no names in DNS; the one that needs a name that lasts is given it.
            hostname_callable="airflow.utils.net.get_host_ip_address",
            remote_base_log_folder=known["logs"],
        )
    )
