"""Settings of task logs."""

from typing import Literal

from pydantic import Field

from settings.section import Section
from settings.values import BucketName, EndpointUrl, KubernetesName, S3Url


class LogsSettings(Section):
    """Task logs: S3 on ``eks``; on kubernetes a volume, or S3 or what speaks its protocol."""

    retention_days: int = Field(default=90, ge=1, le=3650)
    """Days until the bucket of the eks platform deletes a task log."""

    storage_gib: int = Field(default=5, ge=1, le=16384)
    """Size of the log volume, in GiB."""

    bucket: BucketName | None = None
    """A bucket that exists. None is made then, and its encryption and expiry are its owner's."""

    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] = "ReadWriteOnce"
    """Of the log volume. With KubernetesExecutor many pods mount it: ReadWriteOnce keeps them all on one node."""

    storage_class: str | None = None
    """Of the log volume; none uses the cluster's default."""

    url: S3Url | None = Field(default=None, examples=["s3://bucket/prefix"])
    """Bucket and prefix for task logs instead of the volume, on the kubernetes platform."""

    endpoint_url: EndpointUrl | None = Field(default=None, examples=["http://minio.storage.svc:9000"])
    """Address of a store with S3's protocol; none uses AWS."""

    credentials_secret: KubernetesName | None = Field(default=None, examples=["s3-credentials"])
    """Secret in the namespace with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; none uses what the pod finds."""
