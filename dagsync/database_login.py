"""Logs Airflow in to a metadata database whose password changes: it is asked for when a connection is opened.

Airflow is told by ``[database] sql_alchemy_connect_args`` and its sibling for async sessions, which name ``SYNC`` and ``ASYNC``
here. Both hold for Airflow's own engines alone: a job's connections to other servers are given nothing.
"""

import asyncio
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from dagsync.errors import DatabaseLoginError

LOGIN_VARIABLE = "DAGSYNC_DATABASE_LOGIN"
SECRET_VARIABLE = "DAGSYNC_DATABASE_SECRET_ARN"  # noqa: S105 - the name of a variable
REGION_VARIABLE = "DAGSYNC_DATABASE_REGION"

TOKEN_SECONDS = 600.0
"""A token is taken for 15 minutes; source: Amazon RDS user guide, "IAM database authentication"."""

PAUSES = (None, 0.0, 1.0, 2.0, 4.0)
"""Seconds before each try; None is the first, with what is remembered, and the others ask anew. While RDS rotates a password,
the server has the new one a moment before Secrets Manager shows it."""


REFUSALS = ("authentication failed", "password that was provided for the role")
"""What a refused login is told: by PostgreSQL of passwords and of PAM, by which RDS checks tokens; and by RDS Proxy.

Source: Amazon RDS user guide, "Troubleshooting for RDS Proxy"."""


@dataclass(frozen=True)
class Login:
    """A user and what it logs in with."""

    user: str
    password: str


class Source(Protocol):
    """Where a login comes from."""

    def login(self, *, host: str, port: int, user: str, renew: bool) -> Login:
        """Return what to log in with at a server; with ``renew``, what was returned before was refused."""
        ...


class SecretSource:
    """The login kept in a secret of AWS Secrets Manager, in the form RDS writes: ``username`` and ``password``."""

    def __init__(self, secret_arn: str) -> None:
        self._arn = secret_arn
        self._known: Login | None = None

    def login(self, *, host: str, port: int, user: str, renew: bool) -> Login:  # noqa: ARG002 - the secret names the user
        """Return the login in the secret, read again if ``renew``."""
        if self._known is None or renew:
            self._known = self._read()
        return self._known

    def _read(self) -> Login:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            found = json.loads(
                _client("secretsmanager", self._arn.split(":")[3]).get_secret_value(SecretId=self._arn)["SecretString"]
            )
            return Login(user=str(found["username"]), password=str(found["password"]))
        except (ValueError, KeyError, TypeError):
            # From None: the text of the error quotes the secret.
            raise DatabaseLoginError(
                f"{SECRET_VARIABLE}: {self._arn} does not hold a login", "give it a JSON object with username and password"
            ) from None
        except (BotoCoreError, ClientError) as error:
            fix = "let the role of the pod's service account read it"
            raise DatabaseLoginError(f"{SECRET_VARIABLE}: {self._arn} cannot be read: {error}", fix) from error


class TokenSource:
    """A token that the pod's role signs itself; nothing is asked of a service but the role's credentials."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._tokens: dict[tuple[str, int, str], tuple[float, str]] = {}

    def login(self, *, host: str, port: int, user: str, renew: bool) -> Login:
        """Return ``user`` with a token for it that lasts five minutes or more."""
        until, token = self._tokens.get((host, port, user), (0.0, ""))
        if renew or time.monotonic() >= until:
            from botocore.exceptions import BotoCoreError, ClientError

            try:
                token = _client("rds", self._region).generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user)
            except (BotoCoreError, ClientError) as error:
                fix = "bind a role to the pod's service account"
                raise DatabaseLoginError(f"database user {user}: no token can be signed: {error}", fix) from error
            self._tokens[host, port, user] = (time.monotonic() + TOKEN_SECONDS, token)
        return Login(user=user, password=token)


def source(environment: Mapping[str, str]) -> Source:
    """Return where logins come from. Raises ``DatabaseLoginError`` if the environment does not say."""
    match environment.get(LOGIN_VARIABLE):
        case "secret":
            return SecretSource(_required(environment, SECRET_VARIABLE))
        case "iam":
            return TokenSource(_required(environment, REGION_VARIABLE))
        case other:
            raise DatabaseLoginError(
                f"{LOGIN_VARIABLE}: {other!r}; allowed: secret, iam", "set it, or use a URL with a password"
            )


def _required(environment: Mapping[str, str], name: str) -> str:
    if value := environment.get(name):
        return value
    raise DatabaseLoginError(f"{name} is not set", f"set it beside {LOGIN_VARIABLE}, or unset that")


def connect_arguments(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what SQLAlchemy's psycopg2 needs beside the URL; nothing where that has the password."""
    return SYNC if environment.get(LOGIN_VARIABLE) else {}


def _client(service: str, region: str) -> Any:
    import boto3

    return _untyped(boto3).client(service, region_name=region)


def _untyped(module: Any) -> Any:
    """Return a module whose types are missing or narrower than what it takes."""
    return module


@cache
def _source() -> Source:
    return source(os.environ)


def _asked(pause: float | None, host: str, port: int, user: str) -> Login:
    time.sleep(pause or 0.0)
    return _source().login(host=host, port=port, user=user, renew=pause is not None)


def _says_refused(error: Exception) -> bool:
    return any(words in str(error) for words in REFUSALS)


def _connect(dsn: str, asynchronous: int = 0) -> Any:
    """Open a connection of psycopg2, which calls its ``connection_factory`` with what it would have connected to."""
    from psycopg2 import OperationalError, extensions

    server = extensions.parse_dsn(dsn)
    for pause in PAUSES:
        try:
            login = _asked(pause, server["host"], int(server.get("port", 5432)), server.get("user", ""))
        except DatabaseLoginError as error:
            # Airflow bears a database that is away for a while, and this is no worse.
            raise OperationalError(str(error)) from error
        try:
            with_login = extensions.make_dsn(dsn, user=login.user, password=login.password)
            return _untyped(extensions).connection(with_login, asynchronous)
        except OperationalError as error:
            # libpq has no code for it.
            if not _says_refused(error) or pause == PAUSES[-1]:
                raise
    raise AssertionError("the last pause returns or raises")


async def _connect_asynchronously(*arguments: Any, **options: Any) -> Any:
    """Open a connection of asyncpg, as SQLAlchemy's ``async_creator_fn``."""
    import asyncpg  # pyright: ignore[reportMissingTypeStubs] - it has none

    server = options["host"], int(options.get("port") or 5432), options.get("user") or ""
    for pause in PAUSES:
        try:
            login = await asyncio.to_thread(_asked, pause, *server)
        except DatabaseLoginError as error:
            raise ConnectionError(str(error)) from error
        try:
            return await _untyped(asyncpg).connect(*arguments, **{**options, "user": login.user, "password": login.password})
        except asyncpg.PostgresError as error:
            refused = isinstance(error, asyncpg.InvalidAuthorizationSpecificationError) or _says_refused(error)
            if not refused or pause == PAUSES[-1]:
                raise
    raise AssertionError("the last pause returns or raises")


SYNC: dict[str, Any] = {"connection_factory": _connect}
"""For ``AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS``, with psycopg2."""

ASYNC: dict[str, Any] = {"async_creator_fn": _connect_asynchronously}
"""For ``AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS_ASYNC``, with asyncpg."""
