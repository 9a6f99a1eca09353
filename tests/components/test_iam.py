"""What pods, nodes and AWS's services may do: exact resources, checked by a linter and by asking."""

import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from components.load_balancer_policy import READS
from components.secret_access import database_users
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
PURPOSES = ("fernet-key", "api-secret-key", "jwt-keys", "database", "admin")
MAIN = {"main": {"instanceTypes": ["m7i.large"]}}
FLOWS = "arn:aws:logs:eu-west-1:123456789012:log-group:network-flow-logs-1234567"
OF_DATABASE, OF_PROXY = (f"{SECRETS}:{name}-AbCdEf" for name in ("rds!metadata-database", "database-proxy"))
AT_INSTANCE, AT_PROXY = (
    f"arn:aws:rds-db:eu-west-1:123456789012:dbuser:{server}/airflow_iam"
    for server in ("db-ABCDEFGHIJKL", "prx-0123456789abcdef0")
)
NARROWER = ["logs:DescribeLogGroups"]
"""What takes a log group as its resource, though the linter thinks not. Source: Service Authorization Reference."""

READ, CONNECT = "secretsmanager:GetSecretValue", "rds-db:connect"
VARIANTS: dict[str, dict[str, Any]] = {
    "irsa": {"cluster": {"identity": "irsa"}},
    "node-groups": {"cluster": {"nodeGroups": MAIN}},
    "database-secret": {"database": {"login": "secret"}},
    "database-iam": {"database": {"login": "iam"}},
    "external-secrets": {"cluster": {"identity": "irsa"}, "secrets": {"mirror": True, "source": "external"}},
    "ingress": {"ingress": ZONE, "cluster": {"nodeGroups": {"main": {"instanceTypes": ["m7i.large"]}}}},
    "rds-proxy": {"database": {"proxy": True}},
    "rds-proxy-iam": {"database": {"proxy": True, "login": "iam"}},
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
        "${network-flow-logs.arn}": FLOWS,
        "${database-proxy.arn}": OF_PROXY,
    }
    for purpose in PURPOSES:
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
    return [
        str(one)
        for one in found
        if (one.issue, str(one.detail)) not in MISREAD
        and [detail.get("action") for detail in one.detail if isinstance(detail, dict)] != NARROWER
    ]


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
            # EC2 and RDS assume a role for what it was given to; the others say for whom, or for which account.
            of_resource = principal.get("Service") in ("ec2.amazonaws.com", "rds.amazonaws.com")
            assert of_resource or statement["Condition"]["StringEquals"], name


def test_policies_of_aws_are_attached_to_what_aws_wrote_them_for(deploy: Any):
    """They allow more than one resource: there is no narrower way to run nodes, their network and their volumes."""
    attached = {
        one.name: one.inputs["policyArn"].rpartition("/")[2]
        for one in deploy("dev", values(cluster={"nodeGroups": MAIN})).all("RolePolicyAttachment")
    }
    assert attached == {
        "cluster-nodes-AmazonEKSWorkerNodePolicy": "AmazonEKSWorkerNodePolicy",
        "cluster-nodes-AmazonEC2ContainerRegistryPullOnly": "AmazonEC2ContainerRegistryPullOnly",
        "cluster-nodes-vpc-cni": "AmazonEKS_CNI_Policy",
        "cluster-nodes-aws-ebs-csi-driver": "AmazonEBSCSIDriverPolicy",
    }
    assert not deploy("prod").all("RolePolicyAttachment")


IN_PROD: list[tuple[str, str, str, dict[str, str], bool]] = [
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
    ("airflow-triggerer", "s3:GetObject", f"{LOGS}/other/1.log", {}, False),
    ("network-flow-logs", "logs:PutLogEvents", f"{FLOWS}:log-stream:eni-1-all", {}, True),
    ("network-flow-logs", "logs:CreateLogStream", f"{FLOWS}:log-stream:eni-1-all", {}, True),
    ("network-flow-logs", "logs:DescribeLogStreams", FLOWS, {}, True),
    ("network-flow-logs", "logs:PutLogEvents", f"{FLOWS}-of-others:log-stream:x", {}, False),
    ("network-flow-logs", "logs:GetLogEvents", f"{FLOWS}:log-stream:eni-1-all", {}, False),
    ("network-flow-logs", "logs:DeleteLogGroup", FLOWS, {}, False),
]
"""Role, action, resource, the request's condition keys, and whether it is allowed."""

