"""What a job is to dagsync, and the names derived from it.

DAG ids and file names are made here and nowhere else.
"""

import keyword
import re
from datetime import datetime, timedelta
from typing import NamedTuple

from dagsync.declarations import Cron, Notification, Resources
from dagsync.outcome import GroupBy
from dagsync.params import Parameter

MAX_DAG_ID_BYTES = 240
"""Longest DAG id in UTF-8: Airflow 3.3 stores 250 characters (``airflow.models.base.ID_LEN``), and a file name may have 255
bytes, suffix included."""

MAX_PACKAGE_LENGTH = 100
"""Longest tag of Airflow 3.3 in characters (``airflow.models.dag.TAG_MAX_LEN``)."""


class JobSpec(NamedTuple):
    """A job as read from its source: everything needed to render its DAG.

    No dataclass, as a frozen one of so many fields takes six times as long to make, and as large a part of a sync.
    """

    package: str
    name: str
    description: str = ""
    line: int = 1
    """Line of the ``JOB`` assignment."""

    given: tuple[str, ...] = ()
    """Options that the job declares itself, in the order of their names."""

    schedule: str | Cron | timedelta | tuple[str, ...] | None = None
    start_date: datetime | None = None
    """In UTC."""

    catchup: bool = False
    max_active_runs: int = 1
    after: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()
    produces: tuple[str, ...] = ()
    group: str | None = None
    args: tuple[str, ...] = ()
    retries: int = 1
    retry_delay: timedelta = timedelta(seconds=30)
    timeout: timedelta | None = None
    deadline: timedelta | None = None
    pool: str | None = None
    priority: int = 1
    owner: str | None = None
    queue: str | None = None
    executor: str | None = None
    tags: tuple[str, ...] = ()
    docs: str = ""
    on_failure: tuple[Notification, ...] = ()
    on_success: tuple[Notification, ...] = ()
    resources: Resources | None = None
    isolation: str = "process"
    image: str | None = None
    parameters: tuple[Parameter, ...] = ()
    """The typed fields of the trigger form; none where it only takes a raw command line."""

    @property
    def ref(self) -> str:
        """``package.job``: how other jobs and messages name it."""
        return f"{self.package}.{self.name}"

    @property
    def dag_id(self) -> str:
        return f"{self.package}_{self.group or self.name}"

    @property
    def dag_owner(self) -> tuple[str, str | None]:
        """What has the DAG: the group, or the job. Whoever else would have a DAG of the same id is in its way."""
        return (self.package, self.group) if self.group else (self.ref, None)

    @property
    def source(self) -> str:
        """Path of the module, relative to the packages root."""
        return f"{self.package}/jobs/{self.name}.py"

    @property
    def all_tags(self) -> list[str]:
        return list(dict.fromkeys((self.package, "etl", "auto-generated", *self.tags)))


def dag_file_name(spec: JobSpec, group_by: GroupBy) -> str:
    """Return the name of the file in the DAG folder that holds this job's DAG."""
    return f"{spec.package}_dags.py" if group_by == "package" else f"{spec.dag_id}_dag.py"


def name_problem(kind: str, name: str) -> str | None:
    """Return why ``name`` cannot be the name of a package or module of jobs, or ``None``."""
    if not name.isidentifier():
        return f"{kind} {name!r} is not a Python identifier, so it cannot be imported"
    if keyword.iskeyword(name):
        return f"{kind} {name!r} is a keyword of Python, so it cannot be imported"
    # Python takes combining marks in names, as macOS writes accents, and Airflow does not (``KEY_REGEX``).
    if not name.isascii() and not re.fullmatch(r"\w+", name):
        return f"{kind} {name!r} has characters that Airflow does not take in a DAG id"
    return None
