"""How Airflow reaches its metadata database, whichever component made it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

import pulumi
import pulumi_kubernetes as k8s

PORT = 5432
DATABASE = "airflow"
"""Name of the database that components make, and of its user."""


@dataclass(frozen=True, kw_only=True)
class DatabaseConnection:
    """A PostgreSQL database that is ready to be used."""

    host: pulumi.Output[str]
    port: int
    name: str
    username: pulumi.Output[str]
    password: pulumi.Output[str]
    """Secret."""

    tls: Literal["disable", "require"]
    """Whether the connection is encrypted; libpq's words."""

    peers: Sequence[k8s.networking.v1.NetworkPolicyPeerArgs]
    """Where it is, for the network policies of the pods that use it."""

    ready: Sequence[pulumi.Resource]
    """What must exist before anything connects."""


@dataclass(frozen=True, kw_only=True)
class DatabaseUrls:
    """The two URLs Airflow needs: its async sessions use another driver, whose TLS option has another name."""

    sync: str
    """For ``AIRFLOW__DATABASE__SQL_ALCHEMY_CONN``."""

    asynchronous: str
    """For ``AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC``."""


def database_urls(*, host: str, port: int, name: str, username: str, password: str, tls: str) -> DatabaseUrls:
    """Return both SQLAlchemy URLs with the driver named and every part escaped.

    The driver is named because a bare ``postgresql://`` means psycopg2 to SQLAlchemy 2.0 and psycopg 3 to 2.1.
    """
    rest = f"{quote(username, safe='')}:{quote(password, safe='')}@{host}:{port}/{quote(name, safe='')}"
    return DatabaseUrls(
        sync=f"postgresql+psycopg2://{rest}?sslmode={tls}",
        asynchronous=f"postgresql+asyncpg://{rest}?ssl={tls}",
    )


def cidr_peers(cidrs: Sequence[pulumi.Input[str]]) -> list[k8s.networking.v1.NetworkPolicyPeerArgs]:
    """Return network policy peers for address ranges."""
    return [k8s.networking.v1.NetworkPolicyPeerArgs(ip_block=k8s.networking.v1.IPBlockArgs(cidr=cidr)) for cidr in cidrs]
