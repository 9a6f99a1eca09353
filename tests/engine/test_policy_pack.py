"""The policy pack run by the engine, as ``pulumi preview --policy-pack policy`` does, against doubles of the providers."""

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s
import pytest
from pulumi import automation as auto

from policy.rules import RULES
from tests.built_tools import REPOSITORY
from tests.engine.conftest import Drive
from tests.engine.driven_stack import DrivenStack

PACK = REPOSITORY / "policy"
OPEN = "cluster-endpoint"
"""What ``dev`` and ``prod`` are told: they have nobody's addresses to narrow the API to."""


@pytest.fixture
def analyzer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts Pulumi's analyzer for Python where the engine looks for it.

    The official CLI has it in its language host, which no Go module holds; both run ``pulumi.policy`` of the Python SDK.
    """
    script = tmp_path / "pulumi-analyzer-policy-python"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -u -m pulumi.policy "$1" "$2"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


def report(stack: DrivenStack, run: Callable[..., object]) -> str:
    """Return what the engine says of the policies, refused or not."""
    try:
        run(policy_packs=[str(PACK)], on_output=stack.output.append, color="never")
    except auto.CommandError as refused:
        stack.output.append(str(refused))
    text = "\n".join(stack.output)
    assert "Policies:" in text, text
    return text


def broken(text: str, level: str) -> set[str]:
    return {line.split("]")[1].split()[0] for line in text.splitlines() if line.strip().startswith(f"- [{level}]")}


@pytest.mark.parametrize("name", ["local", "dev", "prod"])
def test_the_stacks_of_this_repository_pass(drive: Drive, analyzer: None, name: str) -> None:
    stack = drive(name)
    text = report(stack, stack.stack.preview)
    assert broken(text, "mandatory") == set()
    assert broken(text, "advisory") == (set() if name == "local" else {OPEN})


def test_an_up_passes_too_which_knows_what_a_preview_does_not(drive: Drive, analyzer: None) -> None:
    stack = drive("prod")
    text = report(stack, stack.stack.up)
    assert broken(text, "mandatory") == set()
    assert "can't run policy" not in text
    assert stack.cloud.live


def careless() -> None:
    """Declare what breaks every rule."""
    everything = '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    anybody = '{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}]}'
    aws.s3.Bucket("reports", opts=pulumi.ResourceOptions(protect=True))
    aws.s3.BucketPublicAccessBlock("reports", bucket="reports", block_public_acls=False)
    aws.rds.Instance(
        "database",
        engine="postgres",
        instance_class="db.t4g.micro",
        allocated_storage=20,
        publicly_accessible=True,
        opts=pulumi.ResourceOptions(protect=True),
    )
    aws.rds.ParameterGroup("database", family="postgres17")
    aws.ec2.Vpc("network", cidr_block="10.0.0.0/16", opts=pulumi.ResourceOptions(protect=True))
    aws.ecr.Repository("airflow")
    aws.eks.Cluster(
        "cluster", role_arn="arn:aws:iam::123456789012:role/eks", version="1.30", vpc_config={"subnet_ids": ["subnet-1"]}
    )
    aws.iam.Role("everything", assume_role_policy=anybody)
    aws.iam.RolePolicy("everything", role="everything", policy=everything)
    aws.vpc.SecurityGroupIngressRule("everybody", security_group_id="sg-1", ip_protocol="-1", cidr_ipv4="0.0.0.0/0")
    k8s.storage.v1.StorageClass("plain", provisioner="ebs.csi.aws.com")
    k8s.core.v1.Namespace("etl", metadata={"name": "etl"})
    k8s.core.v1.Service("airflow", metadata={"name": "airflow"}, spec={"type": "LoadBalancer", "ports": [{"port": 80}]})
    page = {"metadata": {"annotations": {"alb.ingress.kubernetes.io/scheme": "internet-facing"}}, "spec": {}}
    k8s.networking.v1.Ingress("page", **page)
    container = {"name": "main", "image": "airflow", "env": [{"name": "API_TOKEN", "value": "hunter2"}]}
    k8s.core.v1.Pod("loose", metadata={"name": "loose"}, spec={"containers": [container]})


def test_a_careless_program_is_refused_by_every_rule(drive: Drive, analyzer: None) -> None:
    stack = drive("dev", careless)
    text = report(stack, stack.stack.preview)
    assert broken(text, "mandatory") == {rule.name for rule in RULES if not rule.advisory}
    assert broken(text, "advisory") == {rule.name for rule in RULES if rule.advisory}
    assert stack.cloud.live == {}
