"""What a sync is asked for, and what it says of what it did.

All that a sync of an unchanged tree needs, which is most of them, and so apart from jobs, whose options take a while to import.
Named tuples and no dataclasses, for the same reason.
"""

from pathlib import Path
from typing import Literal, NamedTuple

GroupBy = Literal["package", "job"]
Action = Literal["create", "update", "delete", "unchanged"]

DEFAULT_SKIPPED_PACKAGES = ("airflow_control_plane", "dagsync", "etl_core")
"""Packages that hold shared code or this tool, never jobs."""


class Finding(NamedTuple):
    """Something to tell a person about one place in the tree: a problem, or a note where all went well in the end."""

    path: str
    """Relative to the packages root, or absolute where the DAG folder is meant."""

    line: int
    """1-based; 0 where the whole file or folder is meant."""

    message: str
    fix: str = ""

    @property
    def location(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


class SyncOptions(NamedTuple):
    """Where a sync reads from, where it writes to, and how it treats what is there."""

    packages_root: Path
    dags_dir: Path

    group_by: GroupBy = "package"
    """One DAG file per package or per job."""

    clean: bool = True
    """Remove the DAGs of jobs that are gone."""

    allow_mass_removal: bool = False
    """Remove them even if they are more than half of all DAGs."""

    skipped: tuple[str, ...] = DEFAULT_SKIPPED_PACKAGES
    """Names of packages that are left out."""


class Report(NamedTuple):
    """What a sync did."""

    jobs: int
    """Jobs without a problem."""

    written: int
    """DAGs in files that were created or updated."""

    unchanged: int
    """DAGs in files that were not touched."""

    removed: int
    """DAGs that are gone."""

    kept: tuple[str, ...]
    """Jobs (``package.job``) whose last good DAG stays although they have a problem."""

    refused: tuple[str, ...]
    """DAG ids that stay although their jobs are gone, as they are more than half of all."""

    problems: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    files: tuple[tuple[Action, str], ...]
    """What was done to each file, by name."""
