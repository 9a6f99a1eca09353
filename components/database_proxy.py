"""RDS Proxy: what Airflow's pods connect to instead of the database, which it lends them a connection of for a transaction.

Owns the proxy, its pool, who reaches it and what it logs in with. It holds no data: it can be made and removed at any time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pulumi
import pulumi_aws as aws

from components.database_alarms import Threshold, metric_alarm
from components.database_capacity import PROXY_PERCENT
from components.database_certificates import PUBLIC_CERTIFICATES
from components.database_connection import PORT, DatabaseConnection
from components.database_login import DatabaseLogin, IamLogin, SecretLogin, db_user_arn
from components.policies import Statement, allowing, connect_to_database, proxy_trust, read_secret
from components.vpc import Vpc


@dataclass(frozen=True, kw_only=True)
class DatabaseProxyArgs:
    vpc: Vpc
    """The proxy is put beside the database, in the same subnets."""

    client_security_group_id: pulumi.Input[str]
    """Whose members may connect."""

    database: DatabaseConnection
    """The instance that the proxy stands before."""

    instance: pulumi.Input[str]
    """Its identifier."""

    instance_security_group_id: pulumi.Input[str]
    connections: int
    """As many as it may open."""

    alarm_topic_arns: Sequence[str] = ()


def pinned(connections: int) -> Threshold:
    """Return when too many of the ``connections`` a proxy may open are kept by one session each, so that it is of no use."""
    return Threshold(
        metric="DatabaseConnectionsCurrentlySessionPinned",
        comparison="GreaterThanThreshold",
        value=connections // 2,
        minutes=15,
        meaning="Half of the proxy's connections are pinned to one client each: its log says which statement did it",
    )


class DatabaseProxy(pulumi.ComponentResource):
    """A proxy that takes TLS connections from the cluster only and logs in to one database as one user."""

    connection: DatabaseConnection

    def __init__(self, name: str, args: DatabaseProxyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:DatabaseProxy", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)

        login = args.database.login
        access = self._access(name, login)
        group = aws.ec2.SecurityGroup(name, description="RDS Proxy before the Airflow database", vpc_id=args.vpc.id, opts=child)
        role = aws.iam.Role(
            name, description="RDS Proxy before the Airflow database", assume_role_policy=proxy_trust(), opts=child
        )
        policy = aws.iam.RolePolicy(name, role=role.id, policy=access.may.apply(allowing), opts=child)
        proxy = aws.rds.Proxy(
            name,
            engine_family="POSTGRESQL",
            require_tls=True,
            role_arn=role.arn,
            vpc_subnet_ids=args.vpc.database_subnet_ids,
            vpc_security_group_ids=[group.id],
            # End to end by IAM: the proxy checks the pods' tokens and signs its own, so that nobody has a password.
            default_auth_scheme=None if access.auths else "IAM_AUTH",
            auths=access.auths or None,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy, *access.after]),
        )
        pool = aws.rds.ProxyDefaultTargetGroup(
            name,
            db_proxy_name=proxy.name,
            connection_pool_config=aws.rds.ProxyDefaultTargetGroupConnectionPoolConfigArgs(
                max_connections_percent=PROXY_PERCENT,
                max_idle_connections_percent=PROXY_PERCENT // 2,
                # Longer than a failover, during which clients wait here rather than fail.
                connection_borrow_timeout=120,
            ),
            opts=child,
        )
        target = aws.rds.ProxyTarget(
            name,
            db_proxy_name=proxy.name,
            target_group_name=pool.name,
            db_instance_identifier=args.instance,
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._rules(name, group, args)),
        )
        metric_alarm(
            f"{name}-pinned",
            pinned(args.connections),
            dimensions={"ProxyName": proxy.name},
            topic_arns=args.alarm_topic_arns,
            opts=child,
        )
        self.connection = DatabaseConnection(
            host=proxy.endpoint,
            port=PORT,
            name=args.database.name,
            login=_login(login, proxy),
            certificate_authority=PUBLIC_CERTIFICATES,
            peers=args.database.peers,
            ready=[target],
            direct=args.database,
        )
        self.register_outputs({"endpoint": proxy.endpoint})

    def _access(self, name: str, login: DatabaseLogin) -> "_Access":
        """Return what the proxy logs in with; a password that the stack knows is copied to where it may read it."""
        if isinstance(login, IamLogin):
            return _Access(may=login.user_arn.apply(connect_to_database))
        if isinstance(login, SecretLogin):
            return _by_secret(login.secret_arn)
        child = pulumi.ResourceOptions(parent=self)
        secret = aws.secretsmanager.Secret(
            name, description="Login of the RDS Proxy before the Airflow database", recovery_window_in_days=0, opts=child
        )
        text = pulumi.Output.json_dumps({"username": login.username, "password": login.password})
        version = aws.secretsmanager.SecretVersion(
            name, secret_id=secret.id, secret_string=pulumi.Output.secret(text), opts=child
        )
        return replace(_by_secret(secret.arn), after=[version])

    def _rules(self, name: str, group: aws.ec2.SecurityGroup, args: DatabaseProxyArgs) -> list[pulumi.Resource]:
        """Let the clients into the proxy, and the proxy into the database."""
        child = pulumi.ResourceOptions(parent=self)
        return [
            aws.vpc.SecurityGroupIngressRule(
                f"{name}-clients",
                security_group_id=group.id,
                referenced_security_group_id=args.client_security_group_id,
                ip_protocol="tcp",
                from_port=PORT,
                to_port=PORT,
                opts=child,
            ),
            aws.vpc.SecurityGroupEgressRule(
                f"{name}-database",
                security_group_id=group.id,
                referenced_security_group_id=args.instance_security_group_id,
                ip_protocol="tcp",
                from_port=PORT,
                to_port=PORT,
                opts=child,
            ),
            aws.vpc.SecurityGroupIngressRule(
                f"{name}-database",
                security_group_id=args.instance_security_group_id,
                referenced_security_group_id=group.id,
                ip_protocol="tcp",
                from_port=PORT,
                to_port=PORT,
                opts=child,
            ),
        ]


@dataclass(frozen=True, kw_only=True)
class _Access:
    """What a proxy logs in with."""

    may: pulumi.Output[Statement]
    auths: Sequence[aws.rds.ProxyAuthArgs] = ()
    """Without any, clients and the proxy log in by IAM."""

    after: Sequence[pulumi.Resource] = ()


def _by_secret(secret_arn: pulumi.Output[str]) -> _Access:
    """Return that clients and the proxy log in with the user and password of a secret."""
    auth = aws.rds.ProxyAuthArgs(
        auth_scheme="SECRETS",
        iam_auth="DISABLED",
        client_password_auth_type="POSTGRES_SCRAM_SHA_256",  # noqa: S106 - a method
        secret_arn=secret_arn,
    )
    return _Access(may=secret_arn.apply(read_secret), auths=[auth])


def _login(login: DatabaseLogin, proxy: aws.rds.Proxy) -> DatabaseLogin:
    """Return how pods log in to the proxy: as they would to the instance, but that tokens are for the proxy's user."""
    if not isinstance(login, IamLogin):
        return login
    user_arn = proxy.arn.apply(lambda arn: db_user_arn(arn, arn.rpartition(":")[2], login.username))
    return replace(login, user_arn=user_arn)
