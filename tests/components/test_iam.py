"""What pods, nodes and AWS's services may do: exact resources, checked by a linter and by asking."""

import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from components.load_balancer_policy import READS
from doubles.aws_facts import NAME_LIMITS
from tests.components.conftest import Stack
from tests.components.iam_evaluation import UnknownElementError, allows
from tests.components.test_brought import values
from tests.engine.variants import ZONE

with warnings.catch_warnings():
    # parliament imports pkg_resources, which warns of its own end.
    warnings.simplefilter("ignore")
    import parliament

EC2, ELB = "arn:aws:ec2:eu-west-1:123456789012", "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
NODES_GROUP = "sg-0c1"
OWN, ASKED = "aws:ResourceTag/elbv2.k8s.aws/cluster", "aws:RequestTag/elbv2.k8s.aws/cluster"
SECRETS = "arn:aws:secretsmanager:eu-west-1:123456789012:secret"
LOGS, PACKAGES = "arn:aws:s3:::task-logs", "arn:aws:s3:::packages"
PREFIX = {"s3:prefix": "task-logs/dag_id=a/"}
LONGEST_GROUP = "g" * 31
VARIANTS: dict[str, dict[str, Any]] = {
    "irsa": {"cluster": {"identity": "irsa"}},
    "node-groups": {"cluster": {"nodeGroups": {LONGEST_GROUP: {"instanceTypes": ["m7i.large"]}}}},
    "database-secret": {"database": {"login": "secret"}},
    "database-iam": {"database": {"login": "iam"}},
    "external-secrets": {"cluster": {"identity": "irsa"}, "secrets": {"mirror": True, "source": "external"}},
    "ingress": {"ingress": ZONE, "cluster": {"nodeGroups": {"main": {"instanceTypes": ["m7i.large"]}}}},
    "longest-names": {"namespace": "n" * 63},
}


@pytest.fixture(scope="module", params=["dev", "prod", *VARIANTS])
def stack(request: pytest.FixtureRequest, deploy: Any) -> Stack:
    return deploy("dev", values(**VARIANTS[request.param])) if request.param in VARIANTS else deploy(request.param)


def known(document: str) -> str:
    """Return a document with stand-ins for outputs as ARNs."""
    stand_ins = {
        "${task-logs.arn}": LOGS,
        "${packages.arn}": PACKAGES,
        "${cluster.oidcProviderArn}": "arn:aws:iam::1:oidc-provider/x",
        "${cluster.name}": "airflow",
        "${cluster.clusterSecurityGroupId}": NODES_GROUP,
        "${network.id}": "vpc-1",
        "${account}": "123456789012",
    }
    for purpose in ("fernet-key", "api-secret-key", "jwt-keys", "database", "admin"):
        stand_ins[f"${{airflow-{purpose}.arn}}"] = f"{SECRETS}:airflow-{purpose}-AbCdEf"
    for output, arn in stand_ins.items():
        document = document.replace(output, arn)
    return document


def policies(stack: Stack) -> Iterator[tuple[str, str]]:
    """Yield what each policy is called, and its text."""
    for typ in ("RolePolicy", "BucketPolicy", "iam/policy:Policy"):
        yield from ((f"{typ} {one.name}", known(one.inputs["policy"])) for one in stack.all(typ))


def trusts(stack: Stack) -> Iterator[tuple[str, str]]:
    yield from ((role.name, known(role.inputs["assumeRolePolicy"])) for role in stack.all("iam/role:Role"))


