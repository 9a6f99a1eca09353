"""What a sync would do: pure, from what the tree declares and what is on disk."""

from collections.abc import Mapping
from dataclasses import dataclass

from dagsync.discovery import Discovery
from dagsync.manifest import Manifest
from dagsync.model import Action, Finding, JobSpec, SyncOptions, dag_file_name
from dagsync.rendering import MARKER, render_files


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one file of the DAG folder."""

    action: Action
    name: str
    dags: int
    """DAGs in the file afterwards, or before if it is deleted."""

    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes of one sync, by file name."""

    changes: tuple[Change, ...]
    jobs: Mapping[str, JobSpec]
    """Every job that has a DAG afterwards, with those kept although their source is broken or gone."""

    kept: tuple[str, ...]
    """Jobs whose last good DAG stays although they have a problem."""

    removed: tuple[str, ...]
    """DAG ids that are gone afterwards."""

    refused: tuple[str, ...]
    """DAG ids that would be gone, were they not more than half of all."""

    problems: tuple[Finding, ...]
    """Files that are in the way, beside the problems of the discovery."""

    notes: tuple[Finding, ...]
    """Files that look like ours and are not in the record."""

    files: frozenset[str]
    """Names of the files that are ours afterwards."""

    untouched: frozenset[str]
    """Names of files left alone though ours by name or by header."""

    incomplete: bool
    """A file was left because the record is lost, so a new record must not pretend to know what is in it."""

    @property
    def is_empty(self) -> bool:
        return all(change.action == "unchanged" for change in self.changes)


_STRAY = "carries dagsync's header and is not in the record of its files, so it is never removed"


def make_plan(discovery: Discovery, manifest: Manifest, on_disk: Mapping[str, bytes], options: SyncOptions) -> Plan:
    """Return the changes that make the DAG folder match the tree.

    ``on_disk`` holds the content of every file whose name one of ours could have. A DAG is only removed when its job is
    known to be gone: neither a broken source nor an unreadable folder is ground enough.
    """
    folder = options.dags_dir
    declared = {spec.ref: spec for spec in discovery.jobs}
    ids = {spec.dag_id for spec in discovery.jobs}
    problems: list[Finding] = []
    kept: dict[str, JobSpec] = {}
    gone: dict[str, JobSpec] = {}
    for ref, spec in manifest.jobs.items():
        if ref in declared or spec.dag_id in ids:
            continue
        ids.add(spec.dag_id)
        if ref in discovery.empty_modules:
            kept[ref] = spec
            message = "is empty; the job's last good DAG stays"
            problems.append(Finding(spec.source, 0, message, "delete the file if the job is gone"))
        elif ref in discovery.broken_jobs or spec.package in discovery.broken_packages:
            kept[ref] = spec
        else:
            gone[ref] = spec
    refused: dict[str, JobSpec] = {}
    stays: dict[str, JobSpec] = {} if options.clean else gone
    if options.clean and not options.allow_mass_removal and len(gone) * 2 > len(manifest.jobs):
        stays = refused = gone
    jobs = declared | kept | stays
    removed = gone.keys() - stays.keys()

    desired = render_files(jobs.values(), options.group_by)
    counts: dict[str, int] = {}
    for spec in jobs.values():
        name = dag_file_name(spec, options.group_by)
        counts[name] = counts.get(name, 0) + 1
    changes: list[Change] = []
    left: list[str] = []
    in_the_way: list[str] = []
    for name, after in desired.items():
        before = on_disk.get(name)
        if before is None:
            changes.append(Change("create", name, counts[name], b"", after))
        elif not is_ours(before):
            in_the_way.append(name)
            message = "is in the way: it was not written by dagsync and is left alone"
            problems.append(Finding(f"{folder}/{name}", 0, message, "rename it, or the package whose DAGs belong there"))
        elif manifest.lost and _holds_broken_job(before, discovery):
            message = "is left as it is: the record of last good jobs cannot be read, and this file has the DAG of a broken one"
            left.append(name)
            problems.append(Finding(f"{folder}/{name}", 0, message, "mend the broken jobs of the package"))
        else:
            action: Action = "unchanged" if before == after else "update"
            changes.append(Change(action, name, counts[name], before, after))
    blocked = {*left, *in_the_way}
    ours = {name for name in on_disk.keys() | desired.keys() if name in desired or is_ours(on_disk[name])} - blocked
    strays = ours - desired.keys() - manifest.files
    notes = [Finding(f"{folder}/{name}", 0, _STRAY, "delete it if no job needs it") for name in sorted(strays)]
    stale = (ours & manifest.files) - desired.keys()
    if options.clean:
        # With a refused removal the jobs stay, so only files that no job needs any more are left over.
        changes.extend(Change("delete", name, on_disk[name].count(b"\n    with DAG("), on_disk[name], b"") for name in stale)
    return Plan(
        changes=tuple(sorted(changes, key=lambda change: change.name)),
        jobs=jobs,
        kept=tuple(sorted(kept)),
        removed=tuple(sorted(gone[ref].dag_id for ref in removed)),
        refused=tuple(sorted(spec.dag_id for spec in refused.values())),
        problems=tuple(problems),
        notes=tuple(notes),
        files=frozenset((desired.keys() - blocked) | (frozenset[str]() if options.clean else stale)),
        untouched=frozenset(blocked | strays),
        incomplete=bool(left),
    )


def is_ours(content: bytes) -> bool:
    """Return whether a file carries the header dagsync writes."""
    return content.startswith(MARKER.encode())


def _holds_broken_job(content: bytes, discovery: Discovery) -> bool:
    broken = [f"job={ref!r}" for ref in discovery.broken_jobs]
    broken += [f"job='{package}." for package in discovery.broken_packages]
    return any(mark.encode() in content for mark in broken)
