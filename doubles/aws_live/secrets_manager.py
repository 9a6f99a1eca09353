"""Secrets, and their versions."""

from typing import Any

from doubles import wire
from doubles.aws_live.account import Account, found_by, gone_by
from doubles.aws_live.kind import Found, Kind, Values
from doubles.aws_live.shapes import tag_list, tag_map
from doubles.wire import struct_in

CURRENT = "AWSCURRENT"
DEFAULT_WINDOW_DAYS = 30


class Secret(Kind):
    """A secret without a value; its id is its ARN. Deleted at once only where the recovery window is 0."""

    carried_out = frozenset({"description", "kmsKeyId", "name", "recoveryWindowInDays", "region", "tags"})

    def create(self, account: Account, inputs: Values) -> str:
        made = account.client("secretsmanager").create_secret(Name=inputs["name"], **_described(inputs), **_tagged(inputs))
        return str(made["ARN"])

    def update(self, account: Account, resource_id: str, inputs: Values) -> None:
        manager = account.client("secretsmanager")
        manager.update_secret(SecretId=resource_id, **_described(inputs))
        there = tag_map(manager.describe_secret(SecretId=resource_id).get("Tags"))
        wanted = struct_in(inputs, "tags")
        if gone := sorted(there.keys() - wanted.keys()):
            manager.untag_resource(SecretId=resource_id, TagKeys=gone)
        if there != wanted:
            manager.tag_resource(SecretId=resource_id, Tags=tag_list(wanted))

    def read(self, account: Account, resource_id: str) -> Found | None:
        found = found_by(account.client("secretsmanager").describe_secret, SecretId=resource_id)
        if found is None or "DeletedDate" in found:
            return None
        tags = tag_map(found.get("Tags"))
        inputs = {
            "name": found["Name"],
            "description": found.get("Description", ""),
            "kmsKeyId": found.get("KmsKeyId", ""),
            "tags": tags,
        }
        return Found(inputs, {"arn": found["ARN"], "region": account.region, "tagsAll": tags})

    def delete(self, account: Account, resource_id: str, inputs: Values) -> None:
        days = inputs.get("recoveryWindowInDays", DEFAULT_WINDOW_DAYS)
        how: dict[str, Any] = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
        gone_by(account.client("secretsmanager").delete_secret, SecretId=resource_id, **how)


def _described(inputs: Values) -> dict[str, Any]:
    key = {"KmsKeyId": inputs["kmsKeyId"]} if inputs.get("kmsKeyId") else {}
    return {"Description": inputs.get("description") or "", **key}


def _tagged(inputs: Values) -> dict[str, Any]:
    return {"Tags": tag_list(inputs["tags"])} if inputs.get("tags") else {}


class SecretVersion(Kind):
    """A value of a secret; its id is the secret's and its own, with a bar between.

    A later version takes the stage ``AWSCURRENT`` from it and leaves its value as it was; that nobody's may do so says
    ``versionStages``.
    """

    carried_out = frozenset({"region", "secretId", "secretString", "versionStages"})

    def create(self, account: Account, inputs: Values) -> str:
        stages = {"VersionStages": inputs["versionStages"]} if inputs.get("versionStages") else {}
        made = account.client("secretsmanager").put_secret_value(
            SecretId=inputs["secretId"], SecretString=inputs["secretString"], **stages
        )
        return f"{inputs['secretId']}|{made['VersionId']}"

    def update(self, account: Account, resource_id: str, inputs: Values) -> None:
        """Move the stages; the value itself never changes."""
        secret, _, version = resource_id.partition("|")
        wanted = inputs.get("versionStages")
        if not wanted:
            return
        for stage in set(wanted) - set(self._stages(account, resource_id)):
            self._move(account, secret, stage, to=version)
        # Read anew: with AWSCURRENT, AWS moves AWSPREVIOUS.
        for stage in set(self._stages(account, resource_id)) - {*wanted, CURRENT}:
            self._move(account, secret, stage, away_from=version)

    def read(self, account: Account, resource_id: str) -> Found | None:
        secret, _, version = resource_id.partition("|")
        found = found_by(account.client("secretsmanager").get_secret_value, SecretId=secret, VersionId=version)
        if found is None:
            return None
        inputs = {
            "secretId": secret,
            "secretString": wire.secret(found["SecretString"]),
            "versionStages": found["VersionStages"],
        }
        outputs = {"arn": found["ARN"], "secretArn": found["ARN"], "versionId": found["VersionId"], "region": account.region}
        return Found(inputs, outputs)

    def delete(self, account: Account, resource_id: str, inputs: Values) -> None:
        """Take its stages, so that AWS drops it; the current version goes with its secret."""
        secret, _, version = resource_id.partition("|")
        for stage in self._stages(account, resource_id):
            if stage != CURRENT:
                self._move(account, secret, stage, away_from=version)

    def _stages(self, account: Account, resource_id: str) -> list[str]:
        found = self.read(account, resource_id)
        return list(found.inputs["versionStages"]) if found is not None else []

    def _move(self, account: Account, secret: str, stage: str, *, to: str | None = None, away_from: str | None = None) -> None:
        manager = account.client("secretsmanager")
        versions: dict[str, list[str]] = manager.describe_secret(SecretId=secret).get("VersionIdsToStages") or {}
        holder = away_from or next((version for version, stages in versions.items() if stage in stages), None)
        ends = {"MoveToVersionId": to, "RemoveFromVersionId": holder}
        manager.update_secret_version_stage(
            SecretId=secret, VersionStage=stage, **{key: version for key, version in ends.items() if version}
        )


KINDS: dict[str, Kind] = {
    "aws:secretsmanager/secret:Secret": Secret(),
    "aws:secretsmanager/secretVersion:SecretVersion": SecretVersion(),
}


def get_secret_version(account: Account, arguments: Values) -> Values:
    """Look up the value of a secret, of another account where its ARN says so."""
    name = str(arguments["secretId"])
    owner = name.split(":")[4] if name.startswith("arn:") else None
    found = account.client("secretsmanager", owner=owner).get_secret_value(SecretId=name, VersionStage=CURRENT)
    return {
        "id": f"{name}|{found['VersionId']}",
        "arn": found["ARN"],
        "secretId": name,
        "secretString": wire.secret(found["SecretString"]),
        "versionId": found["VersionId"],
    }


LOOKUPS = {"aws:secretsmanager/getSecretVersion:getSecretVersion": get_secret_version}
