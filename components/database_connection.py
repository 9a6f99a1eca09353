"""How Airflow reaches its metadata database, whichever component made it."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import pulumi
import pulumi_kubernetes as k8s

from components.database_login import CONNECT_ARGS, DatabaseLogin, IamLogin, PasswordLogin

PORT = 5432
DATABASE = "airflow"
"""Name of the database that components make, and of its user."""


@dataclass(frozen=True, kw_only=True)
class DatabaseConnection:
    """A PostgreSQL database that is ready to be used."""

    host: pulumi.Output[str]
    port: int
    name: str
    login: DatabaseLogin
    certificate_authority: str | None
    """File, in the pods, with the certificates that the server's own and its host name are checked against. ``None`` is for a
    server in the cluster, reached without TLS."""

    peers: Sequence[k8s.networking.v1.NetworkPolicyPeerArgs]
    """Where it is, for the network policies of the pods that use it."""

    ready: Sequence[pulumi.Resource]
    """What must exist before anything connects."""

    server: Sequence[pulumi.Resource] = ()
    """What runs the server, where it is one of ours in the cluster. It is started together with the migrations and with
    components that wait until it answers."""

    direct: "DatabaseConnection | None" = None
    """The server itself, where this leads to a proxy: for migrations, whose lock is a session's and not a transaction's."""

    def for_migrations(self) -> "DatabaseConnection":
        """Return the connection with no proxy in between."""
        return self.direct or self


PATIENCE = {
    "connect_timeout": "15",
    "keepalives_idle": "30",
    "keepalives_interval": "5",
    "keepalives_count": "5",
    "tcp_user_timeout": "30000",
}
"""libpq's options, the last in milliseconds: a server that is gone without a word is noticed within a minute.

A failover of RDS, and a pod that is deleted, take the address away and close no connection; Linux would ask it again for a
quarter of an hour, and the component that waits would be restarted for having no heartbeat.
"""


@dataclass(frozen=True, kw_only=True)
class DatabaseUrls:
    """The two URLs Airflow needs: its async sessions use another driver, which takes TLS options in another form."""

    sync: str
    """For ``AIRFLOW__DATABASE__SQL_ALCHEMY_CONN``."""

    asynchronous: str
    """For ``AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC``."""


def database_environment(database: DatabaseConnection) -> dict[str, pulumi.Input[str]]:
    """Return what Airflow reads to reach ``database``, by variable."""
    login = database.login
    username = login.username if isinstance(login, PasswordLogin | IamLogin) else None
    password = login.password if isinstance(login, PasswordLogin) else None
    urls = pulumi.Output.all(host=database.host, username=username, password=password).apply(
        lambda known: database_urls(
            port=database.port, name=database.name, certificate_authority=database.certificate_authority, **known
        )
    )
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": urls.apply(lambda urls: urls.sync),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": urls.apply(lambda urls: urls.asynchronous),
        **({} if isinstance(login, PasswordLogin) else {**CONNECT_ARGS, **login.environment()}),
    }


def database_urls(
    *, host: str, port: int, name: str, username: str | None, password: str | None, certificate_authority: str | None
) -> DatabaseUrls:
    """Return both SQLAlchemy URLs with the driver named and every part escaped.

    Without a ``password``, or also a ``username``, they are for a login that is asked for when a connection is opened.

    The driver is named because a bare ``postgresql://`` means psycopg2 to SQLAlchemy 2.0 and psycopg 3 to 2.1. With a
    ``certificate_authority``, both check the server's certificate and its name: psycopg2 takes libpq's options in the URL.
    SQLAlchemy hands a URL's options to asyncpg as arguments, none of which names a file of certificates, but one is a URL of
    libpq's form, where they may be; ``PGSSLROOTCERT`` would do too, and reach every other connection of a task.
    """
    login = ":".join(quote(part, safe="") for part in (username, password) if part is not None)
    rest = f"{login}{'@' if login else ''}{host}:{port}/{quote(name, safe='')}"
    if certificate_authority is None:
        checked, asynchronous = "sslmode=disable", "ssl=disable"
    else:
        checked = urlencode({"sslmode": "verify-full", "sslrootcert": certificate_authority})
        asynchronous = urlencode({"dsn": f"postgresql:///?{checked}"})
    return DatabaseUrls(
        sync=f"postgresql+psycopg2://{rest}?{checked}&{urlencode(PATIENCE)}",
        asynchronous=f"postgresql+asyncpg://{rest}?{asynchronous}",
    )


def cidr_peers(cidrs: Sequence[pulumi.Input[str]]) -> list[k8s.networking.v1.NetworkPolicyPeerArgs]:
    """Return network policy peers for address ranges."""
    return [k8s.networking.v1.NetworkPolicyPeerArgs(ip_block=k8s.networking.v1.IPBlockArgs(cidr=cidr)) for cidr in cidrs]
