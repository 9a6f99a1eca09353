"""How Airflow's pods log in to the metadata database, and what that puts into their environment."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class PasswordLogin:
    """A password in the URLs that pods are given: it lasts until the next ``up``."""

    username: pulumi.Output[str]
    password: pulumi.Output[str]
    """Secret."""


@dataclass(frozen=True, kw_only=True)
class SecretLogin:
    """User and password in Secrets Manager, which pods read when they open a connection: rotation needs no ``up``."""

    secret_arn: pulumi.Output[str]

    def environment(self) -> Mapping[str, pulumi.Input[str]]:
        """Return what tells a pod to log in so."""
        return {"DAGSYNC_DATABASE_LOGIN": "secret", "DAGSYNC_DATABASE_SECRET_ARN": self.secret_arn}


@dataclass(frozen=True, kw_only=True)
class IamLogin:
    """A token that the pod's role signs for each connection."""

    username: str
    user_arn: pulumi.Output[str]
    """What ``rds-db:connect`` is allowed on."""

    region: pulumi.Output[str]
    administrator: SecretLogin
    """Makes the user before the first migration."""

    def environment(self) -> Mapping[str, pulumi.Input[str]]:
        """Return what tells a pod to log in so."""
        return {"DAGSYNC_DATABASE_LOGIN": "iam", "DAGSYNC_DATABASE_REGION": self.region}


DatabaseLogin = PasswordLogin | SecretLogin | IamLogin

CONNECT_ARGS = {
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS": "dagsync.database_login.SYNC",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS_ASYNC": "dagsync.database_login.ASYNC",
}
"""What Airflow's engines open connections with where the URL has no password."""


def db_user_arn(server_arn: str, resource_id: str, user: str) -> str:
    """Return the ARN of a user of an RDS instance or proxy, in the partition, region and account of the server's.

    Source: Amazon RDS user guide, "Creating and using an IAM policy for IAM database access".
    """
    _, partition, _, region, account, *_ = server_arn.split(":")
    return f"arn:{partition}:rds-db:{region}:{account}:dbuser:{resource_id}/{user}"
