"""Airflow's KubernetesPodOperator for one job, made when its task runs.

Not in the DAG file: the provider takes 0.7 s of CPU and 80 MB to import, which the dag-processor would pay for every file with
such a job on every pass, and a worker for every task of that file.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator  # pyright: ignore[reportMissingTypeStubs]
from airflow.providers.cncf.kubernetes.pod_generator import make_safe_label_value  # pyright: ignore[reportMissingTypeStubs]
from kubernetes.client import models as k8s  # pyright: ignore[reportMissingTypeStubs]

from dagsync import pods
from dagsync.errors import JobFailedError
from dagsync.holding import packages_root
from dagsync.runtime import arguments_of
from dagsync.store import is_version


class JobPod(KubernetesPodOperator):
    """A job's pod, whose end by somebody's order is no success.

    The provider deletes the pod when its task is told to stop, finds it gone and returns; Airflow 3.3 takes that for the end
    of the job where only the task's own pod was told, as by a drained node, and tries nothing again.
    """

    def execute_sync(self, context: Any) -> Any:
        """Run the pod to its end. Raises ``JobFailedError`` if it was ended because the task was told to stop."""
        result = super().execute_sync(context)
        if self._killed:
            raise JobFailedError("the task was told to stop, and the pod of its job was deleted")
        return result


def pod_operator(task: Any, context: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> JobPod:
    """Return the operator that runs a task's job in a pod; ``task`` is the ``JobPodOperator`` of a DAG file.

    Raises ``JobFailedError`` for arguments that cannot be, and if it is not known which image to run.
    """
    package, _, name = task.job.partition(".")
    place = pods.place_of(environment, task.image)
    given, held_back = pods.pod_environment(environment)
    for variable in held_back:
        task.log.warning("%s looks like a secret: the pod is not given it; name a Secret by %s", variable, pods.SECRET_VARIABLE)
    source, version = _fetched(context, environment)
    timeout = task.execution_timeout
    # Everything that has a default an administrator may change elsewhere is said here.
    return JobPod(
        task_id=task.task_id,
        dag=None,
        kubernetes_conn_id=None,
        namespace=place.namespace,
        image=place.image,
        image_pull_policy=place.image_pull_policy,
        name=pods.pod_name(task.job),
        labels={
            "app.kubernetes.io/managed-by": "dagsync",
            "app.kubernetes.io/component": "job",
            "package": make_safe_label_value(package),
            "job": make_safe_label_value(name),
        },
        cmds=pods.pod_command(task.job, arguments_of(context, task.options), source, version),
        env_vars=given,
        env_from=[k8s.V1EnvFromSource(secret_ref=k8s.V1SecretEnvSource(name=place.secret))] if place.secret else [],
        container_resources=k8s.V1ResourceRequirements(requests=task.resources_of_job, limits=task.resources_of_job),
        service_account_name=place.service_account,
        # What a job may do in AWS comes with a token of its own; none needs Kubernetes' API.
        automount_service_account_token=False,
        security_context=pods.pod_security(),
        container_security_context=pods.container_security(),
        volumes=[k8s.V1Volume(name="tmp", empty_dir=k8s.V1EmptyDirVolumeSource())],
        volume_mounts=[k8s.V1VolumeMount(name="tmp", mount_path="/tmp")],  # noqa: S108 - in the job's own pod
        termination_grace_period=pods.GRACE_SECONDS,
        active_deadline_seconds=None if timeout is None else int(timeout.total_seconds()) + pods.LEFT_ALONE_SECONDS,
        schedule_timeout_seconds=pods.START_SECONDS,
        startup_timeout_seconds=pods.START_SECONDS,
        startup_check_interval_seconds=1,
        get_logs=True,
        # As the job wrote it: neither with the container's name nor with a line break of its own.
        log_formatter=lambda _, line: line.rstrip("\n"),
        log_events_on_failure=True,
        log_pod_spec_on_failure=False,
        # A container that fails ends with the job's last lines: they are in the task's failure.
        termination_message_policy="FallbackToLogsOnError",
        on_finish_action=place.on_finish_action,
        on_kill_action="delete_pod",
        do_xcom_push=False,
        deferrable=False,
    )


def _fetched(context: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return the store and the version of the run's packages, unless they come with the image."""
    bundle = getattr(context.get("ti"), "bundle_instance", None)
    source = getattr(bundle, "source_address", None) or environment.get("DAGSYNC_SOURCE") or ""
    folder = Path(packages_root(context, environment)).resolve()
    # In a bundle's cache the packages are one folder below that of the version.
    version = next((each.name for each in (folder, folder.parent) if is_version(each.name)), None)
    return (source, version) if source.startswith("s3://") else (None, None)
