"""Which component's pods may use which bucket, and the roles that say so."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pulumi

from components import dag_bucket, job_namespace, log_bucket
from components.database_connection import DatabaseConnection
from components.database_login import IamLogin, PasswordLogin, SecretLogin
from components.executor import Executor, dag_readers, log_access, service_account_name
from components.policies import PrefixAccess, Statement, allowing, connect_to_database, objects_below, read_secret
from components.secret_access import database_users
from components.workload_identity import OidcProvider, WorkloadIdentity, WorkloadIdentityArgs


@dataclass(frozen=True, kw_only=True)
class Buckets:
    """ARNs of what pods use in S3."""

    logs: pulumi.Output[str]
    packages: pulumi.Output[str] | None
    """None where packages come with the image."""


@dataclass(frozen=True, kw_only=True)
class IdentitiesArgs:
    executor: Executor
    buckets: Buckets
    database: DatabaseConnection
    cluster_name: pulumi.Input[str]
    namespace: str
    jobs_namespace: str | None
    """None where jobs get no pods of their own."""

    oidc_provider: OidcProvider | None
    """Binds by IRSA; without one, EKS Pod Identity binds."""


def workload_identities(args: IdentitiesArgs, *, opts: pulumi.ResourceOptions) -> dict[str, WorkloadIdentity]:
    """Declare a role for each component that uses AWS: the prefixes and the login it uses, and nothing else.

    Pods of jobs fetch the packages of their run too. Returns the roles by component, that of jobs by ``etl-jobs``.
    """
    writes_logs = log_access(args.executor)
    readers = dag_readers(args.executor) if args.buckets.packages is not None else ()
    arns = pulumi.Output.all(logs=args.buckets.logs, packages=args.buckets.packages)
    logins = _logins(args.database)

    def identity(
        account: str, namespace: str, *, logs: bool | None, packages: bool, login: pulumi.Input[list[Statement]]
    ) -> WorkloadIdentity:
        """``logs`` is whether they are written, or None for no access."""
        policy = pulumi.Output.all(arns, login).apply(
            lambda both: allowing(*_accesses(both[0], logs=logs, packages=packages), *both[1])
        )
        identity_args = WorkloadIdentityArgs(
            cluster_name=args.cluster_name,
            namespace=namespace,
            service_account=account,
            policy=policy,
            oidc_provider=args.oidc_provider,
        )
        return WorkloadIdentity(account, identity_args, opts=opts)

    identities = {
        component: identity(
            service_account_name(component),
            args.namespace,
            logs=writes_logs.get(component),
            packages=component in readers,
            login=logins.get(component, []),
        )
        for component in dict.fromkeys((*writes_logs, *readers, *logins))
    }
    if args.jobs_namespace is not None and readers:
        account = job_namespace.SERVICE_ACCOUNT
        identities[account] = identity(account, args.jobs_namespace, logs=None, packages=True, login=[])
    return identities


def _accesses(arns: Mapping[str, str], *, logs: bool | None, packages: bool) -> Iterator[Statement]:
    if logs is not None:
        yield from objects_below(PrefixAccess(bucket_arn=arns["logs"], prefix=log_bucket.PREFIX, write=logs))
    if packages:
        yield from objects_below(PrefixAccess(bucket_arn=arns["packages"], prefix=dag_bucket.PREFIX))


def _logins(database: DatabaseConnection) -> dict[str, pulumi.Output[list[Statement]]]:
    """Return what each component with work in the database may do to log in there; nothing where its URL has a password."""
    of_migrations = database.for_migrations().login
    if isinstance(database.login, PasswordLogin) or isinstance(of_migrations, PasswordLogin):
        return {}
    logins = {**dict.fromkeys(database_users(), _logging_in(database.login)), "migrations": _logging_in(of_migrations)}
    if isinstance(of_migrations, IamLogin):
        makes_user = pulumi.Output.all(logins["migrations"], _logging_in(of_migrations.administrator))
        logins["migrations"] = makes_user.apply(lambda both: [*both[0], *both[1]])
    return logins


def _logging_in(login: SecretLogin | IamLogin) -> pulumi.Output[list[Statement]]:
    if isinstance(login, SecretLogin):
        return login.secret_arn.apply(lambda arn: [read_secret(arn)])
    return login.user_arn.apply(lambda arn: [connect_to_database(arn)])
