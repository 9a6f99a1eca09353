"""What people change about ``dev`` that makes other resources of it."""

from typing import Any

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:airflow-AbCdEf"
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d-0000-1111-2222-333344445555"
ZONE = {"host": "airflow.example.com", "zoneId": "Z0123456789ABCDEFGHIJ"}
INTERNET_FACING = {**ZONE, "scheme": "internet-facing", "sourceCidrs": ["192.0.2.0/24"]}
NODES = {"main": {"instanceTypes": ["m7i.large"]}}
EXISTING_VPC = {
    "network.vpcId": "vpc-0123456789abcdef0",
    "network.privateSubnetIds": ["subnet-0123456789abcde01", "subnet-0123456789abcde02"],
    "network.publicSubnetIds": ["subnet-0123456789abcde11", "subnet-0123456789abcde12"],
    "network.databaseSubnetIds": ["subnet-0123456789abcde21", "subnet-0123456789abcde22"],
}

VARIANTS: dict[str, dict[str, Any]] = {
    "existing-vpc": EXISTING_VPC,
    "existing-cluster": {**EXISTING_VPC, "cluster.name": "platform", "cluster.identity": "irsa"},
    "existing-everything": {
        **EXISTING_VPC,
        "cluster.name": "platform",
        "database.endpoint": "pg.example.com:6432",
        "database.secretArn": SECRET,
        "logs.bucket": "company-airflow-logs",
        "image.reference": "registry.example.com/airflow:1.0.0",
    },
    "database-secret": {"database.login": "secret"},
    "database-iam": {"database.login": "iam"},
    "rds-proxy": {"database.proxy": True},
    "rds-proxy-secret": {"database.proxy": True, "database.login": "secret"},
    "rds-proxy-iam": {"database.proxy": True, "database.login": "iam"},
    "private-network": {
        "network.nat": "none",
        "network.interfaceEndpoints": True,
        "network.endpointServices": ["sqs"],
        "network.flowLogs": 30,
        "cluster.endpoint": "private",
    },
    "existing-secret": {"database.endpoint": "pg.example.com:6432", "database.secretArn": SECRET, "database.login": "secret"},
    "secret-mirror": {"secrets": {"mirror": True}},
    "external-secrets": {"secrets": {"mirror": True, "source": "external"}, "cluster.identity": "irsa"},
    "ingress": {"ingress": ZONE},
    "ingress-node-groups": {"ingress": INTERNET_FACING, "cluster.nodeGroups": NODES},
    "ingress-certificate": {**EXISTING_VPC, "ingress": {"host": "airflow.example.com", "certificateArn": CERTIFICATE}},
    "private-endpoint": {"cluster.endpoint": "private"},
    "irsa": {"cluster.identity": "irsa"},
    "node-groups": {
        "cluster.nodeGroups": {
            "main": {"instanceTypes": ["m7g.large"]},
            "burst": {"instanceTypes": ["m7g.large", "m6g.large"], "minSize": 1, "maxSize": 8, "capacity": "spot"},
        },
        "cluster.administrators": ["arn:aws:iam::123456789012:role/platform"],
        "cluster.viewers": ["arn:aws:iam::123456789012:role/analysts"],
        "image.architecture": "arm64",
    },
}
"""Variant to the settings that make it, beside those of ``Pulumi.dev.yaml``."""

# A key that describes how something is made is refused beside one that brings it.
REMOVED: dict[str, tuple[str, ...]] = {
    "existing-everything": ("database.backupRetentionDays", "logs.retentionDays"),
    "existing-secret": ("database.backupRetentionDays",),
}
"""Variant to the settings of ``Pulumi.dev.yaml`` that it does without."""
