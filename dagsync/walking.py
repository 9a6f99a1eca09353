"""Lists the job modules of a monorepo with one ``stat`` each, which is all an unchanged sync costs."""

import os
import stat
from collections.abc import Collection
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from dagsync.errors import PackagesRootError
from dagsync.model import Finding


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


@dataclass(frozen=True, slots=True)
class Listing:
    """What is on disk."""

    modules: list[ModuleFile] = field(default_factory=list["ModuleFile"])
    """In the order of their paths."""

    settings: list[SettingsFile] = field(default_factory=list["SettingsFile"])
    """The nearer to the jobs, the earlier."""

    packages_without_init: list[str] = field(default_factory=list[str])
    unreadable_packages: list[str] = field(default_factory=list[str])
    """Packages of which some part could not be listed."""

    problems: list[Finding] = field(default_factory=list[Finding])

    def text(self) -> str:
        """Return what differs whenever the listing does.

        Made by hand, as the ``repr`` of ten thousand modules takes three times as long.
        """
        modules = "\n".join(["%s\0%s\0%d %d %d %d" % module for module in self.modules])  # noqa: UP031 - twice as fast
        return f"{modules}\n{self.settings!r} {self.packages_without_init!r} {self.unreadable_packages!r} {self.problems!r}"


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
    before = len(listing.modules)
    try:
        _list_folder(base, package, f"{package}/jobs", listing)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        listing.unreadable_packages.append(package)
        listing.problems.append(Finding(f"{package}/jobs", 0, f"cannot be listed: {error.strerror}", "make it readable"))
        return
    if len(listing.modules) == before:
        return
    _list_settings(base, package, f"{package}/pyproject.toml", listing)
    if not os.path.isfile(f"{base}/{package}/__init__.py"):  # noqa: PTH113 - ten times faster
        listing.packages_without_init.append(package)


def _list_settings(base: str, package: str, path: str, listing: Listing) -> None:
    try:
        status = os.stat(f"{base}/{path}")  # noqa: PTH116 - twice as fast
    except OSError:
        return
    if stat.S_ISREG(status.st_mode):
        listing.settings.append(SettingsFile(package, path, signature_of(status)))


def _list_folder(base: str, package: str, folder: str, listing: Listing) -> None:
    with os.scandir(f"{base}/{folder}") as entries:
        found = sorted(entries, key=_name)
    for entry in found:
        name = entry.name
        if name.endswith(".py"):
            # No hidden file can be imported; Emacs makes some, which lead nowhere, beside what it edits.
            if name == "__init__.py" or name.startswith("."):
                continue
            path = f"{folder}/{name}"
            try:
                status = entry.stat()
            except OSError as error:
                listing.unreadable_packages.append(package)
                listing.problems.append(Finding(path, 0, f"cannot be read: {error.strerror}", "make it readable or delete it"))
                continue
            if stat.S_ISREG(status.st_mode):
                stamps = status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
                listing.modules.append(ModuleFile(package, path, *stamps))
        elif not _is_ignored(name) and entry.is_dir(follow_symlinks=False):
            _list_folder(base, package, f"{folder}/{name}", listing)


def _is_ignored(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__"
