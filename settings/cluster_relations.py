"""Combinations of settings of the cluster that is made that cannot work."""

from collections.abc import Iterator

import versions
from settings.model import Settings
from settings.relation import RelationProblem


def cluster_problems(settings: Settings) -> Iterator[RelationProblem]:
    """Yield what cannot work among the settings of a cluster on EKS."""
    cluster = settings.cluster
    if cluster.endpoint == "private" and cluster.public_access_cidrs != ("0.0.0.0/0",):
        yield RelationProblem(
            keys=("cluster",),
            where=f"cluster.publicAccessCidrs: {list(cluster.public_access_cidrs)}",
            reason="allowed: nothing, because cluster.endpoint is 'private' and it would have no effect",
            fix="remove it, or set cluster.endpoint to publicAndPrivate",
        )
    if both := sorted(set(cluster.administrators) & set(cluster.viewers)):
        yield RelationProblem(
            keys=("cluster",),
            where=f"cluster.viewers: {both[0]!r}",
            reason="allowed: who is not in cluster.administrators, because EKS has one access entry per principal",
            fix="remove it from cluster.viewers; administrators see everything",
        )
    yield from _nodes(settings)


def _nodes(settings: Settings) -> Iterator[RelationProblem]:
    cluster = settings.cluster
    if not cluster.node_groups and cluster.name is None and settings.image.architecture == "arm64":
        yield RelationProblem(
            keys=("cluster", "image"),
            where="image.architecture: 'arm64'",
            reason="allowed: amd64 with EKS Auto Mode, whose general-purpose nodes are amd64 only",
            fix="pulumi config set --path 'cluster.nodeGroups.main.instanceTypes[0]' m7g.large",
        )
    if cluster.node_groups and cluster.version != versions.KUBERNETES:
        yield RelationProblem(
            keys=("cluster",),
            where=f"cluster.version: {cluster.version!r}",
            reason=f"allowed: {versions.KUBERNETES} with cluster.nodeGroups, whose add-ons are pinned for it in versions.py",
            fix="remove it, or raise KUBERNETES and EKS_ADDONS in versions.py together",
        )
    for name, group in cluster.node_groups.items():
        if group.max_size < group.min_size:
            yield RelationProblem(
                keys=("cluster",),
                where=f"cluster.nodeGroups.{name}.maxSize: {group.max_size}",
                reason=f"allowed: at least minSize, {group.min_size}",
                fix=f"pulumi config set --path cluster.nodeGroups.{name}.maxSize {group.min_size}",
            )
