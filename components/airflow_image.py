"""The image of every Airflow pod, built from ``image/Dockerfile`` and pushed to a registry of the stack's own."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pulumi
import pulumi_aws as aws
import pulumi_docker_build as docker_build

from components.database_certificates import RDS_CERTIFICATES_URL
from components.image_content import CONTENT_TAGS, SOURCES, MissingSourceError, content_tag
from components.options import stateful

KEPT_IMAGES = 30
"""Images a repository keeps, the newest: enough to roll back to."""

CACHE_TAGS = "build-cache-"
"""Prefix of the tags that builds write their cache to; the only ones that may be given other content."""


@dataclass(frozen=True, kw_only=True)
class AirflowImageArgs:
    packages: str
    """Folder of packages to build in, relative to the project."""

    architecture: Literal["amd64", "arm64"]
    protect: bool = False


class AirflowImage(pulumi.ComponentResource):
    """An ECR repository whose tags of images are immutable, the image in it, and the cache of its build."""

    reference: pulumi.Output[str]
    """``repository@sha256:…``: what was built, whatever happens to its tag."""

    def __init__(self, name: str, args: AirflowImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:AirflowImage", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)

        repository = aws.ecr.Repository(
            name,
            image_tag_mutability="IMMUTABLE_WITH_EXCLUSION",
            image_tag_mutability_exclusion_filters=[
                aws.ecr.RepositoryImageTagMutabilityExclusionFilterArgs(filter=f"{CACHE_TAGS}*", filter_type="WILDCARD")
            ],
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            encryption_configurations=[aws.ecr.RepositoryEncryptionConfigurationArgs(encryption_type="AES256")],
            force_delete=not args.protect,
            opts=stateful(self, protect=args.protect),
        )
        aws.ecr.LifecyclePolicy(name, repository=repository.name, policy=lifecycle(KEPT_IMAGES), opts=child)
        login = aws.ecr.get_authorization_token_output(
            registry_id=repository.registry_id, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        architecture = {"amd64": docker_build.Platform.LINUX_AMD64, "arm64": docker_build.Platform.LINUX_ARM64}
        # The tag follows the content: an immutable tag cannot be pushed twice, and unchanged content is not built again.
        tag = _tag(args.packages)
        cache = pulumi.Output.format("{0}:{1}{2}", repository.repository_url, CACHE_TAGS, args.architecture)
        image = docker_build.Image(
            name,
            context=docker_build.BuildContextArgs(location="."),
            dockerfile=docker_build.DockerfileArgs(location="image/Dockerfile"),
            build_args={"PACKAGES": args.packages, "VERSION": tag, "DATABASE_CA_URL": RDS_CERTIFICATES_URL},
            platforms=[architecture[args.architecture]],
            cache_from=[docker_build.CacheFromArgs(registry=docker_build.CacheFromRegistryArgs(ref=cache))],
            cache_to=[
                docker_build.CacheToArgs(
                    registry=docker_build.CacheToRegistryArgs(
                        ref=cache,
                        mode=docker_build.CacheMode.MAX,
                        # The form of a cache that ECR takes.
                        image_manifest=True,
                        oci_media_types=True,
                        # The image is pushed by then; the next build is only slower.
                        ignore_error=True,
                    )
                )
            ],
            push=True,
            # A preview in a pull request needs no builder; `pulumi up` builds.
            build_on_preview=False,
            tags=[pulumi.Output.format("{0}:{1}", repository.repository_url, tag)],
            registries=[
                docker_build.RegistryArgs(
                    address=repository.repository_url,
                    username=login.user_name,
                    password=pulumi.Output.secret(login.password),
                )
            ],
            opts=child,
        )
        self.reference = pulumi.Output.format("{0}@{1}", repository.repository_url, image.digest)
        self.register_outputs({"reference": self.reference})


def _tag(packages: str) -> str:
    """Return the content tag of the project in the working directory. Raises pulumi.RunError where a source is missing."""
    try:
        return content_tag(Path.cwd(), [*SOURCES, packages])
    except MissingSourceError as missing:
        raise pulumi.RunError(
            f"image.packages: the image is built from {missing.args[0]!r}, which does not exist; "
            "allowed: a folder of the project"
            "\n  fix: pulumi config set --path image.packages examples/packages"
        ) from None


def lifecycle(count: int) -> str:
    """Return an ECR lifecycle policy that expires all but the ``count`` newest images, and caches that a newer one replaced.

    An image keeps its tag, so what has none was a cache. One rule for tags of any kind would count caches as images.
    """
    replaced = {
        "rulePriority": 1,
        "description": "forget replaced caches",
        "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1},
        "action": {"type": "expire"},
    }
    old = {
        "rulePriority": 2,
        "description": f"keep the newest {count}",
        "selection": {
            "tagStatus": "tagged",
            "tagPrefixList": [CONTENT_TAGS],
            "countType": "imageCountMoreThan",
            "countNumber": count,
        },
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [replaced, old]})
