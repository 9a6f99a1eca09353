"""Settings of the image."""

from typing import Literal

from settings.section import Section


class ImageSettings(Section):
    """The image of every Airflow pod."""

    reference: str | None = None
    """An image that exists, with a tag or digest. Without it, the eks platform builds one and pushes it to ECR."""

    packages: str = "examples/packages"
    """Folder of packages built into the image, relative to the project."""

    architecture: Literal["amd64", "arm64"] = "amd64"
    """CPU architecture of the image that is built."""
