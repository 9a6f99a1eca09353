"""A PostgreSQL server with what RDS adds, and an Airflow that logs in to it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.certificates import Authority
from tests.database.servers import PostgreSQL, postgresql


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def server() -> Iterator[PostgreSQL]:
    """A server with what RDS has: an administrator who is no superuser, its database, and the role of IAM."""
    # Folders of pytest are their owner's alone, and where that is root, PostgreSQL runs as somebody else.
    with tempfile.TemporaryDirectory() as folder, postgresql(Path(folder)) as made:
        made.execute(
            "create role airflow login createrole createdb",
            "create role rds_iam",
            "grant rds_iam to airflow with admin true, inherit false, set false",
            "create database airflow owner airflow",
        )
        yield made
