"""Brings the current version from a source into the cache, or leaves everything as it was and says why."""

import json
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path

from dagsync.archive import DEFAULT_LIMITS, Limits
from dagsync.cache import Cache
from dagsync.source_errors import StoreError
from dagsync.storage import settle
from dagsync.store import Pointer, Seen, Source, is_version
from dagsync.unpacking import unpack

_SEEN_NAME = "seen.json"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch did."""

    version: str
    """The current version, which is on disk."""

    previous: str | None
    """The version that was current before, if it changed."""

    removed: tuple[str, ...] = ()
    """Versions that were removed because nobody needs them any more."""


Unpack = Callable[[Path], object]
Arrange = Callable[[Path, Unpack], object]


def packages_alone(folder: Path, unpack_into: Unpack) -> None:
    """Make a version's folder that of its packages."""
    unpack_into(folder)


def fetch(source: Source, cache: Cache, arrange: Arrange = packages_alone, limits: Limits = DEFAULT_LIMITS) -> Fetched:
    """Make the source's current version the current one of the cache.

    If the pointer has not moved, that costs one conditional request. ``arrange`` is given the folder of a new version to make,
    before anybody sees it, and what unpacks the packages into a new folder. Raises ``StoreError``, ``VersionMissingError``,
    ``ArchiveError``, ``TargetLockedError`` and ``TargetWriteError``, all of which leave the current version as it is.
    """
    with cache.locked():
        before = cache.current()
        known = _known(cache, source.address)
        # Believed only if what it points to is here, so that a version lost from the cache is fetched again.
        known = known if known and known.pointer.version == before else None
        seen = source.pointer(known)
        if seen is None:
            raise StoreError(f"{source.address}: nothing was published yet", "run publish, or correct the address")
        version = seen.pointer.version
        if seen is not known:
            add_version(source, cache, version, arrange, limits)
            cache.switch(version)
            _remember(cache, source.address, seen)
        return Fetched(version, before if before != version else None, tuple(cache.prune()))


def add_version(
    source: Source, cache: Cache, version: str, arrange: Arrange = packages_alone, limits: Limits = DEFAULT_LIMITS
) -> None:
    """Bring one version into the cache without making it current. The caller holds the lock. Raises what ``fetch`` does."""

    def build(folder: Path) -> None:
        archive = folder.with_name("archive.tar.gz")
        source.download(version, archive, limits.total_bytes)
        arrange(folder, lambda target: unpack(archive, target, version, limits))

    cache.add(version, build)


def _known(cache: Cache, address: str) -> Seen | None:
    try:
        recorded, pointer, tag = json.loads((cache.folder / _SEEN_NAME).read_bytes())
        seen = Seen(Pointer(*pointer), tag)
    except (OSError, ValueError, TypeError):
        return None
    return seen if recorded == address and is_version(seen.pointer.version) and isinstance(tag, str) else None


def _remember(cache: Cache, address: str, seen: Seen) -> None:
    following = cache.folder / f"{_SEEN_NAME}.next"
    following.write_text(json.dumps([address, astuple(seen.pointer), seen.tag]))
    following.replace(cache.folder / _SEEN_NAME)
    settle(cache.folder)
