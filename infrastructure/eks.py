"""Everything on AWS: network, EKS cluster, RDS, buckets, roles and the image."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

import versions
from components.airflow import service_account_name
from components.airflow_image import AirflowImage, AirflowImageArgs
from components.airflow_namespace import AirflowNamespace
from components.cluster import Cluster, ClusterArgs
from components.database_connection import DatabaseConnection
from components.log_bucket import PREFIX, LogBucket, LogBucketArgs
from components.metadata_database import MetadataDatabase, MetadataDatabaseArgs
from components.network import Network, NetworkArgs
from components.policies import task_logs
from components.task_logs import RemoteLogs, VolumeLogs
from components.workload_identity import WorkloadIdentity, WorkloadIdentityArgs
from settings import Settings

LOG_ACCESS = {"api-server": False, "scheduler": True, "triggerer": True}
"""Component to whether it writes task logs; the API server shows them, the others make them."""


class EksInfrastructure:
    """Infrastructure of the ``eks`` platform."""

    def __init__(self, settings: Settings) -> None:
        region = pulumi.Config("aws").require("region")
        tags = {"airflow-control-plane:stack": pulumi.get_stack(), **settings.tags}
        account = aws.Provider("aws", region=region, default_tags=aws.ProviderDefaultTagsArgs(tags=tags))
        in_account = pulumi.ResourceOptions(providers=[account])

        network = Network(
            "network",
            NetworkArgs(
                cidr=settings.network.cidr,
                zones=settings.network.zones,
                nat=settings.network.nat,
                protect=settings.protect,
            ),
            opts=in_account,
        )
        cluster = Cluster(
            "cluster",
            ClusterArgs(
                network=network,
                version=settings.cluster.version,
                endpoint=settings.cluster.endpoint,
                public_access_cidrs=settings.cluster.public_access_cidrs,
                log_types=settings.cluster.log_types,
                protect=settings.protect,
            ),
            opts=in_account,
        )
        database = MetadataDatabase(
            "metadata-database",
            MetadataDatabaseArgs(
                network=network,
                cluster=cluster,
                version=versions.POSTGRESQL,
                instance_class=settings.database.instance_class,
                storage_gib=settings.database.storage_gib,
                max_storage_gib=settings.database.max_storage_gib,
                multi_az=settings.database.multi_az,
                backup_retention_days=settings.database.backup_retention_days,
                protect=settings.protect,
            ),
            opts=in_account,
        )
        bucket = LogBucket(
            "task-logs",
            LogBucketArgs(retention_days=settings.logs.retention_days, protect=settings.protect),
            opts=in_account,
        )
        self.provider = cluster.provider
        self.image = self._image(settings, in_account)
        self.logs: VolumeLogs | RemoteLogs = RemoteLogs(base_folder=bucket.base_folder)
        self.identities: Sequence[pulumi.Resource] = [
            WorkloadIdentity(
                service_account_name(component),
                WorkloadIdentityArgs(
                    cluster_name=cluster.name,
                    namespace=settings.namespace,
                    service_account=service_account_name(component),
                    policy=bucket.arn.apply(lambda arn, write=write: task_logs(arn, PREFIX, write=write)),
                ),
                opts=in_account,
            )
            for component, write in LOG_ACCESS.items()
        ]
        self._connection = database.connection
        self.outputs: Mapping[str, pulumi.Output[Any]] = {
            "clusterName": cluster.name,
            "kubeconfig": cluster.kubeconfig,
            "databaseEndpoint": database.endpoint,
            "logBucket": bucket.name,
        }

    def database(self, namespace: AirflowNamespace) -> DatabaseConnection:  # noqa: ARG002 - RDS needs no namespace
        """Return the connection to RDS."""
        return self._connection

    def _image(self, settings: Settings, in_account: pulumi.ResourceOptions) -> pulumi.Output[str]:
        if settings.image.reference is not None:
            return pulumi.Output.from_input(settings.image.reference)
        image = AirflowImage(
            "airflow",
            AirflowImageArgs(
                packages=settings.image.packages,
                architecture=settings.image.architecture,
                protect=settings.protect,
            ),
            opts=in_account,
        )
        return image.reference
