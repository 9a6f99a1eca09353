"""Relations between jobs: DAG ids they must not share, and the jobs they start after."""

import difflib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from dagsync.model import JobSpec
from dagsync.outcome import Finding


def shared_dag_ids(specs: Sequence[JobSpec]) -> dict[str, Finding]:
    """Return one problem per job whose DAG id another job has too, by job.

    ``a.b_c`` and ``a_b.c`` are both ``a_b_c``. Jobs of one group share theirs.
    Neither may win, as which one would depend on the order of reading.
    """
    by_id: defaultdict[str, list[JobSpec]] = defaultdict(list)
    for spec in specs:
        by_id[spec.dag_id].append(spec)
    problems: dict[str, Finding] = {}
    for dag_id, sharing in by_id.items():
        if len(sharing) == 1 or len({spec.dag_owner for spec in sharing}) == 1:
            continue
        for spec in sharing:
            others = " and ".join(other.source for other in sharing if other.dag_owner != spec.dag_owner)
            problems[spec.ref] = Finding(
                spec.source, spec.line, f"DAG id {dag_id!r} is also that of {others}", "rename one of the modules or groups"
            )
    return problems


def unknown_upstreams(specs: Sequence[JobSpec], known: Collection[str]) -> dict[str, Finding]:
    """Return one problem per job that names a job that is not in ``known``, by job."""
    problems: dict[str, Finding] = {}
    for spec in specs:
        unknown = [ref for ref in spec.after if ref not in known]
        if unknown:
            close = difflib.get_close_matches(unknown[0], known, 1)
            fix = f"did you mean {close[0]!r}?" if close else 'name jobs as "package.job"'
            problems[spec.ref] = Finding(spec.source, spec.line, f"after: there is no job {unknown[0]!r}", fix)
    return problems


def cycles(specs: Sequence[JobSpec]) -> dict[str, Finding]:
    """Return one problem per job that would start after itself, by job, naming the path of the cycle."""
    upstreams = {spec.ref: spec.after for spec in specs if spec.after}
    if not upstreams:
        return {}
    by_ref = {spec.ref: spec for spec in specs}
    problems: dict[str, Finding] = {}
    for path in paths_of_cycles(upstreams):
        shown = " → ".join([*path, path[0]])
        for ref in path:
            spec = by_ref[ref]
            problems[ref] = Finding(spec.source, spec.line, f"after: jobs wait for each other: {shown}", "remove one after")
    return problems


def paths_of_cycles(upstreams: Mapping[str, tuple[str, ...]]) -> Iterator[list[str]]:
    """Yield the path of each cycle, given what each node waits for."""
    # Depth first with an explicit stack: a chain may be longer than Python's recursion limit.
    done: set[str] = set()
    for start in upstreams:
        path: list[str] = []
        position: dict[str, int] = {}
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            ref, leaving = stack.pop()
            if leaving:
                del position[path.pop()]
                done.add(ref)
            elif ref in position:
                yield path[position[ref] :]
            elif ref not in done and ref in upstreams:
                position[ref] = len(path)
                path.append(ref)
                stack.append((ref, True))
                stack.extend((upstream, False) for upstream in reversed(upstreams[ref]))
