"""Keeps a version of the packages on disk, and the same one, for as long as code of it runs."""

import fcntl
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagsync.calling import DEFAULT_PACKAGES_ROOT


@contextmanager
def held(root: Path) -> Generator[Path]:
    """Yield the folder that ``root`` names now, which is not removed before the end.

    A root that is a link to the current version is followed once: a job must not import half of its modules from one
    version and half from the next. A root that is no version of a cache is yielded as it is.
    """
    while True:
        folder = root.resolve()
        descriptor = _opened(folder.with_name(f"{folder.name}.lock"))
        if descriptor is None:
            if folder == root.resolve():
                yield folder
                return
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            # Removed between the look and the lock: the link leads elsewhere by now.
            if not folder.is_dir() and root.resolve() != folder:
                continue
            yield folder
            return
        finally:
            os.close(descriptor)


def _opened(lock: Path) -> int | None:
    """Return a descriptor; ``None`` for a lock that is not there.

    A function of its own, so that the failure of a job is not told as one that came of the lock's.
    """
    try:
        return os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def packages_root(context: Mapping[str, Any], environment: Mapping[str, str]) -> Path:
    """Return where the jobs of a task's version are: its bundle's packages, or else ``ETL_PACKAGES_ROOT``.

    ``context`` is the task's context; ``dagsync.bundle.PackagesBundle`` has ``packages_root``, other bundles have not.
    """
    bundle = getattr(context.get("ti"), "bundle_instance", None)
    return getattr(bundle, "packages_root", None) or Path(environment.get("ETL_PACKAGES_ROOT") or DEFAULT_PACKAGES_ROOT)
