"""What real Airflow says to a real PostgreSQL, and whether RDS Proxy would lend a connection for a transaction or for good."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.database.servers import PostgreSQL

PINS = re.compile(
    r"^\s*(SET(?! LOCAL)|RESET|DISCARD|PREPARE|EXECUTE|DEALLOCATE|DECLARE|LISTEN|LOAD|CREATE\s+TEMP)\b"
    r"|\b(set_config|nextval|setval)\s*\(|\bpg_(try_)?advisory_(lock|unlock)",
    re.IGNORECASE,
)
"""What makes the proxy keep a connection for the rest of a session: no lock of a transaction, and no statement that a driver
prepares by protocol. Source: Amazon RDS user guide, "Avoiding pinning an RDS Proxy"."""

LOGGED = re.compile(r"LOG:  (?:statement|execute [^:]*): (.*?)(?=\n\d{4}-\d\d-\d\d |\Z)", re.DOTALL)

WORK = """
import asyncio
from airflow import settings
from airflow.models import Connection, DagModel, Pool, TaskInstance, Trigger
from airflow.utils.db import DBLocks
import sqlalchemy as sa

settings.initialize()
with settings.Session() as session:
    lock = sa.text("SELECT pg_try_advisory_xact_lock(:id)")
    assert session.scalar(lock, {"id": DBLocks.SCHEDULER_CRITICAL_SECTION.value})
    Pool.slots_stats(lock_rows=True, session=session)
    session.add_all([Connection(conn_id=f"c{number}", conn_type="http") for number in range(3)])
    session.commit()

async def read():
    async with settings.AsyncSession() as session:
        for model in (Connection, DagModel, TaskInstance, Trigger):
            for _ in range(2):
                await session.execute(sa.select(model).limit(1))
    async with settings.AsyncSession() as session:
        return len((await session.scalars(sa.select(Connection).where(Connection.conn_type == "http"))).all())

assert asyncio.run(read()) == 3
"""
"""A scheduler's loop, and what the API server and the triggerer ask in their async sessions."""


@dataclass
class Listened:
    """An Airflow whose every statement is in the server's log."""

    server: PostgreSQL
    home: Path

    def said(self, *command: str) -> list[str]:
        """Run a command of Airflow and return the statements it sent."""
        log = self.server.folder / "log" / "server"
        before = log.stat().st_size
        url = f"127.0.0.1:{self.server.port}/listened"
        variables = {
            **os.environ,
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://airflow@{url}",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://airflow@{url}",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return LOGGED.findall(log.read_bytes()[before:].decode())


@pytest.fixture(scope="module")
def airflow(server: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Listened:
    server.execute("create database listened owner airflow", "alter database listened set log_statement = 'all'")
    return Listened(server, tmp_path_factory.mktemp("listened"))


def test_a_migration_pins_its_session_and_daily_work_pins_none(airflow: Listened):
    migration = airflow.said("airflow", "db", "migrate")
    assert [text for text in migration if "pg_advisory_lock" in text and PINS.search(text)]
    work = airflow.said(sys.executable, "-c", WORK)
    assert [text for text in work if "pg_try_advisory_xact_lock" in text]
    assert [text for text in work if "$1" in text], "nothing was prepared"
    assert [text for text in work if PINS.search(text)] == []
