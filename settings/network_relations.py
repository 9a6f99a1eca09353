"""Combinations of settings of the VPC that is made that cannot work."""

import re
from collections.abc import Iterator

from components.endpoint_services import services_needed
from settings.model import Settings
from settings.relation import RelationProblem

ECR = re.compile(r"^\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?/")


def endpoint_services(settings: Settings) -> tuple[str, ...]:
    """Return the AWS services that are given an address in the VPC."""
    network = settings.network
    needed = _needed(settings) if network.interface_endpoints else ()
    return tuple(dict.fromkeys((*needed, *network.endpoint_services)))


def network_problems(settings: Settings, *, region: str) -> Iterator[RelationProblem]:
    """Yield what cannot work among the settings of the VPC."""
    network = settings.network
    prefix = int(network.cidr.rpartition("/")[2])
    if not 16 <= prefix <= 18:
        yield RelationProblem(
            keys=("network",),
            where=f"network.cidr: {network.cidr!r}",
            reason="allowed: /16 to /18, so that every subnet has room for pods",
            fix="pulumi config set --path network.cidr 10.0.0.0/16",
        )
    if network.nat == "none" and network.vpc_id is None:
        yield from _without_internet(settings, region)


def _without_internet(settings: Settings, region: str) -> Iterator[RelationProblem]:
    if missing := [service for service in _needed(settings) if service not in endpoint_services(settings)]:
        yield RelationProblem(
            keys=("network", "cluster", "database", "secrets"),
            where="network.nat: 'none'",
            reason=f"allowed: together with endpoints of all that nodes and pods call; there is none of {', '.join(missing)}",
            fix="pulumi config set --path network.interfaceEndpoints true",
        )
    if settings.cluster.endpoint == "public":
        yield RelationProblem(
            keys=("network", "cluster"),
            where="cluster.endpoint: 'public'",
            reason="allowed: publicAndPrivate or private with network.nat 'none', because nodes reach no public address",
            fix="pulumi config set --path cluster.endpoint publicAndPrivate",
        )
    reference = settings.image.reference
    registry = ECR.match(reference) if reference is not None else None
    if reference is not None and (registry is None or registry[1] != region):
        yield RelationProblem(
            keys=("network", "image"),
            where=f"image.reference: {reference!r}",
            reason=f"allowed: one in ECR in {region or 'aws:region'} with network.nat 'none', since nodes reach no other",
            fix="copy it to a repository there, or remove it to have one built and pushed",
        )


def _needed(settings: Settings) -> tuple[str, ...]:
    return services_needed(
        identity=settings.cluster.identity,
        node_groups=bool(settings.cluster.node_groups),
        reads_secrets=settings.database.login != "password" or settings.secrets.source == "external",
    )
