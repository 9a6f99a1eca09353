"""Every key a stack can set: the one description of its type, default and meaning.

``Pulumi.yaml``'s ``config:`` block, the JSON Schema of the stack files and ``docs/configuration.md`` are generated from these
models (``make docs``) and tested against them.
"""

from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

import versions
from components.database_certificates import RDS_CERTIFICATES

Cpu = Annotated[str, Field(pattern=r"^(\d+m|\d+(\.\d+)?)$", examples=["250m", "2"])]
Memory = Annotated[str, Field(pattern=r"^\d+(Mi|Gi)$", examples=["512Mi", "2Gi"])]
KubernetesName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", examples=["airflow"])]
S3Url = Annotated[str, Field(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^\s/]+)*$")]
EndpointUrl = Annotated[str, Field(pattern=r"^https?://[^/\s]+$")]
Cidr = Annotated[str, Field(pattern=r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$", examples=["10.0.0.0/16"])]
VpcId = Annotated[str, Field(pattern=r"^vpc-[0-9a-f]{8,17}$", examples=["vpc-0123456789abcdef0"])]
SubnetId = Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$", examples=["subnet-0123456789abcdef0"])]
SecretArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@!-]+$",
        examples=["arn:aws:secretsmanager:eu-west-1:123456789012:secret:airflow-AbCdEf"],
    ),
]
TopicArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]+$",
        examples=["arn:aws:sns:eu-west-1:123456789012:airflow-alarms"],
    ),
]
DatabaseEndpoint = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*(:\d{1,5})?$", examples=["airflow.abc.eu-west-1.rds.amazonaws.com:5432"])
]
NodeGroupName = Annotated[str, Field(pattern=r"^[a-z][-a-z0-9]{0,29}[a-z0-9]$", examples=["main"])]
"""Short enough for what is put around it: EKS allows 63 characters."""

InstanceType = Annotated[str, Field(pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$", examples=["m7i.large"])]
PrincipalArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[a-z-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]+$",
        examples=["arn:aws:iam::123456789012:role/platform-team"],
    ),
]
ClusterName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$", examples=["platform"])]
BucketName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", examples=["company-airflow-logs"])]


class Section(BaseModel):
    """Base of every section: camelCase outside, frozen, no unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _keep_defaults(cls, given: Any) -> Any:
        """Fill what a given section leaves out from this section's own default for it, not from its class's."""
        if not isinstance(given, dict):
            return given
        values = cast(dict[str, Any], given)
        for name, field in cls.model_fields.items():
            key = field.alias or name
            if isinstance(field.default, Section) and isinstance(values.get(key), dict):
                values = {**values, key: {**field.default.model_dump(mode="json", by_alias=True), **values[key]}}
        return values


class KubernetesSettings(Section):
    """Which cluster the kubernetes platform uses."""

    context: str | None = None
    """Context in the kubeconfig; none uses its current context."""

    api_server_ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = (443, 6443, 8443)
    """Ports of the Kubernetes API as network policies see them, behind its Service: EKS, kubeadm and kind, minikube."""


class NetworkSettings(Section):
    """The VPC of the ``eks`` platform."""

    cidr: Cidr = "10.0.0.0/16"
    """IPv4 range of the VPC, a /16 to /18. Changing it replaces the VPC."""

    zones: int = Field(default=2, ge=2, le=3)
    """Availability zones; EKS and RDS need two."""

    nat: Literal["single", "perZone"] = "single"
    """NAT gateways: one for all zones (cheap) or one in each (survives the loss of a zone)."""

    vpc_id: VpcId | None = None
    """A VPC that exists. None is made then, and cidr, zones and nat mean nothing: name its subnets."""

    private_subnet_ids: tuple[SubnetId, ...] = ()
    """Subnets of that VPC for nodes and pods, in two zones or more, with a route to the internet."""

    public_subnet_ids: tuple[SubnetId, ...] = ()
    """Subnets of that VPC for load balancers that face the internet; none if there shall be none."""

    database_subnet_ids: tuple[SubnetId, ...] = ()
    """Subnets of that VPC for RDS, in two zones or more."""


class NodeGroupSettings(Section):
    """One managed node group."""

    instance_types: tuple[InstanceType, ...] = Field(min_length=1, max_length=20)
    """EC2 instance types, all of image.architecture; more than one lets spot find capacity."""

    min_size: int = Field(default=2, ge=1, le=100)
    """Nodes at least, and at first."""

    max_size: int = Field(default=4, ge=1, le=450)
    """Nodes at most."""

    disk_gib: int = Field(default=50, ge=20, le=16384)
    """Root volume, in GiB."""

    capacity: Literal["onDemand", "spot"] = "onDemand"
    """spot is cheaper, and taken away at two minutes' notice."""


