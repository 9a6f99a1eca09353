"""Packs a tree of packages into an archive that is the same to the byte wherever it is made from the same content.

The version of a tree is the SHA-256 of its tar stream *before* compression, because the compressed bytes depend on the
library that made them and the version must not.
"""

import hashlib
import os
import stat
import tarfile
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dagsync.source_errors import ArchiveError

BLOCK = tarfile.BLOCKSIZE
GZIP = 31
"""``wbits`` for which zlib writes and reads the gzip format; what it writes holds no time and no name."""

RATIO_COUNTS_FROM = 16 << 20
"""Bytes below which no compression ratio is suspicious: a small file of zeros is no bomb."""

_MAX_NAME_BYTES = 255
_MAX_PATH_BYTES = 1024
_LEFT_OUT_SUFFIXES = (".pyc", ".pyo", "~")


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may hold, for whoever packs it and whoever unpacks it."""

    files: int = 50_000

    total_bytes: int = 1 << 30
    """Bytes of the archive, both compressed and not."""

    ratio: int = 100
    """Bytes unpacked for each byte packed. Source code reaches 10, deflate can reach 1,032."""


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Packed:
    """What an archive was made of."""

    version: str
    """SHA-256 of the tar stream, 64 hexadecimal digits."""

    files: int
    size: int
    """Bytes of the compressed archive."""


class Names:
    """Refuses names that could leave the folder, or that another system would take for one another."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}

    def add(self, path: str) -> None:
        """Take the path of one more file, relative and with ``/``. Raises ``ArchiveError``."""
        if fault := _fault(path):
            raise ArchiveError(f"{path!r}: {fault}", "rename it")
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            prefix = "/".join(parts[:depth])
            kind = "file" if depth == len(parts) else "folder"
            known, known_kind = self._known.setdefault(_folded(prefix), (prefix, "new"))
            if known != prefix:
                raise ArchiveError(f"{prefix!r} and {known!r}: differ in case or accents only", "rename one of them")
            if known_kind == "new":
                self._known[_folded(prefix)] = (prefix, kind)
            elif known_kind != kind:
                raise ArchiveError(f"{prefix!r}: is both a file and a folder", "rename one of them")
            elif kind == "file":
                raise ArchiveError(f"{prefix!r}: is there twice", "publish the packages again")


def pack(root: Path, file: BinaryIO | None = None, limits: Limits = DEFAULT_LIMITS) -> Packed:
    """Write the archive of all files below ``root`` to ``file``, or only find out its version.

    Left out are names that start with a dot, ``__pycache__``, compiled files and editors' backups (``~``); folders without
    files do not exist in an archive. Of a file's mode only "may its owner execute it" is kept.

    Raises ``ArchiveError`` for links, special files, names no archive may hold, and trees beyond the limits.
    """
    digest = hashlib.sha256()
    deflate = zlib.compressobj(6, zlib.DEFLATED, GZIP)
    names = Names()
    files = total = size = 0

    def write(data: bytes) -> None:
        nonlocal total, size
        digest.update(data)
        total += len(data)
        if total > limits.total_bytes:
            raise ArchiveError(f"{root}: holds more than {limits.total_bytes} bytes", "keep data out of the packages")
        if file is not None:
            size += file.write(deflate.compress(data))

    for path, mode in sorted(_files(root, "")):
        names.add(path)
        files += 1
        if files > limits.files:
            raise ArchiveError(f"{root}: holds more than {limits.files} files", "keep data out of the packages")
        content = _read(root / path)
        header = tarfile.TarInfo(path)
        header.size = len(content)
        header.mode = 0o755 if mode & stat.S_IXUSR else 0o644
        write(header.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict"))
        write(content)
        write(bytes(-len(content) % BLOCK))
    write(bytes(2 * BLOCK))
    if file is not None:
        size += file.write(deflate.flush())
        check_ratio(size, total, limits)
    return Packed(digest.hexdigest(), files, size)


def check_ratio(packed_bytes: int, unpacked_bytes: int, limits: Limits) -> None:
    """Raise ``ArchiveError`` if so few bytes become so many that the archive looks like a bomb."""
    if unpacked_bytes > max(RATIO_COUNTS_FROM, packed_bytes * limits.ratio):
        raise ArchiveError(
            f"the archive unpacks to more than {limits.ratio} times its size, as a bomb does", "keep data out of the packages"
        )


def _files(root: Path, folder: str) -> Iterator[tuple[str, int]]:
    """Yield the path relative to ``root`` and the mode of every file."""
    try:
        with os.scandir(root / folder) as entries:
            found = list(entries)
        for entry in found:
            if entry.name.startswith(".") or entry.name == "__pycache__" or entry.name.endswith(_LEFT_OUT_SUFFIXES):
                continue
            path = f"{folder}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _files(root, f"{path}/")
                continue
            mode = entry.stat(follow_symlinks=False).st_mode
            if not stat.S_ISREG(mode):
                kind = "a link" if stat.S_ISLNK(mode) else "neither a file nor a folder"
                raise ArchiveError(f"{entry.path}: is {kind}, and an archive holds plain files only", "replace it by a file")
            yield path, mode
    except OSError as error:
        raise _unreadable(error, root) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(error, path) from None


def _unreadable(error: OSError, path: Path) -> ArchiveError:
    return ArchiveError(f"{error.filename or path}: cannot be read: {error.strerror}", "make it readable")


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _fault(path: str) -> str | None:
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        return "the name is not valid UTF-8"
    if path.startswith("/"):
        return "the path is absolute"
    if any(part in {"", ".", ".."} for part in path.split("/")):
        return "the path has an empty part, '.' or '..'"
    if "\\" in path or any(unicodedata.category(character) == "Cc" for character in path):
        return "the name has a backslash or a control character"
    if len(encoded) > _MAX_PATH_BYTES or any(len(part.encode()) > _MAX_NAME_BYTES for part in path.split("/")):
        return "the name is too long"
    return None
