"""A stack in an account: what AWS has of it, what a hand changes there, what becomes of that, and what is left."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from components.image_content import CONTENT_TAGS
from dagsync.cache import Cache
from dagsync.fetching import fetch
from dagsync.publishing import publish
from dagsync.s3 import S3Store
from dagsync.source_errors import StoreError
from doubles.aws_live.account import Account
from tests.built_tools import REPOSITORY
from tests.dagsync.store.bucket import CREDENTIALS, content_of
from tests.engine.account_contents import AccountContents
from tests.engine.account_data import fill
from tests.engine.conftest import Drive
from tests.engine.driven_stack import DrivenStack
from tests.engine.leaks import leaks
from tests.engine.moto_server import MotoServer

SETTINGS: dict[str, Any] = {
    "dags.source": "s3",
    "secrets": {"mirror": True},
    "cluster.identity": "irsa",
    "cluster.nodeGroups": {"main": {"instanceTypes": ["m7g.large"]}},
    "image.architecture": "arm64",
}
"""Of ``dev``, so that it has every type of these services that the program makes."""

PACKAGES = REPOSITORY / "examples" / "packages"
ANYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
ANYBODY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]}
)


@dataclass(frozen=True)
class Life:
    """The facts of one stack, in the order in which they came."""

    stack: DrivenStack
    made: AccountContents
    delivered: dict[str, dict[str, str]]
    """What the Secrets in the cluster hold."""

    drift: set[tuple[str, str, str]]
    """What a refresh shows of the changes by hand."""

    repaired: AccountContents
    """After the next ``up``."""

    replanned: dict[str, int]
    published: dict[str, bytes]
    fetched: dict[str, bytes]
    refusal: str
    """What a reader is told who comes without TLS."""

    filled: AccountContents
    left: AccountContents


@pytest.fixture(scope="module")
def life(drive: Drive, moto: MotoServer, tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Return a whole life: made, changed by hand, repaired, published to, destroyed."""
    stack = drive("dev")
    for key, value in SETTINGS.items():
        stack.configure(key, value)
    stack.up()
    account = stack.cloud.account
    made = AccountContents.of(account)
    secrets = stack.cloud.of_type("kubernetes:core/v1:Secret").values()
    delivered = {one["metadata"]["name"]: dict(one["stringData"]) for one in secrets}
    change_by_hand(account, made)
    drift = stack.drifted()
    stack.up()
    repaired, replanned = AccountContents.of(account), stack.preview()
    cache = Cache(tmp_path_factory.mktemp("cache"))
    url = stack.stack.outputs()["packagesUrl"].value
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**CREDENTIALS, "AWS_CA_BUNDLE": str(moto.certificates)}.items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL_S3", moto.address)
        publish(PACKAGES, S3Store(url))
        fetch(S3Store(url), cache)
        patch.setenv("AWS_ENDPOINT_URL_S3", moto.plain_address)
        with pytest.raises(StoreError) as refused:
            fetch(S3Store(url), cache)
    fill(account)
    filled = AccountContents.of(account)
    stack.destroy()
    left = AccountContents.of(account)
    # Bytecode that somebody's run left there is not published.
    published = {name: content for name, content in content_of(PACKAGES).items() if "__pycache__" not in name}
    fetched = content_of(cache.link)
    return Life(stack, made, delivered, drift, repaired, replanned, published, fetched, str(refused.value), filled, left)


