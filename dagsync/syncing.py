"""``discover → render → plan → apply``: makes the DAG folder match the packages, or says what would be done."""

import os
import re
import time
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any

from dagsync.caching import (
    cached_readings,
    code_version,
    file_signatures,
    finding_from,
    fingerprint,
    is_settled,
    remember_readings,
)
from dagsync.discovery import Discovery, assemble, discover, read_modules
from dagsync.manifest import MANIFEST_NAME, STATE_FOLDER, Manifest, decode_manifest, encode_manifest
from dagsync.model import DEFAULT_SKIPPED_PACKAGES, Finding
from dagsync.planning import Action, Plan, Rules, make_plan
from dagsync.storage import locked, read_checked, read_regular, settle, write_atomically, write_checked, writing
from dagsync.walking import Listing, list_modules

_LAST_NAME = "last.json"
_OURS = re.compile(r"\w+_dags?\.py")


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """Where from, where to, and how."""

    packages_root: Path
    dags_dir: Path
    rules: Rules = field(default_factory=Rules)
    skipped: tuple[str, ...] = DEFAULT_SKIPPED_PACKAGES
    """Names of packages that are left out."""


@dataclass(frozen=True, slots=True)
class Report:
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
    refused: tuple[str, ...]
    problems: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    files: tuple[tuple[Action, str], ...] = field(default=())
    """What was done to each file, by name."""


def plan_sync(options: SyncOptions) -> tuple[Discovery, Plan]:
    """Return what a sync would do, without changing anything. Raises ``PackagesRootError``."""
    discovery = discover(options.packages_root, options.skipped)
    manifest = decode_manifest(read_regular(options.dags_dir / STATE_FOLDER / MANIFEST_NAME))
    return discovery, make_plan(discovery, manifest, _on_disk(options.dags_dir), options.rules, str(options.dags_dir))


def sync(options: SyncOptions) -> Report:
    """Make the DAG folder match the packages and return what was done.

    Raises ``PackagesRootError``, ``TargetLockedError`` and ``TargetWriteError``; problems of jobs are in the report.
    """
    # Under the lock from the first look: a sync that read an older tree must not write last.
    with locked(options.dags_dir), writing(options.dags_dir):
        listed_ns = time.time_ns()
        listing = list_modules(options.packages_root, options.skipped)
        key = _key(options, listing)
        last = read_checked(options.dags_dir, _LAST_NAME)
        if last is not None and last["key"] == key and last["outputs"] == _output_signatures(options.dags_dir, last["names"]):
            return _report_from(last["report"])
        readings = cached_readings(options.dags_dir, options.packages_root, listing.modules)
        fresh = [module for module in listing.modules if module.path not in readings]
        readings |= read_modules(options.packages_root, fresh)
        discovery = assemble(listing, readings)
        if fresh or len(readings) != len(listing.modules):
            remember_readings(options.dags_dir, options.packages_root, listing.modules, readings, listed_ns)
        del readings
        recorded = read_regular(options.dags_dir / STATE_FOLDER / MANIFEST_NAME)
        manifest = decode_manifest(recorded)
        plan = make_plan(discovery, manifest, _on_disk(options.dags_dir), options.rules, str(options.dags_dir))
        apply_plan(options.dags_dir, plan, manifest, recorded)
        report = _report(discovery, plan)
        if all(is_settled(module.signature, listed_ns) for module in listing.modules):
            names = sorted({change.name for change in plan.changes} | {Path(each.path).name for each in plan.problems})
            names.append(f"{STATE_FOLDER}/{MANIFEST_NAME}")
            repeated = replace(report, written=0, unchanged=report.written + report.unchanged, removed=0, files=())
            outputs = _output_signatures(options.dags_dir, names)
            document = {"key": key, "names": names, "outputs": outputs, "report": astuple(repeated)}
            write_checked(options.dags_dir, _LAST_NAME, document)
        return report


def apply_plan(dags_dir: Path, plan: Plan, manifest: Manifest, recorded: bytes | None) -> None:
    """Carry out a plan. Interrupted anywhere, every file is complete and the next sync does the rest.

    ``recorded`` is the manifest as it is on disk.
    """
    manifest_name = f"{STATE_FOLDER}/{MANIFEST_NAME}"
    if not plan.incomplete:
        # Recorded before it happens: a file we made must be known as ours, and a job's last good state never be forgotten.
        before = encode_manifest(Manifest(manifest.files | plan.files, {**manifest.jobs, **plan.jobs}))
        if before != recorded:
            write_atomically(dags_dir, manifest_name, before)
            settle(dags_dir / STATE_FOLDER)
            recorded = before
    for change in plan.changes:
        if change.action in {"create", "update"}:
            write_atomically(dags_dir, change.name, change.after)
    for change in plan.changes:
        if change.action == "delete":
            (dags_dir / change.name).unlink(missing_ok=True)
    if not plan.is_empty:
        settle(dags_dir)
    if not plan.incomplete and (after := encode_manifest(Manifest(plan.files, plan.jobs))) != recorded:
        write_atomically(dags_dir, manifest_name, after)


def _on_disk(dags_dir: Path) -> dict[str, bytes]:
    try:
        with os.scandir(dags_dir) as entries:
            names = [entry.name for entry in entries if _OURS.fullmatch(entry.name)]
    except OSError:
        return {}
    contents = ((name, read_regular(dags_dir / name)) for name in names)
    return {name: content for name, content in contents if content is not None}


def _key(options: SyncOptions, listing: Listing) -> str:
    modules = [(module.path, *module.signature) for module in listing.modules]
    others = (listing.packages_without_init, listing.unreadable_packages, listing.problems)
    return fingerprint(code_version(), options, modules, others)


def _output_signatures(dags_dir: Path, names: list[str]) -> list[list[int] | None]:
    signatures = file_signatures(dags_dir, names)
    return [None if signature is None else list(signature) for signature in signatures]


def _report(discovery: Discovery, plan: Plan) -> Report:
    touched = sum(change.dags for change in plan.changes if change.action in {"create", "update"})
    return Report(
        jobs=len(discovery.jobs),
        written=touched,
        unchanged=sum(change.dags for change in plan.changes if change.action == "unchanged"),
        removed=len(plan.removed),
        kept=plan.kept,
        refused=plan.refused,
        problems=discovery.problems + plan.problems,
        notes=discovery.notes + plan.notes,
        files=tuple((change.action, change.name) for change in plan.changes),
    )


def _report_from(row: list[Any]) -> Report:
    jobs, written, unchanged, removed, kept, refused, problems, notes, _ = row
    return Report(
        jobs,
        written,
        unchanged,
        removed,
        tuple(kept),
        tuple(refused),
        tuple(finding_from(problem) for problem in problems),
        tuple(finding_from(note) for note in notes),
    )
