"""What people put into the things a stack made."""

import json

from doubles.aws_live.account import Account

MANIFEST = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": f"sha256:{'0' * 64}"},
    "layers": [],
}


def fill(account: Account) -> None:
    """Put an object into every bucket and an image into every repository."""
    s3, ecr = account.client("s3"), account.client("ecr")
    for bucket in s3.list_buckets()["Buckets"]:
        s3.put_object(Bucket=bucket["Name"], Key="kept/by-somebody", Body=b"data")
    for repository in ecr.describe_repositories()["repositories"]:
        name = repository["repositoryName"]
        ecr.put_image(repositoryName=name, imageTag="pushed", imageManifest=json.dumps(MANIFEST))