def change_by_hand(account: Account, made: AccountContents) -> None:
    """Do in the account what a console makes easy."""
    s3, iam, ecr = (account.client(service) for service in ("s3", "iam", "ecr"))
    packages, logs = (made.buckets[name].arn.rpartition(":")[2] for name in ("packages", "task-logs"))
    s3.delete_bucket_policy(Bucket=packages)
    s3.put_bucket_versioning(Bucket=packages, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_public_access_block(Bucket=logs)
    s3.put_bucket_tagging(Bucket=logs, Tagging={"TagSet": []})
    rule = {"ID": "forget", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    s3.put_bucket_lifecycle_configuration(Bucket=logs, LifecycleConfiguration={"Rules": [rule]})

    scheduler, jobs, network = (name_of_role(made, name) for name in ("airflow-scheduler", "etl-jobs", "cluster-nodes-vpc-cni"))
    (policy,) = iam.list_role_policies(RoleName=scheduler)["PolicyNames"]
    iam.put_role_policy(RoleName=scheduler, PolicyName=policy, PolicyDocument=ANYTHING)
    iam.update_assume_role_policy(RoleName=jobs, PolicyDocument=ANYBODY)
    iam.detach_role_policy(RoleName=network, PolicyArn="arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy")
    (issuer,) = made.issuers
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=issuer)

    (repository,) = ecr.describe_repositories()["repositories"]
    ecr.put_image_tag_mutability(repositoryName=repository["repositoryName"], imageTagMutability="MUTABLE")
    ecr.delete_lifecycle_policy(repositoryName=repository["repositoryName"])
    account.client("secretsmanager").put_secret_value(SecretId=made.secrets["airflow-database"].arn, SecretString="{}")


def name_of_role(made: AccountContents, name: str) -> str:
    return made.roles[name].arn.rpartition("/")[2]


def test_every_bucket_is_private_its_owners_encrypted_and_reached_by_tls_alone(life: Life) -> None:
    assert set(life.made.buckets) == {"packages", "task-logs"}
    for bucket in life.made.buckets.values():
        assert bucket.public_access == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }
        assert bucket.ownership == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        assert [rule["ApplyServerSideEncryptionByDefault"] for rule in bucket.encryption] == [{"SSEAlgorithm": "AES256"}]
        assert bucket.policy == {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:*",
                    "Resource": [bucket.arn, f"{bucket.arn}/*"],
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                }
            ],
        }


def test_packages_have_versions_and_logs_an_end(life: Life) -> None:
    packages, logs = life.made.buckets["packages"], life.made.buckets["task-logs"]
    assert (packages.versioning, logs.versioning) == ("Enabled", None)
    uploads = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}, "Status": "Enabled"}
    noncurrent = {"NoncurrentVersionExpiration": {"NoncurrentDays": 30}}
    assert packages.lifecycle == [{"ID": "forget-noncurrent", "Filter": {"Prefix": "packages/"}, **noncurrent, **uploads}]
    assert logs.lifecycle == [{"ID": "forget", "Filter": {"Prefix": "task-logs/"}, "Expiration": {"Days": 30}, **uploads}]


READS_LOGS, WRITES_LOGS = ("task-logs", ["s3:GetObject"]), ("task-logs", ["s3:GetObject", "s3:PutObject"])
READS_PACKAGES = ("packages", ["s3:GetObject"])
RIGHTS = {
    ("airflow", "airflow-api-server"): [READS_LOGS],
    ("airflow", "airflow-scheduler"): [WRITES_LOGS, READS_PACKAGES],
    ("airflow", "airflow-dag-processor"): [READS_PACKAGES],
    ("airflow", "airflow-triggerer"): [WRITES_LOGS],
    ("etl-jobs", "etl-jobs"): [READS_PACKAGES],
}
"""Namespace and name of a service account to what its role may do with the objects of which bucket."""


