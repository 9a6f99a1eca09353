"""A Debian base from packages alone, by debootstrap, for the stand-ins of images that cannot be pulled."""

import hashlib
import os
from pathlib import Path

from images.buildah import Buildah, run_logged

SUITE = "trixie"
"""Debian 13: Python 3.13 and PostgreSQL 17, both of which the stacks run."""

PACKAGES = ("ca-certificates", "dumb-init", "python3", "python3-venv")
"""Beside what Debian calls minimal: what every stand-in needs, so that all share one layer."""

LEFT_OUT = ("var/cache", "var/lib/apt/lists", "var/log", "usr/share/man", "usr/share/locale")
"""Folders that keep no file: caches and logs of the making, and what nobody reads in a container."""


def reference() -> str:
    """Return the reference of the base, whose tag follows the choices above."""
    return f"localhost/debian:{SUITE}-{hashlib.sha256(repr((SUITE, PACKAGES, LEFT_OUT)).encode()).hexdigest()[:8]}"


def build(buildah: Buildah) -> None:
    """Make the base from the packages of ``DEBIAN_MIRROR``, or of debootstrap's own choice. Raises BuildError."""
    container = buildah.output("from", "scratch")
    try:
        root = Path(buildah.output("mount", container))
        mirror = [os.environ["DEBIAN_MIRROR"]] if os.environ.get("DEBIAN_MIRROR") else []
        command = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(root), *mirror]
        run_logged(buildah.storage.logs / "debian.log", command)
        for name in LEFT_OUT:
            for path in (root / name).rglob("*"):
                if path.is_symlink() or path.is_file():
                    path.unlink()
        # debootstrap copies the machine's; a container runtime gives each container its own.
        for name in ("etc/resolv.conf", "etc/hostname", "etc/machine-id"):
            (root / name).unlink(missing_ok=True)
        buildah.output("config", "--cmd", "[]", "--label", f"org.opencontainers.image.title=Debian {SUITE}", container)
        buildah.output("commit", "--quiet", "--format", "oci", container, reference())
    finally:
        buildah.output("rm", container)
