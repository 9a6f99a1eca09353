"""``python -m dagsync.migrations``: brings the metadata database to this Airflow's schema and makes the first user.

May be repeated: the schema is brought no further, and a user who exists stays as it is.
"""

import os
from collections.abc import Mapping

from dagsync.airflow_commands import AirflowCommands


def main(environment: Mapping[str, str] = os.environ) -> None:
    """Wait for the server, migrate, make the user whose name and password are ``ADMIN_USERNAME`` and ``ADMIN_PASSWORD``.

    Raises ``KeyError`` without those, and what Airflow's commands raise.
    """
    username, password = environment["ADMIN_USERNAME"], environment["ADMIN_PASSWORD"]
    airflow = AirflowCommands()
    airflow.wait_for_database()
    airflow.run("db", "migrate")
    person = ("--firstname", "Airflow", "--lastname", "Admin", "--email", f"{username}@airflow.invalid")
    airflow.run("users", "create", "--username", username, "--role", "Admin", *person, password=password)


if __name__ == "__main__":
    main()
