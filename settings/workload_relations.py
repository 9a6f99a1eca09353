"""Combinations of executor, package source, delivery and log store that cannot work."""

from collections.abc import Iterator

from settings.dags import DagsSettings
from settings.logs import LogsSettings
from settings.model import Settings
from settings.relation import RelationProblem


def workload_problems(settings: Settings) -> Iterator[RelationProblem]:
    """Yield what cannot work of ``settings`` among Airflow's workloads, whatever the platform."""
    yield from _packages(settings)
    yield from _task_logs(settings)
    yield from _one_endpoint_for_two_stores(settings)
    if settings.jobs.enabled and settings.jobs.namespace == settings.namespace:
        yield RelationProblem(
            keys=("jobs", "namespace"),
            where=f"jobs.namespace: {settings.jobs.namespace!r}",
            reason="allowed: another than namespace, because who may make pods in a namespace may mount all of its Secrets",
            fix=f"pulumi config set --path jobs.namespace {settings.namespace[:58]}-jobs",
        )


def _packages(settings: Settings) -> Iterator[RelationProblem]:
    dags = settings.dags
    if settings.platform == "kubernetes" and dags.source == "s3" and dags.url is None:
        yield RelationProblem(
            keys=("platform", "dags"),
            where="dags.url: not set",
            reason="dags.source 's3' on platform 'kubernetes' needs one, since no bucket is made there",
            fix="pulumi config set --path dags.url s3://bucket/packages",
        )
    if settings.platform == "eks":
        reason = "allowed: nothing on platform 'eks', which makes the bucket of the packages and gives pods roles for it"
        yield from _without_effect("dags", dags, reason)
    elif dags.source == "image":
        yield from _without_effect("dags", dags, "allowed: nothing with dags.source 'image', where it would have no effect")


def _task_logs(settings: Settings) -> Iterator[RelationProblem]:
    logs, airflow = settings.logs, settings.airflow
    if settings.platform == "eks":
        reason = "allowed: nothing on platform 'eks', which makes the bucket of the task logs and gives pods roles for it"
        yield from _without_effect("logs", logs, reason)
        return
    if logs.url is None:
        reason = "allowed: nothing without logs.url, where it would have no effect"
        yield from _without_effect("logs", logs, reason)
        if airflow.executor == "LocalExecutor" and airflow.scheduler.replicas > 1:
            yield RelationProblem(
                keys=("platform", "airflow", "logs"),
                where=f"airflow.scheduler.replicas: {airflow.scheduler.replicas}",
                reason="allowed: 1 with LocalExecutor and task logs on a volume, which its one pod mounts and serves",
                fix="leave it at 1, or set logs.url to an S3 bucket, or airflow.executor to KubernetesExecutor",
            )


def _without_effect(section: str, values: DagsSettings | LogsSettings, reason: str) -> Iterator[RelationProblem]:
    """Yield the keys of an object store that are given although nothing would read them."""
    given = {"url": values.url, "endpointUrl": values.endpoint_url, "credentialsSecret": values.credentials_secret}
    for key, value in given.items():
        if value is not None:
            yield RelationProblem(
                keys=("platform", section),
                where=f"{section}.{key}: {value!r}",
                reason=reason,
                fix=f"pulumi config rm --path {section}.{key}",
            )


def _one_endpoint_for_two_stores(settings: Settings) -> Iterator[RelationProblem]:
    dags, logs = settings.dags, settings.logs
    if dags.delivery == "bundle" and dags.endpoint_url and logs.url and not logs.endpoint_url:
        yield RelationProblem(
            keys=("dags", "logs"),
            where="logs.endpointUrl: not set",
            reason="dags.delivery 'bundle' gives Airflow's own processes dags.endpointUrl, so that logs would go there too",
            fix=f"pulumi config set --path logs.endpointUrl {dags.endpoint_url}",
        )
