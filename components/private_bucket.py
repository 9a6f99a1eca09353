"""What every bucket has: nobody else's eyes, an owner of all objects, encryption, and TLS."""

import pulumi
import pulumi_aws as aws

from components.options import beside_data, stateful
from components.policies import tls_only


def private_bucket(name: str, *, parent: pulumi.Resource, protect: bool) -> aws.s3.Bucket:
    """Make a bucket as a child of ``parent``; with ``protect`` it refuses deletion, otherwise its objects go with it."""
    guard = beside_data(parent, protect=protect)
    bucket = aws.s3.Bucket(name, force_destroy=not protect, opts=stateful(parent, protect=protect))
    aws.s3.BucketPublicAccessBlock(
        name,
        bucket=bucket.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=guard,
    )
    aws.s3.BucketOwnershipControls(
        name,
        bucket=bucket.id,
        rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
        opts=guard,
    )
    by_default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
        sse_algorithm="AES256"
    )
    aws.s3.BucketServerSideEncryptionConfiguration(
        name,
        bucket=bucket.id,
        rules=[aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(apply_server_side_encryption_by_default=by_default)],
        opts=guard,
    )
    aws.s3.BucketPolicy(name, bucket=bucket.id, policy=bucket.arn.apply(tls_only), opts=guard)
    return bucket
