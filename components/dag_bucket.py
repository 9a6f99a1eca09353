"""Bucket that packages are published to.

Owns the bucket and the rules on how it is reached. Who reads it is decided in ``workload_identity``; who publishes is nobody
in the cluster.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.options import beside_data
from components.private_bucket import private_bucket

PREFIX = "packages"
NONCURRENT_DAYS = 30
"""Days in which a pointer that was moved or an archive that was removed by mistake can be brought back."""


@dataclass(frozen=True, kw_only=True)
class DagBucketArgs:
    protect: bool = False
    """Whether the bucket refuses deletion. Without it, deleting the bucket deletes the packages in it."""


class DagBucket(pulumi.ComponentResource):
    """A private, encrypted bucket that is reached over TLS and remembers what was overwritten."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]
    url: pulumi.Output[str]
    """``s3://bucket/prefix``, as ``dagsync publish`` and ``dagsync sync`` want it."""

    def __init__(self, name: str, args: DagBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:DagBucket", name, {}, opts)
        guard = beside_data(self, protect=args.protect)
        bucket = private_bucket(name, parent=self, protect=args.protect)
        versioning = aws.s3.BucketVersioning(
            name,
            bucket=bucket.id,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=guard,
        )
        aws.s3.BucketLifecycleConfiguration(
            name,
            bucket=bucket.id,
            rules=[
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    id="forget-noncurrent",
                    status="Enabled",
                    filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=f"{PREFIX}/"),
                    noncurrent_version_expiration=(
                        aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(noncurrent_days=NONCURRENT_DAYS)
                    ),
                    abort_incomplete_multipart_upload=(
                        aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(days_after_initiation=7)
                    ),
                )
            ],
            # S3 takes a rule on noncurrent versions at any time, but it means nothing before there are versions.
            opts=pulumi.ResourceOptions.merge(guard, pulumi.ResourceOptions(depends_on=[versioning])),
        )
        self.arn, self.name = bucket.arn, bucket.bucket
        self.url = pulumi.Output.format("s3://{0}/{1}", bucket.bucket, PREFIX)
        self.register_outputs({"name": self.name, "url": self.url})
