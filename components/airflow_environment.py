"""What Airflow reads from its environment, as one pure function.

Fills the ConfigMap of every stack and the environment of ``make try``, so that a laptop and a cluster differ only
in the arguments given here. Secrets never pass through: see ``airflow_secrets``.
"""

import json
from dataclasses import dataclass
from typing import Any, Literal

from components.executor import Executor

PACKAGES_ROOT = "/app/packages"
DAGS_DIR = "/opt/airflow/dags"
LOGS_DIR = "/opt/airflow/logs"
PACKAGES_CACHE = "/opt/airflow/packages"
"""Versions of published packages; ``current`` in it leads to one of them."""

BUNDLES_DIR = "/opt/airflow/bundles"
TASK_LOGS_CONNECTION = "task_logs"
"""Airflow connection to the object store of the task logs."""

API_SERVER_PORT = 8080
SCHEDULER_HEALTH_PORT = 8974
WORKER_LOG_PORT = 8793
TRIGGERER_LOG_PORT = 8794

AuthManager = Literal["simple", "fab"]
AUTH_MANAGERS: dict[AuthManager, str] = {
    "simple": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
    "fab": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
}


@dataclass(frozen=True, kw_only=True)
class TaskPods:
    """How KubernetesExecutor makes pods."""

    namespace: str
    template_file: str
    """Path of the pod template in the scheduler's container."""

    delete_failed: bool
    """Whether a pod that failed is deleted like one that succeeded."""


@dataclass(frozen=True, kw_only=True)
class JobPods:
    """Where ``dagsync`` runs jobs that ask for a pod of their own."""

    namespace: str
    service_account: str
    image: str
    secret: str | None = None
    """A Secret of that namespace whose keys become variables of the pods."""


@dataclass(frozen=True, kw_only=True)
class AirflowEnvironmentArgs:
    """What differs between one Airflow and another."""

    execution_api_server_url: str
    """Where tasks reach the execution API, ending in ``/execution/``. Never the public address: tasks stay inside."""

    auth_manager: AuthManager = "simple"
    """``simple`` reads users from a file and is for one person; ``fab`` keeps them in the database."""

    admin_username: str = "admin"
    """The first user."""

    base_url: str | None = None
    """Address people use, for links; ``None`` leaves Airflow's default."""

    executor: Executor = "LocalExecutor"
    task_pods: TaskPods | None = None
    """Given with ``KubernetesExecutor``."""

    job_pods: JobPods | None = None
    """``None`` where jobs get no pods of their own."""

    parallelism: int = 8
    """Tasks at once per scheduler. LocalExecutor keeps that many idle processes, about 15 MB each."""

    refresh_interval_seconds: int = 30
    """How often the dag-processor looks for new and removed files. Airflow's own default is 300."""

    min_file_process_interval_seconds: int = 300
    """How often an unchanged DAG file is parsed again. A changed one is parsed at the next look."""

    bundle_source: str | None = None
    """Packages that Airflow itself fetches and renders, as a versioned bundle: a folder or ``s3://bucket/prefix``.

    ``None`` is a folder of DAG files that somebody else keeps, ``dags_dir``.
    """

    packages_source: str | None = None
    """``s3://bucket/prefix`` that packages are published to, of which ``packages_root`` shows the current version."""

    packages_root: str = PACKAGES_ROOT
    dags_dir: str = DAGS_DIR
    logs_dir: str = LOGS_DIR
    api_server_port: int = API_SERVER_PORT
    scheduler_health_port: int = SCHEDULER_HEALTH_PORT
    worker_log_port: int = WORKER_LOG_PORT
    triggerer_log_port: int = TRIGGERER_LOG_PORT

    hostname_callable: str | None = None
    """Import path of what names a process's host; log readers call it back by that name."""

    remote_base_log_folder: str | None = None
    """``s3://bucket/prefix`` for task logs, or ``None`` for files in ``logs_dir``."""

    simple_auth_passwords_file: str | None = None
    """JSON file of user to password for ``simple``."""


