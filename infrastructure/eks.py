"""Everything on AWS: network, EKS cluster, RDS, buckets, roles and the image, each made or brought."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

import versions
from components.airflow_image import AirflowImage, AirflowImageArgs
from components.airflow_namespace import AirflowNamespace
from components.cluster import Cluster, ClusterArgs
from components.dag_bucket import DagBucket, DagBucketArgs
from components.database_capacity import connections_needed, connections_offered
from components.database_connection import DatabaseConnection
from components.database_proxy import DatabaseProxy, DatabaseProxyArgs
from components.eks_cluster import EksCluster, existing_cluster
from components.existing_database import existing_database
from components.front import Front
from components.log_bucket import LogBucket, LogBucketArgs, base_folder
from components.managed_nodes import NodeGroup
from components.metadata_database import MetadataDatabase, MetadataDatabaseArgs
from components.network import Network, NetworkArgs
from components.object_store import ObjectStore
from components.task_logs import TaskLogs
from components.vpc import Vpc, existing_vpc
from components.workload_identity import OidcProvider, WorkloadIdentity
from infrastructure.controller_front import controller_front
from infrastructure.eks_front import EksFrontArgs, checked_zone, eks_front
from infrastructure.eks_identities import Buckets, IdentitiesArgs, workload_identities
from settings import Settings
from settings.network_relations import endpoint_services


class EksInfrastructure:
    """Infrastructure of the ``eks`` platform."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        region = pulumi.Config("aws").require("region")
        tags = {"airflow-control-plane:stack": pulumi.get_stack(), **settings.tags}
        self._account = aws.Provider("aws", region=region, default_tags=aws.ProviderDefaultTagsArgs(tags=tags))
        self.account: pulumi.ResourceOptions | None = pulumi.ResourceOptions(providers=[self._account])
        self._in_account = self.account
        self._look_up = pulumi.InvokeOutputOptions(provider=self._account)

        vpc = self._vpc()
        cluster = self._cluster(vpc)
        self.oidc_provider = _oidc_provider(settings, cluster)
        self._connection = self._database(vpc, cluster)
        bucket_name, bucket_arn = self._log_bucket()
        self.provider = cluster.provider
        self.image = self._image()
        packages = self._packages()
        self.logs: TaskLogs = ObjectStore(url=base_folder(bucket_name))
        self.packages: ObjectStore | None = ObjectStore(url=packages.url) if packages is not None else None
        self.kubernetes_ports: Sequence[int] = (443,)
        self.identities: Mapping[str, WorkloadIdentity] = workload_identities(
            IdentitiesArgs(
                executor=settings.airflow.executor,
                buckets=Buckets(logs=bucket_arn, packages=packages.arn if packages is not None else None),
                database=self._connection,
                cluster_name=cluster.name,
                namespace=settings.namespace,
                jobs_namespace=settings.jobs.namespace if settings.jobs.enabled else None,
                oidc_provider=self.oidc_provider,
            ),
            opts=self._in_account,
        )
        self.zone_id = checked_zone(settings.ingress, look_up=self._look_up)
        self.front = self._front(vpc, cluster, region)
        self.outputs: Mapping[str, pulumi.Output[Any]] = {
            "clusterName": cluster.name,
            "kubeconfig": cluster.kubeconfig,
            "databaseEndpoint": _endpoint(self._connection.for_migrations()),
            **({"databaseProxyEndpoint": _endpoint(self._connection)} if self._connection.direct is not None else {}),
            "logBucket": bucket_name,
            **({"dagBucket": packages.name, "packagesUrl": packages.url} if packages is not None else {}),
        }

    def database(self, namespace: AirflowNamespace) -> DatabaseConnection:  # noqa: ARG002 - RDS needs no namespace
        """Return the connection to RDS, to a proxy before it, or to the server that exists."""
        return self._connection

    def _vpc(self) -> Vpc:
        network = self._settings.network
        if network.vpc_id is not None:
            return existing_vpc(
                network.vpc_id,
                private_subnet_ids=network.private_subnet_ids,
                public_subnet_ids=network.public_subnet_ids,
                database_subnet_ids=network.database_subnet_ids,
                opts=self._look_up,
            )
        args = NetworkArgs(
            cidr=network.cidr,
            zones=network.zones,
            nat=network.nat,
            endpoint_services=endpoint_services(self._settings),
            flow_log_days=network.flow_logs,
            protect=self._settings.protect,
        )
        return Network("network", args, opts=self._in_account).vpc

    def _cluster(self, vpc: Vpc) -> EksCluster:
        cluster = self._settings.cluster
        if cluster.name is not None:
            return existing_cluster(
                "cluster",
                cluster.name,
                account=self._account,
                oidc_provider=cluster.identity == "irsa",
                invoke_opts=self._look_up,
            )
        args = ClusterArgs(
            vpc=vpc,
            version=cluster.version,
            endpoint=cluster.endpoint,
            public_access_cidrs=cluster.public_access_cidrs,
            log_types=cluster.log_types,
            node_groups={
                name: NodeGroup(
                    instance_types=group.instance_types,
                    min_size=group.min_size,
                    max_size=group.max_size,
                    disk_gib=group.disk_gib,
                    capacity=group.capacity,
                )
                for name, group in cluster.node_groups.items()
            },
            architecture=self._settings.image.architecture,
            oidc_provider=cluster.identity == "irsa",
            administrators=cluster.administrators,
            viewers=cluster.viewers,
            protect=self._settings.protect,
        )
        return Cluster("cluster", args, opts=self._in_account).cluster

    def _front(self, vpc: Vpc, cluster: EksCluster, region: str) -> Front | None:
        if not self._settings.has_load_balancer():
            return controller_front(self._settings)
        args = EksFrontArgs(
            vpc=vpc,
            cluster=cluster,
            zone_id=self.zone_id,
            oidc_provider=self.oidc_provider,
            account=self._account,
            look_up=self._look_up,
            region=region,
        )
        return eks_front(self._settings, args)

    def _database(self, vpc: Vpc, cluster: EksCluster) -> DatabaseConnection:
        database = self._settings.database
        if database.endpoint is not None and database.secret_arn is not None:
            return existing_database(
                endpoint=database.endpoint,
                secret_arn=database.secret_arn,
                database=database.name,
                certificate_authority=database.certificate_authority,
                read_by_pods=database.login == "secret",
                cidrs=[database.cidr or vpc.cidr],
                opts=self._look_up,
            )
        made = MetadataDatabase(
            "metadata-database",
            MetadataDatabaseArgs(
                vpc=vpc,
                client_security_group_id=cluster.security_group_id,
                version=versions.POSTGRESQL,
                instance_class=database.instance_class,
                storage_gib=database.storage_gib,
                max_storage_gib=database.max_storage_gib,
                multi_az=database.multi_az,
                backup_retention_days=database.backup_retention_days,
                certificate_authority=database.certificate_authority,
                login=database.login,
                connections=_alarming_connections(self._settings),
                alarm_topic_arns=database.alarm_topic_arns,
                protect=self._settings.protect,
            ),
            opts=self._in_account,
        )
        return self._proxy(vpc, cluster, made).connection if database.proxy else made.connection

    def _proxy(self, vpc: Vpc, cluster: EksCluster, database: MetadataDatabase) -> DatabaseProxy:
        args = DatabaseProxyArgs(
            vpc=vpc,
            client_security_group_id=cluster.security_group_id,
            database=database.connection,
            instance=database.identifier,
            instance_security_group_id=database.security_group_id,
            connections=_proxied_connections(self._settings),
            alarm_topic_arns=self._settings.database.alarm_topic_arns,
        )
        return DatabaseProxy("database-proxy", args, opts=self._in_account)

    def _log_bucket(self) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """Return the name and the ARN of the bucket for task logs."""
        logs = self._settings.logs
        if logs.bucket is not None:
            found = aws.s3.get_bucket_output(bucket=logs.bucket, opts=self._look_up)
            return found.bucket, found.arn
        args = LogBucketArgs(retention_days=logs.retention_days, protect=self._settings.protect)
        made = LogBucket("task-logs", args, opts=self._in_account)
        return made.name, made.arn

    def _packages(self) -> DagBucket | None:
        """Return the bucket that packages are published to, unless they come with the image."""
        if self._settings.dags.source == "image":
            return None
        return DagBucket("packages", DagBucketArgs(protect=self._settings.protect), opts=self._in_account)

    def _image(self) -> pulumi.Output[str]:
        image = self._settings.image
        if image.reference is not None:
            return pulumi.Output.from_input(image.reference)
        args = AirflowImageArgs(packages=image.packages, architecture=image.architecture, protect=self._settings.protect)
        return AirflowImage("airflow", args, opts=self._in_account).reference


def _endpoint(database: DatabaseConnection) -> pulumi.Output[str]:
    return pulumi.Output.format("{0}:{1}", database.host, database.port)


def _alarming_connections(settings: Settings) -> int:
    """Return four fifths of what the instance class takes, or what the pods may open where the class is not known."""
    offered = connections_offered(settings.database.instance_class)
    return connections_needed(_replicas(settings)) if offered is None else offered * 4 // 5


def _proxied_connections(settings: Settings) -> int:
    """Return what a proxy may open of the instance class, or what the pods hold where the class is not known."""
    offered = connections_offered(settings.database.instance_class, proxy=True)
    return connections_needed(_replicas(settings), proxy=True) if offered is None else offered


def _replicas(settings: Settings) -> Mapping[str, int]:
    return {name: process.replicas for name, process in settings.airflow.processes().items()}


def _oidc_provider(settings: Settings, cluster: EksCluster) -> OidcProvider | None:
    if settings.cluster.identity != "irsa" or cluster.oidc_provider_arn is None:
        return None
    return OidcProvider(arn=cluster.oidc_provider_arn, issuer=cluster.oidc_issuer)