LOG = f"{LOGS}/task-logs/dag_id=a/1.log"
IN_VARIANTS: dict[str, list[tuple[str, str, str, dict[str, str], bool]]] = {
    "dev": [
        # LocalExecutor's tasks write their logs in the scheduler.
        ("airflow-scheduler", "s3:PutObject", LOG, {}, True),
        ("airflow-scheduler", "s3:DeleteObject", LOG, {}, False),
        ("airflow-scheduler", READ, OF_DATABASE, {}, False),
        ("airflow-triggerer", "s3:PutObject", LOG, {}, True),
        ("airflow-triggerer", CONNECT, AT_INSTANCE, {}, False),
        ("airflow-api-server", "s3:GetObject", LOG, {}, True),
        ("airflow-api-server", "s3:PutObject", LOG, {}, False),
    ],
    "database-secret": [
        *((f"airflow-{one}", READ, OF_DATABASE, {}, True) for one in database_users()),
        *((f"airflow-{one}", READ, f"{SECRETS}:airflow-fernet-key-AbCdEf", {}, False) for one in database_users()),
        ("airflow-migrations", "secretsmanager:PutSecretValue", OF_DATABASE, {}, False),
    ],
    "database-iam": [
        *((f"airflow-{one}", CONNECT, AT_INSTANCE, {}, True) for one in database_users()),
        *((f"airflow-{one}", CONNECT, AT_INSTANCE.replace("airflow_iam", "airflow"), {}, False) for one in database_users()),
        *((f"airflow-{one}", READ, OF_DATABASE, {}, one == "migrations") for one in database_users()),
    ],
    "external-secrets": [
        *(("airflow-external-secrets", READ, f"{SECRETS}:airflow-{purpose}-AbCdEf", {}, True) for purpose in PURPOSES),
        ("airflow-external-secrets", READ, f"{SECRETS}:company-AbCdEf", {}, False),
        ("airflow-external-secrets", "secretsmanager:ListSecrets", "*", {}, False),
        ("airflow-scheduler", "s3:PutObject", LOG, {}, True),
        ("airflow-scheduler", READ, f"{SECRETS}:airflow-fernet-key-AbCdEf", {}, False),
    ],
    "ingress": [
        ("aws-load-balancer-controller", "elasticloadbalancing:DescribeRules", "*", {"aws:RequestedRegion": "eu-west-1"}, True),
        ("aws-load-balancer-controller", "ec2:RunInstances", f"{EC2}:instance/i-1", {}, False),
    ],
    "rds-proxy": [
        ("database-proxy", READ, OF_PROXY, {}, True),
        ("database-proxy", READ, f"{SECRETS}:airflow-database-AbCdEf", {}, False),
        ("database-proxy", CONNECT, AT_INSTANCE, {}, False),
        ("airflow-scheduler", "s3:PutObject", LOG, {}, True),
        ("airflow-scheduler", READ, OF_PROXY, {}, False),
    ],
    "rds-proxy-iam": [
        ("database-proxy", CONNECT, AT_INSTANCE, {}, True),
        ("database-proxy", CONNECT, AT_INSTANCE.replace("airflow_iam", "airflow"), {}, False),
        ("database-proxy", READ, OF_DATABASE, {}, False),
        # What connects to the proxy cannot go past it, and the migration Job not through it.
        *((f"airflow-{one}", CONNECT, AT_PROXY, {}, one != "migrations") for one in database_users()),
        *((f"airflow-{one}", CONNECT, AT_INSTANCE, {}, one == "migrations") for one in database_users()),
        ("airflow-migrations", READ, OF_DATABASE, {}, True),
        ("airflow-migrations", READ, OF_PROXY, {}, False),
    ],
}
"""Variant to rows of the same form."""


def documents(stack: Stack, role: str) -> list[str]:
    return [known(one.inputs["policy"]) for one in stack.all("RolePolicy") if one.name == role]


@pytest.mark.parametrize(("role", "action", "resource", "context", "allowed"), IN_PROD)
def test_a_component_may_do_what_its_work_takes(
    prod: Stack, role: str, action: str, resource: str, context: dict[str, str], allowed: bool
):
    assert documents(prod, role)
    assert any(allows(document, action, resource, context) for document in documents(prod, role)) is allowed


@pytest.mark.parametrize("variant", IN_VARIANTS)
def test_a_role_may_do_what_its_work_takes_in_every_variant(deploy: Any, variant: str):
    stack = deploy("dev") if variant == "dev" else deploy("dev", values(**VARIANTS[variant]))
    for role, action, resource, context, allowed in IN_VARIANTS[variant]:
        found = documents(stack, role)
        assert found, role
        assert any(allows(one, action, resource, context) for one in found) is allowed, (role, action, resource)


def test_every_role_with_a_policy_has_a_row_of_what_is_allowed_and_one_of_what_is_denied(stack: Stack):
    rows = [*IN_PROD, *(row for rows in IN_VARIANTS.values() for row in rows)]
    for role in {one.name for one in stack.all("RolePolicy")}:
        assert {row[-1] for row in rows if row[0] == role} == {True, False}, role


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
