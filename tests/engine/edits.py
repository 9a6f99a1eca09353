"""Edits of a stack that people make and would like to know the end of beforehand."""

from dataclasses import dataclass, field
from typing import Any

from tests.engine.variants import CERTIFICATE, EXISTING_VPC, SECRET, ZONE

CLUSTER = "eks:index:Cluster"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-1111-2222-333344445555"

VPC_KEYS = ("network.zones", "network.nat", "network.flowLogs")
RDS_KEYS = tuple(
    f"database.{key}" for key in ("instanceClass", "storageGib", "maxStorageGib", "multiAz", "backupRetentionDays")
)


ADDED: dict[str, Any] = {"ingress": ZONE}
"""Settings of the ``prod`` that is edited, beside those of its stack file, which can know no host and no zone."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One change of ``prod``."""

    what: str
    """As the table in docs/operations.md calls it."""

    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    """Key to new value."""

    without: tuple[str, ...] = ()
    """Keys that are taken out."""

    versions: dict[str, Any] = field(default_factory=dict[str, Any])
    """Name in ``versions.py`` to new value."""

    inputs: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """Type to inputs it is given, as if somebody had changed its component."""


INSTANCE = "aws:rds/instance:Instance"

EDITS = (
    Edit(what="`database.instanceClass` to db.m7g.xlarge", settings={"database.instanceClass": "db.m7g.xlarge"}),
    Edit(what="`database.instanceClass` to db.t4g.micro", settings={"database.instanceClass": "db.t4g.micro"}),
    Edit(what="`database.storageGib` 100 to 200", settings={"database.storageGib": 200}),
    Edit(what="`database.storageGib` 100 to 50", settings={"database.storageGib": 50}),
    Edit(what="`database.multiAz` to false", settings={"database.multiAz": False}),
    Edit(what="`database.backupRetentionDays` to 0", settings={"database.backupRetentionDays": 0}),
    Edit(what="PostgreSQL 17 to 17.9 in `versions.py`", versions={"POSTGRESQL": "17.9"}),
    Edit(what="PostgreSQL 17 to 18 in `versions.py`", versions={"POSTGRESQL": "18"}),
    Edit(
        what="`database.endpoint`, a server that exists",
        settings={"database.endpoint": "pg.example.com", "database.secretArn": SECRET},
        without=RDS_KEYS,
    ),
    Edit(what="`database.proxy` to true", settings={"database.proxy": True}),
    Edit(what="`database.login` to iam", settings={"database.login": "iam"}),
    Edit(what="the database's KMS key, in its component", inputs={INSTANCE: {"kmsKeyId": KEY}}),
    Edit(what="the database's name prefix, in its component", inputs={INSTANCE: {"identifierPrefix": "airflow-"}}),
    Edit(what="`network.cidr` to 10.1.0.0/16", settings={"network.cidr": "10.1.0.0/16"}),
    Edit(what="`network.zones` 3 to 2", settings={"network.zones": 2}),
    Edit(what="`network.nat` to single", settings={"network.nat": "single"}),
    Edit(what="`network.nat` to none", settings={"network.nat": "none"}),
    Edit(
        what="`network.nat` to none, with `network.interfaceEndpoints`",
        settings={"network.nat": "none", "network.interfaceEndpoints": True},
    ),
    Edit(what="`network.flowLogs` 90 to 30", settings={"network.flowLogs": 30}),
    Edit(what="`network.flowLogs`, none any more", without=("network.flowLogs",)),
    Edit(what="`network.vpcId`, a VPC that exists", settings=EXISTING_VPC, without=VPC_KEYS),
    Edit(what="`cluster.version` 1.35 to 1.36", settings={"cluster.version": "1.36"}),
    Edit(what="`cluster.version` 1.35 to 1.34", settings={"cluster.version": "1.34"}),
    Edit(what="`cluster.endpoint` to private", settings={"cluster.endpoint": "private"}),
    Edit(
        what="`cluster.nodeGroups`, instead of Auto Mode",
        settings={"cluster.nodeGroups": {"main": {"instanceTypes": ["m7i.large"]}}},
    ),
    Edit(what="`cluster.identity` to irsa", settings={"cluster.identity": "irsa"}),
    Edit(what="the KMS key of the cluster's Secrets, in its component", inputs={CLUSTER: {"encryptionConfigKeyArn": KEY}}),
    Edit(what="`logs.retentionDays` 365 to 30", settings={"logs.retentionDays": 30}),
    Edit(
        what="`logs.bucket`, one that exists", settings={"logs.bucket": "company-airflow-logs"}, without=("logs.retentionDays",)
    ),
    Edit(what="the buckets' name, in their component", inputs={"aws:s3/bucket:Bucket": {"bucketPrefix": "company-"}}),
    Edit(what="`image.reference`, instead of a build", settings={"image.reference": "registry.example.com/airflow:1.0.0"}),
    Edit(what="`ingress.host` to another name", settings={"ingress.host": "etl.example.com"}),
    Edit(
        what="`ingress.scheme` to internet-facing",
        settings={"ingress.scheme": "internet-facing", "ingress.sourceCidrs": ["192.0.2.0/24"]},
    ),
    Edit(what="`ingress.sourceCidrs`, an office", settings={"ingress.sourceCidrs": ["192.0.2.0/24"]}),
    Edit(what="`ingress.certificateArn`, one that exists", settings={"ingress.certificateArn": CERTIFICATE}),
    Edit(what="`ingress.host` and `ingress.zoneId` taken out", without=("ingress.host", "ingress.zoneId")),
    Edit(what="`namespace` to etl", settings={"namespace": "etl"}),
    Edit(what="`tags` with one more", settings={"tags": {"team": "data"}}),
    Edit(what="`protect` to false", settings={"protect": False}),
)
