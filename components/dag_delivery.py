"""How DAG files come into the pods that read them: the containers and the volume that a pattern adds to a pod.

The dag-processor and whatever runs tasks read DAG files; each of their pods renders its own from the packages in the image.
"""

from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_kubernetes as k8s

from components.airflow_environment import DAGS_DIR
from components.pod_security import container_security

HEALTH_PORT = 8089
VOLUME = "dags"


@dataclass(frozen=True, kw_only=True)
class DagDelivery:
    """One of the delivery patterns, as what it adds to a pod."""

    pattern: Literal["init", "sidecar"]
    """``init`` renders once, before Airflow starts; ``sidecar`` also keeps rendering."""

    interval_seconds: int
    """Seconds between two syncs of the sidecar."""

    image: pulumi.Input[str]
    environment_from: list[k8s.core.v1.EnvFromSourceArgs]
    """Where ``ETL_PACKAGES_ROOT`` and ``AIRFLOW_DAGS_DIR`` are read from."""

    def init_containers(self) -> list[k8s.core.v1.ContainerArgs]:
        """Return the container that writes DAG files; Airflow's containers start once it has."""
        if self.pattern == "init":
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

    def volume(self) -> k8s.core.v1.VolumeArgs:
        """Return the volume DAG files are in; it belongs to one pod, so every pod renders its own."""
        return k8s.core.v1.VolumeArgs(name=VOLUME, empty_dir=k8s.core.v1.EmptyDirVolumeSourceArgs(size_limit="256Mi"))

    def mount(self) -> k8s.core.v1.VolumeMountArgs:
        """Return the mount of Airflow's own container, which only reads."""
        return k8s.core.v1.VolumeMountArgs(name=VOLUME, mount_path=DAGS_DIR, read_only=True)

    def _container(self, name: str, command: list[str]) -> k8s.core.v1.ContainerArgs:
        return k8s.core.v1.ContainerArgs(
            name=name,
            image=self.image,
            image_pull_policy="IfNotPresent",
            command=["dumb-init", "--", *command],
            env_from=self.environment_from,
            resources=k8s.core.v1.ResourceRequirementsArgs(
                requests={"cpu": "50m", "memory": "192Mi"}, limits={"cpu": "1", "memory": "192Mi"}
            ),
            security_context=container_security(),
            volume_mounts=[
                k8s.core.v1.VolumeMountArgs(name=VOLUME, mount_path=DAGS_DIR),
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
