"""What of the cluster can be reached, by whom, and whether anybody could tell afterwards."""

from collections.abc import Iterator, Sequence

from policy.model import UNKNOWN, Finding, Resource, Rule, inside, may_be, object_at

NAMESPACE = "kubernetes:core/v1:Namespace"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
ALB = "alb.ingress.kubernetes.io/"
EVERYBODY = {"0.0.0.0/0", "::/0"}
VPC = "aws:ec2/vpc:Vpc"
FLOW_LOG = "aws:ec2/flowLog:FlowLog"
ENFORCE = "pod-security.kubernetes.io/enforce"
INTERNAL = {
    "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
    "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
}
"""Annotations that keep a load balancer inside the VPC, and their values."""


def exposed_service(resource: Resource) -> Iterator[str]:
    kind = inside(resource.properties, "spec.type")
    if resource.type != "kubernetes:core/v1:Service" or may_be(kind, None, "ClusterIP", "ExternalName"):
        return
    annotations = object_at(resource.properties, "metadata.annotations")
    internal = any(annotations.get(key) == value for key, value in INTERNAL.items())
    if not internal:
        yield f"spec.type is {kind} without an annotation that keeps it internal: Airflow would be on the internet"


def plain_ingress(resource: Resource) -> Iterator[str]:
    """An Ingress that hands pages out without TLS, or beside it."""
    if resource.type != INGRESS or inside(resource.properties, "metadata.annotations") == UNKNOWN:
        return
    annotations = object_at(resource.properties, "metadata.annotations")
    if not any(key.startswith(ALB) for key in annotations):
        if not inside(resource.properties, "spec.tls"):
            yield "spec.tls is empty: people would send their passwords in plain text"
        return
    if not annotations.get(f"{ALB}certificate-arn"):
        yield f"{ALB}certificate-arn is not set: people would send their passwords in plain text"
    elif '"HTTP"' in str(annotations.get(f"{ALB}listen-ports", "")) and not annotations.get(f"{ALB}ssl-redirect"):
        yield f"{ALB}listen-ports has HTTP and {ALB}ssl-redirect is not set"


def open_ingress(resource: Resource) -> Iterator[str]:
    """A load balancer on the internet that takes requests from all of it."""
    if resource.type != INGRESS or inside(resource.properties, "metadata.annotations") == UNKNOWN:
        return
    annotations = object_at(resource.properties, "metadata.annotations")
    if not may_be(annotations.get(f"{ALB}scheme"), "internet-facing") or annotations.get(f"{ALB}security-groups"):
        return
    sources = annotations.get(f"{ALB}inbound-cidrs")
    if sources != UNKNOWN and (not sources or {part.strip() for part in sources.split(",")} & EVERYBODY):
        yield f"{ALB}scheme is internet-facing and {ALB}inbound-cidrs is {sources!r}: name the ranges that people come from"


def open_namespace(resources: Sequence[Resource]) -> Iterator[Finding]:
    """A namespace without a policy that denies all pods everything.

    A preview knows no names while the cluster is not there yet; the ``up`` that makes them is checked too.
    """
    closed = {inside(policy.properties, "metadata.namespace") for policy in resources if _denies_all(policy)}
    for namespace in (resource for resource in resources if resource.type == NAMESPACE):
        name = inside(namespace.properties, "metadata.name")
        if name not in (None, UNKNOWN, *closed) and UNKNOWN not in closed:
            yield Finding(resource=namespace, message=f"namespace {name} has no NetworkPolicy that denies by default")


def loose_namespace(resource: Resource) -> Iterator[str]:
    """A namespace that admits pods which may do more than Pod Security's level restricted lets them."""
    if resource.type == NAMESPACE and inside(resource.properties, "metadata.labels") != UNKNOWN:
        level = object_at(resource.properties, "metadata.labels").get(ENFORCE)
        if not may_be(level, "restricted"):
            yield f"the label {ENFORCE} is {level!r}, not restricted"


def unrecorded_network(resources: Sequence[Resource]) -> Iterator[Finding]:
    """A protected VPC whose flows nobody records."""
    recorded = {urn for log in resources if log.type == FLOW_LOG for urn in log.references.get("vpcId", ())}
    for vpc in resources:
        if vpc.type == VPC and vpc.protect and vpc.urn not in recorded:
            yield Finding(resource=vpc, message="has no flow log: after an incident nobody can tell who talked to whom")


def _denies_all(resource: Resource) -> bool:
    """Tell whether a policy selects every pod and allows nothing in either direction."""
    spec = object_at(resource.properties, "spec")
    if resource.type != POLICY or not spec or spec.get("podSelector"):
        return False
    return {"Ingress", "Egress"} <= set(spec.get("policyTypes") or ()) and not spec.get("ingress") and not spec.get("egress")


RULES = (
    Rule(name="service-internal", description="No Service is reachable from the internet.", check=exposed_service),
    Rule(name="ingress-tls", description="Ingresses serve TLS, and at most a redirect without it.", check=plain_ingress),
    Rule(name="ingress-closed", description="No load balancer lets the whole internet in.", check=open_ingress),
    Rule(
        name="namespace-closed",
        description="Namespaces deny traffic by default.",
        stack_check=open_namespace,
    ),
    Rule(name="namespace-restricted", description="Namespaces admit restricted pods only.", check=loose_namespace),
    Rule(
        name="network-recorded",
        description="Protected VPCs have flow logs.",
        stack_check=unrecorded_network,
        advisory=True,
    ),
)
