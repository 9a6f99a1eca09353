"""Where task logs are kept: a choice the platform makes and the workloads follow."""

import json
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_kubernetes as k8s

from components.airflow_environment import LOGS_DIR, TASK_LOGS_CONNECTION
from components.attachments import Attachments, scratch
from components.executor import Executor, log_access, log_volume_access
from components.object_store import ObjectStore


@dataclass(frozen=True, kw_only=True)
class VolumeLogs:
    """Task logs on a volume."""

    storage_gib: int
    """Size of the volume, in GiB."""

    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] = "ReadWriteOnce"
    storage_class: str | None = None
    """``None`` is the cluster's default."""


TaskLogs = VolumeLogs | ObjectStore


def component_logs(component: str, *, executor: Executor, logs: TaskLogs, claim: pulumi.Input[str] | None) -> Attachments:
    """Return the log folder of a component's pod, and its access to where task logs are kept.

    ``claim`` is the volume's, given where ``logs`` are on one.
    """
    if isinstance(logs, ObjectStore):
        return pod_logs() + (remote_logs(logs) if component in log_access(executor) else Attachments())
    volume_access = log_volume_access(executor)
    if claim is None or component not in volume_access:
        return pod_logs()
    return volume_logs(claim, write=volume_access[component])


def pod_logs() -> Attachments:
    """Return the log folder of a pod whose logs nobody reads later."""
    return scratch("logs", LOGS_DIR, size_limit="1Gi")


def volume_logs(claim: pulumi.Input[str], *, write: bool) -> Attachments:
    """Return the log folder of a pod that keeps its logs on the volume of ``claim``, or only reads them there."""
    source = k8s.core.v1.PersistentVolumeClaimVolumeSourceArgs(claim_name=claim)
    return Attachments(
        volumes=(k8s.core.v1.VolumeArgs(name="logs", persistent_volume_claim=source),),
        mounts=(k8s.core.v1.VolumeMountArgs(name="logs", mount_path=LOGS_DIR, read_only=None if write else True),),
    )


def remote_logs(store: ObjectStore) -> Attachments:
    """Return the Airflow connection to ``store``, in the environment of a container that uses it.

    A connection of its own: the access of task logs is not that of jobs, whose boto3 reads ``AWS_*`` variables.
    Kubernetes puts the credentials in place of ``$(NAME)``.
    """
    connection: dict[str, object] = {"conn_type": "aws"}
    credentials: tuple[k8s.core.v1.EnvVarArgs, ...] = ()
    if store.credentials_secret is not None:
        connection |= {"login": "$(TASK_LOGS_ACCESS_KEY_ID)", "password": "$(TASK_LOGS_SECRET_ACCESS_KEY)"}
        credentials = tuple(
            _from_secret(f"TASK_LOGS_{key}", store.credentials_secret, f"AWS_{key}")
            for key in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
        )
    if store.endpoint_url is not None:
        connection["extra"] = {"endpoint_url": store.endpoint_url}
    name = f"AIRFLOW_CONN_{TASK_LOGS_CONNECTION.upper()}"
    return Attachments(environment=(*credentials, k8s.core.v1.EnvVarArgs(name=name, value=json.dumps(connection))))


def _from_secret(name: str, secret: str, key: str) -> k8s.core.v1.EnvVarArgs:
    selector = k8s.core.v1.SecretKeySelectorArgs(name=secret, key=key)
    return k8s.core.v1.EnvVarArgs(name=name, value_from=k8s.core.v1.EnvVarSourceArgs(secret_key_ref=selector))
