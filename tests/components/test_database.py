"""The metadata database: how it is reached, how large it must be, what is watched."""

import asyncio
from collections.abc import Callable, Coroutine
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import create_async_engine

from cluster.certificates import Authority
from components import database_capacity
from components.database_alarms import DatabaseAlarmsArgs, thresholds
from components.database_capacity import connections_needed, connections_offered, smallest_class
from components.database_certificates import RDS_CERTIFICATES
from components.database_connection import PATIENCE, DatabaseUrls, database_urls
from tests.components.postgres_listener import Listener, listening
from tests.components.test_brought import values

PARTS: dict[str, Any] = {"name": "airflow", "username": "airflow", "password": "p@ss"}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def connect(urls: DatabaseUrls, driver: str) -> None:
    """Connect as Airflow does; the listener ends every conversation, so this fails in any case."""
    with pytest.raises((sa.exc.DBAPIError, OSError)):
        CONNECT[driver](urls)


async def connect_async(url: str) -> None:
    async with create_async_engine(url).connect():
        pass


def in_a_loop_of_its_own(work: Coroutine[Any, Any, None]) -> None:
    """``asyncio.run`` would leave this thread without a loop, and Pulumi's mocks need the one it has."""
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(work)
    finally:
        loop.close()


CONNECT: dict[str, Callable[[DatabaseUrls], Any]] = {
    "psycopg2": lambda urls: sa.create_engine(urls.sync).connect(),
    "asyncpg": lambda urls: in_a_loop_of_its_own(connect_async(urls.asynchronous)),
}


@pytest.mark.parametrize("driver", CONNECT)
class TestBothDriversCheckTheServer:
    def greeted(self, authority: Authority, driver: str, *, host: str, trusted: Path) -> Listener:
        with listening(authority.server("postgresql")) as listener:
            urls = database_urls(host=host, port=listener.port, certificate_authority=str(trusted), **PARTS)
            connect(urls, driver)
        assert listener.in_plain_text == []
        return listener

    def test_a_certificate_of_the_authority_for_that_name_is_accepted(self, authority: Authority, driver: str):
        listener = self.greeted(authority, driver, host="localhost", trusted=authority.certificate)
        assert listener.greeted
        assert all(b"user\0airflow\0" in words for words in listener.greeted)

    def test_a_certificate_for_another_name_is_refused(self, authority: Authority, driver: str):
        assert self.greeted(authority, driver, host="127.0.0.2", trusted=authority.certificate).greeted == []

    def test_a_certificate_of_another_authority_is_refused(self, authority: Authority, driver: str, tmp_path: Path):
        (tmp_path / "other").mkdir()
        other = Authority(tmp_path / "other").certificate
        assert self.greeted(authority, driver, host="localhost", trusted=other).greeted == []

    def test_an_image_without_certificates_connects_to_nothing(self, authority: Authority, driver: str, tmp_path: Path):
        """That is how the Dockerfile leaves the file where no address was given."""
        empty = tmp_path / "empty.pem"
        empty.touch()
        assert self.greeted(authority, driver, host="localhost", trusted=empty).greeted == []


def test_both_urls_name_their_driver_and_escape_their_parts():
    urls = database_urls(
        host="db", port=5432, name="air/flow", username="us:er", password="p@ss/word?", certificate_authority="/ca.pem"
    )
    rest = "us%3Aer:p%40ss%2Fword%3F@db:5432/air%2Fflow"
    assert urls.sync.startswith(f"postgresql+psycopg2://{rest}?sslmode=verify-full&sslrootcert=%2Fca.pem&")
    assert urls.asynchronous.startswith(f"postgresql+asyncpg://{rest}?dsn=postgresql")


@given(st.text(min_size=1), st.text(min_size=1), st.sampled_from([None, "/opt/a b/c&d.pem"]))
def test_sqlalchemy_reads_from_both_urls_what_was_written(username: str, password: str, authority: str | None):
    urls = database_urls(
        host="db", port=6432, name="airflow", username=username, password=password, certificate_authority=authority
    )
    for url in (sa.make_url(urls.sync), sa.make_url(urls.asynchronous)):
        assert (url.username, url.password, url.host, url.port, url.database) == (username, password, "db", 6432, "airflow")
    assert sa.make_url(urls.sync).query.get("sslrootcert") == authority