def airflow_environment(args: AirflowEnvironmentArgs) -> dict[str, str]:
    """Return the environment variables of an Airflow 3.3 process, without secrets, sorted by name.

    The names are those of Airflow's configuration reference: ``AIRFLOW__SECTION__KEY``.
    """
    environment = {
        "ETL_PACKAGES_ROOT": args.packages_root,
        "AIRFLOW_DAGS_DIR": args.dags_dir,
        "AIRFLOW__CORE__DAGS_FOLDER": args.dags_dir,
        "AIRFLOW__CORE__EXECUTOR": args.executor,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": str(args.parallelism),
        "AIRFLOW__CORE__AUTH_MANAGER": AUTH_MANAGERS[args.auth_manager],
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": args.execution_api_server_url,
        "AIRFLOW__API__PORT": str(args.api_server_port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([_bundle(args)]),
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": str(args.refresh_interval_seconds),
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": str(args.min_file_process_interval_seconds),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": args.logs_dir,
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": f"{args.logs_dir}/dag_processor",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(args.worker_log_port),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(args.triggerer_log_port),
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "True",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(args.scheduler_health_port),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        # A task asks for about five minutes, after which Airflow takes it for dead (`task_instance_heartbeat_timeout`). By its
        # default, 5 requests, it gives up after ten seconds, before a new API server is there: the job would be repeated.
        "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": "60",
        "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "10",
    }
    if args.base_url is not None:
        environment["AIRFLOW__API__BASE_URL"] = args.base_url
    if args.hostname_callable is not None:
        environment["AIRFLOW__CORE__HOSTNAME_CALLABLE"] = args.hostname_callable
    if args.remote_base_log_folder is not None:
        environment |= {
            "AIRFLOW__LOGGING__REMOTE_LOGGING": "True",
            "AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": args.remote_base_log_folder,
            "AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID": TASK_LOGS_CONNECTION,
        }
    if args.bundle_source is not None:
        environment["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH"] = BUNDLES_DIR
    if args.packages_source is not None:
        environment |= {"DAGSYNC_SOURCE": args.packages_source, "DAGSYNC_CACHE": PACKAGES_CACHE}
    if args.task_pods is not None:
        environment |= _kubernetes_executor(args.task_pods)
    if args.job_pods is not None:
        environment |= _job_pods(args.job_pods)
    if args.auth_manager == "simple":
        environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] = f"{args.admin_username}:admin"
        if args.simple_auth_passwords_file is not None:
            environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"] = args.simple_auth_passwords_file
    return dict(sorted(environment.items()))


def _bundle(args: AirflowEnvironmentArgs) -> dict[str, Any]:
    """Return the one entry of ``[dag_processor] dag_bundle_config_list``."""
    refresh = {"refresh_interval": args.refresh_interval_seconds}
    if args.bundle_source is not None:
        kwargs = {"source": args.bundle_source, **refresh}
        return {"name": "packages", "classpath": "dagsync.bundle.PackagesBundle", "kwargs": kwargs}
    kwargs = {"path": args.dags_dir, **refresh}
    return {"name": "dags-folder", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle", "kwargs": kwargs}


def _job_pods(pods: JobPods) -> dict[str, str]:
    given = {
        "DAGSYNC_JOBS_NAMESPACE": pods.namespace,
        "DAGSYNC_JOBS_SERVICE_ACCOUNT": pods.service_account,
        "DAGSYNC_JOBS_IMAGE": pods.image,
        "DAGSYNC_JOBS_IMAGE_PULL_POLICY": "IfNotPresent",
    }
    return given if pods.secret is None else {**given, "DAGSYNC_JOBS_SECRET": pods.secret}


def _kubernetes_executor(pods: TaskPods) -> dict[str, str]:
    """Return ``[kubernetes_executor]``; source: configuration reference of apache-airflow-providers-cncf-kubernetes."""
    return {
        "AIRFLOW__KUBERNETES_EXECUTOR__NAMESPACE": pods.namespace,
        "AIRFLOW__KUBERNETES_EXECUTOR__MULTI_NAMESPACE_MODE": "False",
        "AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE": pods.template_file,
        "AIRFLOW__KUBERNETES_EXECUTOR__DELETE_WORKER_PODS": "True",
        "AIRFLOW__KUBERNETES_EXECUTOR__DELETE_WORKER_PODS_ON_FAILURE": str(pods.delete_failed),
        # Airflow's default makes one pod per loop of the scheduler, which is a queue of its own.
        "AIRFLOW__KUBERNETES_EXECUTOR__WORKER_PODS_CREATION_BATCH_SIZE": "16",
        # A task's token must last until its pod starts, which may wait for a new node; Airflow's default is 600.
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "1800",
    }
