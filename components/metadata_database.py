"""RDS PostgreSQL for Airflow's metadata.

Owns the instance, its parameters, who reaches it and how they log in. A password that is generated here lives in the stack's
encrypted state; one that RDS makes and rotates lives in Secrets Manager alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from components.database_alarms import DatabaseAlarms, DatabaseAlarmsArgs
from components.database_connection import DATABASE, PORT, DatabaseConnection, cidr_peers
from components.database_login import DatabaseLogin, IamLogin, PasswordLogin, SecretLogin, db_user_arn
from components.options import stateful
from components.vpc import Vpc

IAM_USER = "airflow_iam"
"""Logs in by IAM, and owns the database then. Not the administrator: RDS refuses the password of a user of IAM."""


@dataclass(frozen=True, kw_only=True)
class MetadataDatabaseArgs:
    vpc: Vpc
    client_security_group_id: pulumi.Input[str]
    """Whose members may connect."""

    version: str
    """PostgreSQL version: with a major one alone, RDS picks and keeps up the minor one."""

    instance_class: str
    storage_gib: int
    """Initial storage, in GiB."""

    max_storage_gib: int
    """Limit of storage autoscaling, in GiB."""

    multi_az: bool
    backup_retention_days: int
    certificate_authority: str
    """File, in the pods, that RDS's certificates are checked against."""

    login: Literal["password", "secret", "iam"] = "password"
    """Generated here; or made by RDS, rotated and read by pods; or tokens of the pods' roles."""

    connections: int
    """An alarm goes off above this many."""

    alarm_topic_arns: Sequence[str] = ()
    protect: bool = False
    """Whether the instance refuses deletion, in Pulumi and in AWS, and leaves a final snapshot."""


class MetadataDatabase(pulumi.ComponentResource):
    """A private, encrypted RDS instance that accepts TLS connections from the cluster only."""

    connection: DatabaseConnection
    endpoint: pulumi.Output[str]
    """``host:port``."""

    identifier: pulumi.Output[str]
    security_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: MetadataDatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:MetadataDatabase", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        keep = stateful(self, protect=args.protect)

        password = (
            random.RandomPassword(f"{name}-password", length=32, special=False, opts=keep) if args.login == "password" else None
        )
        # No earlier instance of this name has left a snapshot that is called the same.
        last = random.RandomId(f"{name}-final-snapshot", byte_length=4, opts=keep)
        subnets = aws.rds.SubnetGroup(name, subnet_ids=args.vpc.database_subnet_ids, opts=child)
        group = aws.ec2.SecurityGroup(name, description="PostgreSQL from the Airflow cluster", vpc_id=args.vpc.id, opts=child)
        aws.vpc.SecurityGroupIngressRule(
            name,
            security_group_id=group.id,
            referenced_security_group_id=args.client_security_group_id,
            ip_protocol="tcp",
            from_port=PORT,
            to_port=PORT,
            opts=child,
        )
        parameters = aws.rds.ParameterGroup(
            name,
            family=f"postgres{args.version.partition('.')[0]}",
            parameters=[aws.rds.ParameterGroupParameterArgs(name="rds.force_ssl", value="1")],
            opts=child,
        )
        instance = aws.rds.Instance(
            name,
            engine="postgres",
            engine_version=args.version,
            auto_minor_version_upgrade=True,
            # Extended support is on by default and is charged per core once a major version ends.
            engine_lifecycle_support="open-source-rds-extended-support-disabled",
            instance_class=args.instance_class,
            allocated_storage=args.storage_gib,
            max_allocated_storage=args.max_storage_gib,
            storage_type="gp3",
            storage_encrypted=True,
            db_name=DATABASE,
            username=DATABASE,
            password=password.result if password is not None else None,
            # Seven days between two rotations; source: Amazon RDS user guide, "Password management with AWS Secrets Manager".
            manage_master_user_password=None if password is not None else True,
            iam_database_authentication_enabled=True if args.login == "iam" else None,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[group.id],
            parameter_group_name=parameters.name,
            publicly_accessible=False,
            multi_az=args.multi_az,
            backup_retention_period=args.backup_retention_days,
            copy_tags_to_snapshot=True,
            deletion_protection=args.protect,
            skip_final_snapshot=not args.protect,
            final_snapshot_identifier=pulumi.Output.format("{0}-final-{1}", name, last.hex),
            delete_automated_backups=not args.protect,
            enabled_cloudwatch_logs_exports=["postgresql", "upgrade"],
            allow_major_version_upgrade=False,
            performance_insights_enabled=True,
            apply_immediately=not args.protect,
            opts=keep,
        )
        DatabaseAlarms(
            name,
            DatabaseAlarmsArgs(
                instance=instance.identifier,
                storage_gib=args.storage_gib,
                connections=args.connections,
                topic_arns=args.alarm_topic_arns,
            ),
            opts=child,
        )
        self.endpoint, self.identifier, self.security_group_id = instance.endpoint, instance.identifier, group.id
        self.connection = DatabaseConnection(
            host=instance.address,
            port=PORT,
            name=DATABASE,
            login=_login(args.login, instance, password),
            certificate_authority=args.certificate_authority,
            peers=cidr_peers(args.vpc.database_cidrs),
            ready=[instance],
        )
        self.register_outputs({"endpoint": self.endpoint})


def _login(
    kind: Literal["password", "secret", "iam"], instance: aws.rds.Instance, password: random.RandomPassword | None
) -> DatabaseLogin:
    if password is not None:
        return PasswordLogin(username=pulumi.Output.from_input(DATABASE), password=password.result)
    # An instance that has its first such secret only with this `up` has none yet in the preview.
    administrator = SecretLogin(
        secret_arn=instance.master_user_secrets.apply(lambda kept: (kept[0].secret_arn if kept else None) or "")
    )
    if kind == "secret":
        return administrator
    return IamLogin(
        username=IAM_USER,
        user_arn=pulumi.Output.all(instance.arn, instance.resource_id).apply(
            lambda both: db_user_arn(both[0], both[1], IAM_USER)
        ),
        region=instance.arn.apply(lambda arn: arn.split(":")[3]),
        administrator=administrator,
    )