def several(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


# Asked of the group and of the VPC, each allowed by a statement of its own; the linter looks at one at a time.
OF_TWO = "[{'action': 'ec2:CreateSecurityGroup', 'required_format': 'arn:*:ec2:*:*:security-group/*'}]"
# AWS's own policy for the controller has it; the linter's list is older.
NEWER_KEY = "Unknown condition elasticloadbalancing:CreateAction for action elasticloadbalancing:AddTags"
MISREAD = {("RESOURCE_MISMATCH", OF_TWO), ("UNKNOWN_CONDITION_FOR_ACTION", NEWER_KEY)}
"""What the linter finds and is wrong about."""


def findings(document: str) -> list[str]:
    found = parliament.analyze_policy_string(document).findings
    return [str(one) for one in found if (one.issue, str(one.detail)) not in MISREAD]


def test_policies_lint_clean(stack: Stack):
    found = {name: findings(document) for name, document in policies(stack)}
    assert found
    assert {name: what for name, what in found.items() if what} == {}


def test_the_linter_finds_what_is_wrong():
    wrong = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObjects", "Resource": "*"}]}
    assert "UNKNOWN_ACTION" in findings(json.dumps(wrong))[0]


def test_nothing_is_allowed_on_every_resource_or_with_every_action(stack: Stack):
    for name, document in policies(stack):
        for statement in json.loads(document)["Statement"]:
            if statement["Effect"] == "Allow":
                if "*" in several(statement["Resource"]):
                    assert set(several(statement["Action"])) <= set(READS), f"{name}: no reason is written for these"
                    assert statement["Condition"]["StringEquals"] == {"aws:RequestedRegion": "eu-west-1"}, name
                assert not [action for action in several(statement["Action"]) if "*" in action], name


def test_a_role_is_assumed_by_a_named_service_or_one_service_account(stack: Stack):
    for name, document in trusts(stack):
        for statement in json.loads(document)["Statement"]:
            principal = statement["Principal"]
            assert "*" not in json.dumps(principal), name
            nobody_else = principal.get("Service") == "ec2.amazonaws.com" or statement["Condition"]["StringEquals"]
            assert nobody_else, name


@pytest.mark.parametrize(
    ("role", "action", "resource", "context", "allowed"),
    [
        ("airflow-task", "s3:PutObject", f"{LOGS}/task-logs/dag_id=a/1.log", {}, True),
        ("airflow-task", "s3:GetObject", f"{LOGS}/task-logs/dag_id=a/1.log", {}, True),
        ("airflow-task", "s3:ListBucket", LOGS, PREFIX, True),
        ("airflow-triggerer", "s3:PutObject", f"{LOGS}/task-logs/dag_id=a/1.log", {}, True),
        ("airflow-api-server", "s3:GetObject", f"{LOGS}/task-logs/dag_id=a/1.log", {}, True),
        ("airflow-api-server", "s3:ListBucket", LOGS, PREFIX, True),
        # The API server shows logs and writes none.
        ("airflow-api-server", "s3:PutObject", f"{LOGS}/task-logs/dag_id=a/1.log", {}, False),
        # Nobody deletes a log, reads beside the prefix, lists the whole bucket or another bucket, or touches the bucket.
        ("airflow-task", "s3:DeleteObject", f"{LOGS}/task-logs/dag_id=a/1.log", {}, False),
        ("airflow-task", "s3:GetObject", f"{LOGS}/other/1.log", {}, False),
        ("airflow-task", "s3:GetObject", f"{LOGS}/task-logs-of-others/1.log", {}, False),
        ("airflow-task", "s3:ListBucket", LOGS, {}, False),
        ("airflow-task", "s3:ListBucket", LOGS, {"s3:prefix": ""}, False),
        ("airflow-task", "s3:GetObject", "arn:aws:s3:::task-logs-2/task-logs/1.log", {}, False),
        ("airflow-task", "s3:PutBucketPolicy", LOGS, {}, False),
        ("airflow-triggerer", "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:1:secret:x", {}, False),
        # What reads DAGs reads packages, and publishes none.
        ("airflow-task", "s3:GetObject", f"{PACKAGES}/packages/1.zip", {}, True),
        ("airflow-dag-processor", "s3:ListBucket", PACKAGES, {"s3:prefix": "packages/"}, True),
        ("etl-jobs", "s3:GetObject", f"{PACKAGES}/packages/1.zip", {}, True),
        ("etl-jobs", "s3:GetObject", f"{LOGS}/task-logs/dag_id=a/1.log", {}, False),
        ("airflow-task", "s3:PutObject", f"{PACKAGES}/packages/1.zip", {}, False),
        ("airflow-dag-processor", "s3:GetObject", f"{PACKAGES}/other/1.zip", {}, False),
        ("airflow-triggerer", "s3:GetObject", f"{PACKAGES}/packages/1.zip", {}, False),
        ("airflow-task", "iam:PassRole", "arn:aws:iam::1:role/admin", {}, False),
        ("airflow-task", "sts:AssumeRole", "arn:aws:iam::1:role/admin", {}, False),
        ("airflow-task", "rds:DeleteDBInstance", "arn:aws:rds:eu-west-1:1:db:metadata-database", {}, False),
    ],
)
def test_a_component_may_do_what_its_work_takes(
    prod: Stack, role: str, action: str, resource: str, context: dict[str, str], allowed: bool
):
    documents = [known(one.inputs["policy"]) for one in prod.all("RolePolicy") if one.name.startswith(role)]
    assert documents
    assert any(allows(document, action, resource, context) for document in documents) is allowed


@pytest.fixture(scope="module")
def controller(deploy: Any) -> str:
    """Return the policy of the AWS Load Balancer Controller."""
    return known(deploy("dev", values(**VARIANTS["ingress"])).only("RolePolicy", "aws-load-balancer-controller")["policy"])


@pytest.mark.parametrize(
    ("action", "resource", "context", "allowed"),
    [
        ("elasticloadbalancing:DescribeLoadBalancers", "*", {"aws:RequestedRegion": "eu-west-1"}, True),
        ("elasticloadbalancing:DescribeLoadBalancers", "*", {"aws:RequestedRegion": "us-east-1"}, False),
        # What it makes carries the name of its cluster from the first moment, and is all that it touches.
        ("elasticloadbalancing:CreateLoadBalancer", f"{ELB}:loadbalancer/app/k8s-a/1", {ASKED: "airflow"}, True),
        ("elasticloadbalancing:CreateLoadBalancer", f"{ELB}:loadbalancer/app/k8s-a/1", {}, False),
        ("elasticloadbalancing:CreateLoadBalancer", f"{ELB}:loadbalancer/net/k8s-a/1", {ASKED: "airflow"}, False),
        ("elasticloadbalancing:CreateTargetGroup", f"{ELB}:targetgroup/k8s-a/1", {ASKED: "airflow"}, True),
        ("elasticloadbalancing:CreateListener", f"{ELB}:loadbalancer/app/k8s-a/1", {OWN: "airflow", ASKED: "airflow"}, True),
        ("elasticloadbalancing:CreateListener", f"{ELB}:loadbalancer/app/shop/1", {ASKED: "airflow"}, False),
        ("elasticloadbalancing:CreateRule", f"{ELB}:listener/app/k8s-a/1/2", {OWN: "airflow"}, True),
        ("elasticloadbalancing:ModifyListener", f"{ELB}:listener/app/k8s-a/1/2", {OWN: "airflow"}, True),
        ("elasticloadbalancing:ModifyListener", f"{ELB}:listener/app/shop/1/2", {OWN: "shop"}, False),
        ("elasticloadbalancing:DeleteRule", f"{ELB}:listener-rule/app/k8s-a/1/2/3", {OWN: "airflow"}, True),
        ("elasticloadbalancing:DeleteLoadBalancer", f"{ELB}:loadbalancer/app/k8s-a/1", {OWN: "airflow"}, True),
        ("elasticloadbalancing:DeleteLoadBalancer", f"{ELB}:loadbalancer/app/shop/1", {OWN: "shop"}, False),
        ("elasticloadbalancing:DeleteLoadBalancer", f"{ELB}:loadbalancer/app/by-hand/1", {}, False),
        ("elasticloadbalancing:RegisterTargets", f"{ELB}:targetgroup/k8s-a/1", {OWN: "airflow"}, True),
        ("elasticloadbalancing:RegisterTargets", f"{ELB}:targetgroup/shop/1", {OWN: "shop"}, False),
        ("elasticloadbalancing:SetWebAcl", f"{ELB}:loadbalancer/app/k8s-a/1", {OWN: "airflow"}, False),
        # It tags what it is making, changes tags of its own, and takes nothing over by tagging it.
        (
            "elasticloadbalancing:AddTags",
            f"{ELB}:loadbalancer/app/k8s-a/1",
            {ASKED: "airflow", "elasticloadbalancing:CreateAction": "CreateLoadBalancer"},
            True,
        ),
        ("elasticloadbalancing:AddTags", f"{ELB}:loadbalancer/app/k8s-a/1", {OWN: "airflow"}, True),
        ("elasticloadbalancing:AddTags", f"{ELB}:loadbalancer/app/shop/1", {OWN: "shop", ASKED: "airflow"}, False),
        ("elasticloadbalancing:RemoveTags", f"{ELB}:loadbalancer/app/shop/1", {OWN: "shop"}, False),
        ("ec2:CreateTags", f"{EC2}:security-group/sg-1", {ASKED: "airflow", "ec2:CreateAction": "CreateSecurityGroup"}, True),
        ("ec2:CreateTags", f"{EC2}:security-group/sg-1", {ASKED: "airflow"}, False),
        ("ec2:CreateTags", f"{EC2}:instance/i-1", {OWN: "airflow"}, False),
        ("ec2:CreateSecurityGroup", f"{EC2}:security-group/sg-1", {ASKED: "airflow"}, True),
        ("ec2:CreateSecurityGroup", f"{EC2}:vpc/vpc-1", {}, True),
        ("ec2:CreateSecurityGroup", f"{EC2}:vpc/vpc-2", {}, False),
        # It opens the nodes to its load balancers, and no other group of the VPC: not the database's.
        ("ec2:AuthorizeSecurityGroupIngress", f"{EC2}:security-group/{NODES_GROUP}", {}, True),
        ("ec2:AuthorizeSecurityGroupIngress", f"{EC2}:security-group/sg-database", {}, False),
        ("ec2:AuthorizeSecurityGroupIngress", f"{EC2}:security-group/sg-1", {OWN: "airflow"}, True),
        ("ec2:DeleteSecurityGroup", f"{EC2}:security-group/{NODES_GROUP}", {}, False),
        ("ec2:RunInstances", f"{EC2}:instance/i-1", {}, False),
        ("iam:PassRole", "arn:aws:iam::1:role/admin", {}, False),
    ],
)
def test_the_load_balancer_controller_has_its_own_and_no_more(
    controller: str, action: str, resource: str, context: dict[str, str], allowed: bool
):
    assert allows(controller, action, resource, context) is allowed


def test_the_load_balancer_controller_may_make_the_role_of_load_balancing_alone(controller: str):
    role = "arn:aws:iam::123456789012:role/aws-service-role/{0}/AWSServiceRoleForElasticLoadBalancing"
    elb, rds = "elasticloadbalancing.amazonaws.com", "rds.amazonaws.com"
    assert allows(controller, "iam:CreateServiceLinkedRole", role.format(elb), {"iam:AWSServiceName": elb})
    assert not allows(controller, "iam:CreateServiceLinkedRole", role.format(rds), {"iam:AWSServiceName": rds})


def test_the_load_balancer_controller_s_policy_fits_a_role(controller: str):
    """IAM counts no blanks. Source: IAM user guide, "IAM and AWS STS quotas"."""
    assert len("".join(controller.split())) <= 10_240


def test_a_denial_wins_and_what_is_not_understood_is_not_answered():
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}
    both = json.dumps({"Statement": [allow, deny]})
    assert allows(both, "s3:GetObject", "arn:aws:s3:::b/k")
    assert not allows(both, "S3:DeleteObject", "arn:aws:s3:::b/k")
    with pytest.raises(UnknownElementError):
        allows(json.dumps({"Statement": {**allow, "NotAction": "s3:Get*"}}), "s3:GetObject", "b")
    by_address = {**allow, "Condition": {"IpAddress": {"aws:SourceIp": "::1"}}}
    with pytest.raises(UnknownElementError):
        allows(json.dumps({"Statement": by_address}), "s3:GetObject", "b", {"aws:SourceIp": "::1"})


def test_names_stay_within_the_limits_of_aws_with_the_suffix_pulumi_adds(stack: Stack):
    """No name holds the project's or the stack's, however long those are."""
    checked = 0
    for resource in stack.resources:
        if limit := NAME_LIMITS.get(resource.type):
            checked += 1
            assert len(f"{resource.name}-1234567") <= limit, resource.urn
    assert checked >= 8
