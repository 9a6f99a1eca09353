"""Environments of packages on this machine, each named by what it is made of.

::

    <folder>/<name>/        an environment, where it stays: its scripts know their path
    <folder>/<name>.json    written last and at one instant: it is whole
    <folder>/<name>.lock    held while it is made, and, shared, while a job runs in it

Whoever makes one holds its lock, and so does what it starts: after ``kill -9`` the next one waits until nobody writes there
any more, and begins anew.
"""

import fcntl
import hashlib
import json
import logging
import os
import platform
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dagsync.errors import VirtualenvError
from dagsync.requirements import Lock, lock_of
from dagsync.stream import INFO, Log

ENVIRONMENTS_VARIABLE = "DAGSYNC_ENVIRONMENTS"
IN_IMAGE = "/opt/airflow/environments"

UNUSED_DAYS = 7.0
"""An environment that no job used for so long is removed when another one is made."""

WAIT_SECONDS = 1800.0
"""For somebody else who makes the same one."""

_FORMAT = "1"


def folders(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where environments are looked for; they are made in the first of these that can be written to.

    By default in that of the image, and below the temporary folder where it cannot be written to, as on a read-only root.
    """
    given = environment.get(ENVIRONMENTS_VARIABLE)
    own = f"{tempfile.gettempdir()}/dagsync-environments-{os.getuid()}"
    names = given.split(os.pathsep) if given else [IN_IMAGE, own]
    return tuple(Path(name).absolute() for name in names if name)


def name_of(lock: Lock) -> str:
    """Return the name of the environment of a lock: of its bytes, and of the Python and the platform it is for."""
    parts = (_FORMAT, platform.python_implementation(), platform.python_version(), sysconfig.get_platform())
    parts += (str(Path(sys.base_prefix).resolve()),)
    return hashlib.sha256("\0".join(parts).encode() + b"\0" + lock.data).hexdigest()[:32]


def ready(lock: Lock, environment: Mapping[str, str]) -> Path | None:
    """Return the environment of a lock if it is whole. Raises ``VirtualenvError`` if it is somebody else's."""
    name = name_of(lock)
    return next((folder / name for folder in folders(environment) if _is_whole(folder / name)), None)


@contextmanager
def python_of(root: Path, package: str, environment: Mapping[str, str], log: Log) -> Generator[Path | None]:
    """Yield the Python of a package that brings its own dependencies, which is there until the end, or ``None``.

    ``root`` holds the packages. The environment is made if it is not there. Raises ``VirtualenvError``.
    """
    lock = lock_of(root, package)
    if lock is None:
        yield None
        return
    with _held(lock, environment, log) as target:
        yield target / "bin" / "python"


def build(lock: Lock, environment: Mapping[str, str], log: Log) -> Path:
    """Make the environment of a lock if it is not there, and return its folder. Raises ``VirtualenvError``."""
    with _held(lock, environment, log) as target:
        return target


def prune(folder: Path, unused_days: float = UNUSED_DAYS) -> list[str]:
    """Remove what nobody uses any more below ``folder``, and what is left of builds that were killed; return the names."""
    removed: list[str] = []
    expired = time.time() - unused_days * 86400
    for path in sorted(folder.glob("*.lock")):
        target = path.with_suffix("")
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if target.exists() and (not _is_whole(target) or os.fstat(descriptor).st_mtime < expired):
                _remove(target)
                removed.append(target.name)
        except BlockingIOError:
            continue
        finally:
            # The file stays: somebody may be about to lock it.
            os.close(descriptor)
    return removed


@contextmanager
def _held(lock: Lock, environment: Mapping[str, str], log: Log) -> Generator[Path]:
    """Yield the environment of a lock, whole and not to be removed."""
    while True:
        target = ready(lock, environment)
        target = _writable(environment) / name_of(lock) if target is None else target
        descriptor = _opened(target)
        try:
            if descriptor is not None:
                if not _is_whole(target):
                    _make(lock, target, descriptor, environment, log)
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            # Removed between the look and the lock.
            if not _is_whole(target):
                continue
            yield target
            return
        finally:
            if descriptor is not None:
                os.close(descriptor)


def _opened(target: Path) -> int | None:
    """Return a descriptor of the lock of an environment, which counts as used now; ``None`` where nothing can be removed."""
    path = target.with_name(f"{target.name}.lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:
        # That of an image, or of another user.
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC) if path.exists() else None
    os.utime(descriptor)
    return descriptor


def _make(lock: Lock, target: Path, descriptor: int, environment: Mapping[str, str], log: Log) -> None:
    """Make an environment, unless somebody else does meanwhile. ``descriptor`` is of its lock, locked at the end."""
    from dagsync.installing import install

    _wait(lock, descriptor, log)
    if _is_whole(target):
        return
    _remove(target)
    started = time.monotonic()
    log(INFO, __name__, f"making the environment of package {lock.package}: {len(lock.pinned)} distributions of {lock.path}")
    try:
        install(lock, target, environment, (descriptor,))
    except BaseException:
        _remove(target)
        raise
    record = {"lock": str(lock.path), "package": lock.package, "python": platform.python_version(), "pinned": lock.pinned}
    following = target.with_name(f"{target.name}.json.next")
    following.write_text(json.dumps(record))
    following.replace(_record(target))
    log(INFO, __name__, f"made {target} in {time.monotonic() - started:.1f} s")
    for name in prune(target.parent):
        log(INFO, __name__, f"removed {target.parent / name}, which no job used for {UNUSED_DAYS:g} days")


def _wait(lock: Lock, descriptor: int, log: Log) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                message = f"{lock.path}: another process has been making its environment for {WAIT_SECONDS:.0f} s"
                raise VirtualenvError(message, "end that process") from None
            if not told:
                log(INFO, __name__, f"waiting for another process that makes the environment of package {lock.package}")
            told = True
            time.sleep(0.1)
        else:
            return


def _writable(environment: Mapping[str, str]) -> Path:
    """Return the first folder of environments that can be written to, and make it."""
    found = folders(environment)
    for folder in found:
        try:
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            _check_owner(folder)
            return folder
    names = os.pathsep.join(map(str, found))
    raise VirtualenvError(f"{names}: cannot be written to", f"name a folder that can by {ENVIRONMENTS_VARIABLE}")


def _check_owner(path: Path) -> None:
    # In a folder such as /tmp anybody may have put one there.
    if path.stat().st_uid not in {0, os.getuid()}:
        raise VirtualenvError(f"{path}: belongs to another user", f"name another folder by {ENVIRONMENTS_VARIABLE}")


def _record(target: Path) -> Path:
    return target.with_name(f"{target.name}.json")


def _is_whole(target: Path) -> bool:
    if not (_record(target).is_file() and target.is_dir()):
        return False
    _check_owner(target)
    return True


def _remove(target: Path) -> None:
    # The record first, so that a removal that is interrupted leaves nothing that looks whole.
    _record(target).unlink(missing_ok=True)
    logging.getLogger(__name__).debug("removing %s", target)
    shutil.rmtree(target, ignore_errors=True)
