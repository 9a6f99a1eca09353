"""Which component is given which secret, as one table.

Who signs and checks task tokens has their key, who serves logs or reads them from others the API secret key, who has work in
the database its URLs, and who reads what is stored encrypted there the Fernet key. A task pod has none of that work: it is
given its own token and asks the execution API for the rest. Source: Airflow's documentation, "Airflow Security Model".
"""

from collections.abc import Mapping

from components.executor import TASK, Executor, task_runner


def secrets_of(executor: Executor, *, proxy: bool = False) -> Mapping[str, tuple[str, ...]]:
    """Return component to the Secrets that all of its containers of Airflow get.

    The scheduler serves logs where tasks run in it. The migration Job, which also makes the first user, reads that user's
    password beside these, in the one container that does; where the URLs lead to a ``proxy``, its own go past it.
    """
    serves_logs = ("api-secret-key",) if task_runner(executor) == "scheduler" else ()
    return {
        "api-server": ("fernet-key", "api-secret-key", "jwt-keys", "database"),
        "scheduler": ("fernet-key", *serves_logs, "jwt-keys", "database"),
        "dag-processor": ("fernet-key", "database"),
        "triggerer": ("fernet-key", "api-secret-key", "database"),
        "migrations": ("fernet-key", "database-direct" if proxy else "database"),
        TASK: (),
    }


def database_users() -> tuple[str, ...]:
    """Return the components with work in the database, whichever the executor."""
    return tuple(component for component, secrets in secrets_of("LocalExecutor").items() if "database" in secrets)
