"""Puts a tree of packages into a store: the archive first, the pointer to it last, so that every reader finds both."""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dagsync.archive import DEFAULT_LIMITS, Limits, pack
from dagsync.source_errors import PointerMovedError, VersionMissingError
from dagsync.store import Pointer, Seen, Store, Stored


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish or a rollback did, or would do."""

    pointer: Pointer
    files: int = 0
    """Files in the archive, if it was made."""

    uploaded: bool = False
    """The archive was not in the store before."""

    moved: bool = False
    """The pointer named another version before."""

    removed: tuple[str, ...] = ()
    """Versions removed by retention."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What is in a store."""

    versions: tuple[Stored, ...]
    """Newest upload first."""

    pointer: Pointer | None


def publish(
    root: Path, store: Store, *, keep: int | None = None, dry_run: bool = False, limits: Limits = DEFAULT_LIMITS
) -> Published:
    """Make the tree below ``root`` the current version of ``store``. Content that is there already is not uploaded again.

    ``keep`` is how many versions stay at most, 2 or more; ``None`` keeps all. Raises ``ArchiveError``,
    ``StoreError`` and ``PointerMovedError``; readers see the old version or the new one, whole.
    """
    seen = store.pointer()
    with tempfile.TemporaryDirectory(prefix="dagsync-") as folder:
        archive = Path(folder) / "archive.tar.gz"
        with archive.open("xb") as file:
            packed = pack(root, file, limits)
        size = store.size_of(packed.version)
        upload = size is None
        pointer, move = _pointer_to(packed.version, packed.size if size is None else size, seen)
        if not dry_run:
            if upload:
                store.upload(packed.version, archive)
            if move:
                pointer = _move(store, pointer, seen)
                # Somebody's retention may have removed an old version between the look and the move.
                if not upload and store.size_of(packed.version) is None:
                    store.upload(packed.version, archive)
    removed = retain(store, keep, dry_run=dry_run, coming=pointer) if keep is not None else ()
    return Published(pointer, packed.files, upload, move, removed)


def rollback(store: Store, to: str | None = None, *, dry_run: bool = False) -> Published:
    """Make an earlier version current again: the previous one, or ``to``, which may be the first digits of a version.

    Raises ``VersionMissingError``, ``StoreError`` and ``PointerMovedError``.
    """
    seen = store.pointer()
    if to is None:
        if seen is None or seen.pointer.previous is None:
            raise VersionMissingError(f"{store.address}: there is no previous version", "name one that versions lists by --to")
        to = seen.pointer.previous
    version = _only(store, to)
    pointer, move = _pointer_to(version.version, version.size, seen)
    if move and not dry_run:
        pointer = _move(store, pointer, seen)
    return Published(pointer, moved=move)


def list_versions(store: Store) -> Listing:
    """Return what is in the store. Raises ``StoreError``."""
    seen = store.pointer()
    return Listing(tuple(store.versions()), seen.pointer if seen else None)


def retain(store: Store, keep: int, *, dry_run: bool = False, coming: Pointer | None = None) -> tuple[str, ...]:
    """Remove all but the ``keep`` newest versions, never the current or the previous one, and return those removed.

    ``coming`` is the pointer as it would be after a dry run. Raises ``StoreError``.
    """
    stored = store.versions()
    # Read after the listing, so that a version somebody has made current since is spared.
    seen = store.pointer()
    pointers = [pointer for pointer in (coming, seen.pointer if seen else None) if pointer]
    spared = {version for pointer in pointers for version in (pointer.version, pointer.previous)}
    others = [each.version for each in stored if each.version not in spared]
    removed = others[max(keep - len(spared - {None}), 0) :]
    if not dry_run:
        for version in removed:
            store.delete(version)
    return tuple(removed)


def _pointer_to(version: str, size: int, seen: Seen | None) -> tuple[Pointer, bool]:
    """Return the pointer that makes ``version`` current, and whether that is a move."""
    if seen and seen.pointer.version == version:
        return seen.pointer, False
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Pointer(version, now, size, seen.pointer.version if seen else None), True


def _move(store: Store, pointer: Pointer, seen: Seen | None) -> Pointer:
    try:
        return store.move(pointer, seen).pointer
    except PointerMovedError:
        # A retry of a request that had succeeded, or another publisher of the same content: what was wanted is true.
        found = store.pointer()
        if found is None or found.pointer.version != pointer.version:
            raise
        return found.pointer


def _only(store: Store, digits: str) -> Stored:
    found = [each for each in store.versions() if each.version.startswith(digits)]
    if len(found) != 1 or not digits:
        what = "no version" if not found else f"{len(found)} versions"
        raise VersionMissingError(f"{store.address}: {what} named {digits!r}", "name one that versions lists")
    return found[0]
