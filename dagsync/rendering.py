"""From jobs to the text of DAG files. Pure, and the same bytes for the same jobs, on every machine.

Values enter the text by ``repr`` only, so a job's strings stay data whatever they contain.
"""

from collections.abc import Collection, Iterable, Sequence

from dagsync.model import GroupBy, JobSpec, dag_file_name

MARKER = "# Written by dagsync"
"""Every file starts with it; a file that does not is somebody else's and is never touched."""

RETRY_DELAY_SECONDS = 30
MAX_RETRY_DELAY_SECONDS = 3600

_OPERATOR = '''
class JobOperator(BaseOperator):
    """Runs one job in the task's process; a non-zero exit code, ``sys.exit`` or an exception fails the task."""

    def __init__(self, *, job, **kwargs):
        super().__init__(**kwargs)
        self.job = job

    def execute(self, context):
        # Imported here, so that parsing this file needs Airflow alone.
        from dagsync.runtime import run_job

        run_job(self.job, context)


# When Airflow starts a task it asks for that task's DAG only.
requested = get_parsing_context().dag_id
'''


def render_files(specs: Iterable[JobSpec], group_by: GroupBy) -> dict[str, bytes]:
    """Return the content of every DAG file by its name."""
    grouped: dict[str, list[JobSpec]] = {}
    upstreams: set[str] = set()
    for spec in specs:
        grouped.setdefault(dag_file_name(spec, group_by), []).append(spec)
        upstreams.update(spec.after)
    return {name: render_file(grouped[name], upstreams).encode() for name in sorted(grouped)}


def render_file(specs: Sequence[JobSpec], upstreams: Collection[str]) -> str:
    """Return the text of one DAG file.

    ``upstreams`` are the jobs (``package.job``) that some job starts after: their tasks announce the asset it waits for.
    """
    ordered = sorted(specs, key=lambda spec: spec.name)
    retried = any(spec.retries for spec in ordered)
    chained = any(spec.after or spec.ref in upstreams for spec in ordered)
    package = ordered[0].package
    names = ["DAG", *(["Asset"] if chained else []), "BaseOperator", "Param", "get_parsing_context"]
    parts = [
        f"{MARKER} from {package}/jobs: change the jobs, not this file; the next sync overwrites it.\n",
        "from datetime import timedelta\n\n" if retried else "",
        f"from airflow.sdk import {', '.join(names)}\n\n",
        _OPERATOR,
    ]
    parts.extend(_dag(spec, spec.ref in upstreams) for spec in ordered)
    return "".join(parts)


def _dag(spec: JobSpec, announced: bool) -> str:
    schedule = f"[{', '.join(_asset(ref) for ref in spec.after)}]" if spec.after else repr(spec.schedule)
    task = [f"task_id={spec.name!r}", f"job={spec.ref!r}"]
    if announced:
        task.append(f"outlets=[{_asset(spec.ref)}]")
    if spec.retries:
        task += [
            f"retries={spec.retries!r}",
            f"retry_delay=timedelta(seconds={RETRY_DELAY_SECONDS})",
            "retry_exponential_backoff=2",
            f"max_retry_delay=timedelta(seconds={MAX_RETRY_DELAY_SECONDS})",
        ]
    operator = f"JobOperator({', '.join(task)})"
    if len(operator) > 112:
        operator = "JobOperator(\n            " + ",\n            ".join(task) + ",\n        )"
    return f"""
if requested in (None, {spec.dag_id!r}):
    with DAG(
        dag_id={spec.dag_id!r},
        description={spec.description!r},
        schedule={schedule},
        catchup=False,
        tags={spec.tags!r},
        params={{'args': Param({list(spec.args)!r}, type='array', items={{'type': 'string'}}, title='Arguments')}},
    ):
        {operator}
"""


def _asset(ref: str) -> str:
    return f"Asset({ref!r})"
