"""How DAG files come into the pods that read them: the containers and the volumes that a pattern adds to a pod.

The dag-processor and whatever runs tasks read DAG files; each of their pods renders its own, from the packages in the image
or from those of a bucket.
"""

from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_kubernetes as k8s

from components.airflow_environment import BUNDLES_DIR, DAGS_DIR, PACKAGES_CACHE
from components.attachments import Attachments, scratch, together
from components.object_store import ObjectStore
from components.pod_security import container_security

Pattern = Literal["init", "sidecar", "bundle"]

HEALTH_PORT = 8089


@dataclass(frozen=True, kw_only=True)
class DagDelivery:
    """One of the delivery patterns, as what it adds to a pod."""

    pattern: Pattern
    """``init`` renders once, before Airflow starts; ``sidecar`` also keeps rendering; ``bundle`` adds no container."""

    interval_seconds: int
    """Seconds between two syncs of the sidecar."""

    image: pulumi.Input[str]
    environment_from: list[k8s.core.v1.EnvFromSourceArgs]
    """Where ``ETL_PACKAGES_ROOT``, ``AIRFLOW_DAGS_DIR`` and ``DAGSYNC_SOURCE`` are read from."""

    packages: ObjectStore | None = None
    """Where packages are published; ``None`` takes those of the image."""

    def init_containers(self, *, once: bool) -> list[k8s.core.v1.ContainerArgs]:
        """Return the container that writes DAG files; Airflow's containers start once it has.

        ``once`` is for a pod that ends before anything could change.
        """
        if self.pattern == "bundle":
            return []
        if once or self.pattern == "init":
            # A job with a problem is told in the log; it must not keep the healthy ones from starting.
            return [self._container("dag-sync", ["airflow-control-plane", "sync", "--exit-zero", "-v"])]
        command = ["airflow-control-plane", "sync", "--watch", "--interval", str(self.interval_seconds)]
        sidecar = self._container("dag-sync-sidecar", [*command, "--health-port", str(HEALTH_PORT)])
        # An init container that always restarts is Kubernetes' native sidecar: the startup probe holds Airflow back
        # until the first sync is complete, and the container goes on beside it.
        sidecar.restart_policy = "Always"
        sidecar.ports = [k8s.core.v1.ContainerPortArgs(name="dag-sync", container_port=HEALTH_PORT)]
        sidecar.startup_probe = _probe("/readyz", period_seconds=1, failure_threshold=120)
        sidecar.liveness_probe = _probe("/healthz", period_seconds=30, failure_threshold=5)
        return [sidecar]

    def attachments(self) -> Attachments:
        """Return what Airflow's own container gets: DAGs to read or, with ``bundle``, a place and the access to fetch them."""
        if self.pattern == "bundle":
            return together([scratch("bundles", BUNDLES_DIR, size_limit="1Gi"), *self._access()])
        folders = self._folders()
        read_only = tuple(
            k8s.core.v1.VolumeMountArgs(name=mount.name, mount_path=mount.mount_path, read_only=True)
            for mount in folders.mounts
        )
        return Attachments(volumes=folders.volumes, mounts=read_only)

    def _folders(self) -> Attachments:
        """Return the volumes that the syncing container fills; they belong to one pod, so every pod renders its own."""
        dags = scratch("dags", DAGS_DIR, size_limit="256Mi")
        return dags if self.packages is None else dags + scratch("packages", PACKAGES_CACHE, size_limit="1Gi")

    def _access(self) -> list[Attachments]:
        return [] if self.packages is None else [self.packages.access()]

    def _container(self, name: str, command: list[str]) -> k8s.core.v1.ContainerArgs:
        access = together(self._access())
        return k8s.core.v1.ContainerArgs(
            name=name,
            image=self.image,
            image_pull_policy="IfNotPresent",
            command=["dumb-init", "--", *command],
            env_from=[*self.environment_from, *access.environment_from],
            env=list(access.environment) or None,
            resources=k8s.core.v1.ResourceRequirementsArgs(
                requests={"cpu": "50m", "memory": "256Mi"}, limits={"cpu": "1", "memory": "256Mi"}
            ),
            security_context=container_security(),
            volume_mounts=[
                *self._folders().mounts,
                k8s.core.v1.VolumeMountArgs(name="tmp", mount_path="/tmp"),  # noqa: S108 - an emptyDir of the pod
            ],
        )


def _probe(path: str, *, period_seconds: int, failure_threshold: int) -> k8s.core.v1.ProbeArgs:
    return k8s.core.v1.ProbeArgs(
        http_get=k8s.core.v1.HTTPGetActionArgs(path=path, port="dag-sync"),
        period_seconds=period_seconds,
        timeout_seconds=5,
        failure_threshold=failure_threshold,
    )
