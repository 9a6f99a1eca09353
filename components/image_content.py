"""What the Airflow image is made of, and the tag that follows it.

Pure: knows nothing of Pulumi, so that what builds without it (``images/``) takes the same files.
"""

import fnmatch
import hashlib
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

SOURCES = ("image", "pyproject.toml", "README.md", "LICENSE", "requirements", "dagsync")
"""What the Dockerfile copies, beside the packages, relative to the project."""

IGNORE_FILE = "image/Dockerfile.dockerignore"

CONTENT_TAGS = "content-"
"""Prefix of the tags that follow content."""


class MissingSourceError(LookupError):
    """A source of the image does not exist; its only argument is the source."""


def ignore_patterns(root: Path) -> list[str]:
    """Return the patterns of the project's ``.dockerignore``; none where it has none."""
    path = root / IGNORE_FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [line for line in lines if line and not line.startswith("#")]


def ignored(name: str, patterns: Iterable[str]) -> bool:
    """Return whether a pattern matches ``name`` or a folder above it; ``**/`` matches any folder, the top too.

    The part of Docker's grammar that the project's file uses: no ``!``, no ``*`` across folders.
    """
    parts = PurePosixPath(name).parts
    for depth, part in enumerate(parts, start=1):
        above = "/".join(parts[:depth])
        for pattern in patterns:
            if fnmatch.fnmatchcase(part, pattern[3:]) if pattern.startswith("**/") else fnmatch.fnmatchcase(above, pattern):
                return True
    return False


def source_files(root: Path, sources: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Yield what a build takes of ``sources``, as name relative to ``root`` and path, in an order of its own.

    Raises MissingSourceError for a source that does not exist.
    """
    patterns = ignore_patterns(root)
    for source in sources:
        top = root / source
        if not top.exists():
            raise MissingSourceError(source)
        for path in [top] if top.is_file() else sorted(path for path in top.rglob("*") if path.is_file()):
            name = path.relative_to(root).as_posix()
            if not ignored(name, patterns):
                yield name, path


def content_digest(files: Iterable[tuple[str, Path]], *more: str) -> str:
    """Return a SHA-256 in hexadecimal that follows ``more`` and the name, content and mode of each file, nothing else."""
    digest = hashlib.sha256()
    for word in more:
        digest.update(f"{word}\0".encode())
    for name, path in files:
        seen = path.stat()
        digest.update(f"{name}\0{seen.st_size}\0{seen.st_mode & stat.S_IXUSR}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def content_tag(root: Path, sources: Sequence[str]) -> str:
    """Return a tag that changes when the name or the content of any file that is built in does.

    Raises MissingSourceError for a source that does not exist.
    """
    return f"{CONTENT_TAGS}{content_digest(source_files(root, sources))[:16]}"
