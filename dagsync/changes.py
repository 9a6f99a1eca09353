"""A plan in terms of jobs."""

from collections.abc import Iterator
from dataclasses import dataclass

from dagsync.model import JobSpec
from dagsync.planning import Plan
from dagsync.reporting import counted


@dataclass(frozen=True, slots=True)
class JobChanges:
    """Jobs, as ``package.job``, whose declarations differ from those their DAGs were made of."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]

    def counts(self) -> str:
        return f"{counted(len(self.added), 'job')} added, {len(self.changed)} changed, {len(self.removed)} removed"


def job_changes(plan: Plan) -> JobChanges:
    """Return what a plan does to jobs. A DAG can also change with none of them, say when it gets a follower."""
    before, after = plan.jobs_before, plan.jobs
    return JobChanges(
        added=tuple(sorted(after.keys() - before.keys())),
        changed=tuple(sorted(ref for ref in after.keys() & before.keys() if _declared(after[ref]) != _declared(before[ref]))),
        removed=tuple(sorted(before.keys() - after.keys())),
    )


def _declared(spec: JobSpec) -> JobSpec:
    return spec._replace(line=0)


def job_lines(changes: JobChanges) -> Iterator[str]:
    """Yield one line per job, marked as in a diff."""
    for mark, refs in (("+", changes.added), ("~", changes.changed), ("-", changes.removed)):
        yield from (f"{mark} {ref}" for ref in refs)
