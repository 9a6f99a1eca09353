"""Lists the job modules of a monorepo with one ``stat`` each, which is all an unchanged sync costs."""

import functools
import marshal
import os
from collections.abc import Collection
from operator import attrgetter
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from dagsync.errors import PackagesRootError
from dagsync.outcome import Finding


class Signature(NamedTuple):
    """Changes whenever the content of a file does."""

    mtime_ns: int
    ctime_ns: int
    """Besides mtime, because copying tools set that one back."""

    size: int
    inode: int


class ModuleFile(NamedTuple):
    """One Python file at or below the ``jobs`` folder of a package."""

    package: str
    path: str
    """Relative to the packages root, with ``/``."""

    mtime_ns: int
    ctime_ns: int
    size: int
    inode: int

    @property
    def signature(self) -> Signature:
        return Signature(*self[2:])

    @property
    def module_path(self) -> str:
        """Path below ``jobs`` without the suffix: ``load``, or ``sub/load`` where it is nested."""
        return self.path[len(self.package) + len("/jobs/") : -len(".py")]


class SettingsFile(NamedTuple):
    """A ``pyproject.toml`` in which defaults of jobs may be."""

    package: str
    """``""`` for the tree as a whole."""

    path: str
    """Relative to the packages root."""

    signature: Signature


class Listing:
    """What is on disk."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, list[tuple[str, int, int, int, int]]]] = []
        """Package, folder and the Python files in it: their names and signatures. Plain, as most syncs only compare them."""

        self.settings: list[SettingsFile] = []
        """The nearer to the jobs, the earlier."""

        self.packages_without_init: list[str] = []
        self.unreadable_packages: list[str] = []
        """Packages of which some part could not be listed."""

        self.problems: list[Finding] = []

    @functools.cached_property
    def modules(self) -> list[ModuleFile]:
        """All of them, by package and folder."""
        return [
            ModuleFile(package, f"{folder}/{name}", *signature)
            for package, folder, files in self.rows
            for name, *signature in files
        ]

    def content(self) -> bytes:
        """Return what differs whenever the listing does, and is the same in every process.

        Of marshal's formats the second is the last that depends on values alone. It takes a fifth of the time of ``repr``.
        """
        more = self.settings, self.packages_without_init, self.unreadable_packages, self.problems
        return marshal.dumps(self.rows, 2) + repr(more).encode("utf-8", "surrogateescape")


def list_modules(root: Path, skipped: Collection[str]) -> Listing:
    """List the modules of every package below ``root`` that has a ``jobs`` folder.

    Raises ``PackagesRootError`` if ``root`` cannot be listed: an unmounted volume must not look like a tree without
    jobs. What is hidden, ``__pycache__`` and the packages named in ``skipped`` are left out.
    """
    base = os.fspath(root)
    try:
        with os.scandir(base) as entries:
            packages = sorted(entry.name for entry in entries if entry.name not in skipped and not _is_ignored(entry.name))
    except OSError as error:
        raise PackagesRootError(
            f"{root}: expected the folder of packages, found: {error.strerror}",
            "give the folder by --packages-root or ETL_PACKAGES_ROOT",
        ) from None
    listing = Listing()
    for package in packages:
        _list_package(base, package, listing)
    _list_settings(base, "", "pyproject.toml", listing)
    _list_settings(base, "", "../pyproject.toml", listing)
    return listing


_name = attrgetter("name")


def signature_of(status: os.stat_result) -> Signature:
    return Signature(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


def _list_package(base: str, package: str, listing: Listing) -> None:
    before = len(listing.rows)
    try:
        _list_folder(base, package, f"{package}/jobs", listing)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        listing.unreadable_packages.append(package)
        listing.problems.append(Finding(f"{package}/jobs", 0, f"cannot be listed: {error.strerror}", "make it readable"))
        return
    if len(listing.rows) == before:
        return
    _list_settings(base, package, f"{package}/pyproject.toml", listing)
    if not os.path.isfile(f"{base}/{package}/__init__.py"):  # noqa: PTH113 - ten times faster
        listing.packages_without_init.append(package)


def _list_settings(base: str, package: str, path: str, listing: Listing) -> None:
    try:
        status = os.stat(f"{base}/{path}")  # noqa: PTH116 - twice as fast
    except OSError:
        return
    if S_ISREG(status.st_mode):
        listing.settings.append(SettingsFile(package, path, signature_of(status)))


def _list_folder(base: str, package: str, folder: str, listing: Listing) -> None:
    with os.scandir(f"{base}/{folder}") as entries:
        found = sorted(entries, key=_name)
    files: list[tuple[str, int, int, int, int]] = []
    below: list[str] = []
    for entry in found:
        name = entry.name
        if name.endswith(".py"):
            # No hidden file can be imported; Emacs makes some, which lead nowhere, beside what it edits.
            if name == "__init__.py" or name.startswith("."):
                continue
            try:
                status = entry.stat()
            except OSError as error:
                listing.unreadable_packages.append(package)
                problem = Finding(f"{folder}/{name}", 0, f"cannot be read: {error.strerror}", "make it readable or delete it")
                listing.problems.append(problem)
                continue
            if S_ISREG(status.st_mode):
                files.append((name, status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino))
        elif not _is_ignored(name) and entry.is_dir(follow_symlinks=False):
            below.append(name)
    if files:
        listing.rows.append((package, folder, files))
    for name in below:
        _list_folder(base, package, f"{folder}/{name}", listing)


def _is_ignored(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__"
