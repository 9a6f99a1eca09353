"""What is in a DAG folder and how it got there, from the record the last sync left. Changes nothing, waits for nobody."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dagsync.environments import ready
from dagsync.errors import VirtualenvError
from dagsync.manifest import MANIFEST_NAME, decode_manifest
from dagsync.outcome import Report
from dagsync.presenting import problem_documents
from dagsync.reporting import counted, report_notes
from dagsync.requirements import lock_of
from dagsync.storage import STATE_FOLDER, lock_holder, read_checked, read_regular, signatures
from dagsync.syncing import LAST_NAME, report_from


@dataclass(frozen=True, slots=True)
class Status:
    """A DAG folder as its last sync left it."""

    dags_dir: Path
    synced_at: datetime | None
    """When the last sync that succeeded ended; ``None`` if there is no trace of any."""

    packages_root: Path
    """Where that sync read the packages."""

    report: Report | None
    """What it found."""

    dags: int
    files: tuple[str, ...]
    """Names of the files dagsync owns."""

    altered: tuple[str, ...]
    """Names of those that somebody changed or removed since."""

    lock_holder: str | None
    """The process of a sync that is under way."""

    environments: tuple[tuple[str, str], ...]
    """Packages that bring dependencies, each with the environment it has here, or what is wrong with it."""

    def age_seconds(self, now: datetime) -> float | None:
        """Return how long ago the last sync was."""
        return None if self.synced_at is None else max(0.0, (now - self.synced_at).total_seconds())

    def is_stale(self, now: datetime, max_age_seconds: float) -> bool:
        """Return whether there was no sync, or none for too long."""
        age = self.age_seconds(now)
        return age is None or age > max_age_seconds


def read_status(dags_dir: Path) -> Status:
    """Return what is in a DAG folder. A folder that is missing, or was never synced, has no ``synced_at``."""
    manifest = decode_manifest(read_regular(dags_dir / STATE_FOLDER / MANIFEST_NAME))
    try:
        stamp = (dags_dir / STATE_FOLDER / LAST_NAME).stat().st_mtime
    except OSError:
        stamp = None
    altered: tuple[str, ...] = ()
    root, report = Path(), None
    try:
        last = read_checked(dags_dir, LAST_NAME)
        if last is not None:
            root, report = Path(last["root"]), report_from(last["report"])
            left = last["signatures"]
            found = signatures(dags_dir, left)
            altered = tuple(name for name in left if left[name] != found[name] and name in manifest.files)
    except (LookupError, ValueError, TypeError):
        # Left by another version of dagsync; its first sync writes it anew.
        report = None
    return Status(
        dags_dir=dags_dir,
        synced_at=None if report is None or stamp is None else datetime.fromtimestamp(stamp, UTC),
        packages_root=root,
        report=report,
        dags=len({spec.dag_id for spec in manifest.jobs.values()}),
        files=tuple(sorted(manifest.files)),
        altered=altered,
        lock_holder=lock_holder(dags_dir),
        environments=() if report is None else tuple(_environments(root, {spec.package for spec in manifest.jobs.values()})),
    )


def _environments(root: Path, packages: Iterable[str]) -> Iterator[tuple[str, str]]:
    for package in sorted(packages):
        try:
            lock = lock_of(root, package)
            if lock is not None:
                yield package, str(ready(lock, os.environ) or "not made; the first job that needs it does")
        except VirtualenvError as error:
            yield package, str(error)


def status_json(status: Status, now: datetime, max_age_seconds: float) -> str:
    """Return the status for programs."""
    report, root = status.report, status.packages_root
    document = {
        "dags_dir": str(status.dags_dir),
        "packages_root": None if report is None else str(root),
        "synced_at": None if status.synced_at is None else status.synced_at.isoformat(timespec="seconds"),
        "age_seconds": status.age_seconds(now),
        "stale": status.is_stale(now, max_age_seconds),
        "jobs": 0 if report is None else report.jobs,
        "dags": status.dags,
        "files": status.files,
        "altered": status.altered,
        "kept": () if report is None else report.kept,
        "refused": () if report is None else report.refused,
        "problems": [] if report is None else problem_documents(report.problems, root),
        "notes": [] if report is None else problem_documents(report.notes, root),
        "lock_holder": status.lock_holder,
        "environments": dict(status.environments),
    }
    return json.dumps(document, indent=2)


def status_lines(status: Status, now: datetime) -> Iterator[str]:
    """Yield the status for people."""
    age = status.age_seconds(now)
    if status.report is None or status.synced_at is None or age is None:
        yield f"{status.dags_dir}: no sync has left a record here"
    else:
        yield f"{status.dags_dir}: {counted(status.dags, 'DAG')} in {counted(len(status.files), 'file')}"
        yield f"last sync: {_span(age)} ago, {status.synced_at.isoformat(timespec='seconds')}, of {status.packages_root}"
        problems, notes = len(status.report.problems), len(status.report.notes)
        yield f"{counted(status.report.jobs, 'job')}; {counted(problems, 'problem')}, {counted(notes, 'note')}"
        yield from report_notes(status.report, status.packages_root)
    for package, told in status.environments:
        yield f"environment of {package}: {told}"
    for name in status.altered:
        yield f"note: {status.dags_dir / name}: changed since by somebody else; the next sync makes it right"
    if status.lock_holder:
        yield f"a sync is under way: {status.lock_holder}"


def _span(seconds: float) -> str:
    """Return a length of time in the largest unit of which there are at least two."""
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
