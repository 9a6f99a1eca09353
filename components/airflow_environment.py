"""What Airflow reads from its environment, as one pure function.

Fills the ConfigMap of every stack and the environment of ``make try``, so that a laptop and a cluster differ only
in the arguments given here. Secrets never pass through: see ``airflow_secrets``.
"""

import json
from dataclasses import dataclass
from typing import Literal

PACKAGES_ROOT = "/app/packages"
DAGS_DIR = "/opt/airflow/dags"
LOGS_DIR = "/opt/airflow/logs"
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

    parallelism: int = 8
    """Tasks at once per scheduler. LocalExecutor keeps that many idle processes, about 15 MB each."""

    refresh_interval_seconds: int = 30
    """How often the dag-processor looks for new and removed files. Airflow's own default is 300."""

    min_file_process_interval_seconds: int = 300
    """How often an unchanged DAG file is parsed again. A changed one is parsed at the next look."""

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
    bundles = [
        {
            "name": "dags-folder",
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": args.dags_dir, "refresh_interval": args.refresh_interval_seconds},
        }
    ]
    environment = {
        "ETL_PACKAGES_ROOT": args.packages_root,
        "AIRFLOW_DAGS_DIR": args.dags_dir,
        "AIRFLOW__CORE__DAGS_FOLDER": args.dags_dir,
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": str(args.parallelism),
        "AIRFLOW__CORE__AUTH_MANAGER": AUTH_MANAGERS[args.auth_manager],
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": args.execution_api_server_url,
        "AIRFLOW__API__PORT": str(args.api_server_port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": str(args.refresh_interval_seconds),
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": str(args.min_file_process_interval_seconds),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": args.logs_dir,
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": f"{args.logs_dir}/dag_processor",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(args.worker_log_port),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(args.triggerer_log_port),
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "True",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(args.scheduler_health_port),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    if args.base_url is not None:
        environment["AIRFLOW__API__BASE_URL"] = args.base_url
    if args.hostname_callable is not None:
        environment["AIRFLOW__CORE__HOSTNAME_CALLABLE"] = args.hostname_callable
    if args.remote_base_log_folder is not None:
        environment |= {
            "AIRFLOW__LOGGING__REMOTE_LOGGING": "True",
            "AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": args.remote_base_log_folder,
        }
    if args.auth_manager == "simple":
        environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] = f"{args.admin_username}:admin"
        if args.simple_auth_passwords_file is not None:
            environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"] = args.simple_auth_passwords_file
    return dict(sorted(environment.items()))
