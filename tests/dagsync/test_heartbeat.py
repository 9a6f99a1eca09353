"""The probe finds the newest running job of this host in Airflow's own table, and never shows a password."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dagsync.errors import NoHeartbeatError
from dagsync.heartbeat import check_heartbeat, default_hostname

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
Beat = Callable[..., None]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "airflow.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table job (job_type text, state text, hostname text, latest_heartbeat timestamp)")
    return path


@pytest.fixture
def beat(database: Path) -> Beat:
    def beat(age: float, job_type: str = "SchedulerJob", state: str = "running", hostname: str = "here") -> None:
        # As Airflow stores it: UTC, without a zone, with microseconds.
        stamp = (NOW - timedelta(seconds=age)).replace(tzinfo=None).isoformat(" ", "microseconds")
        with sqlite3.connect(database) as connection:
            connection.execute("insert into job values (?, ?, ?, ?)", (job_type, state, hostname, stamp))

    return beat


def check(database: Path, threshold: float = 30) -> str:
    return check_heartbeat(f"sqlite:///{database}", "SchedulerJob", "here", threshold, NOW)


def test_recent_heartbeat_is_life(database: Path, beat: Beat) -> None:
    beat(3600)
    beat(5)
    assert check(database) == "SchedulerJob on here: last heartbeat 5.0 s ago"


def test_old_heartbeat_is_none(database: Path, beat: Beat) -> None:
    beat(31)
    with pytest.raises(NoHeartbeatError, match="last heartbeat 31 s ago, allowed are 30 s"):
        check(database)
    assert "31.0 s ago" in check(database, threshold=60)


@pytest.mark.parametrize("other", [{"hostname": "there"}, {"job_type": "TriggererJob"}, {"state": "failed"}])
def test_heartbeats_of_others_do_not_count(database: Path, beat: Beat, other: dict[str, str]) -> None:
    beat(1, **other)
    with pytest.raises(NoHeartbeatError, match="no running job"):
        check(database)


def test_unreachable_database_is_said_without_its_password(tmp_path: Path) -> None:
    for url in (
        f"sqlite:///{tmp_path}/none/airflow.db",
        "postgresql+psycopg2://u:s3cret@127.0.0.1:1/x",
        "nonsense://u:s3cret@h/x",
    ):
        with pytest.raises(NoHeartbeatError, match="cannot be asked") as failure:
            check_heartbeat(url, "SchedulerJob", "here", 30, NOW)
        assert "s3cret" not in str(failure.value)


def test_host_is_named_as_airflow_names_it() -> None:
    import socket

    from airflow.utils.net import get_host_ip_address, getfqdn

    variable = "AIRFLOW__CORE__HOSTNAME_CALLABLE"
    assert default_hostname({}) == getfqdn()
    assert default_hostname({variable: "airflow.utils.net.getfqdn"}) == getfqdn()
    assert default_hostname({variable: "airflow.utils.net.get_host_ip_address"}) == get_host_ip_address()
    assert default_hostname({variable: "socket.gethostname"}) == socket.gethostname()


def test_a_login_that_cannot_be_had_is_no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor a traceback: the probe's output is what `kubectl describe` shows."""
    monkeypatch.setenv("DAGSYNC_DATABASE_LOGIN", "secret")
    monkeypatch.delenv("DAGSYNC_DATABASE_SECRET_ARN", raising=False)
    with pytest.raises(NoHeartbeatError, match="DAGSYNC_DATABASE_SECRET_ARN is not set"):
        check_heartbeat("postgresql+psycopg2://localhost:1/airflow", "SchedulerJob", "here", 30, NOW)
