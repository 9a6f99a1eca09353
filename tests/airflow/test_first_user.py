"""The database is migrated and the first user made with the real FAB, by the very command of the migration Job."""

import sqlite3
import subprocess
from pathlib import Path

from werkzeug.security import check_password_hash

from components.airflow_environment import AUTH_MANAGERS
from components.airflow_migrations import MIGRATE
from tests.airflow.server import environment

FIRST_PASSWORD = "cGVyc2lzdGVudA-1"


def make_user(home: Path, variables: dict[str, str], password: str) -> str:
    done = subprocess.run(
        MIGRATE,
        env=variables | {"ADMIN_USERNAME": "admin", "ADMIN_PASSWORD": password},
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def users(home: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(home / "airflow.db") as database:
        return database.execute("SELECT username, password FROM ab_user").fetchall()


def test_the_first_user_is_made_once_and_keeps_the_password(tmp_path: Path):
    for folder in ("home", "packages", "dags"):
        (tmp_path / folder).mkdir()
    home = tmp_path / "home"
    variables = environment(home, tmp_path / "packages", tmp_path / "dags")
    # The Job has no work with tokens or sessions and is not given their keys.
    for name in ("AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET"):
        del variables[name]
    variables["AIRFLOW__CORE__AUTH_MANAGER"] = AUTH_MANAGERS["fab"]

    said = make_user(home, variables, FIRST_PASSWORD)
    ((username, hashed),) = users(home)
    assert username == "admin"
    assert check_password_hash(hashed, FIRST_PASSWORD)
    assert FIRST_PASSWORD not in said

    assert "already exist" in make_user(home, variables, "another-password")
    assert users(home) == [(username, hashed)]
