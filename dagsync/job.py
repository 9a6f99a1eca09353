"""What a job module declares: ``JOB = Job(entrypoint, "description", schedule="@daily")``."""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import date, timedelta
from typing import Literal

from dagsync.declarations import Asset, Cron, Notification, Resources

Isolation = Literal["process", "inline", "kubernetes"]


@dataclass(frozen=True)
class Job:
    """A job as its module declares it: ``JOB = Job(entrypoint, "description", schedule="@daily")``.

    dagsync reads the declaration from the source without importing it, so options must be constants: literals, names of
    module constants, ``__doc__``, f-strings, ``+``, ``%``, ``or`` and string methods. The class itself is only used when the
    job runs.
    """

    entrypoint: Callable[[list[str]], int | None]
    """Called with the arguments; a non-zero return fails the task."""

    description: str = ""
    """Shown beside the DAG in Airflow."""

    _: KW_ONLY

    schedule: str | Cron | timedelta | Sequence[Asset | str] | None = None
    """When it runs: a preset such as ``@daily``; a cron expression of five fields, in Airflow's default time zone (UTC unless
    configured), or ``Cron("0 4 * * *", timezone="Europe/Berlin")``; ``timedelta(hours=6)``; or a list of assets, all of which
    must have been updated since this job's last run. ``None``: only by hand, by the API or after other jobs. Cannot be given
    together with ``after``."""

    start_date: date | str | None = None
    """No scheduled run before this moment, in UTC unless it says otherwise."""

    catchup: bool = False
    """Run, one by one, what the schedule would have run since ``start_date``, which it needs."""

    max_active_runs: int = 1
    """Runs at the same time; more wait. One, because two runs of a job seldom expect each other."""

    after: Sequence[str] = ()
    """Jobs, as ``"package.job"``, all of which must have succeeded since this job's last run for it to start. Cannot be
    given together with ``schedule``: a job that should start at a time *and* after others has two meanings, whichever
    comes first or whichever comes last. Between jobs of one group it is a dependency of tasks."""

    consumes: Sequence[Asset | str] = ()
    """Assets it reads. Unless the job has a ``schedule``, an ``after`` or a ``group`` of its own, it starts when all of them
    have been updated."""

    produces: Sequence[Asset | str] = ()
    """Assets that a successful run has updated."""

    group: str | None = None
    """Jobs of a package with the same group are tasks of one DAG, ``{package}_{group}``. What concerns the whole DAG
    (``schedule``, ``start_date``, ``catchup``, ``max_active_runs``, ``deadline``) is given by one of them, or by several
    alike. The arguments of a run are those of all its jobs."""

    args: Sequence[str] = ()
    """Arguments of a run that is given none."""

    retries: int = 1
    """How often a failed task is tried again. ``0`` turns it off."""

    retry_delay: timedelta | float = timedelta(seconds=30)
    """Before the first retry; twice as long before each further one, at most an hour."""

    timeout: timedelta | float | None = None
    """How long one try may run before it is ended and fails."""

    deadline: timedelta | float | None = None
    """How long after it was queued a run should be done. If it is not, those of ``on_failure`` are told, and it goes on."""

    pool: str | None = None
    """Airflow pool whose slots bound how many tasks run at once. ``None``: ``default_pool``."""

    priority: int = 1
    """Among tasks that wait for a slot, those with a higher number start first."""

    owner: str | None = None
    """Who answers for it, as Airflow shows it. ``None``: what Airflow is configured with."""

    queue: str | None = None
    """Queue of Celery workers."""

    executor: str | None = None
    """Executor that runs it, where Airflow is configured with several. It must be one of those."""

    tags: Sequence[str] = ()
    """Tags of the DAG, beside its package, ``etl`` and ``auto-generated``."""

    docs: str | None = None
    """Markdown that Airflow shows with the DAG. By default the module's docstring; ``None`` or ``""`` turns it off."""

    on_failure: Sequence[Notification] = ()
    """Who is told that the last retry failed, or that the deadline was missed: ``Slack``, ``Sns``, ``Email``, ``Webhook``."""

    on_success: Sequence[Notification] = ()
    """Who is told that the task succeeded."""

    resources: Resources | None = None
    """CPU, memory and disk. Asked of Kubernetes where ``isolation`` is ``kubernetes`` or ``executor`` the KubernetesExecutor;
    elsewhere only shown."""

    isolation: Isolation = "process"
    """``process``: in a process of its own. ``inline``: in the task's process. ``kubernetes``: in a pod of its own."""

    image: str | None = None
    """Image of the pod of a job with ``isolation="kubernetes"``; it holds dagsync and the packages. ``None``: what
    ``DAGSYNC_JOBS_IMAGE`` names where the task runs."""
