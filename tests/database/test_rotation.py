"""A Fernet key is rotated by real Airflow on a real PostgreSQL, by the keys in the order that pods are given them."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet, InvalidToken

from components.airflow_secrets import url_safe
from components.key_generations import Generations
from tests.database.servers import PostgreSQL

KEYS = {number: url_safe(base64.b64encode(bytes([number] * 32)).decode()) for number in (1, 2)}
READ = """
from airflow.models import Connection, Variable
from airflow.utils.session import create_session

with create_session() as session:
    connection = session.query(Connection).filter_by(conn_id="warehouse").one()
    print("found", connection.password, connection.extra_dejson["token"], session.query(Variable).one().val)
"""


class RotatedAirflow:
    """Commands of Airflow with some generations of its key."""

    def __init__(self, server: PostgreSQL, home: Path) -> None:
        self.server, self._home = server, home

    def run(self, generations: Generations, *command: str) -> subprocess.CompletedProcess[str]:
        url = f"127.0.0.1:{self.server.port}/rotation"
        variables = {
            **os.environ,
            "AIRFLOW_HOME": str(self._home),
            "AIRFLOW__CORE__FERNET_KEY": ",".join(KEYS[number] for number in generations.accepted()),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://airflow@{url}",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://airflow@{url}",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=300, check=False)

    def done(self, generations: Generations, *command: str) -> str:
        result = self.run(generations, *command)
        assert result.returncode == 0, result.stderr[-3000:]
        return result.stdout

    def reads(self, generations: Generations) -> bool:
        """Tell whether everything is read as it was written; fails for another reason than the key."""
        result = self.run(generations, sys.executable, "-c", READ)
        if result.returncode == 0:
            assert "found hunter2 t0ken value" in result.stdout
            return True
        assert "InvalidToken" in result.stderr or "AirflowException" in result.stderr, result.stderr[-3000:]
        return False

    def encrypted_by(self) -> set[int]:
        """Return the generations that what is stored is encrypted with."""
        rows = self.server.execute(
            "select password from connection where password is not null",
            user="airflow",
            database="rotation",
        ) + self.server.execute("select extra from connection where extra is not null", user="airflow", database="rotation")
        rows += self.server.execute("select val from variable", user="airflow", database="rotation")
        return {_generation(str(token)) for (token,) in rows}


def _generation(token: str) -> int:
    for number, key in KEYS.items():
        try:
            Fernet(key).decrypt(token.encode())
        except InvalidToken:
            continue
        return number
    raise AssertionError("no key decrypts it")


@pytest.fixture(scope="module")
def airflow(server: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> RotatedAirflow:
    """An Airflow whose connection and variable were stored with the first key."""
    server.execute("create database rotation owner airflow")
    made = RotatedAirflow(server, tmp_path_factory.mktemp("rotation"))
    first = Generations()
    made.done(first, "airflow", "db", "migrate")
    login = ["--conn-type", "http", "--conn-password", "hunter2", "--conn-extra", '{"token": "t0ken"}']
    made.done(first, "airflow", "connections", "add", "warehouse", *login)
    made.done(first, "airflow", "variables", "set", "name", "value")
    return made


def test_the_old_key_can_be_dropped_when_everything_is_encrypted_anew_and_not_before(airflow: RotatedAirflow):
    assert airflow.encrypted_by() == {1}
    assert airflow.reads(Generations(newest=2))
    assert airflow.reads(Generations(current=2))
    # Skipped, the Job is missed as soon as the old key goes; taken back, nothing is lost.
    assert not airflow.reads(Generations(current=2, oldest=2))
    assert airflow.run(Generations(current=2, oldest=2), "airflow", "rotate-fernet-key").returncode != 0
    assert airflow.encrypted_by() == {1}

    airflow.done(Generations(current=2), "airflow", "rotate-fernet-key")
    assert airflow.encrypted_by() == {2}
    # A pod that has not rolled yet knows the new key by its announcement.
    assert airflow.reads(Generations(newest=2))
    assert airflow.reads(Generations(current=2, oldest=2))
    assert not airflow.reads(Generations())