def test_a_server_that_is_gone_without_a_word_is_noticed_within_a_minute():
    """What a query was sent to and is no more is given up, and so is one that took the query and never answers."""
    urls = database_urls(host="db", port=5432, name="airflow", username="u", password="p", certificate_authority=None)
    query = sa.make_url(urls.sync).query
    idle, interval, count = (int(str(query[f"keepalives_{one}"])) for one in ("idle", "interval", "count"))
    assert idle + interval * count <= 60
    assert int(str(query["tcp_user_timeout"])) <= 60_000
    assert int(str(query["connect_timeout"])) <= 60


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_rds_is_reached_with_a_checked_certificate(deploy: Any, stack: str):
    urls = deploy(stack).only("Secret", "airflow-database")["stringData"]
    sync = sa.make_url(urls["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("${metadata-database.address}", "db"))
    assert sync.query == {"sslmode": "verify-full", "sslrootcert": RDS_CERTIFICATES, **PATIENCE}
    assert "verify-full" in urls["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"]


def test_an_image_that_is_built_has_the_certificates_where_they_are_looked_for(prod: Any):
    dockerfile = (Path(__file__).parents[2] / "image" / "Dockerfile").read_text()
    assert f"/certificates {Path(RDS_CERTIFICATES).parent}\n" in dockerfile
    assert prod.only("docker-build:index:Image")["buildArgs"]["DATABASE_CA_URL"].startswith("https://truststore.pki.rds.")


def test_pools_are_those_airflow_opens():
    options = yaml.safe_load(files("airflow").joinpath("config_templates/config.yml").read_text())["database"]["options"]
    assert int(options["sql_alchemy_pool_size"]["default"]) == database_capacity.POOL_SIZE
    assert int(options["sql_alchemy_max_overflow"]["default"]) == database_capacity.POOL_OVERFLOW


@pytest.mark.parametrize(
    ("replicas", "needed"),
    [
        # Two pods of two engines while it is rolled.
        ({"api-server": 1}, 60),
        ({"scheduler": 1}, 30),
        # Never two at once.
        ({"dag-processor": 1}, 15),
        ({"api-server": 3, "scheduler": 2, "dag-processor": 1, "triggerer": 2}, 225),
    ],
)
def test_the_pods_of_a_rollout_count_with_all_their_pools(replicas: dict[str, int], needed: int):
    assert connections_needed(replicas) == needed


@pytest.mark.parametrize(
    ("instance_class", "least", "most"),
    [
        # Between what people report of RDS for these classes and what the formula gives for all of the memory.
        ("db.t4g.micro", 50, 112),
        ("db.t4g.medium", 330, 450),
        ("db.m7g.large", 700, 901),
        ("db.r6g.large", 1500, 1802),
        ("db.m7g.2xlarge", 3000, 3604),
        ("db.r7g.16xlarge", 4900, 5000),
    ],
)
def test_a_class_offers_no_more_than_its_memory_gives(instance_class: str, least: int, most: int):
    offered = connections_offered(instance_class)
    assert offered is not None
    assert least < offered < most


@pytest.mark.parametrize("instance_class", ["db.x2g.large", "db.z1d.large", "db.t4g.nano", "db.m7g.metal"])
def test_of_a_class_that_is_not_known_nothing_is_claimed(instance_class: str):
    assert connections_offered(instance_class) is None


def test_the_class_that_is_proposed_is_the_smallest_that_will_do():
    assert smallest_class("db.t4g.micro", 150) == "db.t4g.small"
    assert smallest_class("db.m7g.large", 1000) == "db.m7g.xlarge"
    assert smallest_class("db.m7g.large", 6000) is None


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_storage_cpu_and_connections_are_watched(deploy: Any, stack: str):
    made = deploy(stack)
    alarms = {alarm.inputs["metricName"]: alarm.inputs for alarm in made.all("MetricAlarm")}
    assert set(alarms) == {"FreeStorageSpace", "CPUUtilization", "DatabaseConnections"}
    for alarm in alarms.values():
        assert alarm["dimensions"] == {"DBInstanceIdentifier": "${metadata-database.identifier}"}
    offered = connections_offered(made.only("rds/instance:Instance")["instanceClass"])
    assert offered is not None
    assert alarms["DatabaseConnections"]["threshold"] == offered * 4 // 5


def test_people_who_are_named_are_told_of_an_alarm_and_of_its_end(deploy: Any):
    topic = "arn:aws:sns:eu-west-1:123456789012:airflow-alarms"
    for alarm in deploy("dev", values(database={"alarmTopicArns": [topic]})).all("MetricAlarm"):
        assert alarm.inputs["alarmActions"] == [topic]
        assert alarm.inputs["okActions"] == [topic]


def test_storage_that_grows_by_itself_alarms_nobody():
    """RDS adds storage after five minutes below a tenth."""
    alarm = thresholds(DatabaseAlarmsArgs(instance="db", storage_gib=20, connections=1, topic_arns=()))["free-storage"]
    assert (alarm.value, alarm.minutes) == (2 * 1024**3, 30)


def test_a_protected_database_leaves_a_snapshot_no_earlier_one_is_in_the_way_of(prod: Any):
    assert prod.only("rds/instance:Instance")["finalSnapshotIdentifier"].startswith("metadata-database-final-")
    assert prod.only("RandomId")["byteLength"] == 4
