"""Keeps a version of the packages on disk, and the same one, for as long as code of it runs."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(root: Path) -> Generator[Path]:
    """Yield the folder that ``root`` names now, which is not removed before the end.

    A root that is a link to the current version is followed once: a job must not import half of its modules from one
    version and half from the next. A root that is no version of a cache is yielded as it is.
    """
    while True:
        folder = root.resolve()
        try:
            descriptor = os.open(folder.with_name(f"{folder.name}.lock"), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
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
