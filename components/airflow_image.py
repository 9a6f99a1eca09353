"""The image of every Airflow pod, built from ``image/Dockerfile`` and pushed to a registry of the stack's own."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pulumi
import pulumi_aws as aws
import pulumi_docker_build as docker_build

from components.options import stateful

KEPT_IMAGES = 30
"""Images a repository keeps, the newest: enough to roll back to."""

SOURCES = ("image", "pyproject.toml", "README.md", "LICENSE", "requirements", "dagsync")
"""What the Dockerfile copies, beside the packages, relative to the project."""


@dataclass(frozen=True, kw_only=True)
class AirflowImageArgs:
    packages: str
    """Folder of packages to build in, relative to the project."""

    architecture: Literal["amd64", "arm64"]
    protect: bool = False


class AirflowImage(pulumi.ComponentResource):
    """An ECR repository with immutable tags, and the image in it."""

    reference: pulumi.Output[str]
    """``repository@sha256:…``: what was built, whatever happens to its tag."""

    def __init__(self, name: str, args: AirflowImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:AirflowImage", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)

        repository = aws.ecr.Repository(
            name,
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            encryption_configurations=[aws.ecr.RepositoryEncryptionConfigurationArgs(encryption_type="AES256")],
            force_delete=not args.protect,
            opts=stateful(self, protect=args.protect),
        )
        aws.ecr.LifecyclePolicy(name, repository=repository.name, policy=keep_newest(KEPT_IMAGES), opts=child)
        login = aws.ecr.get_authorization_token_output(registry_id=repository.registry_id)
        architecture = {"amd64": docker_build.Platform.LINUX_AMD64, "arm64": docker_build.Platform.LINUX_ARM64}
        # The tag follows the content: an immutable tag cannot be pushed twice, and unchanged content is not built again.
        tag = content_tag(Path.cwd(), [*SOURCES, args.packages])
        image = docker_build.Image(
            name,
            context=docker_build.BuildContextArgs(location="."),
            dockerfile=docker_build.DockerfileArgs(location="image/Dockerfile"),
            build_args={"PACKAGES": args.packages, "VERSION": tag},
            platforms=[architecture[args.architecture]],
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


def content_tag(root: Path, sources: Sequence[str]) -> str:
    """Return a tag that changes when the name or the content of any file below ``sources`` does.

    Bytecode is left out, as it is of the build. Raises pulumi.RunError for a source that does not exist.
    """
    digest = hashlib.sha256()
    for source in sources:
        top = root / source
        if not top.exists():
            raise pulumi.RunError(
                f"image.packages: the image is built from {source!r}, which does not exist; allowed: a folder of the project"
                "\n  fix: pulumi config set --path image.packages examples/packages"
            )
        files = [top] if top.is_file() else sorted(path for path in top.rglob("*") if path.is_file())
        for path in files:
            if "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(root).as_posix()}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
    return f"content-{digest.hexdigest()[:16]}"


def keep_newest(count: int) -> str:
    """Return an ECR lifecycle policy that expires all but the ``count`` newest images."""
    rule = {
        "rulePriority": 1,
        "description": f"keep the newest {count}",
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": count},
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]})