class ClusterSettings(Section):
    """The EKS cluster of the ``eks`` platform."""

    name: ClusterName | None = None
    """An EKS cluster that exists, in network.vpcId. None is made then, and the other keys of this section mean nothing."""

    version: str = Field(default=versions.KUBERNETES, pattern=r"^1\.\d{2}$")
    """Kubernetes minor version."""

    endpoint: Literal["public", "publicAndPrivate", "private"] = "publicAndPrivate"
    """Where the Kubernetes API answers. With private, Pulumi must run inside the VPC."""

    public_access_cidrs: tuple[Cidr, ...] = ("0.0.0.0/0",)
    """Source ranges allowed to the public endpoint; every call is authenticated by IAM all the same."""

    log_types: tuple[Literal["api", "audit", "authenticator", "controllerManager", "scheduler"], ...] = (
        "api",
        "audit",
        "authenticator",
    )
    """Control-plane logs sent to CloudWatch."""

    node_groups: dict[NodeGroupName, NodeGroupSettings] = Field(default_factory=dict[str, NodeGroupSettings])
    """Managed node groups by name, each with instanceTypes, minSize, maxSize, diskGib, capacity. None means EKS Auto Mode."""

    administrators: tuple[PrincipalArn, ...] = ()
    """IAM roles and users that may do everything in the cluster, beside whoever made it."""

    viewers: tuple[PrincipalArn, ...] = ()
    """IAM roles and users that may look at everything in the cluster but Secrets."""

    identity: Literal["podIdentity", "irsa"] = "podIdentity"
    """How pods get AWS credentials: EKS Pod Identity, or an IAM OIDC provider of the cluster."""


class DatabaseSettings(Section):
    """The metadata database: RDS on ``eks``, a StatefulSet on kubernetes."""

    image: str = versions.POSTGRESQL_IMAGE
    """PostgreSQL image of the kubernetes platform."""

    endpoint: DatabaseEndpoint | None = None
    """A PostgreSQL server that exists, host or host:port. RDS is not made then; secretArn says how to log in."""

    secret_arn: SecretArn | None = None
    """Secrets Manager secret with username and password of that server, as JSON in the form RDS writes."""

    name: str = Field(default="airflow", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    """Database on the server."""

    cidr: Cidr | None = None
    """Range that server answers from, for the network policies; none means the VPC's."""

    certificate_authority: str = Field(default=RDS_CERTIFICATES, pattern=r"^/\S+$", examples=[RDS_CERTIFICATES])
    """File in the image that the server's certificate is checked against, on eks. An image that is built has RDS's there."""

    alarm_topic_arns: tuple[TopicArn, ...] = ()
    """SNS topics told when RDS runs out of storage, CPU or connections; without any, alarms show in CloudWatch alone."""

    instance_class: str = Field(default="db.t4g.small", pattern=r"^db\.[a-z0-9]+\.[a-z0-9]+$")
    """RDS instance class."""

    storage_gib: int = Field(default=20, ge=5, le=65536)
    """Storage, in GiB. On RDS it grows by itself up to maxStorageGib."""

    max_storage_gib: int = Field(default=100, ge=20, le=65536)
    """Limit of RDS storage autoscaling, in GiB."""

    multi_az: bool = False
    """A synchronous standby in a second zone."""

    backup_retention_days: int = Field(default=7, ge=0, le=35)
    """Days of automated RDS backups; 0 turns them off."""


class LogsSettings(Section):
    """Task logs: S3 on ``eks``; on kubernetes a volume, or S3 or what speaks its protocol."""

    retention_days: int = Field(default=90, ge=1, le=3650)
    """Days until the bucket of the eks platform deletes a task log."""

    storage_gib: int = Field(default=5, ge=1, le=16384)
    """Size of the log volume, in GiB."""

    bucket: BucketName | None = None
    """A bucket that exists. None is made then, and its encryption and expiry are its owner's."""
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] = "ReadWriteOnce"
    """Of the log volume. With KubernetesExecutor many pods mount it: ReadWriteOnce keeps them all on one node."""

    storage_class: str | None = None
    """Of the log volume; none uses the cluster's default."""

    url: S3Url | None = Field(default=None, examples=["s3://bucket/prefix"])
    """Bucket and prefix for task logs instead of the volume, on the kubernetes platform."""

    endpoint_url: EndpointUrl | None = Field(default=None, examples=["http://minio.storage.svc:9000"])
    """Address of a store with S3's protocol; none uses AWS."""

    credentials_secret: KubernetesName | None = Field(default=None, examples=["s3-credentials"])
    """Secret in the namespace with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; none uses what the pod finds."""


