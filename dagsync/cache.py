"""Versions of the packages on this machine: whole folders, one of which a link names as current.

::

    <cache>/versions/<version>/         never changed once it is there
    <cache>/versions/<version>.lock     held, shared, by whatever runs code of that version
    <cache>/current -> versions/<version>
    <cache>/incoming/                   what is not whole yet
"""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dagsync.errors import TargetLockedError, TargetWriteError
from dagsync.storage import settle
from dagsync.store import is_version
from dagsync.store_arguments import DEFAULT_KEEP, DEFAULT_KEEP_HOURS

LOCK_TIMEOUT_SECONDS = 300.0
"""Fetching a large archive over a slow line takes minutes."""


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of versions, and how long versions stay that are no longer current."""

    folder: Path

    keep: int = DEFAULT_KEEP
    """At least so many versions stay, the newest, with the current one."""

    keep_seconds: float = DEFAULT_KEEP_HOURS * 3600
    """A version stays so long after it was current. A job that runs from it keeps it longer."""

    @property
    def link(self) -> Path:
        """What leads to the current version: the packages root of whoever follows it."""
        return self.folder / "current"

    @property
    def _incoming(self) -> Path:
        return self.folder / "incoming"

    def path(self, version: str) -> Path:
        return self.folder / "versions" / version

    def current(self) -> str | None:
        """Return the current version if it is there."""
        try:
            version = self.link.readlink().name
        except OSError:
            return None
        return version if is_version(version) and self.path(version).is_dir() else None

    @contextmanager
    def locked(self, timeout_seconds: float = LOCK_TIMEOUT_SECONDS) -> Generator[None]:
        """Be the only one to add, switch and remove versions.

        Raises ``TargetLockedError``, and ``TargetWriteError`` for whatever the operating system refuses meanwhile.
        """
        with self._writing():
            (self.folder / "versions").mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                self._wait(descriptor, timeout_seconds)
                # Left by one that was killed: whoever holds the lock is the only one to add and to remove.
                shutil.rmtree(self._incoming, ignore_errors=True)
                yield
            finally:
                os.close(descriptor)

    def add(self, version: str, build: Callable[[Path], None]) -> None:
        """Make a version by ``build``, which is given the folder to make, durably; nobody sees it before it is whole.

        The caller holds the lock.
        """
        target = self.path(version)
        if target.is_dir():
            return
        self._incoming.mkdir()
        try:
            made = self._incoming / version
            build(made)
            settle(made)
            target.with_name(f"{version}.lock").touch()
            made.rename(target)
            settle(target.parent)
        finally:
            shutil.rmtree(self._incoming, ignore_errors=True)

    def switch(self, version: str) -> None:
        """Make a version current, at one instant. The caller holds the lock."""
        before = self.current()
        if before == version:
            return
        for each in {before, version} - {None}:
            # The time from which keep_seconds counts.
            os.utime(self.path(str(each)))
        following = self.folder / "current.next"
        following.unlink(missing_ok=True)
        following.symlink_to(Path("versions") / version)
        following.replace(self.link)
        settle(self.folder)

    def prune(self) -> list[str]:
        """Remove the versions nobody needs any more and return them. The caller holds the lock."""
        current = self.current()
        others = (path for path in (self.folder / "versions").iterdir() if is_version(path.name) and path.name != current)
        found = [(path.stat().st_mtime, path.name) for path in others]
        found.sort(reverse=True)
        expired = time.time() - self.keep_seconds
        old = [version for when, version in found[max(self.keep - 1, 0) :] if when < expired]
        return [version for version in old if self._remove(version)]

    def _remove(self, version: str) -> bool:
        path = self.path(version)
        lock = path.with_name(f"{version}.lock")
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            # Renamed first, so that a removal that is interrupted leaves no part of a version under its name.
            path.rename(self._incoming)
            lock.unlink()
            shutil.rmtree(self._incoming, ignore_errors=True)
            return True
        finally:
            os.close(descriptor)

    def _wait(self, descriptor: int, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    message = f"{self.folder}: another fetch has held the cache for {timeout_seconds:.0f} s"
                    raise TargetLockedError(message, f"wait for it, or end the process that holds {self.folder}/lock") from None
                time.sleep(0.05)
            else:
                return

    @contextmanager
    def _writing(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            raise TargetWriteError(
                f"{error.filename or self.folder}: cannot be written: {error.strerror}",
                "the cache needs room and write permission; give it by --cache or DAGSYNC_CACHE",
            ) from error
