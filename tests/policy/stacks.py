"""Seeded violations: resources that each break one rule, and nearly the same ones that break none."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policy.model import Resource

TAGS = {"tags": {"airflow-control-plane:stack": "prod"}}
INSTANCE = {
    **TAGS,
    "storageEncrypted": True,
    "publiclyAccessible": False,
    "multiAz": True,
    "deletionProtection": True,
    "backupRetentionPeriod": 14,
}
CLUSTER = {
    **TAGS,
    "version": "1.35",
    "accessConfig": {"authenticationMode": "API"},
    "deletionProtection": True,
    "enabledClusterLogTypes": ["audit", "authenticator"],
    "encryptionConfig": {"provider": {"keyArn": "arn:aws:kms:eu-west-1:123456789012:key/1"}, "resources": ["secrets"]},
    "upgradePolicy": {"supportType": "STANDARD"},
    "vpcConfig": {"endpointPublicAccess": True, "publicAccessCidrs": ["192.0.2.0/24"]},
}
REPOSITORY = {**TAGS, "imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": True}}
CONTEXT = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
CONTAINER = {
    "name": "main",
    "image": "registry.example.com/airflow:1.0.0",
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
    "securityContext": CONTEXT,
}
POD = {"securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}, "containers": [CONTAINER]}
NAMESPACE = {"metadata": {"name": "etl", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
DENIES = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
PAGE = {
    "scheme": "internet-facing",
    "inbound_cidrs": "192.0.2.0/24",
    "certificate_arn": "arn:aws:acm:eu-west-1:123456789012:certificate/1",
    "listen_ports": '[{"HTTP": 80}, {"HTTPS": 443}]',
    "ssl_redirect": "443",
}
BLOCK = dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True)
BLOCK_TYPE = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
REPOSITORY_TYPE = "aws:ecr/repository:Repository"


def resource(typ: str, properties: Mapping[str, Any], *, protect: bool = False, of: str = "") -> Resource:
    """Return a resource of a type, beside a bucket if ``of`` is the URN of one."""
    references = {"bucket": frozenset({of})} if of else {}
    return Resource(type=typ, name="one", urn=f"urn:{typ}", properties=properties, protect=protect, references=references)


def instance(**changes: Any) -> Resource:
    return resource("aws:rds/instance:Instance", {**INSTANCE, **changes}, protect=True)


def cluster(**changes: Any) -> Resource:
    return resource("aws:eks/cluster:Cluster", {**CLUSTER, **changes}, protect=True)


def repository(**changes: Any) -> Resource:
    return resource(REPOSITORY_TYPE, {**REPOSITORY, **changes})


def excluding(tags: str) -> Resource:
    filters = [{"filter": tags, "filterType": "WILDCARD"}]
    return repository(imageTagMutability="IMMUTABLE_WITH_EXCLUSION", imageTagMutabilityExclusionFilters=filters)


def workload(of_pod: Mapping[str, Any] | None = None, **of_container: Any) -> Resource:
    spec = {"template": {"spec": {**POD, "containers": [{**CONTAINER, **of_container}], **(of_pod or {})}}}
    return resource("kubernetes:apps/v1:Deployment", {"spec": spec})


def statement(**changes: Any) -> Resource:
    allowed = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::logs/*", **changes}
    return resource("aws:iam/rolePolicy:RolePolicy", {"policy": json.dumps({"Statement": [allowed]})})


def role(principal: Any) -> Resource:
    document = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}]}
    return resource("aws:iam/role:Role", {**TAGS, "assumeRolePolicy": json.dumps(document)})


def bucket(*without: str, protect: bool = False) -> tuple[Resource, ...]:
    """Return a bucket with all its guards but those whose type ends so."""
    made = resource("aws:s3/bucket:Bucket", TAGS, protect=protect)
    encryption = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    guards: dict[str, Mapping[str, Any]] = {BLOCK_TYPE: BLOCK, encryption: {}, "aws:s3/bucketPolicy:BucketPolicy": {}}
    return made, *(resource(typ, values, of=made.urn) for typ, values in guards.items() if not typ.endswith(without or "-"))


def storage_class(encrypted: str) -> Resource:
    values = {"provisioner": "ebs.csi.eks.amazonaws.com", "parameters": {"type": "gp3", "encrypted": encrypted}}
    return resource("kubernetes:storage.k8s.io/v1:StorageClass", values)


def launch_template(encrypted: str) -> Resource:
    devices = [{"deviceName": "/dev/xvda", "ebs": {"encrypted": encrypted}}]
    return resource("aws:ec2/launchTemplate:LaunchTemplate", {"blockDeviceMappings": devices})


def parameters(value: str) -> Resource:
    values = {"family": "postgres17", "parameters": [{"name": "rds.force_ssl", "value": value}]}
    return resource("aws:rds/parameterGroup:ParameterGroup", values)


def proxy(**changes: Any) -> Resource:
    return resource("aws:rds/proxy:Proxy", {**TAGS, "requireTls": True, **changes})


def network(*, protect: bool, recorded: bool) -> tuple[Resource, ...]:
    """Return a VPC with a gateway, and perhaps a flow log."""
    vpc = resource("aws:ec2/vpc:Vpc", TAGS, protect=protect)
    gateway = resource("aws:ec2/internetGateway:InternetGateway", {})
    references = {"vpcId": frozenset({vpc.urn})}
    log = Resource(type="aws:ec2/flowLog:FlowLog", name="one", urn="urn:log", properties={}, references=references)
    return (vpc, gateway, log) if recorded else (vpc, gateway)


def service(kind: str, annotations: Mapping[str, str] | None = None) -> Resource:
    return resource("kubernetes:core/v1:Service", {"metadata": {"annotations": annotations}, "spec": {"type": kind}})


def page(without: str = "", **changes: str) -> Resource:
    """Return an Ingress of a load balancer on the internet."""
    given = {key: value for key, value in {**PAGE, **changes}.items() if key != without}
    annotations = {f"alb.ingress.kubernetes.io/{key.replace('_', '-')}": value for key, value in given.items()}
    return resource("kubernetes:networking.k8s.io/v1:Ingress", {"metadata": {"annotations": annotations}, "spec": {}})


def ingress_of_class(**spec: Any) -> Resource:
    return resource("kubernetes:networking.k8s.io/v1:Ingress", {"metadata": {}, "spec": {"ingressClassName": "nginx", **spec}})


def ingress(cidr: str) -> Resource:
    return resource("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", {"cidrIpv4": cidr})


def namespaces(**spec: Any) -> tuple[Resource, ...]:
    """Return a namespace with a policy that denies everything, but for what ``spec`` says."""
    denying = {"metadata": {"namespace": "etl"}, "spec": {**DENIES, **spec}}
    return (
        resource("kubernetes:core/v1:Namespace", NAMESPACE),
        resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", denying),
    )


def config_map(**data: str) -> Resource:
    return resource("kubernetes:core/v1:ConfigMap", {"data": data})


@dataclass(frozen=True)
class Seeded:
    """One violation."""

    what: str
    rule: str
    """The one rule that objects, once."""

    broken: tuple[Resource, ...]
    sound: tuple[Resource, ...]
    """The nearest resources that break no rule."""


def one(what: str, rule: str, broken: Resource, sound: Resource) -> Seeded:
    return Seeded(what, rule, (broken,), (sound,))


INTERNAL = {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internal"}
OPEN = {"endpointPublicAccess": True, "publicAccessCidrs": ["0.0.0.0/0"]}
FROM_SECRET = {"name": "POSTGRES_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "database", "key": "password"}}}
TAGGED_OF_TEAM = {"StringEquals": {"aws:ResourceTag/team": "data"}}
SEEDED = (
    one(
        "a bucket that may be made public",
        "bucket-private",
        resource(BLOCK_TYPE, {**BLOCK, "blockPublicPolicy": False}),
        resource(BLOCK_TYPE, BLOCK),
    ),
    one(
        "a bucket that all may read",
        "bucket-private",
        resource("aws:s3/bucketAcl:BucketAcl", {"acl": "public-read"}),
        resource("aws:s3/bucketAcl:BucketAcl", {"acl": "private"}),
    ),
    Seeded("a bucket without a block of public access", "bucket-guarded", bucket("PublicAccessBlock"), bucket()),
    Seeded("a bucket without encryption", "bucket-guarded", bucket("EncryptionConfiguration"), bucket()),
    Seeded("a bucket without a policy", "bucket-guarded", bucket("Policy"), bucket()),
    one("volumes in plain text", "volume-encrypted", storage_class("false"), storage_class("true")),
    one("nodes' disks in plain text", "volume-encrypted", launch_template("false"), launch_template("true")),
    one("a database in plain text", "database-encrypted", instance(storageEncrypted=False), instance()),
    one("a database on the internet", "database-private", instance(publiclyAccessible=True), instance()),
    one("a protected database in one zone", "database-multi-az", instance(multiAz=False), instance()),
    one("a protected database with a day of backups", "database-backups", instance(backupRetentionPeriod=1), instance()),
    one("a database that takes plain connections", "database-tls", parameters("0"), parameters("1")),
    one("a proxy that takes plain connections", "database-tls", proxy(requireTls=False), proxy()),
    Seeded(
        "a protected VPC without flow logs",
        "network-recorded",
        network(protect=True, recorded=False),
        network(protect=True, recorded=True),
    ),
    one("a database AWS would delete", "deletion-protection", instance(deletionProtection=False), instance()),
    Seeded(
        "an unprotected bucket beside a protected database",
        "data-protected",
        (instance(), *bucket()),
        (instance(), *bucket(protect=True)),
    ),
    one("an API open to the world", "cluster-endpoint", cluster(vpcConfig=OPEN), cluster()),
    one("no audit log", "cluster-logs", cluster(enabledClusterLogTypes=["api", "authenticator"]), cluster()),
    one("Kubernetes out of support", "cluster-version", cluster(version="1.32"), cluster()),
    one("extended support", "cluster-support", cluster(upgradePolicy={"supportType": "EXTENDED"}), cluster()),
    one("Secrets without a key", "cluster-secrets", cluster(encryptionConfig=None), cluster()),
    one("access by ConfigMap", "cluster-access", cluster(accessConfig={"authenticationMode": "CONFIG_MAP"}), cluster()),
    one("tags that change", "registry-immutable", repository(imageTagMutability="MUTABLE"), repository()),
    one("an exclusion that lets images change", "registry-immutable", excluding("1.*"), excluding("build-cache-*")),
    one("images nobody scans", "registry-scanned", repository(imageScanningConfiguration={"scanOnPush": False}), repository()),
    one("every action of S3", "iam-wildcard", statement(Action="s3:*"), statement(Action="s3:GetObject")),
    one("every action", "iam-wildcard", statement(Action=["*"]), statement()),
    one("an action on all", "iam-wildcard", statement(Resource="*"), statement(Resource="*", Condition=TAGGED_OF_TEAM)),
    one("a role for anybody", "iam-trust", role({"AWS": "*"}), role({"Service": "pods.eks.amazonaws.com"})),
    one("a port for everybody", "port-open", ingress("0.0.0.0/0"), ingress("10.0.0.0/16")),
    one("a key without tags", "tagged", resource("aws:kms/key:Key", {}), resource("aws:kms/key:Key", TAGS)),
    one("a privileged pod", "pod-restricted", workload(securityContext={**CONTEXT, "privileged": True}), workload()),
    one("a pod that runs as root", "pod-restricted", workload(securityContext={**CONTEXT, "runAsNonRoot": False}), workload()),
    one(
        "a pod that keeps its capabilities",
        "pod-restricted",
        workload(securityContext={"allowPrivilegeEscalation": False}),
        workload(),
    ),
    one("a pod in the node's network", "pod-restricted", workload({"hostNetwork": True}), workload()),
    one(
        "a pod that mounts the node",
        "pod-restricted",
        workload({"volumes": [{"name": "run", "hostPath": {"path": "/var/run"}}]}),
        workload({"volumes": [{"name": "run", "emptyDir": {}}]}),
    ),
    one(
        "a container without a memory limit",
        "pod-resources",
        workload(resources={"requests": {"cpu": "1", "memory": "1Gi"}}),
        workload(),
    ),
    one("the tag latest", "image-pinned", workload(image="apache/airflow:latest"), workload(image="apache/airflow:3.3.2")),
    one(
        "no tag, behind a port",
        "image-pinned",
        workload(image="registry.example.com:5000/airflow"),
        workload(image=f"registry.example.com:5000/airflow@sha256:{'0' * 64}"),
    ),
    one(
        "a password in a variable",
        "secret-in-plain-text",
        workload(env=[{"name": "POSTGRES_PASSWORD", "value": "hunter2"}]),
        workload(env=[FROM_SECRET]),
    ),
    one(
        "a password in a URL",
        "secret-in-plain-text",
        config_map(DATABASE="postgresql://airflow:hunter2@db.example.com/airflow"),
        config_map(DATABASE="postgresql://db.example.com/airflow"),
    ),
    one("a public load balancer", "service-internal", service("LoadBalancer"), service("LoadBalancer", INTERNAL)),
    one("a port of the nodes", "service-internal", service("NodePort"), service("ClusterIP")),
    one("a page without a certificate", "ingress-tls", page(without="certificate_arn"), page()),
    one("a page in plain text beside TLS", "ingress-tls", page(without="ssl_redirect"), page()),
    one(
        "a page of another class without TLS", "ingress-tls", ingress_of_class(), ingress_of_class(tls=[{"secretName": "tls"}])
    ),
    one("a page for everybody", "ingress-closed", page(inbound_cidrs="192.0.2.0/24, 0.0.0.0/0"), page()),
    one("a page for whoever nobody thought of", "ingress-closed", page(without="inbound_cidrs"), page(scheme="internal")),
    Seeded("a namespace without a NetworkPolicy", "namespace-closed", namespaces()[:1], namespaces()),
    Seeded("a policy that lets everything out", "namespace-closed", namespaces(egress=[{}]), namespaces()),
    one(
        "a namespace that admits privileged pods",
        "namespace-restricted",
        resource("kubernetes:core/v1:Namespace", {"metadata": {"labels": {}}}),
        resource("kubernetes:core/v1:Namespace", {"metadata": {"labels": NAMESPACE["metadata"]["labels"]}}),
    ),
)
