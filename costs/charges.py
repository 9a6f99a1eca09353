"""What AWS charges for each type of resource that the program declares: items of the table, and how many of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from costs.errors import NoPriceError

Inputs = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What no program declares, for a month; assumed, and said."""

    nat_gib: Decimal = Decimal(50)
    """Through NAT gateways."""

    logs_gib: Decimal = Decimal(5)
    """Sent to CloudWatch by each of control plane and database."""

    bucket_gib: Decimal = Decimal(20)
    """Stored in each bucket."""

    flows_gib: Decimal = Decimal(5)
    """Of flow logs sent to CloudWatch."""

    registry_gib: Decimal = Decimal(5)
    """Stored in the registry; images share the layers of their base."""

    task_hours: Decimal = Decimal(0)
    """Hours of task pods, all together."""


@dataclass(frozen=True, kw_only=True)
class Charge:
    """So many units of one item."""

    what: str
    item: str
    quantity: Decimal
    assumed: str = ""
    """The sentence about what is not declared but assumed; empty where nothing is."""


Rule = Callable[[Inputs, Usage], Iterator[Charge]]

ONE = Decimal(1)


def vpc_endpoint(inputs: Inputs, usage: Usage) -> Iterator[Charge]:
    if (kind := inputs.get("vpcEndpointType", "Gateway")) != "Gateway":
        zones = Decimal(len(inputs["subnetIds"]))
        yield Charge(what=f"VPC endpoint, {kind}, in {zones} zones", item=f"vpc-endpoint.{kind.lower()}", quantity=zones)


def flow_log(inputs: Inputs, usage: Usage) -> Iterator[Charge]:
    assumed = f"{usage.flows_gib} GiB of flow logs (--flows-gib)"
    yield Charge(what="flow logs", item="cloudwatch.logs", quantity=usage.flows_gib, assumed=assumed)


def proxy(inputs: Inputs, usage: Usage) -> Iterator[Charge]:
    assumed = "RDS Proxy before an instance of two vCPUs, the least that is charged"
    yield Charge(what="RDS Proxy, by vCPU of the instance", item="rds.proxy", quantity=Decimal(2), assumed=assumed)


def ingress(inputs: Inputs, usage: Usage) -> Iterator[Charge]:
    if inputs.get("spec", {}).get("ingressClassName") == "alb":
        yield Charge(what="load balancer", item="elb.alb", quantity=ONE)
        assumed = "one capacity unit of the load balancer: 25 new connections a second, or 1 GB an hour"
        yield Charge(what="its capacity", item="elb.capacity", quantity=ONE, assumed=assumed)


def eks_cluster(inputs: Inputs, usage: Usage) -> Iterator[Charge]:
    yield Charge(what="Kubernetes control plane", item="eks.cluster", quantity=ONE)
    if inputs.get("enabledClusterLogTypes"):
        yield Charge(what="logs of the control plane", item="cloudwatch.logs", quantity=usage.logs_gib, assumed=_logs(usage))


def database(inputs: Inputs, usage: Usage) -> Iterator[Charge]:
    # AWS charges a standby as much as what it stands by for, its storage too.
    copies, standby = (Decimal(2), " and its standby") if inputs.get("multiAz") else (ONE, "")
    name, storage = inputs["instanceClass"], inputs.get("storageType", "gp2")
    size = Decimal(str(inputs["allocatedStorage"])) * copies
    yield Charge(what=f"{name}{standby}", item=f"rds.postgresql.{name}", quantity=copies)
    yield Charge(what=f"{storage} storage{standby and ', twice'}", item=f"rds.storage.{storage}", quantity=size)
    if inputs.get("manageMasterUserPassword"):
        yield Charge(what="secret that RDS keeps", item="secretsmanager.secret", quantity=ONE)
    if inputs.get("enabledCloudwatchLogsExports"):
        yield Charge(what="logs of the database", item="cloudwatch.logs", quantity=usage.logs_gib, assumed=_logs(usage))


def bucket(inputs: Inputs, usage: Usage) -> Iterator[Charge]:
    assumed = f"{usage.bucket_gib} GiB in each bucket (--bucket-gib)"
    yield Charge(what="objects", item="s3.standard", quantity=usage.bucket_gib, assumed=assumed)


