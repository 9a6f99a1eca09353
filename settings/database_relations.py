"""Combinations of settings of the RDS instance that is made that cannot work."""

from collections.abc import Iterator

from components.database_capacity import connections_needed, connections_offered, smallest_class
from settings.model import Settings
from settings.relation import RelationProblem

SMALLEST_GP3_GIB = 20
"""Source: Amazon RDS user guide, "General Purpose SSD storage"."""


def database_problems(settings: Settings) -> Iterator[RelationProblem]:
    """Yield what cannot work among the settings of RDS."""
    database = settings.database
    if database.endpoint is not None:
        return
    if settings.protect and database.backup_retention_days == 0:
        yield RelationProblem(
            keys=("protect", "database"),
            where="database.backupRetentionDays: 0",
            reason="allowed: 1 to 35 while protect is true, or protected data would have no backup",
            fix="pulumi config set --path database.backupRetentionDays 14",
        )
    if database.storage_gib < SMALLEST_GP3_GIB:
        yield RelationProblem(
            keys=("platform", "database"),
            where=f"database.storageGib: {database.storage_gib}",
            reason=f"allowed: {SMALLEST_GP3_GIB} or more on RDS",
            fix=f"pulumi config set --path database.storageGib {SMALLEST_GP3_GIB}",
        )
    replicas = {name: process.replicas for name, process in settings.airflow.processes().items()}
    needed = connections_needed(replicas, proxy=database.proxy)
    offered = connections_offered(database.instance_class, proxy=database.proxy)
    if offered is not None and offered < needed:
        larger = smallest_class(database.instance_class, needed, proxy=database.proxy)
        whose = "the pods keep open through the proxy" if database.proxy else "the pods may open"
        yield RelationProblem(
            keys=("database", "airflow"),
            where=f"database.instanceClass: {database.instance_class!r}",
            reason=f"allowed: a class that takes the {needed} connections {whose}; this one takes about {offered}",
            fix=f"pulumi config set --path database.instanceClass {larger or 'db.m7g.large'}, or fewer replicas",
        )
