"""Buckets and volumes."""

from collections.abc import Iterator, Sequence

from policy.model import Finding, Resource, Rule, inside, may_be, objects

BUCKET = "aws:s3/bucket:Bucket"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
GUARDS = {
    BLOCK: "a BucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "an encryption configuration",
    "aws:s3/bucketPolicy:BucketPolicy": "a policy, which refuses plain HTTP",
}
BLOCKED = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
PRIVATE_ACLS = (None, "private", "log-delivery-write", "bucket-owner-full-control")


def public_bucket(resource: Resource) -> Iterator[str]:
    """A block that blocks not everything, or an ACL for everybody."""
    if resource.type == BLOCK:
        for name in BLOCKED:
            if not may_be(resource.properties.get(name), True):
                yield f"{name} is not true: the bucket can be made public"
    elif resource.type in (BUCKET, "aws:s3/bucketAcl:BucketAcl") and not may_be(resource.properties.get("acl"), *PRIVATE_ACLS):
        yield f"acl is {resource.properties['acl']!r}: others may read the bucket"


def unguarded_bucket(resources: Sequence[Resource]) -> Iterator[Finding]:
    """A bucket beside which one of its guards is missing."""
    for bucket in (resource for resource in resources if resource.type == BUCKET):
        guards = {guard.type for guard in resources if bucket.urn in guard.references.get("bucket", ())}
        for typ, what in GUARDS.items():
            if typ not in guards:
                yield Finding(resource=bucket, message=f"the bucket has not {what}: add one")


def unencrypted_volume(resource: Resource) -> Iterator[str]:
    """A StorageClass, a launch template or a volume whose disks are not encrypted."""
    match resource.type:
        case "kubernetes:storage.k8s.io/v1:StorageClass":
            on_ebs = "ebs" in str(resource.properties.get("provisioner"))
            if on_ebs and not may_be(inside(resource.properties, "parameters.encrypted"), "true"):
                yield 'parameters.encrypted is not "true": volumes of this class lie on disk in plain text'
        case "aws:ec2/launchTemplate:LaunchTemplate":
            for device in objects(resource.properties.get("blockDeviceMappings")):
                if not may_be(inside(device, "ebs.encrypted"), "true", True):
                    yield f"the disk {device.get('deviceName')} of the nodes is not encrypted"
        case "aws:ebs/volume:Volume" if not may_be(resource.properties.get("encrypted"), True):
            yield "encrypted is not true"
        case _:
            return


RULES = (
    Rule(name="bucket-private", description="No bucket can be read by the world.", check=public_bucket),
    Rule(
        name="bucket-guarded",
        description="Every bucket blocks public access, encrypts and refuses plain HTTP.",
        stack_check=unguarded_bucket,
    ),
    Rule(name="volume-encrypted", description="Disks of nodes and volumes are encrypted.", check=unencrypted_volume),
)
