"""The environment of every process: what a cluster's ConfigMap and Secrets hold, and what only a laptop needs."""

from collections.abc import Mapping

from components.airflow_environment import AirflowEnvironmentArgs, airflow_environment
from standalone.ports import LOOPBACK
from standalone.state import ADMIN_USERNAME, Run, Secrets, StateFolder

MARKER = "AIRFLOW_CONTROL_PLANE_STATE"
"""Variable that names the state folder in every process of ours and all their children: how ``stop`` knows them."""

REFRESH_INTERVAL_SECONDS = 5
"""Looking into one small local folder costs nothing, and a new job shows at once."""

PARALLELISM = 4
"""Tasks at once. Each is an idle process of LocalExecutor."""


def component_environment(folder: StateFolder, run: Run, secrets: Secrets, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of a component.

    Airflow settings of the caller's shell are left out, or somebody's own Airflow would leak in; connections and
    variables (``AIRFLOW_CONN_*``, ``AIRFLOW_VAR_*``) are for jobs and stay.
    """
    kept = {
        k: v for k, v in inherited.items() if not k.startswith("AIRFLOW") or k.startswith(("AIRFLOW_CONN_", "AIRFLOW_VAR_"))
    }
    # Without cached bytecode every start compiles Airflow anew, once per component.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    shared = airflow_environment(
        AirflowEnvironmentArgs(
            execution_api_server_url=f"{run.url}/execution/",
            base_url=run.url,
            admin_username=ADMIN_USERNAME,
            parallelism=PARALLELISM,
            refresh_interval_seconds=REFRESH_INTERVAL_SECONDS,
            packages_root=run.packages,
            dags_dir=str(folder.dags),
            logs_dir=str(folder.logs / "tasks"),
            api_server_port=run.port,
            # Airflow's default asks DNS for a full name, for which a laptop may wait seconds.
            hostname_callable="socket.gethostname",
            simple_auth_passwords_file=str(folder.passwords),
        )
    )
    here = {
        MARKER: str(folder.root),
        "AIRFLOW_HOME": str(folder.root),
        "AIRFLOW_CONFIG": str(folder.airflow_config),
        "AIRFLOW__API__HOST": LOOPBACK,
        "AIRFLOW__API__SECRET_KEY": secrets.api_secret_key,
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.jwt_secret,
        "AIRFLOW__CORE__FERNET_KEY": secrets.fernet_key,
        # The scheduler's own health server would listen on every address; the API server reports the heartbeat too.
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "DAGSYNC_ENVIRONMENTS": str(folder.root / "environments"),
        # Tasks call the API server here: a company's proxy must not get in between.
        "NO_PROXY": _without_proxy(kept),
        "no_proxy": _without_proxy(kept),
        "PYTHONUNBUFFERED": "1",
        # Airflow renames its processes by writing over their environment, where we look for the marker, unless told not to.
        "SPT_NOENV": "1",
    }
    return kept | shared | database_urls(folder.database.as_posix()) | here


def database_urls(path: str) -> dict[str, str]:
    """Return Airflow's settings for a SQLite file at an absolute path."""
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{path}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"sqlite+aiosqlite:///{path}",
    }


def _without_proxy(environment: Mapping[str, str]) -> str:
    given = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    return ",".join(filter(None, [given, LOOPBACK, "localhost"]))
