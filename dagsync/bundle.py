"""A DAG bundle for Airflow 3: every run ends on the version of the packages it started with.

``[dag_processor] dag_bundle_config_list``::

    [{"name": "packages", "classpath": "dagsync.bundle.PackagesBundle",
      "kwargs": {"source": "s3://bucket/prefix", "refresh_interval": 30}}]

Below Airflow's storage of the bundle each version has its own folder, with ``packages`` as they were published and ``dags``
rendered from them. The dag-processor follows the current version; a task is given the one its run is pinned to.
"""

import logging
import os
import shutil
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from airflow.dag_processing.bundles.base import BaseDagBundle, BundleVersion

from dagsync.cache import Cache
from dagsync.calling import DEFAULT_PACKAGES_ROOT
from dagsync.errors import DagsyncError
from dagsync.fetching import Unpack, add_version, fetch
from dagsync.holding import held
from dagsync.local_tree import LocalTree
from dagsync.outcome import DEFAULT_SKIPPED_PACKAGES, GroupBy, SyncOptions
from dagsync.reporting import report_notes
from dagsync.source_errors import VersionMissingError
from dagsync.store import Source, is_version
from dagsync.store_arguments import DEFAULT_KEEP, DEFAULT_KEEP_HOURS
from dagsync.syncing import sync

log = logging.getLogger(__name__)

LATE_PARSES_SECONDS = 60.0
"""How long a parse of the version before may still be under way: Airflow's ``dag_file_processor_timeout`` is 50 s."""


class PackagesBundle(BaseDagBundle):
    """Versions of a tree of packages, from S3 or a local folder, with the DAGs of each."""

    supports_versioning = True

    def __init__(
        self,
        *,
        source: str | None = None,
        group_by: GroupBy = "package",
        skip_packages: Sequence[str] = DEFAULT_SKIPPED_PACKAGES,
        keep: int = DEFAULT_KEEP,
        keep_seconds: float = DEFAULT_KEEP_HOURS * 3600,
        **kwargs: object,
    ) -> None:
        """``source`` is ``s3://bucket/prefix`` or a folder, by default ``ETL_PACKAGES_ROOT``.

        ``keep`` and ``keep_seconds`` say which versions stay on this machine although none is current; those that tasks use
        are also kept by Airflow (``stale_bundle_cleanup_*``). ``kwargs`` are those of ``BaseDagBundle``.
        """
        super().__init__(**kwargs)  # pyright: ignore[reportArgumentType] - Airflow checks its own
        self._address = source or os.environ.get("ETL_PACKAGES_ROOT") or DEFAULT_PACKAGES_ROOT
        self._group_by: GroupBy = group_by
        self._skipped = tuple(sorted(skip_packages))
        self._cache = Cache(self.base_dir, keep, keep_seconds)
        self._source: Source | None = None
        self._shown: str | None = self.version
        self._hold: AbstractContextManager[Path] | None = None
        self._reparse_at: float | None = None

    def initialize(self) -> None:
        """Make the version at hand available. Raises ``DagsyncError`` if there is none at all."""
        if self.version is None:
            self._follow()
        elif not self.is_initialized:
            self._pin(self.version)
        super().initialize()

    def refresh(self) -> None:
        """Follow the source. What goes wrong is logged, and the version at hand stays."""
        if self.version is not None:
            raise VersionMissingError(f"bundle {self.name}: version {self.version} is fixed and cannot be refreshed")
        self._follow()

    def get_current_version(self) -> BundleVersion | None:
        shown = self._shown or self._cache.current()
        return BundleVersion(shown) if shown else None

    @property
    def source_address(self) -> str:
        """Where the versions come from; a job's pod, which has nothing of this machine, fetches its own from there."""
        return self._address

    @property
    def path(self) -> Path:
        return self._folder / "dags"

    @property
    def packages_root(self) -> Path:
        """Where the jobs of this version are imported from; ``dagsync.runtime`` asks for it."""
        return self._folder / "packages"

    @property
    def _folder(self) -> Path:
        return self._cache.path(self._shown or self._cache.current() or "none")

    def _follow(self) -> None:
        try:
            current = fetch(self._opened(), self._cache, self._arrange).version
        except DagsyncError as error:
            log.error("bundle %s: %s; fix: %s", self.name, error, error.fix)
            current = self._cache.current()
            if current is None:
                raise
        now = time.monotonic()
        if current != self._shown:
            # Airflow parses files that are younger than its last look; those of a version that comes back are not.
            self._touch(current)
            self._shown, self._reparse_at = current, now + LATE_PARSES_SECONDS
        elif self._reparse_at is not None and now > self._reparse_at:
            # A file that Airflow had queued or begun in the version before was recorded as one of this version.
            self._touch(current)
            self._reparse_at = None

    def _pin(self, version: str) -> None:
        if not is_version(version):
            raise VersionMissingError(f"bundle {self.name}: expected a version of 64 hexadecimal digits, found {version!r}")
        folder = self._cache.path(version)
        self._hold = held(folder)
        self._hold.__enter__()
        if not folder.is_dir():
            self._hold.__exit__(None, None, None)
            with self._cache.locked():
                add_version(self._opened(), self._cache, version, self._arrange)
                self._hold = held(folder)
                self._hold.__enter__()

    def _opened(self) -> Source:
        # Not in the constructor, which Airflow calls in places that need no files, such as the API server.
        if self._source is None:
            if self._address.startswith("s3://"):
                from dagsync.s3 import S3Store

                self._source = S3Store(self._address)
            else:
                self._source = LocalTree(Path(self._address))
        return self._source

    def _arrange(self, folder: Path, unpack_into: Unpack) -> None:
        folder.mkdir()
        unpack_into(folder / "packages")
        current = self._cache.current()
        if current is not None:
            # With the record of what every job was when it was last good: the DAG of a broken one stays.
            shutil.copytree(self._cache.path(current) / "dags", folder / "dags")
        published = not isinstance(self._source, LocalTree)
        options = SyncOptions(
            packages_root=folder / "packages",
            dags_dir=folder / "dags",
            group_by=self._group_by,
            allow_mass_removal=published,
            skipped=self._skipped,
        )
        for line in report_notes(sync(options), Path(self._address)):
            log.warning("bundle %s: %s", self.name, line)

    def _touch(self, version: str) -> None:
        for file in (self._cache.path(version) / "dags").glob("*.py"):
            os.utime(file)
