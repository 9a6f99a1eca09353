"""Repositories, what expires in them, and the login to push."""

import base64
from typing import Any

from doubles import wire
from doubles.aws_live.account import Account, found_by, gone_by
from doubles.aws_live.kind import Found, Kind, Values
from doubles.aws_live.shapes import from_aws, tag_list, tag_map
from doubles.wire import struct_in


class Repository(Kind):
    """A repository; its id is its name."""

    carried_out = frozenset(
        {
            *("encryptionConfigurations", "forceDelete", "imageScanningConfiguration", "imageTagMutability"),
            *("imageTagMutabilityExclusionFilters", "name", "region", "tags"),
        }
    )

    def create(self, account: Account, inputs: Values) -> str:
        asked = {
            **_mutability(inputs),
            "imageScanningConfiguration": inputs.get("imageScanningConfiguration"),
            "encryptionConfiguration": (inputs.get("encryptionConfigurations") or [None])[0],
            "tags": tag_list(inputs.get("tags")),
        }
        given = {key: value for key, value in asked.items() if value}
        account.client("ecr").create_repository(repositoryName=inputs["name"], **given)
        return str(inputs["name"])

    def update(self, account: Account, resource_id: str, inputs: Values) -> None:
        ecr, name = account.client("ecr"), {"repositoryName": resource_id}
        scanning = inputs.get("imageScanningConfiguration") or {"scanOnPush": False}
        ecr.put_image_tag_mutability(**name, **_mutability(inputs))
        ecr.put_image_scanning_configuration(**name, imageScanningConfiguration=scanning)
        arn = ecr.describe_repositories(repositoryNames=[resource_id])["repositories"][0]["repositoryArn"]
        there, wanted = self._tags(ecr, arn), struct_in(inputs, "tags")
        if gone := sorted(there.keys() - wanted.keys()):
            ecr.untag_resource(resourceArn=arn, tagKeys=gone)
        if there != wanted:
            ecr.tag_resource(resourceArn=arn, tags=tag_list(wanted))

    def read(self, account: Account, resource_id: str) -> Found | None:
        ecr = account.client("ecr")
        answer = found_by(ecr.describe_repositories, repositoryNames=[resource_id])
        if answer is None:
            return None
        found = answer["repositories"][0]
        tags = self._tags(ecr, found["repositoryArn"])
        inputs = {
            "name": resource_id,
            "imageTagMutability": found["imageTagMutability"],
            "imageTagMutabilityExclusionFilters": from_aws(found.get("imageTagMutabilityExclusionFilters")) or None,
            "imageScanningConfiguration": from_aws(found["imageScanningConfiguration"]),
            "encryptionConfigurations": [from_aws(found["encryptionConfiguration"])],
            "tags": tags,
        }
        outputs = {
            "arn": found["repositoryArn"],
            "registryId": found["registryId"],
            "repositoryUrl": found["repositoryUri"],
            "region": account.region,
            "tagsAll": tags,
        }
        return Found(inputs, outputs)

    def delete(self, account: Account, resource_id: str, inputs: Values) -> None:
        force = bool(inputs.get("forceDelete"))
        gone_by(account.client("ecr").delete_repository, repositoryName=resource_id, force=force)

    @staticmethod
    def _tags(ecr: Any, arn: str) -> dict[str, str]:
        return tag_map(ecr.list_tags_for_resource(resourceArn=arn)["tags"])


def _mutability(inputs: Values) -> dict[str, Any]:
    """Return which tags keep their content, as AWS is asked for it."""
    excluded = inputs.get("imageTagMutabilityExclusionFilters")
    return {
        "imageTagMutability": inputs.get("imageTagMutability") or "MUTABLE",
        **({"imageTagMutabilityExclusionFilters": excluded} if excluded else {}),
    }


class LifecyclePolicy(Kind):
    """What expires in a repository; its id is the repository's."""

    carried_out = frozenset({"policy", "region", "repository"})

    def create(self, account: Account, inputs: Values) -> str:
        self.update(account, str(inputs["repository"]), inputs)
        return str(inputs["repository"])

    def update(self, account: Account, resource_id: str, inputs: Values) -> None:
        account.client("ecr").put_lifecycle_policy(repositoryName=resource_id, lifecyclePolicyText=inputs["policy"])

    def read(self, account: Account, resource_id: str) -> Found | None:
        found = found_by(account.client("ecr").get_lifecycle_policy, repositoryName=resource_id)
        if found is None:
            return None
        inputs = {"repository": resource_id, "policy": found["lifecyclePolicyText"]}
        return Found(inputs, {"registryId": found["registryId"], "region": account.region})

    def delete(self, account: Account, resource_id: str, inputs: Values) -> None:
        gone_by(account.client("ecr").delete_lifecycle_policy, repositoryName=resource_id)


KINDS: dict[str, Kind] = {
    "aws:ecr/repository:Repository": Repository(),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": LifecyclePolicy(),
}


def get_authorization_token(account: Account, arguments: Values) -> Values:
    """Return the login to push with, of a registry."""
    registries = {"registryIds": [arguments["registryId"]]} if arguments.get("registryId") else {}
    found = account.client("ecr").get_authorization_token(**registries)["authorizationData"][0]
    user, _, password = base64.b64decode(found["authorizationToken"]).decode().partition(":")
    return {
        "id": account.region,
        "authorizationToken": wire.secret(found["authorizationToken"]),
        "expiresAt": found["expiresAt"].isoformat(),
        "password": wire.secret(password),
        "proxyEndpoint": found["proxyEndpoint"],
        "userName": user,
    }


LOOKUPS = {"aws:ecr/getAuthorizationToken:getAuthorizationToken": get_authorization_token}
