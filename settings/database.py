"""Settings of the metadata database."""

from typing import Literal

from pydantic import Field

import versions
from components.database_certificates import RDS_CERTIFICATES
from settings.section import Section
from settings.values import Cidr, DatabaseEndpoint, SecretArn, TopicArn


class DatabaseSettings(Section):
    """The metadata database: RDS on ``eks``, a StatefulSet on kubernetes."""

    image: str = versions.POSTGRESQL_IMAGE
    """PostgreSQL image of the kubernetes platform."""

    endpoint: DatabaseEndpoint | None = None
    """A PostgreSQL server that exists, host or host:port. RDS is not made then; secretArn says how to log in."""

    secret_arn: SecretArn | None = None
    """Secrets Manager secret with username and password of that server, as JSON in the form RDS writes."""

    login: Literal["password", "secret", "iam"] = "password"
    """How pods log in on eks. password: one the stack knows. secret: RDS makes and rotates it, pods read it. iam: by tokens."""

    proxy: bool = False
    """RDS Proxy between pods and RDS: shares connections among them, keeps them over a failover. Migrations go past it."""

    name: str = Field(default="airflow", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    """Database on the server."""

    cidr: Cidr | None = None
    """Range that server answers from, for the network policies; none means the VPC's."""

    certificate_authority: str = Field(default=RDS_CERTIFICATES, pattern=r"^/\S+$", examples=[RDS_CERTIFICATES])
    """File in the image that the server's certificate is checked against, on eks. An image that is built has RDS's there."""

    alarm_topic_arns: tuple[TopicArn, ...] = ()
    """SNS topics told when RDS runs out of storage, CPU or connections; without any, alarms show in CloudWatch alone."""

    instance_class: str = Field(default="db.t4g.small", pattern=r"^db\.[a-z0-9]+\.[a-z0-9]+$")
    """RDS instance class."""

    storage_gib: int = Field(default=20, ge=5, le=65536)
    """Storage, in GiB. On RDS it grows by itself up to maxStorageGib."""

    max_storage_gib: int = Field(default=100, ge=20, le=65536)
    """Limit of RDS storage autoscaling, in GiB."""

    multi_az: bool = False
    """A synchronous standby in a second zone."""

    backup_retention_days: int = Field(default=7, ge=0, le=35)
    """Days of automated RDS backups; 0 turns them off."""
