"""Combinations that cannot work when something is brought instead of made: what belongs together, what has no effect."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from settings.model import Settings
from settings.relation import RelationProblem

MAKING = {
    "network.vpcId": ("network", ("cidr", "zones", "nat", "interfaceEndpoints", "endpointServices", "flowLogs")),
    "cluster.name": (
        "cluster",
        ("version", "endpoint", "publicAccessCidrs", "logTypes", "nodeGroups", "administrators", "viewers"),
    ),
    "database.endpoint": (
        "database",
        ("instanceClass", "storageGib", "maxStorageGib", "multiAz", "backupRetentionDays", "proxy"),
    ),
    "logs.bucket": ("logs", ("retentionDays",)),
}
"""Key that brings something to its section, and the keys there that say how it would be made."""

SUBNETS = ("privateSubnetIds", "publicSubnetIds", "databaseSubnetIds")


def brought_problems(settings: Settings) -> Iterator[RelationProblem]:
    """Yield what cannot work among the keys that name what exists."""
    given = _given(settings)
    if settings.platform != "eks":
        yield from _only_on_eks(given)
        return
    yield from _without_effect(given)
    yield from _network(settings, given)
    yield from _database(settings)


def _given(settings: Settings) -> dict[str, Any]:
    """Return every key of a section that differs from its default, ``section.key`` to value."""
    found: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        section, default = getattr(settings, name), field.default
        if isinstance(section, BaseModel) and isinstance(default, BaseModel):
            was = default.model_dump(by_alias=True)
            for key, value in section.model_dump(by_alias=True).items():
                if value != was[key]:
                    found[f"{field.alias or name}.{key}"] = value
    return found


def _shown(value: Any) -> str:
    return repr(list(value) if isinstance(value, tuple) else value)  # pyright: ignore[reportUnknownArgumentType] - any setting


def _only_on_eks(given: dict[str, Any]) -> Iterator[RelationProblem]:
    of_network = (*SUBNETS, "interfaceEndpoints", "endpointServices", "flowLogs")
    of_database = ("secretArn", "name", "cidr", "login", "proxy")
    for key in (*MAKING, *(f"network.{key}" for key in of_network), *(f"database.{key}" for key in of_database)):
        if key in given:
            yield RelationProblem(
                keys=("platform", key.partition(".")[0]),
                where=f"{key}: {_shown(given[key])}",
                reason="allowed: nothing with platform 'kubernetes', which uses no AWS",
                fix="remove it, or use platform 'eks'",
            )


def _without_effect(given: dict[str, Any]) -> Iterator[RelationProblem]:
    for bringing, (section, keys) in MAKING.items():
        for key in (f"{section}.{key}" for key in keys):
            if bringing in given and key in given:
                yield RelationProblem(
                    keys=(section,),
                    where=f"{key}: {_shown(given[key])}",
                    reason=f"allowed: nothing, because {bringing} names one that exists and this would have no effect",
                    fix=f"remove {key}, or remove {bringing} to have one made",
                )


def _network(settings: Settings, given: dict[str, Any]) -> Iterator[RelationProblem]:
    network = settings.network
    if network.vpc_id is None:
        for key in (f"network.{key}" for key in SUBNETS):
            if key in given:
                yield RelationProblem(
                    keys=("network",),
                    where=f"{key}: {_shown(given[key])}",
                    reason="allowed: nothing without network.vpcId, because the VPC that is made brings its subnets",
                    fix="pulumi config set --path network.vpcId vpc-0123456789abcdef0",
                )
        if settings.cluster.name is not None:
            yield RelationProblem(
                keys=("network", "cluster"),
                where=f"cluster.name: {settings.cluster.name!r}",
                reason="allowed: together with network.vpcId, because a cluster that exists is in a VPC that exists",
                fix="pulumi config set --path network.vpcId VPC, and its subnets",
            )
        return
    needed = {
        "network.privateSubnetIds": settings.cluster.name is None,
        "network.databaseSubnetIds": settings.database.endpoint is None,
    }
    for key, wanted in needed.items():
        found = given.get(key, ())
        if wanted and len(set(found)) < 2:
            yield RelationProblem(
                keys=("network", "cluster", "database"),
                where=f"{key}: {_shown(found)}",
                reason="allowed: two or more, in different zones, because EKS and RDS refuse fewer",
                fix=f"pulumi config set --path '{key}[0]' SUBNET, and so on",
            )


def _database(settings: Settings) -> Iterator[RelationProblem]:
    database = settings.database
    if (database.endpoint is None) != (database.secret_arn is None):
        missing = "endpoint" if database.endpoint is None else "secretArn"
        given = f"endpoint: {database.endpoint!r}" if database.secret_arn is None else f"secretArn: {database.secret_arn!r}"
        yield RelationProblem(
            keys=("database",),
            where=f"database.{given}",
            reason="allowed: endpoint and secretArn together; one says where the server is, the other how to log in",
            fix=f"pulumi config set --path database.{missing} VALUE, or remove both to have RDS made",
        )
    if database.endpoint is not None and database.login == "iam":
        yield RelationProblem(
            keys=("database",),
            where="database.login: 'iam'",
            reason="allowed: password or secret with database.endpoint, whose users are its owner's to make",
            fix="pulumi config set --path database.login secret",
        )
    if database.endpoint is None:
        for key, value, default in (("name", database.name, "airflow"), ("cidr", database.cidr, None)):
            if value != default:
                yield RelationProblem(
                    keys=("database",),
                    where=f"database.{key}: {value!r}",
                    reason="allowed: nothing without database.endpoint, because it describes a server that exists",
                    fix="remove it, or set database.endpoint and database.secretArn",
                )
