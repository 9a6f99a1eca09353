"""Changes that AWS refuses, whatever a provider would plan.

AWS says so when a change is applied; here a preview says it, so that the tests need not apply it.
"""

from collections.abc import Mapping
from typing import Any

from doubles.differences import Difference


def refusal(token: str, difference: Difference, news: Mapping[str, Any]) -> str | None:
    """Return why AWS would refuse a changed property, or None if it would not."""
    match token, difference.path, difference.old, difference.value:
        case "aws:rds/instance:Instance", ("allocatedStorage",), int(old), int(new) if new < old:
            # Source: Amazon RDS user guide, "Modifying settings for Provisioned IOPS SSD storage".
            return f"RDS cannot make storage smaller: {old} GiB to {new} GiB"
        case "aws:rds/instance:Instance", ("engineVersion",), str(old), str(new):
            return _engine_refusal(_major(old), _major(new), allowed=bool(news.get("allowMajorVersionUpgrade")))
        case "aws:eks/cluster:Cluster", ("version",), str(old), str(new):
            return _cluster_refusal(old, new)
        case "aws:eks/cluster:Cluster", ("encryptionConfig", *_), str(), _:
            # The provider plans an update and makes none. Source: Amazon EKS user guide, "Encrypt Kubernetes secrets with KMS".
            return "EKS never changes the KMS key of a cluster's Secrets"
        case _:
            return None


def _major(version: str) -> int:
    return int(version.partition(".")[0])


def _engine_refusal(old: int, new: int, *, allowed: bool) -> str | None:
    """Source: Amazon RDS user guide, "Upgrades of the RDS for PostgreSQL DB engine"."""
    if new < old:
        return f"RDS cannot go back: PostgreSQL {old} to {new}"
    if new > old and not allowed:
        return f"PostgreSQL {old} to {new} is a major version, and allowMajorVersionUpgrade is false"
    return None


def _cluster_refusal(old: str, new: str) -> str | None:
    """Source: Amazon EKS user guide, "Update existing cluster to new Kubernetes version"."""
    step = int(new.partition(".")[2]) - int(old.partition(".")[2])
    return None if step in (0, 1) else f"EKS moves one minor version up at a time: {old} to {new}"
