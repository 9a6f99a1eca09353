"""The folder that keeps base, layers and archives, below the user's cache; nothing of the machine's container storage is used.

=============  ==========================================================================
``buildah/``   images and build cache, as buildah keeps them
``blobs/``     layers, configurations and manifests by digest, as an OCI image layout has them
``images/``    one JSON file for each image that was built: reference, digest, what it was built from
``archives/``  what ``export`` writes
``logs/``      the output of the last run of each step
=============  ==========================================================================
"""

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from images.errors import DiskFullError, StorageError

MARK = "airflow-control-plane images\n"
"""Content of the file that says a folder is ours to delete."""

FREE_BYTES = 6 << 30
"""Base, layers and one archive take 4 GiB."""


def default_folder() -> Path:
    """Return the folder below ``XDG_CACHE_HOME``, or ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "airflow-control-plane" / "images"


class Storage:
    """One such folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.buildah = self.folder / "buildah"
        self.blobs = self.folder / "blobs" / "sha256"
        self.images = self.folder / "images"
        self.archives = self.folder / "archives"
        self.logs = self.folder / "logs"
        self.temporary = self.folder / "tmp"

    @contextmanager
    def locked(self) -> Generator[None]:
        """Make the folder, and keep other builds out of it until the block ends; they wait. No mount stays after it.

        Raises StorageError for a folder that holds something else.
        """
        mark = self.folder / ".ours"
        if self.folder.is_dir() and not mark.exists() and any(self.folder.iterdir()):
            raise StorageError(f"{self.folder}: holds files that are not ours", "Give an empty folder: --storage FOLDER")
        for folder in (self.buildah, self.blobs, self.images, self.archives, self.logs, self.temporary):
            folder.mkdir(parents=True, exist_ok=True)
        mark.write_text(MARK, encoding="utf-8")
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                yield
            finally:
                self._unmount()

    def delete(self) -> None:
        """Delete the folder and all in it, once no build uses it."""
        with self.locked():
            # First, or what is mounted would be deleted.
            self._unmount()
            shutil.rmtree(self.folder)

    def _unmount(self) -> None:
        """Undo buildah's mounts: it leaves its own folder's for good, and those of a build that failed or was killed."""
        for point in mounts_below(self.folder, Path("/proc/self/mountinfo")):
            ran = subprocess.run(["umount", str(point)], capture_output=True, text=True, check=False)  # noqa: S603, S607
            if ran.returncode:
                raise StorageError(f"{point}: is still in use: {ran.stderr.strip()}", f"See by what: fuser --mount {point}")

    def check_free(self) -> None:
        """Raise DiskFullError where a first build would not fit."""
        free = shutil.disk_usage(self.folder).free
        if free < FREE_BYTES:
            raise DiskFullError(
                f"{self.folder}: {free >> 20} MiB free; a build from nothing needs {FREE_BYTES >> 20} MiB",
                "Free some space, or give a folder elsewhere: --storage FOLDER",
            )

    @property
    def exists(self) -> bool:
        return (self.folder / ".ours").is_file()


def mounts_below(folder: Path, mountinfo: Path) -> list[Path]:
    """Return the mount points below ``folder``, those on top first; none where the kernel tells of none (not Linux).

    https://docs.kernel.org/filesystems/proc.html: the fifth field, blanks and the like in octal.
    """
    if not mountinfo.exists():
        return []
    points = (line.split()[4] for line in mountinfo.read_text(encoding="utf-8").splitlines())
    paths = [Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), point)) for point in points]
    return [path for path in reversed(paths) if folder in path.parents]
