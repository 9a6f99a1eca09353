"""Where published packages are: one archive per version, and one small pointer that says which version is current."""

import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from dagsync.source_errors import StoreError

FORMAT = 1
_VERSION = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which version is current."""

    version: str
    published_at: str
    """When it became current: ISO 8601 in UTC, to the second."""

    size: int
    """Bytes of its archive."""

    previous: str | None = None
    """The version that was current before: where a rollback goes."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The pointer as it was read at some moment."""

    pointer: Pointer
    tag: str
    """The store's tag of the pointer (S3: ETag), different after every move."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One archive in the store."""

    version: str
    size: int
    """Bytes."""

    uploaded_at: datetime


class Source(Protocol):
    """Where a fetch gets versions from. Every method raises ``StoreError``."""

    @property
    def address(self) -> str:
        """How messages name the store."""
        ...

    def pointer(self, seen: Seen | None = None) -> Seen | None:
        """Return the pointer, ``None`` if nothing was published yet, and ``seen`` itself, at no cost, if it did not move."""
        ...

    def download(self, version: str, archive: Path, max_bytes: int) -> None:
        """Write a version's archive to a new file. Raises ``VersionMissingError``, and ``ArchiveError`` if it is too large."""
        ...


class Store(Source, Protocol):
    """A source that can be published to. Every method raises ``StoreError``."""

    def move(self, pointer: Pointer, seen: Seen | None) -> Seen:
        """Replace the pointer that was ``seen``. Raises ``PointerMovedError`` if it is another one by now."""
        ...

    def size_of(self, version: str) -> int | None:
        """Return the bytes of a version's archive, ``None`` if there is none."""
        ...

    def upload(self, version: str, archive: Path) -> None:
        """Add a version; one that is there already stays as it is."""
        ...

    def versions(self) -> list[Stored]:
        """Return all archives, newest first."""
        ...

    def delete(self, version: str) -> None:
        """Remove a version."""
        ...


def is_version(text: object) -> bool:
    """Return whether ``text`` is a version in full. Nothing else may ever become part of a path or a key."""
    return isinstance(text, str) and _VERSION.fullmatch(text) is not None


def encode_pointer(pointer: Pointer) -> bytes:
    """Return the pointer as JSON, the same bytes for the same pointer."""
    return json.dumps({"format": FORMAT, **asdict(pointer)}, indent=2).encode() + b"\n"


def decode_pointer(data: bytes, address: str) -> Pointer:
    """Return the pointer read from ``address``. Raises ``StoreError`` if it is none."""
    try:
        document: Any = json.loads(data)
        if document["format"] != FORMAT:
            raise ValueError
        version, published_at, size, previous = (document[key] for key in ("version", "published_at", "size", "previous"))
        if not is_version(version) or not (previous is None or is_version(previous)):
            raise ValueError
        if not isinstance(published_at, str) or type(size) is not int or size < 0:
            raise ValueError
    except (ValueError, TypeError, KeyError, RecursionError):
        message = f"{address}: expected a pointer of format {FORMAT}, found {data[:60]!r}"
        raise StoreError(message, "delete it and publish again, or upgrade dagsync if a newer one wrote it") from None
    return Pointer(version, published_at, size, previous)