def test_the_role_of_a_service_account_trusts_it_alone_and_may_do_what_it_needs(life: Life) -> None:
    (provider,) = life.made.issuers
    issuer = provider.partition("oidc-provider/")[2]
    assert life.made.issuers[provider] == ["sts.amazonaws.com"]
    assert {name for name, role in life.made.roles.items() if role.policies} == {account for _, account in RIGHTS}
    for (namespace, account), rights in RIGHTS.items():
        role = life.made.roles[account]
        claims = {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": f"system:serviceaccount:{namespace}:{account}"}
        trust = {
            "Effect": "Allow",
            "Principal": {"Federated": provider},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": claims},
        }
        assert role.trust == {"Version": "2012-10-17", "Statement": [trust]}
        statements = [one for bucket, actions in rights for one in objects(life.made.buckets[bucket].arn, bucket, actions)]
        assert role.policies == [{"Version": "2012-10-17", "Statement": statements}]
        assert role.attached == []


def objects(bucket: str, prefix: str, actions: list[str]) -> list[dict[str, Any]]:
    below = {"StringLike": {"s3:prefix": [f"{prefix}/*"]}}
    return [
        {"Effect": "Allow", "Action": actions, "Resource": f"{bucket}/{prefix}/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket, "Condition": below},
    ]


def test_the_other_roles_are_of_services_and_have_policies_of_aws(life: Life) -> None:
    of_services = {name: role for name, role in life.made.roles.items() if not role.policies}
    assert {name: role.trust["Statement"][0]["Principal"] for name, role in of_services.items()} == {
        "cluster-eksRole": {"Service": "eks.amazonaws.com"},
        "cluster-nodes-node": {"Service": "ec2.amazonaws.com"},
        "cluster-nodes-vpc-cni": {"Service": "pods.eks.amazonaws.com"},
        "cluster-nodes-aws-ebs-csi-driver": {"Service": "pods.eks.amazonaws.com"},
    }
    assert {name: role.attached for name, role in of_services.items() if name.startswith("cluster-nodes")} == {
        "cluster-nodes-node": [
            "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
            "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
        ],
        "cluster-nodes-vpc-cni": ["arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"],
        "cluster-nodes-aws-ebs-csi-driver": ["arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"],
    }


def test_images_are_scanned_never_overwritten_and_the_newest_are_kept(life: Life) -> None:
    found = life.made.repositories["airflow"]
    assert (found.mutability, found.scan_on_push) == ("IMMUTABLE_WITH_EXCLUSION", True)
    images = {"tagStatus": "tagged", "tagPrefixList": [CONTENT_TAGS], "countType": "imageCountMoreThan", "countNumber": 30}
    caches = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}
    assert [one["selection"] for one in found.lifecycle["rules"]] == [caches, images]
    assert {one["action"]["type"] for one in found.lifecycle["rules"]} == {"expire"}


def test_what_takes_tags_has_those_of_the_stack(life: Life) -> None:
    tagged = [*life.made.buckets.values(), *life.made.roles.values()]
    assert [one.arn for one in tagged if one.tags != {"airflow-control-plane:stack": "dev"}] == []


def test_secrets_hold_what_pods_are_given_and_nothing_else_in_the_account_does(life: Life) -> None:
    values = {name: json.loads(secret.value or "null") for name, secret in life.made.secrets.items()}
    assert values == life.delivered
    assert len(values) == 5
    # A SecretContents does not show its value.
    assert leaks({"account": repr(life.filled)}, life.stack.cloud.generated) == []


def test_a_refresh_shows_what_was_changed_by_hand_and_nothing_else(life: Life) -> None:
    assert life.drift == {
        ("delete", "aws:s3/bucketPolicy:BucketPolicy", "packages"),
        ("update", "aws:s3/bucketVersioning:BucketVersioning", "packages"),
        ("delete", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "task-logs"),
        ("update", "aws:s3/bucket:Bucket", "task-logs"),
        ("update", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "task-logs"),
        ("update", "aws:iam/rolePolicy:RolePolicy", "airflow-scheduler"),
        ("update", "aws:iam/role:Role", "etl-jobs"),
        ("delete", "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "cluster-nodes-vpc-cni"),
        ("delete", "aws:iam/openIdConnectProvider:OpenIdConnectProvider", "cluster-oidcProvider"),
        ("update", "aws:ecr/repository:Repository", "airflow"),
        ("delete", "aws:ecr/lifecyclePolicy:LifecyclePolicy", "airflow"),
        ("update", "aws:secretsmanager/secretVersion:SecretVersion", "airflow-database"),
    }


def test_the_next_up_puts_right_what_was_changed_by_hand(life: Life) -> None:
    assert life.repaired == life.made
    assert life.replanned == {}


def test_packages_are_published_to_the_stacks_bucket_and_fetched_from_it(life: Life) -> None:
    assert life.published
    assert life.fetched == life.published


def test_the_bucket_refuses_whoever_comes_without_tls(life: Life) -> None:
    assert "cannot be read: 403" in life.refusal


def test_destroy_of_dev_takes_what_was_put_into_it_along(life: Life) -> None:
    assert {name: len(bucket.objects) for name, bucket in life.filled.buckets.items()} == {"packages": 3, "task-logs": 1}
    assert life.filled.repositories["airflow"].images == 1
    assert life.left.counts() == {}
    assert life.stack.resources() == []
