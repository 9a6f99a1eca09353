"""Buckets, and what is set on them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from doubles.aws_live.account import Account, found_by, gone_by
from doubles.aws_live.kind import Found, Kind, Values
from doubles.aws_live.shapes import from_aws, provider_name, tag_list, tag_map, to_aws
from doubles.provider import RefusedError


class Bucket(Kind):
    """A bucket; its id is its name."""

    carried_out = frozenset({"bucket", "bucketPrefix", "forceDestroy", "region", "tags"})

    def create(self, account: Account, inputs: Values) -> str:
        name = str(inputs.get("bucket") or f"{inputs['bucketPrefix']}{secrets.token_hex(13)}")
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": account.region}}
        account.client("s3").create_bucket(Bucket=name, **(elsewhere if account.region != "us-east-1" else {}))
        return name

    def complete(self, account: Account, resource_id: str, inputs: Values) -> None:
        if inputs.get("tags"):
            account.client("s3").put_bucket_tagging(Bucket=resource_id, Tagging={"TagSet": tag_list(inputs["tags"])})

    def update(self, account: Account, resource_id: str, inputs: Values) -> None:
        account.client("s3").put_bucket_tagging(Bucket=resource_id, Tagging={"TagSet": tag_list(inputs.get("tags"))})

    def read(self, account: Account, resource_id: str) -> Found | None:
        s3 = account.client("s3")
        found = found_by(s3.head_bucket, Bucket=resource_id)
        if found is None:
            return None
        tagged = found_by(s3.get_bucket_tagging, Bucket=resource_id)
        tags = tag_map(tagged["TagSet"] if tagged else None)
        region = found["BucketRegion"]
        outputs = {
            "arn": f"arn:aws:s3:::{resource_id}",
            "bucketDomainName": f"{resource_id}.s3.amazonaws.com",
            "bucketRegion": region,
            "bucketRegionalDomainName": f"{resource_id}.s3.{region}.amazonaws.com",
            "region": region,
            "tagsAll": tags,
        }
        return Found({"bucket": resource_id, "tags": tags}, outputs)

    def delete(self, account: Account, resource_id: str, inputs: Values) -> None:
        s3 = account.client("s3")
        if inputs.get("forceDestroy") and found_by(s3.head_bucket, Bucket=resource_id) is not None:
            _empty(s3, resource_id)
        gone_by(s3.delete_bucket, Bucket=resource_id)


def _empty(s3: Any, bucket: str) -> None:
    """Delete every version of every object."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        listed = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in listed]
        failed = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects}).get("Errors") if objects else None
        if failed:
            raise RefusedError(f"{bucket}: {len(failed)} objects cannot be deleted, the first: {failed[0]}")


@dataclass(frozen=True, kw_only=True)
class BucketSetting(Kind):
    """One of the things that are set on a bucket as a whole; its id is the bucket's name."""

    carried_out: frozenset[str]
    operation: str
    """What the SDK's methods are called after ``put_``, ``get_`` and ``delete_``."""

    member: str
    """What those hold it in."""

    removed_by: Callable[[Any, str], None] | None = None
    """What takes it off by the client and the bucket's name; ``None`` is the method to delete it."""

    asked: Callable[[Values], Any] = lambda inputs: inputs
    """The inputs, without the bucket, as the member has them."""

    answered: Callable[[Any], Values] = lambda there: there
    """The other way round."""

    def create(self, account: Account, inputs: Values) -> str:
        self.update(account, str(inputs["bucket"]), inputs)
        return str(inputs["bucket"])

    def update(self, account: Account, resource_id: str, inputs: Values) -> None:
        s3 = account.client("s3")
        given = self.asked({key: value for key, value in inputs.items() if key not in ("bucket", "region")})
        name = s3.meta.method_to_api_mapping[f"put_{self.operation}"]
        shape = s3.meta.service_model.operation_model(name).input_shape.members[self.member]
        getattr(s3, f"put_{self.operation}")(**{"Bucket": resource_id, self.member: to_aws(shape, given)})

    def read(self, account: Account, resource_id: str) -> Found | None:
        answer = from_aws(found_by(getattr(account.client("s3"), f"get_{self.operation}"), Bucket=resource_id))
        # Some are answered inside their member, some as they are.
        there = answer and answer.get(provider_name(self.member), answer)
        if not there:
            return None
        return Found({"bucket": resource_id, **self.answered(there)}, {"region": account.region})

    def delete(self, account: Account, resource_id: str, inputs: Values) -> None:
        s3 = account.client("s3")
        if self.removed_by is None:
            gone_by(getattr(s3, f"delete_{self.operation}"), Bucket=resource_id)
        else:
            self.removed_by(s3, resource_id)


def _suspend(s3: Any, bucket: str) -> None:
    gone_by(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


def _forget_lifecycle(s3: Any, bucket: str) -> None:
    gone_by(s3.delete_bucket_lifecycle, Bucket=bucket)


KINDS: dict[str, Kind] = {
    "aws:s3/bucket:Bucket": Bucket(),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": BucketSetting(
        carried_out=frozenset({"bucket", "region", "rules"}),
        operation="bucket_lifecycle_configuration",
        member="LifecycleConfiguration",
        removed_by=_forget_lifecycle,
        answered=lambda there: {"rules": there["rules"]},
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": BucketSetting(
        carried_out=frozenset({"bucket", "region", "rule"}),
        operation="bucket_ownership_controls",
        member="OwnershipControls",
        asked=lambda inputs: {"rules": [inputs["rule"]]},
        answered=lambda there: {"rule": there["rules"][0]},
    ),
    "aws:s3/bucketPolicy:BucketPolicy": BucketSetting(
        carried_out=frozenset({"bucket", "policy", "region"}),
        operation="bucket_policy",
        member="Policy",
        asked=lambda inputs: inputs["policy"],
        answered=lambda there: {"policy": there},
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": BucketSetting(
        carried_out=frozenset(
            {
                *("blockPublicAcls", "blockPublicPolicy", "bucket"),
                *("ignorePublicAcls", "region", "restrictPublicBuckets"),
            }
        ),
        operation="public_access_block",
        member="PublicAccessBlockConfiguration",
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": BucketSetting(
        carried_out=frozenset({"bucket", "region", "rules"}),
        operation="bucket_encryption",
        member="ServerSideEncryptionConfiguration",
    ),
    "aws:s3/bucketVersioning:BucketVersioning": BucketSetting(
        carried_out=frozenset({"bucket", "region", "versioningConfiguration"}),
        operation="bucket_versioning",
        member="VersioningConfiguration",
        removed_by=_suspend,
        asked=lambda inputs: inputs["versioningConfiguration"],
        answered=lambda there: {"versioningConfiguration": there},
    ),
}


def get_bucket(account: Account, arguments: Values) -> Values:
    """Look up a bucket, whoever's it is."""
    name = arguments["bucket"]
    region = account.client("s3").head_bucket(Bucket=name)["BucketRegion"]
    return {"id": name, "bucket": name, "arn": f"arn:aws:s3:::{name}", "region": region}


LOOKUPS = {"aws:s3/getBucket:getBucket": get_bucket}
