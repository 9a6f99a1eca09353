"""What holds for whole stacks: the graph, protection, the cloud's side."""

import fnmatch
import ipaddress
import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from components.image_content import IGNORE_FILE, SOURCES, content_tag
from components.policies import PrefixAccess, objects_below, tls_only
from components.subnets import zone_subnets

STATEFUL = (
    "aws:rds/instance:Instance",
    "eks:index:Cluster",
    "aws:s3/bucket:Bucket",
    "aws:ec2/vpc:Vpc",
    "aws:ecr/repository:Repository",
)


def test_every_resource_is_inside_a_component(every: Any):
    """Providers of the platform are the only exception: they belong to no part."""
    for resource in every.resources:
        if resource.custom and not resource.type.startswith("pulumi:providers:"):
            assert ":airflow-control-plane:index:" in f":{resource.urn.split('::')[2]}", resource.urn


def test_every_resource_uses_a_provider_that_the_stack_declares(every: Any):
    declared = {r.urn for r in every.resources if r.type.startswith("pulumi:providers:")}
    for resource in every.resources:
        if resource.custom and resource.type.split(":")[0] in ("aws", "kubernetes"):
            assert resource.provider.rpartition("::")[0] in declared, resource.urn


def test_prod_s_data_refuses_deletion_and_outlives_the_stack(prod: Any):
    kept = {resource.type for resource in prod.resources if resource.protect and resource.retain_on_delete}
    assert set(STATEFUL) <= kept
    for resource in prod.resources:
        if resource.type.startswith("random:") or resource.type in STATEFUL:
            assert resource.protect, resource.urn
            assert resource.retain_on_delete, resource.urn
    database = prod.only("Instance")
    assert database["deletionProtection"] is True
    assert database["skipFinalSnapshot"] is False
    assert {bucket.name: bucket.inputs.get("forceDestroy") for bucket in prod.all("Bucket")} == {
        "task-logs": False,
        "packages": False,
    }


@pytest.mark.parametrize("stack", ["local", "dev"])
def test_what_is_not_protected_can_be_destroyed(deploy: Any, stack: str):
    assert not [resource.urn for resource in deploy(stack).resources if resource.protect or resource.retain_on_delete]


def test_the_database_is_private_encrypted_and_forces_tls(prod: Any):
    database = prod.only("Instance")
    assert (database["publiclyAccessible"], database["storageEncrypted"]) == (False, True)
    assert database["multiAz"] is True
    forced = {parameter["name"]: parameter["value"] for parameter in prod.only("ParameterGroup")["parameters"]}
    assert forced["rds.force_ssl"] == "1"
    (rule,) = prod.all("SecurityGroupIngressRule")
    assert "referencedSecurityGroupId" in rule.inputs
    assert "cidrIpv4" not in rule.inputs


def test_a_service_account_s_role_exists_before_its_pods(prod: Any):
    associations = {r.urn for r in prod.all("PodIdentityAssociation")}
    assert {r.inputs["serviceAccount"] for r in prod.all("PodIdentityAssociation")} == {
        "airflow-api-server",
        "airflow-dag-processor",
        "airflow-task",
        "airflow-triggerer",
        "etl-jobs",
    }
    for deployment in prod.all("Deployment"):
        assert associations <= set(deployment.dependencies), deployment.name


def test_only_what_makes_logs_may_write_them():
    below = {"bucket_arn": "arn:aws:s3:::logs", "prefix": "task-logs"}
    read, write = (objects_below(PrefixAccess(**below, write=w)) for w in (False, True))
    assert read[0]["Action"] == ["s3:GetObject"]
    assert write[0]["Action"] == ["s3:GetObject", "s3:PutObject"]
    for statements in (read, write):
        assert statements[0]["Resource"] == "arn:aws:s3:::logs/task-logs/*"
        assert statements[1]["Condition"] == {"StringLike": {"s3:prefix": ["task-logs/*"]}}