def repository(inputs: Inputs, usage: Usage) -> Iterator[Charge]:
    assumed = f"{usage.registry_gib} GiB of images and build cache (--registry-gib)"
    yield Charge(what="images", item="ecr.storage", quantity=usage.registry_gib, assumed=assumed)


def node_group(inputs: Inputs, usage: Usage) -> Iterator[Charge]:
    kind, count = inputs["instanceTypes"][0], Decimal(str(inputs["scalingConfig"]["minSize"]))
    yield Charge(what=f"{kind}, minSize of them", item=f"ec2.{kind}", quantity=count)


def _logs(usage: Usage) -> str:
    return f"{usage.logs_gib} GiB of logs from each of control plane and database (--logs-gib)"


FIXED: Mapping[str, Charge] = {
    "aws:cloudwatch/metricAlarm:MetricAlarm": Charge(what="alarm", item="cloudwatch.alarm", quantity=ONE),
    "aws:ec2/eip:Eip": Charge(what="public IPv4 address", item="ipv4.address", quantity=ONE),
    "aws:ec2/natGateway:NatGateway": Charge(what="NAT gateway", item="nat.gateway", quantity=ONE),
    "aws:kms/key:Key": Charge(what="KMS key", item="kms.key", quantity=ONE),
    "aws:secretsmanager/secret:Secret": Charge(what="secret", item="secretsmanager.secret", quantity=ONE),
}
"""Type to what is charged for each of it, however it is set."""

RULES: Mapping[str, Rule] = {
    "aws:ec2/flowLog:FlowLog": flow_log,
    "aws:ec2/vpcEndpoint:VpcEndpoint": vpc_endpoint,
    "aws:ecr/repository:Repository": repository,
    "aws:eks/nodeGroup:NodeGroup": node_group,
    "aws:rds/instance:Instance": database,
    "aws:rds/proxy:Proxy": proxy,
    "aws:s3/bucket:Bucket": bucket,
    "eks:index:Cluster": eks_cluster,
    # Made by a controller in the cluster, of this.
    "kubernetes:networking.k8s.io/v1:Ingress": ingress,
}
"""Type to what is charged for one of it, by its inputs and how it is used."""

FREE = frozenset(
    {
        "aws:acm/certificate:Certificate",
        "aws:acm/certificateValidation:CertificateValidation",
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        "aws:ec2/internetGateway:InternetGateway",
        "aws:ec2/launchTemplate:LaunchTemplate",
        "aws:ec2/route:Route",
        "aws:ec2/routeTable:RouteTable",
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpc:Vpc",
        "aws:ecr/lifecyclePolicy:LifecyclePolicy",
        "aws:eks/accessEntry:AccessEntry",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        "aws:eks/addon:Addon",
        "aws:eks/podIdentityAssociation:PodIdentityAssociation",
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        "aws:iam/policy:Policy",
        "aws:iam/role:Role",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:rds/parameterGroup:ParameterGroup",
        "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup",
        "aws:rds/proxyTarget:ProxyTarget",
        "aws:rds/subnetGroup:SubnetGroup",
        "aws:route53/record:Record",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "aws:s3/bucketVersioning:BucketVersioning",
        "aws:secretsmanager/secretVersion:SecretVersion",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "docker-build:index:Image",
    }
)
"""Types that AWS makes for nothing. Add-ons are: what they run is in the nodes. What a log group stores is charged as logs."""

ELSEWHERE: Sequence[str] = ("kubernetes:", "random:", "pulumi:", "airflow-control-plane:")
"""Prefixes of types that are no resources of AWS; what pods need is in the nodes."""


def charges(token: str, inputs: Inputs, usage: Usage) -> Iterator[Charge]:
    """Yield what is charged for one resource. Raises NoPriceError for a type of which nobody has said what it costs."""
    if token in FIXED:
        yield FIXED[token]
    elif token in RULES:
        yield from RULES[token](inputs, usage)
    elif token not in FREE and not token.startswith(tuple(ELSEWHERE)):
        raise NoPriceError(
            f"{token} is declared, and nobody has said what it costs", "Say so in costs/charges.py: a rule, or that it is free."
        )
