"""Bucket of the task logs.

Owns the bucket and the rules on how it is reached. Who reaches it is decided in ``workload_identity``.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.options import beside_data
from components.private_bucket import private_bucket

PREFIX = "task-logs"


@dataclass(frozen=True, kw_only=True)
class LogBucketArgs:
    retention_days: int
    """Days until a task log is deleted."""

    protect: bool = False
    """Whether the bucket refuses deletion. Without it, deleting the bucket deletes the logs in it."""


class LogBucket(pulumi.ComponentResource):
    """A private, encrypted bucket that is reached over TLS and forgets."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]
    base_folder: pulumi.Output[str]
    """``s3://bucket/prefix``, as Airflow's ``[logging] remote_base_log_folder`` wants it."""

    def __init__(self, name: str, args: LogBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:LogBucket", name, {}, opts)
        bucket = private_bucket(name, parent=self, protect=args.protect)
        aws.s3.BucketLifecycleConfiguration(
            name,
            bucket=bucket.id,
            rules=[
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    id="forget",
                    status="Enabled",
                    filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=f"{PREFIX}/"),
                    expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=args.retention_days),
                    abort_incomplete_multipart_upload=(
                        aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(days_after_initiation=7)
                    ),
                )
            ],
            opts=beside_data(self, protect=args.protect),
        )
        self.arn, self.name = bucket.arn, bucket.bucket
        self.base_folder = base_folder(bucket.bucket)
        self.register_outputs({"name": self.name})


def base_folder(bucket_name: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return where in a bucket task logs are, as Airflow's ``[logging] remote_base_log_folder`` wants it."""
    return pulumi.Output.format("s3://{0}/{1}", bucket_name, PREFIX)
