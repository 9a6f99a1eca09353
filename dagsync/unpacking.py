"""Unpacks an archive nobody here vouches for: its hash is checked first, and then every name, kind and size all the same.

Who can write to the store can write a matching hash too, so the hash alone makes nothing safe.
"""

import hashlib
import os
import tarfile
import zlib
from pathlib import Path
from typing import IO, BinaryIO, cast

from dagsync.archive import DEFAULT_LIMITS, GZIP, Limits, Names, check_ratio
from dagsync.source_errors import ArchiveError
from dagsync.storage import settle

_CHUNK = 1 << 20
_LESS = "keep data out of the packages"
_PUBLISH_AGAIN = "publish the packages again; the version in use stays"


def unpack(archive: Path, folder: Path, version: str, limits: Limits = DEFAULT_LIMITS) -> int:
    """Unpack ``archive`` into ``folder``, which must not exist yet, durably, and return the number of files.

    Raises ``ArchiveError`` if the archive is not of ``version``, is damaged, goes beyond the limits, or holds anything but
    plain files under plain names. ``folder`` then holds nothing anybody may use.
    """
    plain = archive.with_suffix(".tar")
    try:
        found = _decompress(archive, plain, limits)
        if found != version:
            raise ArchiveError(f"the archive of version {version} holds {found}", _PUBLISH_AGAIN)
        folder.mkdir()
        with plain.open("rb") as file:
            files = _extract(_Bounded(file), folder, limits)
    finally:
        plain.unlink(missing_ok=True)
    return files


def _decompress(archive: Path, plain: Path, limits: Limits) -> str:
    """Write the tar stream of ``archive`` to ``plain`` and return its SHA-256."""
    inflate = zlib.decompressobj(GZIP)
    digest = hashlib.sha256()
    packed = unpacked = 0
    with archive.open("rb") as source, plain.open("xb") as target:
        while not inflate.eof:
            chunk = inflate.unconsumed_tail or source.read(_CHUNK)
            try:
                data = inflate.decompress(chunk, _CHUNK)
            except zlib.error as error:
                raise ArchiveError(f"the archive is damaged: {error}", _PUBLISH_AGAIN) from None
            if not chunk and not data and not inflate.eof:
                raise ArchiveError("the archive is truncated", _PUBLISH_AGAIN)
            packed = source.tell() - len(inflate.unconsumed_tail)
            unpacked += len(data)
            if unpacked > limits.total_bytes:
                raise ArchiveError(f"the archive unpacks to more than {limits.total_bytes} bytes", _LESS)
            check_ratio(packed, unpacked, limits)
            digest.update(data)
            target.write(data)
        if inflate.unused_data or source.read(1):
            raise ArchiveError("the archive goes on after its end", _PUBLISH_AGAIN)
    return digest.hexdigest()


class _Bounded:
    """A file of which tarfile cannot read much at once, so that no header makes it fill the memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int) -> bytes:
        if size > _CHUNK:
            raise ArchiveError(f"the archive has a header of {size} bytes", _PUBLISH_AGAIN)
        return self._file.read(size)


def _extract(file: _Bounded, folder: Path, limits: Limits) -> int:
    names = Names()
    folders = {folder}
    files = 0
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", file), mode="r:") as tar:
            while member := tar.next():
                names.add(member.name)
                files += 1
                if files > limits.files:
                    raise ArchiveError(f"the archive holds more than {limits.files} files", _LESS)
                if member.type not in {tarfile.REGTYPE, tarfile.AREGTYPE} or member.sparse or member.size < 0:
                    raise ArchiveError(f"{member.name!r}: is no plain file, and an archive holds nothing else", _PUBLISH_AGAIN)
                target = folder / member.name
                _write(tar, member, target)
                folders.update(target.parents[: member.name.count("/")])
    except ArchiveError:
        raise
    except (tarfile.TarError, ValueError, OverflowError, EOFError) as error:
        raise ArchiveError(f"the archive is damaged: {error}", _PUBLISH_AGAIN) from None
    for each in folders:
        settle(each)
    return files


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    content = tar.extractfile(member)
    if content is None:
        raise ArchiveError(f"{member.name!r}: has no content", _PUBLISH_AGAIN)
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o755 if member.mode & 0o100 else 0o644
    # Never through a link and never over a file, although the names were checked.
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        left = member.size
        while left:
            data = content.read(min(left, _CHUNK))
            if not data:
                raise ArchiveError(f"{member.name!r}: is cut off", _PUBLISH_AGAIN)
            left -= file.write(data)
        file.flush()
        os.fsync(file.fileno())
