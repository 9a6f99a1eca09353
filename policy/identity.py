"""IAM documents, open ports and tags."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policy.model import UNKNOWN, Resource, Rule, is_object, may_be, object_at, objects

DOCUMENTS = {
    "aws:iam/policy:Policy": "policy",
    "aws:iam/role:Role": "assumeRolePolicy",
    "aws:iam/rolePolicy:RolePolicy": "policy",
    "aws:iam/userPolicy:UserPolicy": "policy",
}
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
STACK_TAG = "airflow-control-plane:stack"
TAGGED = frozenset(
    {
        "aws:ec2/natGateway:NatGateway",
        "aws:ec2/vpc:Vpc",
        "aws:ecr/repository:Repository",
        "aws:eks/cluster:Cluster",
        "aws:iam/role:Role",
        "aws:kms/key:Key",
        "aws:rds/instance:Instance",
        "aws:rds/proxy:Proxy",
        "aws:s3/bucket:Bucket",
    }
)
"""Types that cost money or open doors, and so must say whose they are."""

ANYWHERE = ("0.0.0.0/0", "::/0")


def wildcard(resource: Resource) -> Iterator[str]:
    """A statement that allows every action, or one on everything without a condition."""
    for statement in _allowing(resource):
        for action in _texts(statement.get("Action")):
            if action == "*" or action.endswith(":*"):
                yield f"allows {action!r}: name the actions"
        if "*" in _texts(statement.get("Resource")) and not statement.get("Condition"):
            actions = ", ".join(_texts(statement.get("Action")))
            yield f"allows {actions} on every resource without a condition: name the resources"
    attached = resource.properties.get("policyArn")
    if resource.type == "aws:iam/rolePolicyAttachment:RolePolicyAttachment" and attached == ADMINISTRATOR:
        yield "attaches AdministratorAccess"


def trusted_by_all(resource: Resource) -> Iterator[str]:
    for statement in _allowing(resource):
        principal = statement.get("Principal")
        named = principal.values() if is_object(principal) else [principal]
        if "*" in [text for value in named for text in _texts(value)] and not statement.get("Condition"):
            yield "anybody may assume the role: name the principals"


def _allowing(resource: Resource) -> Iterator[Mapping[str, Any]]:
    document = resource.properties.get(DOCUMENTS.get(resource.type, ""))
    if document in (None, UNKNOWN):
        return
    read = json.loads(document) if isinstance(document, str) else document
    for statement in objects(read.get("Statement")):
        if statement.get("Effect") == "Allow":
            yield statement


def _texts(value: Any) -> Sequence[str]:
    return [value] if isinstance(value, str) else value or ()


def open_port(resource: Resource) -> Iterator[str]:
    """A rule of a security group that lets the world in."""
    properties = resource.properties
    match resource.type:
        case "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
            ranges = [properties.get("cidrIpv4"), properties.get("cidrIpv6")]
        case "aws:ec2/securityGroup:SecurityGroup" | "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":
            rules = list(objects(properties.get("ingress")))
            ranges = [cidr for rule in rules for key in ("cidrBlocks", "ipv6CidrBlocks") for cidr in _texts(rule.get(key))]
        case "aws:ec2/securityGroupRule:SecurityGroupRule" if may_be(properties.get("type"), "ingress"):
            ranges = [cidr for key in ("cidrBlocks", "ipv6CidrBlocks") for cidr in _texts(properties.get(key))]
        case _:
            return
    for cidr in ranges:
        if cidr in ANYWHERE:
            yield f"lets {cidr} in: name the security group or the range that connects"


def untagged(resource: Resource) -> Iterator[str]:
    known = resource.properties.get("tags") != UNKNOWN
    if resource.type in TAGGED and known and STACK_TAG not in object_at(resource.properties, "tags"):
        yield f"has no tag {STACK_TAG!r}: make it with the stack's provider, which adds it"


RULES = (
    Rule(name="iam-wildcard", description="No policy allows every action, or everything without a condition.", check=wildcard),
    Rule(name="iam-trust", description="No role may be assumed by anybody.", check=trusted_by_all),
    Rule(name="port-open", description="No security group lets the whole internet in.", check=open_port),
    Rule(name="tagged", description="What costs money or opens doors is tagged with its stack.", check=untagged),
)
