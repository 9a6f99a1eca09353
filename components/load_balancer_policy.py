"""What the AWS Load Balancer Controller may do, as a pure function.

Made of the policy that its documentation has for v3.5, and narrower: it makes Application Load Balancers for one cluster, in
one account and region, and touches nothing that does not carry that cluster's tag. Left out is what Airflow has no use for or
``load_balancer_controller`` switches off: WAF, Shield, Cognito, Network Load Balancers, Outposts, address pools, reserved
capacity, and looking for certificates, since the Ingress names its own.
Source: AWS Load Balancer Controller documentation, "Installation"; service authorization references of EC2 and ELB v2.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from components.policies import Statement, allowing

READS = (
    *("ec2:DescribeAccountAttributes", "ec2:DescribeAvailabilityZones", "ec2:DescribeInstances"),
    *("ec2:DescribeInternetGateways", "ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables"),
    *("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeTags", "ec2:DescribeVpcs"),
    *("elasticloadbalancing:DescribeCapacityReservation", "elasticloadbalancing:DescribeListenerAttributes"),
    *("elasticloadbalancing:DescribeListenerCertificates", "elasticloadbalancing:DescribeListeners"),
    *("elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeLoadBalancers"),
    *("elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeSSLPolicies", "elasticloadbalancing:DescribeTags"),
    *("elasticloadbalancing:DescribeTargetGroupAttributes", "elasticloadbalancing:DescribeTargetGroups"),
    "elasticloadbalancing:DescribeTargetHealth",
)
"""Actions allowed on every resource, the only ones: AWS lets no policy name a resource for them. They tell, and change nothing.
The region is their condition."""

TAG = "elbv2.k8s.aws/cluster"
"""The controller puts it on all it makes, with the cluster's name."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Where one controller works."""

    partition: str
    region: str
    account: str
    cluster: str
    """Name of the EKS cluster."""

    vpc: str
    """Id of the VPC."""

    node_security_group: str
    """Id of the security group of the nodes, which the controller opens to its load balancers."""


def load_balancer_policy(where: Surroundings) -> str:
    """Return the controller's identity policy."""

    def arn(service: str, resource: str) -> str:
        return f"arn:{where.partition}:{service}:{where.region}:{where.account}:{resource}"

    groups = arn("ec2", "security-group/*")
    balancers = arn("elasticloadbalancing", "loadbalancer/app/*/*")
    targets = arn("elasticloadbalancing", "targetgroup/*/*")
    # Of its own load balancers, which are Application Load Balancers.
    listeners, rules = arn("elasticloadbalancing", "listener/*"), arn("elasticloadbalancing", "listener-rule/*")
    made = {f"aws:ResourceTag/{TAG}": where.cluster}
    making = {f"aws:RequestTag/{TAG}": where.cluster}
    # A tag that says whose it is can be given at birth alone.
    keeps_owner = {"Null": {f"aws:RequestTag/{TAG}": "true"}, "StringEquals": made}
    service = "elasticloadbalancing.amazonaws.com"
    return allowing(
        _allowed(READS, "*", {"StringEquals": {"aws:RequestedRegion": where.region}}),
        _allowed(
            ["iam:CreateServiceLinkedRole"],
            f"arn:{where.partition}:iam::{where.account}:role/aws-service-role/{service}/AWSServiceRoleForElasticLoadBalancing",
            {"StringEquals": {"iam:AWSServiceName": service}},
        ),
        _allowed(["ec2:CreateSecurityGroup"], groups, {"StringEquals": making}),
        _allowed(["ec2:CreateSecurityGroup"], arn("ec2", f"vpc/{where.vpc}")),
        _allowed(["ec2:CreateTags"], groups, {"StringEquals": {**making, "ec2:CreateAction": "CreateSecurityGroup"}}),
        _allowed(["ec2:CreateTags", "ec2:DeleteTags"], groups, keeps_owner),
        _allowed(
            ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress", "ec2:DeleteSecurityGroup"],
            groups,
            {"StringEquals": made},
        ),
        _allowed(
            ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"],
            arn("ec2", f"security-group/{where.node_security_group}"),
        ),
        _allowed(_elb("CreateLoadBalancer"), balancers, {"StringEquals": making}),
        _allowed(_elb("CreateTargetGroup"), targets, {"StringEquals": making}),
        _allowed(_elb("CreateListener"), balancers, {"StringEquals": made}),
        _allowed(_elb("CreateRule"), listeners, {"StringEquals": made}),
        _allowed(
            _elb("AddTags"),
            [balancers, targets, listeners, rules],
            {"StringEquals": {**making, "elasticloadbalancing:CreateAction": list(CREATING)}},
        ),
        _allowed(_elb("AddTags", "RemoveTags"), [balancers, targets, listeners, rules], keeps_owner),
        _allowed(
            _elb(
                "DeleteLoadBalancer",
                "ModifyLoadBalancerAttributes",
                "SetIpAddressType",
                "SetSecurityGroups",
                "SetSubnets",
            ),
            balancers,
            {"StringEquals": made},
        ),
        _allowed(
            _elb(
                "DeleteTargetGroup",
                "DeregisterTargets",
                "ModifyTargetGroup",
                "ModifyTargetGroupAttributes",
                "RegisterTargets",
            ),
            targets,
            {"StringEquals": made},
        ),
        _allowed(
            _elb(
                "AddListenerCertificates",
                "DeleteListener",
                "ModifyListener",
                "ModifyListenerAttributes",
                "RemoveListenerCertificates",
            ),
            listeners,
            {"StringEquals": made},
        ),
        _allowed(_elb("DeleteRule", "ModifyRule", "SetRulePriorities"), rules, {"StringEquals": made}),
    )


CREATING = ("CreateLoadBalancer", "CreateTargetGroup", "CreateListener", "CreateRule")
"""Calls that a first tag comes with."""


def _elb(*actions: str) -> list[str]:
    return [f"elasticloadbalancing:{action}" for action in actions]


def _allowed(
    actions: tuple[str, ...] | list[str], resource: str | list[str], condition: Mapping[str, object] | None = None
) -> Statement:
    statement: Statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement
