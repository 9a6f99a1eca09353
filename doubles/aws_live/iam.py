"""Roles, policies of their own and of everybody, and providers of identities."""

from typing import Any

from doubles.aws_live.account import Account, found_by, gone_by
from doubles.aws_live.kind import Found, Kind, Values
from doubles.aws_live.shapes import as_text, tag_list, tag_map
from doubles.provider import RefusedError
from doubles.wire import struct_in

MOST_POLICY_VERSIONS = 5
PATH, SESSION_SECONDS = "/", 3600
"""What AWS takes where nothing is said."""


class Role(Kind):
    """A role; its id is its name. One with policies on it is not deleted."""

    carried_out = frozenset({"assumeRolePolicy", "description", "maxSessionDuration", "name", "path", "tags"})

    def create(self, account: Account, inputs: Values) -> str:
        account.client("iam").create_role(
            RoleName=inputs["name"],
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            Path=inputs.get("path") or PATH,
            Tags=tag_list(inputs.get("tags")),
            **_described(inputs),
        )
        return str(inputs["name"])

    def update(self, account: Account, resource_id: str, inputs: Values) -> None:
        iam, name = account.client("iam"), {"RoleName": resource_id}
        iam.update_assume_role_policy(**name, PolicyDocument=inputs["assumeRolePolicy"])
        iam.update_role(**name, **_described(inputs))
        there, wanted = tag_map(iam.get_role(**name)["Role"].get("Tags")), struct_in(inputs, "tags")
        _retag(there, wanted, tag=iam.tag_role, untag=iam.untag_role, **name)

    def read(self, account: Account, resource_id: str) -> Found | None:
        answer = found_by(account.client("iam").get_role, RoleName=resource_id)
        if answer is None:
            return None
        found = answer["Role"]
        tags = tag_map(found.get("Tags"))
        inputs = {
            "name": found["RoleName"],
            "assumeRolePolicy": as_text(found["AssumeRolePolicyDocument"]),
            "description": found.get("Description", ""),
            "maxSessionDuration": found["MaxSessionDuration"],
            "path": found["Path"],
            "tags": tags,
        }
        made = found["CreateDate"].isoformat()
        return Found(inputs, {"arn": found["Arn"], "uniqueId": found["RoleId"], "createDate": made, "tagsAll": tags})

    def delete(self, account: Account, resource_id: str, inputs: Values) -> None:
        gone_by(account.client("iam").delete_role, RoleName=resource_id)


def _described(inputs: Values) -> dict[str, Any]:
    seconds = inputs.get("maxSessionDuration") or SESSION_SECONDS
    return {"Description": inputs.get("description") or "", "MaxSessionDuration": seconds}


def _retag(there: Values, wanted: Values, *, tag: Any, untag: Any, **which: str) -> None:
    if gone := sorted(there.keys() - wanted.keys()):
        untag(**which, TagKeys=gone)
    if there != wanted:
        tag(**which, Tags=tag_list(wanted))


class RolePolicy(Kind):
    """A policy in a role; its id is the role's name and its own, with a colon between."""

    carried_out = frozenset({"name", "policy", "role"})

    def create(self, account: Account, inputs: Values) -> str:
        resource_id = f"{inputs['role']}:{inputs['name']}"
        self.update(account, resource_id, inputs)
        return resource_id

    def update(self, account: Account, resource_id: str, inputs: Values) -> None:
        account.client("iam").put_role_policy(**_of_role(resource_id), PolicyDocument=inputs["policy"])

    def read(self, account: Account, resource_id: str) -> Found | None:
        found = found_by(account.client("iam").get_role_policy, **_of_role(resource_id))
        if found is None:
            return None
        policy = as_text(found["PolicyDocument"])
        return Found({"role": found["RoleName"], "name": found["PolicyName"], "policy": policy}, {})

    def delete(self, account: Account, resource_id: str, inputs: Values) -> None:
        gone_by(account.client("iam").delete_role_policy, **_of_role(resource_id))


def _of_role(resource_id: str) -> dict[str, str]:
    role, _, policy = resource_id.partition(":")
    return {"RoleName": role, "PolicyName": policy}


class RolePolicyAttachment(Kind):
    """A role that has a managed policy; its id is the role's name and the policy's ARN, with a slash between."""

    carried_out = frozenset({"policyArn", "role"})

    def create(self, account: Account, inputs: Values) -> str:
        account.client("iam").attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
        return f"{inputs['role']}/{inputs['policyArn']}"

    def update(self, account: Account, resource_id: str, inputs: Values) -> None:
        self.create(account, inputs)

    def read(self, account: Account, resource_id: str) -> Found | None:
        role, _, policy = resource_id.partition("/")
        answer = found_by(account.client("iam").list_attached_role_policies, RoleName=role)
        attached = answer is not None and any(one["PolicyArn"] == policy for one in answer["AttachedPolicies"])
        return Found({"role": role, "policyArn": policy}, {}) if attached else None

    def delete(self, account: Account, resource_id: str, inputs: Values) -> None:
        role, _, policy = resource_id.partition("/")
        gone_by(account.client("iam").detach_role_policy, RoleName=role, PolicyArn=policy)


class Policy(Kind):
    """A managed policy; its id is its ARN. A changed document is a new version of it."""

    carried_out = frozenset({"description", "name", "path", "policy", "tags"})

    def create(self, account: Account, inputs: Values) -> str:
        made = account.client("iam").create_policy(
            PolicyName=inputs["name"],
            PolicyDocument=inputs["policy"],
            Description=inputs.get("description") or "",
            Path=inputs.get("path") or PATH,
            Tags=tag_list(inputs.get("tags")),
        )
        return str(made["Policy"]["Arn"])

    def update(self, account: Account, resource_id: str, inputs: Values) -> None:
        iam, arn = account.client("iam"), {"PolicyArn": resource_id}
        others = self._others(iam, resource_id)
        if len(others) + 1 >= MOST_POLICY_VERSIONS:
            iam.delete_policy_version(**arn, VersionId=others[0])
        iam.create_policy_version(**arn, PolicyDocument=inputs["policy"], SetAsDefault=True)
        there, wanted = tag_map(iam.get_policy(**arn)["Policy"].get("Tags")), struct_in(inputs, "tags")
        _retag(there, wanted, tag=iam.tag_policy, untag=iam.untag_policy, **arn)

    def read(self, account: Account, resource_id: str) -> Found | None:
        iam = account.client("iam")
        answer = found_by(iam.get_policy, PolicyArn=resource_id)
        if answer is None:
            return None
        found = answer["Policy"]
        version = iam.get_policy_version(PolicyArn=resource_id, VersionId=found["DefaultVersionId"])["PolicyVersion"]
        tags = tag_map(found.get("Tags"))
        inputs = {
            "name": found["PolicyName"],
            "description": found.get("Description", ""),
            "path": found["Path"],
            "policy": as_text(version["Document"]),
            "tags": tags,
        }
        outputs = {"arn": found["Arn"], "policyId": found["PolicyId"], "tagsAll": tags}
        return Found(inputs, {**outputs, "attachmentCount": found["AttachmentCount"]})

    def delete(self, account: Account, resource_id: str, inputs: Values) -> None:
        iam = account.client("iam")
        if found_by(iam.get_policy, PolicyArn=resource_id) is None:
            return
        for version in self._others(iam, resource_id):
            iam.delete_policy_version(PolicyArn=resource_id, VersionId=version)
        iam.delete_policy(PolicyArn=resource_id)

    @staticmethod
    def _others(iam: Any, arn: str) -> list[str]:
        """Return the versions that are not in force, the oldest first."""
        versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
        others = sorted((one for one in versions if not one["IsDefaultVersion"]), key=lambda one: one["CreateDate"])
        return [one["VersionId"] for one in others]


class OpenIdConnectProvider(Kind):
    """An issuer of tokens that the account trusts; its id is its ARN."""

    carried_out = frozenset({"clientIdLists", "tags", "thumbprintLists", "url"})

    def create(self, account: Account, inputs: Values) -> str:
        made = account.client("iam").create_open_id_connect_provider(
            Url=inputs["url"],
            ClientIDList=inputs["clientIdLists"],
            ThumbprintList=inputs.get("thumbprintLists") or [],
            Tags=tag_list(inputs.get("tags")),
        )
        return str(made["OpenIDConnectProviderArn"])

    def update(self, account: Account, resource_id: str, inputs: Values) -> None:
        iam, which = account.client("iam"), {"OpenIDConnectProviderArn": resource_id}
        found = iam.get_open_id_connect_provider(**which)
        if sorted(found["ClientIDList"]) != sorted(inputs["clientIdLists"]):
            raise RefusedError("moto has no change of the audiences of an identity provider")
        there, wanted = tag_map(found.get("Tags")), struct_in(inputs, "tags")
        tag, untag = iam.tag_open_id_connect_provider, iam.untag_open_id_connect_provider
        _retag(there, wanted, tag=tag, untag=untag, **which)

    def read(self, account: Account, resource_id: str) -> Found | None:
        found = found_by(account.client("iam").get_open_id_connect_provider, OpenIDConnectProviderArn=resource_id)
        if found is None:
            return None
        tags = tag_map(found.get("Tags"))
        inputs = {
            "url": f"https://{found['Url']}",
            "clientIdLists": found["ClientIDList"],
            "thumbprintLists": found["ThumbprintList"],
            "tags": tags,
        }
        return Found(inputs, {"arn": resource_id, "tagsAll": tags})

    def delete(self, account: Account, resource_id: str, inputs: Values) -> None:
        gone_by(account.client("iam").delete_open_id_connect_provider, OpenIDConnectProviderArn=resource_id)


KINDS: dict[str, Kind] = {
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": OpenIdConnectProvider(),
    "aws:iam/policy:Policy": Policy(),
    "aws:iam/role:Role": Role(),
    "aws:iam/rolePolicy:RolePolicy": RolePolicy(),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": RolePolicyAttachment(),
}


def get_open_id_connect_provider(account: Account, arguments: Values) -> Values:
    """Look up the provider of an issuer's URL."""
    arn = f"arn:aws:iam::{account.number}:oidc-provider/{arguments['url'].removeprefix('https://')}"
    found = account.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    return {"id": arn, "arn": arn, "url": arguments["url"], "clientIdLists": found["ClientIDList"]}


LOOKUPS = {"aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": get_open_id_connect_provider}
