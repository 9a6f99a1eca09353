"""Docker with buildx, where its engine answers."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from images.buildah import ca_bundle, run_logged

ANSWER_SECONDS = 10.0
"""How long the engine gets to answer; one that is down refuses at once, one that is stuck does not."""

RESOLVE_SECONDS = 30.0
"""How long a registry gets to say, through buildx, that it has an image."""


def answers() -> bool:
    """Return whether a Docker engine with buildx answers."""
    return (
        shutil.which("docker") is not None
        and _succeeds("version", timeout=ANSWER_SECONDS)
        and _succeeds("buildx", "version", timeout=ANSWER_SECONDS)
    )


def has(image: str) -> bool:
    """Return whether the engine has ``image``."""
    return _succeeds("image", "inspect", image, timeout=ANSWER_SECONDS)


def resolves(image: str) -> bool:
    """Return whether the engine, or else a registry, has ``image``."""
    return has(image) or _succeeds("buildx", "imagetools", "inspect", image, timeout=RESOLVE_SECONDS)


def digest(image: str) -> str:
    """Return the identity of an image that the engine has, ``sha256:…``."""
    command = ["docker", "image", "inspect", "--format", "{{.Id}}", image]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=ANSWER_SECONDS).stdout.strip()  # noqa: S603


def build(context: Path, *, tag: str, arguments: Mapping[str, str], file: str, log: Path) -> None:
    """Build ``file`` in ``context`` as ``tag`` in the engine. Raises BuildError with the end of ``log``."""
    options = [option for name, value in arguments.items() for option in ("--build-arg", f"{name}={value}")]
    if bundle := ca_bundle():
        options += ["--secret", f"id=ca,src={bundle}"]
    command = ["docker", "buildx", "build", "--load", "--progress", "plain", *options]
    run_logged(log, [*command, "-f", str(context / file), "-t", tag, str(context)])


def save(images: list[str], archive: Path) -> None:
    """Write ``images`` of the engine to ``archive``."""
    run_logged(archive.with_suffix(".log"), ["docker", "save", "--output", str(archive), *images])


def _succeeds(*arguments: str, timeout: float) -> bool:
    try:
        ran = subprocess.run(["docker", *arguments], capture_output=True, check=False, timeout=timeout)  # noqa: S603, S607
    except subprocess.TimeoutExpired:
        return False
    return ran.returncode == 0