def test_the_bucket_refuses_plain_http():
    (statement,) = json.loads(tls_only("arn:aws:s3:::logs"))["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == ["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"]


@pytest.mark.parametrize("cidr", ["10.0.0.0/16", "172.20.0.0/17", "192.168.0.0/18"])
@pytest.mark.parametrize("zones", [2, 3, 4])
def test_subnets_lie_in_the_vpc_and_do_not_overlap(cidr: str, zones: int):
    ranges = [
        ipaddress.ip_network(text) for zone in zone_subnets(cidr, zones) for text in (zone.private, zone.public, zone.database)
    ]
    assert len(ranges) == 3 * zones
    assert all(r.subnet_of(ipaddress.ip_network(cidr)) for r in ranges)
    assert not any(a.overlaps(b) for a, b in combinations(ranges, 2))


def test_another_zone_moves_no_subnet():
    assert zone_subnets("10.0.0.0/16", 2) == zone_subnets("10.0.0.0/16", 3)[:2]


def test_subnets_carry_the_tags_load_balancers_look_for(prod: Any):
    tags = [subnet.inputs["tags"] for subnet in prod.all("Subnet")]
    assert sum("kubernetes.io/role/elb" in t for t in tags) == 3
    assert sum("kubernetes.io/role/internal-elb" in t for t in tags) == 3


@pytest.mark.parametrize(("stack", "gateways"), [("dev", 1), ("prod", 3)])
def test_nat_gateways_are_as_many_as_asked_for(deploy: Any, stack: str, gateways: int):
    assert len(deploy(stack).all("NatGateway")) == gateways


def test_the_cluster_encrypts_secrets_and_enforces_network_policies(prod: Any):
    cluster = prod.only("eks:index:Cluster")
    assert cluster["encryptionConfigKeyArn"]
    assert cluster["authenticationMode"] == "API"
    assert cluster["upgradePolicy"] == {"supportType": "STANDARD"}
    assert prod.only("ConfigMap", "amazon-vpc-cni")["data"] == {"enable-network-policy-controller": "true"}


def test_pods_run_the_image_by_digest(prod: Any):
    for name, container in prod.containers():
        assert container["image"].endswith("${airflow.digest}"), name


def test_an_image_given_by_reference_builds_nothing(deploy: Any):
    values = {"aws:region": "eu-west-1", "airflow-control-plane:platform": "eks"}
    given = deploy("dev", values | {"airflow-control-plane:image": {"reference": "registry.example.com/airflow:1"}})
    assert not given.all("Image")
    assert not given.all("Repository")


def test_builds_share_a_cache_that_ecr_takes(prod: Any):
    image = prod.only("Image")
    (read,), (written,) = image["cacheFrom"], image["cacheTo"]
    assert read["registry"]["ref"] == written["registry"]["ref"] == "${airflow.repositoryUrl}:build-cache-amd64"
    kept = written["registry"]
    assert (kept["mode"], kept["imageManifest"], kept["ociMediaTypes"], kept["ignoreError"]) == ("max", True, True, True)


def test_no_tag_but_a_cache_s_can_be_given_other_content(prod: Any):
    repository = prod.only("Repository")
    assert repository["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    (excluded,) = repository["imageTagMutabilityExclusionFilters"]
    assert excluded == {"filter": "build-cache-*", "filterType": "WILDCARD"}
    (tag,) = (name.rpartition(":")[2] for name in prod.only("Image")["tags"])
    assert not fnmatch.fnmatch(tag, excluded["filter"])


def test_caches_never_push_images_out_of_the_registry(prod: Any):
    """Replaced caches have no tag left; counted among the images, they would take the places of those to roll back to."""
    replaced, old = json.loads(prod.only("LifecyclePolicy")["policy"])["rules"]
    assert replaced["selection"]["tagStatus"] == "untagged"
    (tag,) = (name.rpartition(":")[2] for name in prod.only("Image")["tags"])
    (prefix,) = old["selection"]["tagPrefixList"]
    assert tag.startswith(prefix)
    assert not prod.only("Image")["cacheTo"][0]["registry"]["ref"].rpartition(":")[2].startswith(prefix)


def test_the_tag_covers_everything_the_dockerfile_copies():
    lines = (Path(__file__).parents[2] / "image" / "Dockerfile").read_text().splitlines()
    copied = [word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]]
    assert len(copied) > 5
    for source in copied:
        assert source == "${PACKAGES}" or source.startswith(SOURCES), source


def test_the_tag_of_a_build_follows_its_content(tmp_path: Any):
    for source in SOURCES:
        (tmp_path / source).mkdir()
        (tmp_path / source / "file").write_text("same")
    (tmp_path / IGNORE_FILE).write_text("**/__pycache__\n")
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "a.py").write_text("one")
    sources = [*SOURCES, "jobs"]
    before = content_tag(tmp_path, sources)
    assert content_tag(tmp_path, sources) == before
    (tmp_path / "jobs" / "__pycache__").mkdir()
    (tmp_path / "jobs" / "__pycache__" / "a.pyc").write_text("bytecode")
    assert content_tag(tmp_path, sources) == before
    (tmp_path / "jobs" / "a.py").write_text("two")
    changed = content_tag(tmp_path, sources)
    (tmp_path / "jobs" / "a.py").rename(tmp_path / "jobs" / "b.py")
    assert len({before, changed, content_tag(tmp_path, sources)}) == 3
