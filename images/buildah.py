"""buildah with storage of its own, without daemon, network or namespaces of its own: it works where a container may not.

Layers are kept by overlayfs, so that a step costs what it changes; the other driver, vfs, copies the whole image each step.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from images.errors import BuildError, NoBuilderError
from images.storage import Storage

RESOLVE_SECONDS = 20.0
"""How long a registry gets to say that it has an image."""

CA_BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name a CA bundle of this machine's own, as behind a proxy that signs TLS anew."""


@dataclass(frozen=True)
class Buildah:
    """buildah, as root on Linux."""

    storage: Storage

    @staticmethod
    def missing() -> str | None:
        """Return why buildah cannot build here, or ``None``."""
        if os.uname().sysname != "Linux":
            return "buildah needs Linux"
        if os.geteuid() != 0:
            return "buildah with chroot isolation needs root"
        absent = [name for name in ("buildah", "debootstrap") if shutil.which(name) is None]
        return f"not installed: {', '.join(absent)}" if absent else None

    @classmethod
    def found(cls, storage: Storage) -> "Buildah":
        """Return buildah; raises NoBuilderError where it cannot build."""
        if reason := cls.missing():
            raise NoBuilderError(
                f"no builder: Docker does not answer, and {reason}",
                "Start Docker; or, on Linux as root: apt-get install buildah debootstrap",
            )
        return cls(storage)

    @property
    def root(self) -> Path:
        """Where images and layers lie."""
        return self.storage.buildah / "storage"

    def _command(self, arguments: Sequence[str]) -> list[str]:
        folders = ["--root", str(self.root), "--runroot", str(self.storage.buildah / "run")]
        return ["buildah", *folders, "--storage-driver", "overlay", *arguments]

    def _environment(self) -> dict[str, str]:
        settings = self.storage.buildah / "storage.conf"
        settings.write_text("[storage]\n", encoding="utf-8")
        return {
            **os.environ,
            "BUILDAH_ISOLATION": "chroot",
            # What Debian, or an administrator, set for the machine's own storage is not for this one.
            "CONTAINERS_STORAGE_CONF": str(settings),
            # Cache mounts of a Dockerfile live below it.
            "TMPDIR": str(self.storage.temporary),
        }

    def output(self, *arguments: str, timeout: float | None = None) -> str:
        """Run a short command and return its output; raises BuildError with what it said."""
        try:
            ran = subprocess.run(  # noqa: S603 - arguments are ours
                self._command(arguments),
                env=self._environment(),
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            raise BuildError(f"buildah {arguments[0]}: no answer in {timeout:.0f} s", "Try again, or see the network") from None
        if ran.returncode:
            raise BuildError(f"buildah {' '.join(arguments)}: {ran.stderr.strip()[-500:]}", "Start afresh: make image-clean")
        return ran.stdout.strip()

    def has(self, image: str) -> bool:
        """Return whether the storage has ``image``, a reference."""
        return bool(self.output("images", "--quiet", "--filter", f"reference={image}"))

    def resolves(self, image: str) -> bool:
        """Return whether a registry has ``image``, in bounded time: its manifest is asked for, no layer."""
        try:
            self.output("manifest", "inspect", image, timeout=RESOLVE_SECONDS)
        except BuildError:
            return False
        return True

    def build(self, context: Path, *, tag: str, arguments: Mapping[str, str], file: str = "Dockerfile", log: str) -> None:
        """Build ``file`` in ``context`` as ``tag``, reusing the layers of earlier builds."""
        options = [option for name, value in arguments.items() for option in ("--build-arg", f"{name}={value}")]
        if bundle := ca_bundle():
            options += ["--secret", f"id=ca,src={bundle}"]
        self.logged(
            log,
            "build",
            "--layers",
            "--force-rm",
            "--format",
            "oci",
            "--pull=false",
            *options,
            "-f",
            str(context / file),
            "-t",
            tag,
            str(context),
        )

    def discard_containers(self) -> None:
        """Remove what builds that were killed left half-made; the storage's lock must be held."""
        self.output("rm", "--all")

    def logged(self, log: str, *arguments: str) -> None:
        """Run a long command with its output in the log of that name; raises BuildError with the end of it."""
        run_logged(self.storage.logs / f"{log}.log", self._command(arguments), env=self._environment())

    def manifest(self, image: str) -> tuple[dict[str, Any], bytes, bytes]:
        """Return the manifest of ``image``, parsed and as bytes, and its configuration as bytes."""
        seen = json.loads(self.output("inspect", "--type", "image", image))
        return json.loads(seen["Manifest"]), seen["Manifest"].encode(), seen["Config"].encode()


def ca_bundle() -> Path | None:
    """Return the CA bundle that this machine's programs are told to use, or ``None`` where they are told nothing."""
    named = (Path(os.environ[name]) for name in CA_BUNDLES if os.environ.get(name))
    return next((path for path in named if path.is_file()), None)


def run_logged(log: Path, command: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
    """Run ``command`` with its output in ``log``; raises BuildError with the last lines."""
    with log.open("wb") as output:
        code = subprocess.run(  # noqa: S603 - arguments are ours
            command, env=env, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False
        ).returncode
    if code:
        last = "".join(f"\n    {line}" for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise BuildError(
            f"{Path(command[0]).name} failed with exit code {code}; all of it: {log}{last}", "Mend what it says, then again"
        )
