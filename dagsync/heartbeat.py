"""Says whether an Airflow component on this host is alive, at the cost of one query.

``airflow jobs check`` answers the same by importing Airflow, which takes many seconds of CPU each time.
"""

import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from dagsync.database_login import connect_arguments
from dagsync.errors import DatabaseLoginError, NoHeartbeatError

DEFAULT_THRESHOLD_SECONDS = 30.0
"""Airflow's own default for all three (``scheduler_health_check_threshold`` and its siblings)."""

CONNECTION_VARIABLE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"


def default_hostname(environment: Mapping[str, str] = os.environ) -> str:
    """Return the name Airflow records for this host.

    Follows ``[core] hostname_callable`` where it is one of the two functions Airflow brings or one of ``socket``; the
    default is ``airflow.utils.net.getfqdn``, which asks the resolver for the canonical name.
    """
    match environment.get("AIRFLOW__CORE__HOSTNAME_CALLABLE", "airflow.utils.net.getfqdn"):
        case "socket.gethostname":
            return socket.gethostname()
        case "socket.getfqdn":
            return socket.getfqdn()
        case "airflow.utils.net.get_host_ip_address":
            return socket.gethostbyname(_canonical_name())
        case _:
            return _canonical_name()


def _canonical_name() -> str:
    name = socket.gethostname()
    try:
        found = socket.getaddrinfo(name, None, 0, socket.SOCK_DGRAM, 0, socket.AI_CANONNAME)
    except OSError:
        return name
    return next((canonical for *_, canonical, _ in found if canonical), name)


def check_heartbeat(url: str, job_type: str, hostname: str, threshold_seconds: float, now: datetime | None = None) -> str:
    """Return one sentence on the newest running job of ``job_type`` on ``hostname``.

    Raises ``NoHeartbeatError`` if there is none, if it is older than ``threshold_seconds``, or if the database cannot be asked.
    """
    latest = _latest_heartbeat(url, job_type, hostname)
    if latest is None:
        raise NoHeartbeatError(f"{job_type} on {hostname}: no running job in the metadata database")
    age = (now or datetime.now(UTC)) - latest
    if age > timedelta(seconds=threshold_seconds):
        seconds = f"{age.total_seconds():.0f} s"
        raise NoHeartbeatError(f"{job_type} on {hostname}: last heartbeat {seconds} ago, allowed are {threshold_seconds:.0f} s")
    return f"{job_type} on {hostname}: last heartbeat {max(0.0, age.total_seconds()):.1f} s ago"


def _latest_heartbeat(url: str, job_type: str, hostname: str) -> datetime | None:
    # Here and not above: importing SQLAlchemy takes half a second, and only this command needs it.
    import sqlalchemy as sa
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    job = sa.table(
        "job",
        sa.column("job_type", sa.String),
        sa.column("state", sa.String),
        sa.column("hostname", sa.String),
        sa.column("latest_heartbeat", sa.DateTime(timezone=True)),
    )
    newest = sa.select(sa.func.max(job.c.latest_heartbeat)).where(
        job.c.job_type == job_type, job.c.state == "running", job.c.hostname == hostname
    )
    try:
        engine = sa.create_engine(url, poolclass=NullPool, connect_args=connect_arguments(os.environ))
        with engine.connect() as connection:
            latest = connection.execute(newest).scalar()
    except (SQLAlchemyError, ImportError, DatabaseLoginError) as error:
        # The whole message may quote the URL, and with it the password.
        reason = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
        raise NoHeartbeatError(f"{job_type} on {hostname}: the metadata database cannot be asked: {reason}") from None
    # SQLite keeps no time zone; Airflow writes UTC.
    return latest if latest is None or latest.tzinfo else latest.replace(tzinfo=UTC)
