"""The arguments of the commands that publish packages and of a sync that follows what is published."""

import argparse
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

DEFAULT_CACHE = "/opt/airflow/packages"
DEFAULT_POLL_SECONDS = 10.0
DEFAULT_KEEP = 3
DEFAULT_KEEP_HOURS = 6.0
"""Airflow 3.3's own ``stale_bundle_cleanup_age_threshold``."""

MIN_PUBLISHED = 2
"""The current version and the one a rollback goes to."""


class AddCommand(Protocol):
    def __call__(self, name: str, description: str, *, writes: bool) -> argparse.ArgumentParser: ...


def add_source(sync: argparse.ArgumentParser, environment: Mapping[str, str], seconds: Callable[[str], float]) -> None:
    """Add what makes ``sync`` follow a store; ``seconds`` reads a number of seconds."""
    sync.add_argument(
        "--source",
        metavar="URL",
        default=environment.get("DAGSYNC_SOURCE"),
        help="s3://bucket/prefix that packages are published to, instead of --packages-root (DAGSYNC_SOURCE)",
    )
    sync.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        default=Path(environment.get("DAGSYNC_CACHE") or DEFAULT_CACHE),
        help="with --source: folder of fetched versions, outside the DAG folder; jobs find their packages in its link "
        "'current', to which ETL_PACKAGES_ROOT must be set (DAGSYNC_CACHE; default: %(default)s)",
    )
    sync.add_argument(
        "--keep",
        type=_at_least(1),
        default=DEFAULT_KEEP,
        metavar="N",
        help="with --source: keep at least the newest N versions in the cache (default: %(default)s)",
    )
    sync.add_argument(
        "--keep-hours",
        type=seconds,
        default=DEFAULT_KEEP_HOURS,
        metavar="HOURS",
        help="with --source: keep a version at least so long after it was current; a job that runs keeps its own longer "
        "(default: %(default)g)",
    )


def add_fetched(run: argparse.ArgumentParser) -> None:
    """Add what makes ``run`` fetch the packages of one published version, as the pod of a job does."""
    run.add_argument("--source", metavar="URL", help="s3://bucket/prefix to fetch the packages from, with --version")
    run.add_argument("--version", metavar="VERSION", help="with --source: the version to run, in full")
    run.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        default=Path(DEFAULT_CACHE),
        help="with --source: folder of fetched versions (default: %(default)s)",
    )


def fetched_problem(parsed: argparse.Namespace) -> str | None:
    """Return what is wrong with the arguments of ``add_fetched``."""
    if bool(parsed.source) != bool(parsed.version):
        return "arguments --source and --version: only go together"
    if parsed.version and not re.fullmatch("[0-9a-f]{64}", parsed.version):
        return f"argument --version: expected 64 hexadecimal digits, found {parsed.version!r}"
    return None


def add_store_commands(
    command: AddCommand, bare: Callable[[str, str], argparse.ArgumentParser], environment: Mapping[str, str]
) -> None:
    """Add ``publish``, made by ``command``, and ``rollback`` and ``versions``, which know no packages, made by ``bare``."""
    publish = command("publish", "Put the packages into S3 as a new version and make it current.", writes=False)
    rollback = bare("rollback", "Make an earlier published version current again.")
    versions = bare("versions", "List the published versions.")
    for made in (publish, rollback, versions):
        default = environment.get("DAGSYNC_STORE")
        made.add_argument(
            "--store", metavar="URL", default=default, required=not default, help="s3://bucket/prefix (DAGSYNC_STORE)"
        )
        made.add_argument("--json", action="store_true", help="print JSON")
    for made in (publish, rollback):
        made.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")
    publish.add_argument(
        "--keep",
        type=_at_least(MIN_PUBLISHED),
        metavar="N",
        help="remove all but the newest N versions, never the current or the previous one (default: remove none)",
    )
    publish.add_argument(
        "--allow-problems", action="store_true", help="publish although some jobs have problems, or none is found"
    )
    rollback.add_argument("--to", metavar="VERSION", help="version, or its first digits (default: the previous one)")


def _at_least(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected a number of at least {least}, found {text!r}")
        return int(text)

    return read