class DagsSettings(Section):
    """Where packages of jobs come from, and how they become DAGs in the pods that read them."""

    source: Literal["image", "s3"] = "image"
    """image: packages are built in, a new job needs a rollout. s3: what ``dagsync publish`` puts into a bucket."""

    delivery: Literal["init", "sidecar", "bundle"] = "sidecar"
    """init renders DAGs once per pod start; sidecar keeps rendering; bundle leaves it to Airflow, a version per run."""

    url: S3Url | None = Field(default=None, examples=["s3://bucket/prefix"])
    """Bucket and prefix of source s3 on the kubernetes platform; the eks platform makes a bucket."""

    endpoint_url: EndpointUrl | None = Field(default=None, examples=["http://minio.storage.svc:9000"])
    """Address of a store with S3's protocol; none uses AWS."""

    credentials_secret: KubernetesName | None = Field(default=None, examples=["s3-credentials"])
    """Secret in the namespace with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; none uses what the pod finds."""

    interval_seconds: int | None = Field(default=None, ge=5, le=86400)
    """Seconds between two syncs of the sidecar; none is 300 with source image and 10, one small request each, with s3."""

    refresh_seconds: int = Field(default=30, ge=5, le=3600)
    """Seconds between two looks of the dag-processor for new and removed files, or for a new version of the bundle."""

    def sync_interval_seconds(self) -> int:
        """Return the seconds between two syncs of the sidecar."""
        return self.interval_seconds or {"image": 300, "s3": 10}[self.source]

    def worst_case_seconds(self) -> int:
        """Return the seconds to a visible DAG, at worst: from what ``visible_after`` says.

        After a rollout DAGs are rendered before Airflow starts; after a publication the sidecar must look first.
        """
        looks_first = self.delivery == "sidecar" and self.visible_after() == "publish"
        return self.refresh_seconds + (self.sync_interval_seconds() if looks_first else 0)

    def visible_after(self) -> Literal["publish", "rollout"]:
        """Return what a new job waits for, beside those seconds."""
        return "publish" if self.source == "s3" and self.delivery != "init" else "rollout"


class ImageSettings(Section):
    """The image of every Airflow pod."""

    reference: str | None = None
    """An image that exists, with a tag or digest. Without it, the eks platform builds one and pushes it to ECR."""

    packages: str = "examples/packages"
    """Folder of packages built into the image, relative to the project."""

    architecture: Literal["amd64", "arm64"] = "amd64"
    """CPU architecture of the image that is built."""


class ResourceSettings(Section):
    """Resources of one container."""

    cpu: Cpu = "250m"
    """CPU request."""

    cpu_limit: Cpu = "2"
    """CPU limit; starting Airflow is what needs it."""

    memory: Memory = "1Gi"
    """Memory request and limit."""


class ProcessSettings(ResourceSettings):
    """Replicas and resources of one Airflow component."""

    replicas: int = Field(default=1, ge=1, le=20)
    """Pods."""


class TaskPodSettings(ResourceSettings):
    """The pods of KubernetesExecutor, one per task."""

    delete_failed: bool = True
    """Whether a pod that failed is removed like one that succeeded. Its task's log stays either way."""


