"""What a sync would do: pure, from what the tree declares and what is on disk."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dagsync.discovery import Discovery
from dagsync.manifest import Manifest
from dagsync.model import JobSpec, dag_file_name
from dagsync.outcome import Action, Finding, SyncOptions
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
    jobs_before: Mapping[str, JobSpec]
    """Every job that has a DAG now, by ``package.job``."""

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


_IN_THE_WAY = "is in the way: it was not written by dagsync and is left alone"
_LEFT = "is left as it is: the record of last good jobs cannot be read, and this file has the DAG of a broken one"
_STRAY = "carries dagsync's header and is not in the record of its files, so it is never removed"


def make_plan(discovery: Discovery, manifest: Manifest, on_disk: Mapping[str, bytes], options: SyncOptions) -> Plan:
    """Return the changes that make the DAG folder match the tree.

    ``on_disk`` holds the content of every file whose name one of ours could have. A DAG is only removed when its job is
    known to be gone: neither a broken source nor an unreadable folder is ground enough.
    """
    kept, gone = _without_declaration(discovery, manifest)
    refuses = options.clean and not options.allow_mass_removal and len(gone) * 2 > len(manifest.jobs)
    stays = gone if refuses or not options.clean else {}
    jobs = {spec.ref: spec for spec in discovery.jobs} | kept | stays
    left_ids = {spec.dag_id for spec in (*discovery.jobs, *kept.values())} if gone else set[str]()
    gone_ids = tuple(sorted({spec.dag_id for spec in gone.values()} - left_ids))

    desired = render_files(jobs.values(), options.group_by)
    dag_ids: defaultdict[str, set[str]] = defaultdict(set)
    for spec in jobs.values():
        dag_ids[dag_file_name(spec, options.group_by)].add(spec.dag_id)
    changes: list[Change] = []
    problems = [
        Finding(kept[ref].source, 0, "is empty; the job's last good DAG stays", "delete the file if the job is gone")
        for ref in sorted(kept.keys() & discovery.empty_modules)
    ]
    blocked: set[str] = set()
    incomplete = False
    for name, after in desired.items():
        before = on_disk.get(name)
        if before is None:
            changes.append(Change("create", name, len(dag_ids[name]), b"", after))
        elif not is_ours(before):
            blocked.add(name)
            fix = "rename it, or the package whose DAGs belong there"
            problems.append(Finding(f"{options.dags_dir}/{name}", 0, _IN_THE_WAY, fix))
        elif manifest.lost and _holds_broken_job(before, discovery):
            blocked.add(name)
            incomplete = True
            problems.append(Finding(f"{options.dags_dir}/{name}", 0, _LEFT, "mend the broken jobs of the package"))
        else:
            changes.append(Change("unchanged" if before == after else "update", name, len(dag_ids[name]), before, after))

    others = {name for name, content in on_disk.items() if name not in desired and is_ours(content)}
    # Whatever is to stay has been rendered elsewhere, even without cleaning, unless something is in its way there.
    left = {name for name in others & manifest.files if _holds_any(on_disk[name], (dag_ids[each] for each in blocked))}
    stale, strays = others & manifest.files - left, others - manifest.files
    changes.extend(Change("delete", name, on_disk[name].count(b"\n    with DAG("), on_disk[name], b"") for name in stale)
    return Plan(
        changes=tuple(sorted(changes, key=lambda change: change.name)),
        jobs_before=manifest.jobs,
        jobs=jobs,
        kept=tuple(sorted(kept)),
        removed=() if stays else gone_ids,
        refused=gone_ids if refuses else (),
        problems=tuple(problems),
        notes=tuple(
            Finding(f"{options.dags_dir}/{name}", 0, _STRAY, "delete it if no job needs it") for name in sorted(strays)
        ),
        files=frozenset((desired.keys() - blocked) | left),
        untouched=frozenset(blocked | left | strays),
        incomplete=incomplete,
    )


def _without_declaration(discovery: Discovery, manifest: Manifest) -> tuple[dict[str, JobSpec], dict[str, JobSpec]]:
    """Return the jobs that had a DAG and have no good declaration now: those to keep, and those known to be gone."""
    if not manifest.jobs:
        return {}, {}
    declared = {spec.ref for spec in discovery.jobs}
    owners = {spec.dag_id: spec.dag_owner for spec in discovery.jobs}
    kept: dict[str, JobSpec] = {}
    gone: dict[str, JobSpec] = {}
    for ref, spec in manifest.jobs.items():
        # A job that moved, say from a.b_c to a_b.c, has left its DAG id to another.
        if ref in declared or owners.setdefault(spec.dag_id, spec.dag_owner) != spec.dag_owner:
            continue
        exists = ref in discovery.broken_jobs or ref in discovery.empty_modules or spec.package in discovery.broken_packages
        (kept if exists else gone)[ref] = spec
    return kept, gone


def is_ours(content: bytes) -> bool:
    """Return whether a file carries the header dagsync writes."""
    return content.startswith(MARKER.encode())


def _holds_any(content: bytes, groups: Iterable[set[str]]) -> bool:
    return any(f"dag_id={dag_id!r}".encode() in content for group in groups for dag_id in group)


def _holds_broken_job(content: bytes, discovery: Discovery) -> bool:
    broken = [f"job={ref!r}" for ref in discovery.broken_jobs]
    broken += [f"job='{package}." for package in discovery.broken_packages]
    return any(mark.encode() in content for mark in broken)
