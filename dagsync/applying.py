"""``discover → render → plan → apply`` for a tree or a DAG folder in which something changed."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from dagsync.caching import cached_readings, remember_readings
from dagsync.defaults import read_defaults
from dagsync.discovery import Discovery, assemble, collections_paused, discover, read_modules
from dagsync.manifest import MANIFEST_NAME, Manifest, decode_manifest, encode_manifest
from dagsync.outcome import Report, SyncOptions
from dagsync.planning import Plan, make_plan
from dagsync.rows import Rows
from dagsync.storage import STATE_FOLDER, read_regular, settle, signatures, write_atomically
from dagsync.walking import Listing, Signature

_MANIFEST = f"{STATE_FOLDER}/{MANIFEST_NAME}"
_OURS = re.compile(r"\w+_dags?\.py")


def plan_sync(options: SyncOptions) -> tuple[Discovery, Plan]:
    """Return what a sync would do, without changing anything. Raises ``PackagesRootError``."""
    discovery = discover(options.packages_root, options.skipped)
    manifest = decode_manifest(read_regular(options.dags_dir / _MANIFEST))
    return discovery, make_plan(discovery, manifest, _contents(options.dags_dir, _candidates(options.dags_dir)), options)


@collections_paused()
def sync_changed(options: SyncOptions, listing: Listing, listed_ns: int) -> tuple[Report, dict[str, list[int] | None]]:
    """Read what changed, write what follows from it, and return the report and the signatures of the files it left.

    The caller holds the lock. ``listing`` was made at ``listed_ns`` nanoseconds since the epoch.
    """
    readings = cached_readings(options.dags_dir, options.packages_root, listing.modules)
    fresh = [module for module in listing.modules if module.path not in readings]
    readings |= read_modules(options.packages_root, fresh)
    discovery = assemble(listing, readings, read_defaults(options.packages_root, listing.settings))
    rows = Rows()
    if fresh:
        remember_readings(options.dags_dir, options.packages_root, listing.modules, readings, listed_ns, rows)
    names = _candidates(options.dags_dir)
    # Looked up before the files are read, so that one altered since does not pass for the one that was read.
    found = signatures(options.dags_dir, [*names, _MANIFEST])
    recorded = read_regular(options.dags_dir / _MANIFEST)
    manifest = decode_manifest(recorded)
    plan = make_plan(discovery, manifest, _contents(options.dags_dir, names), options)
    found |= {name: list(signature) for name, signature in apply_plan(options.dags_dir, plan, manifest, recorded, rows).items()}
    found |= {change.name: None for change in plan.changes if change.action == "delete"}
    left = sorted({change.name for change in plan.changes} | plan.untouched)
    return _report(discovery, plan), {name: found[name] for name in (*left, _MANIFEST)}


def apply_plan(dags_dir: Path, plan: Plan, manifest: Manifest, recorded: bytes | None, rows: Rows) -> dict[str, Signature]:
    """Carry out a plan and return the signatures of the files written.

    Interrupted anywhere, every file is complete and the next sync does the rest. ``recorded`` is the manifest as it is on
    disk.
    """
    written: dict[str, Signature] = {}
    both = Manifest(manifest.files | plan.files, {**manifest.jobs, **plan.jobs})
    after = Manifest(plan.files, plan.jobs)
    if not plan.incomplete:
        # Recorded before it happens: a file we made must be known as ours, and a job's last good state never be forgotten.
        before = encode_manifest(both, rows)
        if before != recorded:
            written[_MANIFEST] = write_atomically(dags_dir, _MANIFEST, before)
            settle(dags_dir / STATE_FOLDER)
    for change in plan.changes:
        if change.action in {"create", "update"}:
            written[change.name] = write_atomically(dags_dir, change.name, change.after)
    for change in plan.changes:
        if change.action == "delete":
            (dags_dir / change.name).unlink(missing_ok=True)
    if not plan.is_empty:
        settle(dags_dir)
    if not plan.incomplete and after != both:
        written[_MANIFEST] = write_atomically(dags_dir, _MANIFEST, encode_manifest(after, rows))
    return written


def _candidates(dags_dir: Path) -> list[str]:
    """Return the names of all files that could be ours."""
    try:
        with os.scandir(dags_dir) as entries:
            return [entry.name for entry in entries if _OURS.fullmatch(entry.name)]
    except OSError:
        return []


def _contents(dags_dir: Path, names: Iterable[str]) -> dict[str, bytes]:
    contents = ((name, read_regular(dags_dir / name)) for name in names)
    return {name: content for name, content in contents if content is not None}


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
