"""Where task logs are kept: a choice the platform makes and the workloads follow."""

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class VolumeLogs:
    """Task logs on a volume of the scheduler, which serves them."""

    storage_gib: int
    """Size of the volume, in GiB."""


@dataclass(frozen=True, kw_only=True)
class RemoteLogs:
    """Task logs in an object store."""

    base_folder: pulumi.Output[str]
    """``s3://bucket/prefix``."""
