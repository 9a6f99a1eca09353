"""What is in an account of the moto server, as AWS tells whoever asks."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from doubles.aws_live.account import Account, found_by

AUTONAME = re.compile(r"-[0-9a-f]{7}$")


@dataclass(frozen=True)
class BucketContents:
    arn: str
    policy: Any
    public_access: dict[str, bool]
    ownership: list[Any]
    encryption: list[Any]
    versioning: str | None
    lifecycle: list[Any]
    tags: dict[str, str]
    objects: list[str]


@dataclass(frozen=True)
class RoleContents:
    arn: str
    trust: Any
    policies: list[Any]
    attached: list[str]
    tags: dict[str, str]


@dataclass(frozen=True)
class RepositoryContents:
    mutability: str
    scan_on_push: bool
    lifecycle: Any
    images: int


@dataclass(frozen=True)
class SecretContents:
    arn: str
    value: str | None = field(repr=False)
    deleted: bool


@dataclass(frozen=True)
class AccountContents:
    """Everything by its name in the program."""

    buckets: dict[str, BucketContents]
    roles: dict[str, RoleContents]
    policies: list[str]
    issuers: dict[str, list[str]]
    """ARN of an identity provider to its audiences."""

    repositories: dict[str, RepositoryContents]
    secrets: dict[str, SecretContents]

    @classmethod
    def of(cls, account: Account) -> "AccountContents":
        return cls(
            _buckets(account.client("s3")),
            _roles(account.client("iam")),
            [one["Arn"] for one in account.client("iam").list_policies(Scope="Local")["Policies"]],
            _issuers(account.client("iam")),
            _repositories(account.client("ecr")),
            _secrets(account.client("secretsmanager")),
        )

    def counts(self) -> dict[str, int]:
        return {name: len(found) for name, found in vars(self).items() if found}


def logical(name: str) -> str:
    """Return a name without what Pulumi adds to it."""
    return AUTONAME.sub("", name)


def _once(pairs: Any) -> dict[str, Any]:
    """Return the pairs as a dict; two things that the program calls the same are one too many."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        assert logical(name) not in found, f"{name} is there twice"
        found[logical(name)] = value
    return found


def _tags(answer: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in answer or []}


def _buckets(s3: Any) -> dict[str, BucketContents]:
    return _once((one["Name"], _bucket(s3, one["Name"])) for one in s3.list_buckets()["Buckets"])


def _bucket(s3: Any, name: str) -> BucketContents:
    def told(method: str) -> Any:
        return found_by(getattr(s3, method), Bucket=name) or {}

    return BucketContents(
        f"arn:aws:s3:::{name}",
        json.loads(told("get_bucket_policy").get("Policy", "null")),
        told("get_public_access_block").get("PublicAccessBlockConfiguration", {}),
        told("get_bucket_ownership_controls").get("OwnershipControls", {}).get("Rules", []),
        told("get_bucket_encryption").get("ServerSideEncryptionConfiguration", {}).get("Rules", []),
        told("get_bucket_versioning").get("Status"),
        told("get_bucket_lifecycle_configuration").get("Rules", []),
        _tags(told("get_bucket_tagging").get("TagSet")),
        [one["Key"] for one in told("list_objects_v2").get("Contents", [])],
    )


def _roles(iam: Any) -> dict[str, RoleContents]:
    return _once((one["RoleName"], _role(iam, one["RoleName"])) for one in iam.list_roles()["Roles"])


def _role(iam: Any, name: str) -> RoleContents:
    found = iam.get_role(RoleName=name)["Role"]
    policies = iam.list_role_policies(RoleName=name)["PolicyNames"]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    return RoleContents(
        found["Arn"],
        found["AssumeRolePolicyDocument"],
        [iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in policies],
        sorted(one["PolicyArn"] for one in attached),
        _tags(found.get("Tags")),
    )


def _issuers(iam: Any) -> dict[str, list[str]]:
    arns = [one["Arn"] for one in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
    return {arn: iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"] for arn in arns}


def _repositories(ecr: Any) -> dict[str, RepositoryContents]:
    return _once(
        (
            one["repositoryName"],
            RepositoryContents(
                one["imageTagMutability"],
                one["imageScanningConfiguration"]["scanOnPush"],
                json.loads(
                    (found_by(ecr.get_lifecycle_policy, repositoryName=one["repositoryName"]) or {}).get(
                        "lifecyclePolicyText", "null"
                    )
                ),
                len(ecr.list_images(repositoryName=one["repositoryName"])["imageIds"]),
            ),
        )
        for one in ecr.describe_repositories()["repositories"]
    )


def _secrets(manager: Any) -> dict[str, SecretContents]:
    def contents(one: Any) -> SecretContents:
        deleted = "DeletedDate" in one
        # Where no stage is named, moto answers what was written last.
        current = {"SecretId": one["ARN"], "VersionStage": "AWSCURRENT"}
        value = None if deleted else (found_by(manager.get_secret_value, **current) or {}).get("SecretString")
        return SecretContents(one["ARN"], value, deleted)

    pages = manager.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True)
    return _once((one["Name"], contents(one)) for page in pages for one in page["SecretList"])
