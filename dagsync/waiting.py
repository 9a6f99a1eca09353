"""``python -m dagsync.waiting COMPONENT [OPTION...]``: one of Airflow's components, which waits for its database and schema.

One that is started together with them would end with an error otherwise. What it needs is imported before it waits, as that is
most of its start and asks nothing of the database.
"""

import importlib
import os
import sys
import time
from collections.abc import Mapping, Sequence

from dagsync.airflow_commands import WAIT_SECONDS, AirflowCommands

IMPORTED: Mapping[str, Sequence[str]] = {
    "api-server": (
        "airflow.api_fastapi.core_api.routes.public",
        "airflow.api_fastapi.core_api.routes.ui",
        "airflow.api_fastapi.execution_api.routes",
    ),
    "triggerer": ("airflow.jobs.triggerer_job_runner",),
}
"""Component, as on Airflow's command line, to the modules it needs."""

USER_SECONDS = 60
"""How long the first user may take to be made once the schema is there."""


def main(component: str, *options: str) -> None:
    """Run the component to its end. Raises ``TimeoutError`` where the schema is another after ``WAIT_SECONDS``."""
    if component == "api-server":
        # As airflow.api_fastapi.main does before it imports anything: it decides which secrets backends are asked.
        os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
    airflow = AirflowCommands()
    for module in IMPORTED[component]:
        importlib.import_module(module)
    airflow.wait_for_database()
    airflow.run("db", "check-migrations", "--migration-wait-timeout", str(WAIT_SECONDS))
    if component == "api-server":
        _wait_for_first_user()
    airflow.run(component, *options)


def _wait_for_first_user() -> None:
    """Return once there is a user, or after ``USER_SECONDS``: somebody may have deleted them all.

    Who makes the first one writes FAB's roles before it. An API server that starts writes the same, and one of the two would
    end with an error.
    """
    from airflow import settings
    from sqlalchemy import inspect, text

    engine = settings.get_engine()
    if not inspect(engine).has_table("ab_user"):
        return
    last = time.monotonic() + USER_SECONDS
    while time.monotonic() < last:
        with engine.connect() as connection:
            if connection.execute(text("SELECT 1 FROM ab_user LIMIT 1")).first():
                return
        time.sleep(0.2)


if __name__ == "__main__":
    main(*sys.argv[1:])
