"""What a container gets beside its command: environment, mounts, and the volumes behind them."""

from collections.abc import Iterable
from dataclasses import dataclass

import pulumi_kubernetes as k8s


@dataclass(frozen=True, kw_only=True)
class Attachments:
    """Parts of a container and of its pod that belong together."""

    environment: tuple[k8s.core.v1.EnvVarArgs, ...] = ()
    environment_from: tuple[k8s.core.v1.EnvFromSourceArgs, ...] = ()
    mounts: tuple[k8s.core.v1.VolumeMountArgs, ...] = ()
    volumes: tuple[k8s.core.v1.VolumeArgs, ...] = ()

    def __add__(self, other: "Attachments") -> "Attachments":
        return Attachments(
            environment=self.environment + other.environment,
            environment_from=self.environment_from + other.environment_from,
            mounts=self.mounts + other.mounts,
            volumes=self.volumes + other.volumes,
        )


def together(attachments: Iterable[Attachments]) -> Attachments:
    """Return everything in ``attachments`` as one."""
    return sum(attachments, Attachments())


def scratch(name: str, path: str, *, size_limit: str) -> Attachments:
    """Return a folder to write to that is gone with the pod."""
    volume = k8s.core.v1.VolumeArgs(name=name, empty_dir=k8s.core.v1.EmptyDirVolumeSourceArgs(size_limit=size_limit))
    return Attachments(volumes=(volume,), mounts=(k8s.core.v1.VolumeMountArgs(name=name, mount_path=path),))
