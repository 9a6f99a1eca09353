"""A PostgreSQL server that exists, for stacks that bring their own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.database_connection import PORT, DatabaseConnection, cidr_peers
from components.database_login import PasswordLogin, SecretLogin


class DatabaseSecretError(pulumi.RunError):
    """The secret of an existing database does not hold what is needed to log in."""


@dataclass(frozen=True, kw_only=True)
class Login:
    """User and password of a database."""

    username: str
    password: str


def existing_database(
    *,
    endpoint: str,
    secret_arn: str,
    database: str,
    certificate_authority: str,
    read_by_pods: bool,
    cidrs: Sequence[pulumi.Input[str]],
    opts: pulumi.InvokeOutputOptions,
) -> DatabaseConnection:
    """Return the connection to a server at ``endpoint``, host or host:port, with the login kept in Secrets Manager.

    Its certificate is checked against the file ``certificate_authority`` of the image. With ``read_by_pods`` nothing of the
    login enters the stack: pods read it when they connect. Without, the password does, as a secret, and a rotated one arrives
    with the next ``up``.
    """
    host, _, port = endpoint.partition(":")
    return DatabaseConnection(
        host=pulumi.Output.from_input(host),
        port=int(port or PORT),
        name=database,
        login=SecretLogin(secret_arn=pulumi.Output.from_input(secret_arn)) if read_by_pods else _password(secret_arn, opts),
        certificate_authority=certificate_authority,
        peers=cidr_peers(cidrs),
        ready=(),
    )


def _password(secret_arn: str, opts: pulumi.InvokeOutputOptions) -> PasswordLogin:
    text = aws.secretsmanager.get_secret_version_output(secret_id=secret_arn, opts=opts).secret_string
    found = pulumi.Output.secret(text).apply(lambda secret: login(secret, secret_arn=secret_arn))
    return PasswordLogin(username=found.apply(lambda login: login.username), password=found.apply(lambda login: login.password))


def login(secret: str, *, secret_arn: str) -> Login:
    """Return the login in a secret of the form RDS writes, an object with ``username`` and ``password``.

    Raises DatabaseSecretError, which quotes nothing of the secret, if it is anything else.
    Source: Secrets Manager user guide, "JSON structure of AWS Secrets Manager secrets".
    """
    try:
        match json.loads(secret):
            case {"username": str(username), "password": str(password)} if username and password:
                return Login(username=username, password=password)
            case _:
                pass
    except ValueError:
        pass
    raise DatabaseSecretError(
        f"database.secretArn: {secret_arn!r} does not hold a login; allowed: a JSON object with username and password"
        f"\n  fix: aws secretsmanager put-secret-value --secret-id {secret_arn} --secret-string file://login.json"
    )
