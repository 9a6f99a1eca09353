"""RDS, and what a protected stack asks of all that holds data."""

from collections.abc import Iterator, Sequence

from policy.model import UNKNOWN, Finding, Resource, Rule, may_be, objects

INSTANCE = "aws:rds/instance:Instance"
PROXY = "aws:rds/proxy:Proxy"
STATEFUL = frozenset(
    {
        "aws:ecr/repository:Repository",
        "aws:eks/cluster:Cluster",
        "aws:kms/key:Key",
        "aws:s3/bucket:Bucket",
        INSTANCE,
        "kubernetes:apps/v1:StatefulSet",
        "kubernetes:core/v1:PersistentVolumeClaim",
    }
)
"""Types whose resources hold what cannot be made again."""

FEWEST_DAYS = 7


def _required(resource: Resource, name: str, reason: str, *, expected: bool = True) -> Iterator[str]:
    if resource.type == INSTANCE and not may_be(resource.properties.get(name, False), expected):
        yield f"{name} is {resource.properties.get(name, False)!r}: {reason}"


def unencrypted(resource: Resource) -> Iterator[str]:
    yield from _required(resource, "storageEncrypted", "the database lies on disk in plain text")


def public(resource: Resource) -> Iterator[str]:
    yield from _required(resource, "publiclyAccessible", "the database has an address on the internet", expected=False)


def single_zone(resource: Resource) -> Iterator[str]:
    if resource.protect:
        yield from _required(resource, "multiAz", "a protected database has no standby, and ends with its zone")


def deletable(resource: Resource) -> Iterator[str]:
    if resource.protect and resource.type in (INSTANCE, "aws:eks/cluster:Cluster"):
        value = resource.properties.get("deletionProtection", False)
        if not may_be(value, True):
            yield f"deletionProtection is {value!r}: what Pulumi protects, anybody with a console may delete"


def without_backups(resource: Resource) -> Iterator[str]:
    if resource.type != INSTANCE or (days := resource.properties.get("backupRetentionPeriod", 0)) == UNKNOWN:
        return
    fewest = FEWEST_DAYS if resource.protect else 1
    if days < fewest:
        yield f"backupRetentionPeriod is {days}: keep backups for {fewest} days or more"


def plain_connections(resource: Resource) -> Iterator[str]:
    if resource.type == PROXY and not may_be(resource.properties.get("requireTls", False), True):
        yield "requireTls is not true: clients may connect to the proxy without TLS"
    family = str(resource.properties.get("family"))
    if resource.type != "aws:rds/parameterGroup:ParameterGroup" or not family.startswith("postgres"):
        return
    parameters = resource.properties.get("parameters")
    forced = [one.get("value") for one in objects(parameters) if one.get("name") == "rds.force_ssl"]
    if parameters != UNKNOWN and not (forced and may_be(forced[0], "1")):
        yield "rds.force_ssl is not 1: clients may connect without TLS"


def left_unprotected(resources: Sequence[Resource]) -> Iterator[Finding]:
    """Something that holds data and is not protected, in a stack where anything is."""
    if not any(resource.protect for resource in resources):
        return
    for resource in resources:
        if resource.type in STATEFUL and not resource.protect:
            yield Finding(resource=resource, message="holds data and is not protected, in a stack whose data is: set protect")


RULES = (
    Rule(name="database-encrypted", description="Databases are encrypted on disk.", check=unencrypted),
    Rule(name="database-private", description="Databases have no public address.", check=public),
    Rule(name="database-multi-az", description="Protected databases have a standby in another zone.", check=single_zone),
    Rule(name="database-backups", description="Databases are backed up, protected ones for a week.", check=without_backups),
    Rule(
        name="database-tls", description="Databases and their proxies refuse connections without TLS.", check=plain_connections
    ),
    Rule(
        name="deletion-protection",
        description="What Pulumi protects, AWS protects from deletion too.",
        check=deletable,
    ),
    Rule(
        name="data-protected",
        description="Where anything is protected, all that holds data is.",
        stack_check=left_unprotected,
    ),
)
