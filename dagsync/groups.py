"""Groups: several jobs of a package as tasks of one DAG, on which they must agree."""

from collections import defaultdict
from collections.abc import Sequence

from dagsync.chains import paths_of_cycles
from dagsync.checks import OF_THE_DAG
from dagsync.declarations import plain
from dagsync.model import JobSpec
from dagsync.outcome import Finding


def disagreements(specs: Sequence[JobSpec]) -> dict[str, Finding]:
    """Return one problem per job whose DAG cannot be made of what its jobs say, by job.

    All jobs of a group share its fate: what is left of a pipeline must not run as if it were whole.
    """
    problems: dict[str, Finding] = {}
    for members in _groups(specs).values():
        problem = _conflict(members) or _late(members)
        if problem is not None:
            problems |= {spec.ref: Finding(spec.source, spec.line, *problem) for spec in members}
    return problems


def waiting_groups(specs: Sequence[JobSpec]) -> dict[str, Finding]:
    """Return one problem per job of DAGs that wait for each other, though none of their jobs waits for itself."""
    waiting = [spec for spec in specs if spec.after]
    if not waiting:
        return {}
    dag_of = {spec.ref: spec.dag_id for spec in specs}
    upstreams: dict[str, tuple[str, ...]] = {}
    for spec in waiting:
        outside = [dag for ref in spec.after if (dag := dag_of.get(ref, spec.dag_id)) != spec.dag_id]
        if outside:
            upstreams[spec.dag_id] = (*upstreams.get(spec.dag_id, ()), *outside)
    problems: dict[str, Finding] = {}
    for path in paths_of_cycles(upstreams):
        shown = " → ".join([*path, path[0]])
        problems |= {
            spec.ref: Finding(
                spec.source, spec.line, f"after: DAGs wait for each other: {shown}", "move jobs between the groups"
            )
            for spec in specs
            if spec.dag_id in path
        }
    return problems


def _groups(specs: Sequence[JobSpec]) -> dict[tuple[str, str | None], list[JobSpec]]:
    groups: defaultdict[tuple[str, str | None], list[JobSpec]] = defaultdict(list)
    for spec in specs:
        if spec.group or spec.catchup:
            groups[spec.dag_owner].append(spec)
    return groups


def _conflict(members: Sequence[JobSpec]) -> tuple[str, str] | None:
    group = members[0].group
    for option in OF_THE_DAG:
        saying = [spec for spec in members if option in spec.given]
        for spec in saying:
            if getattr(spec, option) != getattr(saying[0], option):
                said = " and ".join(f"{plain(getattr(each, option))!r} in {each.source}" for each in (saying[0], spec))
                return f"group {group!r}: {option} is {said}", f"give {option} in one of them"
    own = {spec.ref for spec in members}
    waiting = next((spec for spec in members if any(ref not in own for ref in spec.after)), None)
    timed = next((spec for spec in members if spec.schedule is not None and "schedule" in spec.given), None)
    if waiting is not None and timed is not None:
        awaited = next(ref for ref in waiting.after if ref not in own)
        said = f"schedule in {timed.source} and after={awaited!r} in {waiting.source}"
        return f"group {group!r}: {said} cannot be combined", "keep one: it says when the whole group starts"
    return None


def _late(members: Sequence[JobSpec]) -> tuple[str, str] | None:
    if any(spec.catchup for spec in members) and not any(spec.start_date for spec in members):
        return "catchup: there is no start_date to catch up from", 'give start_date, such as "2026-01-31"'
    return None
