"""The EKS cluster and the registry its images come from."""

from collections.abc import Iterator

from policy.model import UNKNOWN, Resource, Rule, inside, may_be, objects

CLUSTER = "aws:eks/cluster:Cluster"
REPOSITORY = "aws:ecr/repository:Repository"
SUPPORTED = ("1.34", "1.35", "1.36")
"""In standard support, to 2026-12-02, 2027-03-27 and 2027-08-02. Source: Amazon EKS user guide, "Kubernetes versions"."""

CACHES = "build-cache-"
"""What tags of build caches begin with."""

LOGS = ("audit", "authenticator")
"""Control-plane logs without which nobody can tell who did what."""


def endpoint_open(resource: Resource) -> Iterator[str]:
    if resource.type != CLUSTER or not may_be(inside(resource.properties, "vpcConfig.endpointPublicAccess"), True, None):
        return
    cidrs = inside(resource.properties, "vpcConfig.publicAccessCidrs")
    if cidrs is None or (cidrs != UNKNOWN and "0.0.0.0/0" in cidrs):
        yield "the Kubernetes API answers any address: set cluster.publicAccessCidrs, or cluster.endpoint to private"


def without_logs(resource: Resource) -> Iterator[str]:
    if resource.type != CLUSTER or (kept := resource.properties.get("enabledClusterLogTypes") or ()) == UNKNOWN:
        return
    if missing := [log for log in LOGS if log not in kept]:
        yield f"enabledClusterLogTypes has no {' and no '.join(missing)}"


def unsupported_version(resource: Resource) -> Iterator[str]:
    if resource.type == CLUSTER and not may_be(version := resource.properties.get("version"), *SUPPORTED):
        yield f"version is {version!r}: in standard support are {', '.join(SUPPORTED)}"


def extended_support(resource: Resource) -> Iterator[str]:
    if resource.type == CLUSTER and not may_be(inside(resource.properties, "upgradePolicy.supportType"), "STANDARD"):
        yield "upgradePolicy.supportType is not STANDARD: extended support costs six times as much, and is EKS's default"


def plain_secrets(resource: Resource) -> Iterator[str]:
    config = resource.properties.get("encryptionConfig")
    if resource.type == CLUSTER and config != UNKNOWN and not inside(resource.properties, "encryptionConfig.provider.keyArn"):
        yield "encryptionConfig names no KMS key: Secrets are encrypted with no key of yours"


def config_map_access(resource: Resource) -> Iterator[str]:
    mode = inside(resource.properties, "accessConfig.authenticationMode")
    if resource.type == CLUSTER and not may_be(mode, "API"):
        yield f"authenticationMode is {mode!r}: who may enter is written in a ConfigMap; use API"


def mutable_tags(resource: Resource) -> Iterator[str]:
    if resource.type != REPOSITORY:
        return
    if not may_be(mode := resource.properties.get("imageTagMutability"), "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION"):
        yield f"imageTagMutability is {mode!r}: a tag that pods run may be given other content"
    for excluded in objects(resource.properties.get("imageTagMutabilityExclusionFilters")):
        tags = excluded.get("filter")
        if tags != UNKNOWN and not str(tags).startswith(CACHES):
            yield f"tags {tags!r} are excluded from immutability: only those of caches, {CACHES}*, are run by no pod"


def unscanned(resource: Resource) -> Iterator[str]:
    if resource.type == REPOSITORY and not may_be(inside(resource.properties, "imageScanningConfiguration.scanOnPush"), True):
        yield "imageScanningConfiguration.scanOnPush is not true"


RULES = (
    Rule(
        name="cluster-endpoint",
        description="The Kubernetes API does not answer every address on the internet.",
        check=endpoint_open,
        # Credentials are asked for all the same, and whoever runs the first `up` may have no fixed address.
        advisory=True,
    ),
    Rule(name="cluster-logs", description="The control plane logs who did what.", check=without_logs),
    Rule(name="cluster-version", description="Kubernetes is in standard support.", check=unsupported_version),
    Rule(name="cluster-support", description="Nobody is billed for extended support.", check=extended_support),
    Rule(name="cluster-secrets", description="Secrets in etcd are encrypted with a key of the account.", check=plain_secrets),
    Rule(name="cluster-access", description="Access is by access entries alone.", check=config_map_access),
    Rule(name="registry-immutable", description="Tags of images keep their content.", check=mutable_tags),
    Rule(name="registry-scanned", description="Images are scanned when they are pushed.", check=unscanned),
)
