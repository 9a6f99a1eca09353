"""Combinations of settings that cannot work, each with its reason and its fix."""

import re
from collections.abc import Iterator

from settings.brought import brought_problems
from settings.cluster_relations import cluster_problems
from settings.database_relations import database_problems
from settings.ingress_relations import ingress_problems
from settings.model import Settings
from settings.network_relations import network_problems
from settings.relation import RelationProblem
from settings.secret_relations import secret_problems
from settings.workload_relations import workload_problems

PINNED = re.compile(r"(@sha256:[0-9a-f]{64}|:(?!latest$)\w[\w.-]{0,127})$")
"""A digest, or a tag other than latest: the grammar of the OCI distribution specification."""


def relation_problems(settings: Settings, *, region: str) -> Iterator[RelationProblem]:
    """Yield every combination in ``settings`` that cannot work; ``region`` is ``aws:region``, or empty."""
    if settings.platform == "eks":
        yield from _on_eks(settings, region)
    else:
        yield from _on_kubernetes(settings)
    yield from brought_problems(settings)
    yield from _on_any_platform(settings)
    yield from workload_problems(settings)
    yield from secret_problems(settings)
    yield from ingress_problems(settings, region)


def _on_eks(settings: Settings, region: str) -> Iterator[RelationProblem]:
    if not region:
        yield RelationProblem(
            keys=("platform",),
            where="aws:region: not set",
            reason="platform 'eks' needs one",
            fix="pulumi config set aws:region eu-west-1",
        )
    yield from database_problems(settings)
    yield from cluster_problems(settings)
    yield from network_problems(settings, region=region)


def _on_kubernetes(settings: Settings) -> Iterator[RelationProblem]:
    if settings.image.reference is None:
        yield RelationProblem(
            keys=("image",),
            where="image.reference: not set",
            reason="platform 'kubernetes' builds no image, so it needs one that exists",
            fix="pulumi config set --path image.reference registry.example.com/airflow:1.0.0",
        )
    if settings.database.multi_az:
        yield RelationProblem(
            keys=("database",),
            where="database.multiAz: true",
            reason="allowed: false with platform 'kubernetes', because PostgreSQL in the cluster is one pod",
            fix="remove it, or use platform 'eks'",
        )


def _on_any_platform(settings: Settings) -> Iterator[RelationProblem]:
    reference = settings.image.reference
    if reference is not None and not PINNED.search(reference):
        yield RelationProblem(
            keys=("image",),
            where=f"image.reference: {reference!r}",
            reason="allowed: a digest, or a tag other than latest, so that every pod runs the same image",
            fix="name the version, for example registry.example.com/airflow:1.0.0",
        )
    if settings.airflow.dag_processor.replicas > 1:
        yield RelationProblem(
            keys=("airflow",),
            where=f"airflow.dagProcessor.replicas: {settings.airflow.dag_processor.replicas}",
            reason="allowed: 1, because processors whose DAG folders differ for a moment deactivate each other's DAGs",
            fix="leave it at 1 and raise airflow.dagProcessor.cpu instead",
        )
    if settings.database.max_storage_gib < settings.database.storage_gib:
        yield RelationProblem(
            keys=("database",),
            where=f"database.maxStorageGib: {settings.database.max_storage_gib}",
            reason=f"allowed: at least database.storageGib, {settings.database.storage_gib}",
            fix=f"pulumi config set --path database.maxStorageGib {settings.database.storage_gib}",
        )