class AirflowSettings(Section):
    """Airflow itself."""

    executor: Literal["LocalExecutor", "KubernetesExecutor"] = "LocalExecutor"
    """Where tasks run: LocalExecutor in the scheduler's pod, KubernetesExecutor each in a pod of its own."""

    parallelism: int = Field(default=8, ge=1, le=512)
    """Tasks at once per scheduler. With LocalExecutor each is a process that stays, about 15 MiB when idle."""

    admin_username: str = Field(default="admin", pattern=r"^[A-Za-z0-9._@-]{1,64}$")
    """First user; the password is generated and kept in the Secret airflow-admin."""

    base_url: str | None = Field(default=None, pattern=r"^https?://[^/\s]+$")
    """Address people use, for links in mails and redirects."""

    grace_seconds: int = Field(default=600, ge=30, le=86400)
    """Seconds a scheduler may take to finish the tasks of LocalExecutor when its pod is stopped."""

    api_server: ProcessSettings = ProcessSettings(memory="2Gi")
    """REST API, execution API and user interface."""

    scheduler: ProcessSettings = ProcessSettings(cpu="500m", memory="2Gi")
    """Scheduler, and its tasks with LocalExecutor."""

    dag_processor: ProcessSettings = ProcessSettings(memory="1Gi")
    """Parses DAG files. One replica: two with different views would deactivate each other's DAGs."""

    triggerer: ProcessSettings = ProcessSettings(memory="512Mi")
    """Runs deferred tasks' triggers."""

    task_pod: TaskPodSettings = TaskPodSettings()
    """Pod of a task with KubernetesExecutor; a job's ``resources`` win."""

    def processes(self) -> dict[str, ProcessSettings]:
        """Return the settings of each component by its name on Airflow's command line."""
        return {
            "api-server": self.api_server,
            "scheduler": self.scheduler,
            "dag-processor": self.dag_processor,
            "triggerer": self.triggerer,
        }


class JobsSettings(Section):
    """The namespace for pods of jobs with ``isolation="kubernetes"``."""

    enabled: bool = True
    """Whether there is one. What runs tasks may make pods in it, and nowhere else."""

    namespace: KubernetesName = "etl-jobs"
    """Its name. Changing it replaces everything in it."""

    secret: KubernetesName | None = Field(default=None, examples=["job-credentials"])
    """Secret in it whose keys become variables of the pods: what jobs need, and the access to dags.url beside AWS."""

    pods: int = Field(default=50, ge=1, le=10000)
    """Most pods at once."""

    cpu: Cpu = "32"
    """Most CPU they may request together."""

    memory: Memory = "64Gi"
    """Most memory they may request together."""


class Settings(Section):
    """Everything one stack configures, validated."""

    platform: Literal["kubernetes", "eks"] = "kubernetes"
    """kubernetes: a cluster that exists, PostgreSQL in it. eks: network, cluster, database and buckets are made on AWS."""

    namespace: KubernetesName = "airflow"
    """Kubernetes namespace of Airflow. Changing it replaces everything in it."""

    protect: bool = False
    """Stateful resources refuse deletion and are retained. On for production."""

    tags: dict[str, str] = Field(default_factory=dict[str, str])
    """Tags of every AWS resource."""

    kubernetes: KubernetesSettings = KubernetesSettings()
    """Which cluster the kubernetes platform uses."""

    network: NetworkSettings = NetworkSettings()
    """The VPC of the eks platform."""

    cluster: ClusterSettings = ClusterSettings()
    """The EKS cluster of the eks platform."""

    database: DatabaseSettings = DatabaseSettings()
    """The metadata database."""

    logs: LogsSettings = LogsSettings()
    """Task logs."""

    dags: DagsSettings = DagsSettings()
    """Where packages come from and how they become DAGs."""

    image: ImageSettings = ImageSettings()
    """The image of every Airflow pod."""

    airflow: AirflowSettings = AirflowSettings()
    """Airflow itself."""

    jobs: JobsSettings = JobsSettings()
    """Where jobs that ask for a pod of their own run."""
