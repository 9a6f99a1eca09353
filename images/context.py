"""The build contexts: exactly the files that decide the tag, at one time, so that equal content is equal to a builder."""

import os
import shutil
import stat
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from components.image_content import SOURCES, content_digest, ignore_patterns, ignored, source_files
from images.errors import PackagesError

REPOSITORY = Path(__file__).resolve().parent.parent
STAND_INS = Path(__file__).resolve().parent / "stand_in"
PACKAGES = "packages"
"""Where the packages are in a context, wherever they came from."""

MODIFIED = 315532800
"""1980-01-01, the first day a zip file can name; builders compare times, content does not have any."""

Files = Mapping[str, Path]
"""A context: where each file comes from, by its name in it."""


def airflow_files(packages: Path) -> Files:
    """Return the context of ``image/Dockerfile`` with ``packages``, a folder anywhere. Raises PackagesError."""
    if not packages.is_dir():
        raise PackagesError(
            f"packages: {packages} is not a folder; allowed: a folder with <package>/jobs/*.py",
            "For the examples: make image PACKAGES=examples/packages",
        )
    patterns = ignore_patterns(REPOSITORY)
    files = dict(source_files(REPOSITORY, SOURCES))
    for path in sorted(path for path in packages.rglob("*") if path.is_file()):
        name = f"{PACKAGES}/{path.relative_to(packages).as_posix()}"
        if not ignored(name, patterns):
            files[name] = path
    return files


def stand_in_files(name: str, lock: str | None = None) -> Files:
    """Return the context of the stand-in ``name``, with the lock of that file name as its ``requirements.txt``."""
    files = {path.name: path for path in sorted((STAND_INS / name).iterdir())}
    if lock:
        files |= {"requirements.txt": REPOSITORY / "requirements" / lock, "uv.txt": REPOSITORY / "requirements" / "uv.txt"}
    return files


def digest(files: Files, *more: str) -> str:
    """Return sixteen digits that change with any file and with ``more``, what else decides the build."""
    return content_digest(files.items(), *more)[:16]


@contextmanager
def staged(files: Files, temporary: Path) -> Generator[Path]:
    """Copy ``files`` to a folder that exists until the block ends."""
    with tempfile.TemporaryDirectory(prefix="context-", dir=temporary) as name:
        root = Path(name)
        for target, source in ((root / name, source) for name, source in files.items()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            target.chmod(0o755 if source.stat().st_mode & stat.S_IXUSR else 0o644)
            os.utime(target, (MODIFIED, MODIFIED))
        for folder, _, _ in os.walk(root, topdown=False):
            Path(folder).chmod(0o755)
            os.utime(folder, (MODIFIED, MODIFIED))
        yield root
