"""From jobs to the text of DAG files. Pure, and the same bytes for the same jobs, on every machine.

Values enter the text by ``repr`` only, so a job's strings stay data whatever they contain.
"""

from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter

from dagsync.dag_text import Texts, dag_text
from dagsync.model import JobSpec, dag_file_name
from dagsync.outcome import GroupBy

MARKER = "# Written by dagsync"
"""Every file starts with it; a file that does not is somebody else's and is never touched."""

_name, _group = attrgetter("name"), attrgetter("group")

_ALWAYS = frozenset({"BaseOperator", "Param", "get_parsing_context"})
_SDK = (
    *("Asset", "AsyncCallback", "BaseOperator", "CronTriggerTimetable", "DeadlineAlert", "DeadlineReference"),
    *("Param", "get_parsing_context"),
)

_DEFINITIONS = {
    "notify": '''
def notify(option, **notification):
    """Returns what tells somebody of a task's end."""

    def tell(context):
        # Imported here, so that a provider that is missing costs a message and not the DAG.
        from dagsync.notifying import send

        send(option, notification, context)

    return tell

''',
    "RAW": """
# The whole command line of a job whose arguments are params of their own.
RAW = {
    "type": ["array", "null"],
    "items": {"type": "string"},
    "title": "Arguments",
    "description": "A whole command line; if given, nothing else here counts.",
}

""",
    "pod_of": '''
def pod_of(resources):
    """Returns what makes the KubernetesExecutor ask for these resources."""
    try:
        from kubernetes.client import models as k8s
    except ImportError:
        return {}
    container = k8s.V1Container(name="base", resources=k8s.V1ResourceRequirements(requests=resources, limits=resources))
    return {"pod_override": k8s.V1Pod(spec=k8s.V1PodSpec(containers=[container]))}

''',
}

_OPERATOR = '''
class JobOperator(BaseOperator):
    """Runs one job; a non-zero exit code, ``sys.exit`` or an exception fails the task."""

    def __init__(
        self,
        *,
        job,
        options=(),
        isolation="process",
        resources_of_job=None,
        retries=1,
        retry_delay=timedelta(seconds=30),
        **kwargs,
    ):
        backoff = {"retry_exponential_backoff": 2, "max_retry_delay": timedelta(hours=1), **kwargs}
        super().__init__(retries=retries, retry_delay=retry_delay, **backoff)
        self.job = job
        self.options = options
        self.isolation = isolation
        self.resources_of_job = resources_of_job
        if self.dag.params:
            # The DAG's own count anyway. Of a copy, Airflow validates each param again and again while it stores the task.
            self.params = {}

    def execute(self, context):
        # Imported here, so that parsing this file needs Airflow alone.
        from dagsync.runtime import run_job

        run_job(self.job, context, self.options, self.isolation)

'''

_POD_OPERATOR = '''
class JobPodOperator(JobOperator):
    """Runs one job in a pod of its own, by Airflow's KubernetesPodOperator."""

    def __init__(self, *, image=None, **kwargs):
        super().__init__(**kwargs)
        self.image = image
        self.pod_operator = None

    def execute(self, context):
        # Imported here: the provider takes most of a second to import, and parsing this file needs Airflow alone.
        from dagsync.pod_operator import pod_operator

        self.pod_operator = pod_operator(self, context)
        self.pod_operator.execute_sync(context)

    def on_kill(self):
        if self.pod_operator is not None:
            self.pod_operator.on_kill()

'''

_REQUESTED = """
# When Airflow starts a task it asks for that task's DAG only.
requested = get_parsing_context().dag_id
"""


def render_files(specs: Iterable[JobSpec], group_by: GroupBy) -> dict[str, bytes]:
    """Return the content of every DAG file by its name."""
    specs = tuple(specs)
    grouped: dict[str, list[JobSpec]] = {}
    for spec in specs:
        grouped.setdefault(dag_file_name(spec, group_by), []).append(spec)
    waiting = [spec for spec in specs if spec.after]
    owners = {spec.ref: spec.dag_owner for spec in specs} if waiting else {}
    upstreams = {ref for spec in waiting for ref in spec.after if owners.get(ref) != spec.dag_owner}
    known: Texts = {}
    return {name: render_file(grouped[name], upstreams, known).encode() for name in sorted(grouped)}


def render_file(specs: Sequence[JobSpec], upstreams: Collection[str], known: Texts | None = None) -> str:
    """Return the text of one DAG file.

    ``upstreams`` are the jobs (``package.job``) that some job starts after: their tasks announce the asset it waits for.
    ``known`` is kept from one file to the next.
    """
    names: set[str] = set()
    known = {} if known is None else known
    texts = [dag_text(members, upstreams, names, known) for members in _dags(specs)]
    package = specs[0].package
    dates = "datetime, timedelta, timezone" if "datetime" in names else "timedelta"
    sdk = ["DAG", *(name for name in _SDK if name in names or name in _ALWAYS)]
    parts = [
        f"{MARKER} from {package}/jobs: change the jobs, not this file; the next sync overwrites it.\n",
        f"from datetime import {dates}\n\n",
        f"from airflow.sdk import {', '.join(sdk)}\n\n",
        *(text for name, text in _DEFINITIONS.items() if name in names),
        _OPERATOR,
        *([_POD_OPERATOR] if "JobPodOperator" in names else []),
        _REQUESTED,
        *texts,
    ]
    return "".join(parts)


def _dags(specs: Sequence[JobSpec]) -> Iterable[list[JobSpec]]:
    in_order = sorted(specs, key=_name)
    if not any(map(_group, in_order)):
        # A DAG is called as its job then, after its package.
        return ([spec] for spec in in_order)
    members: dict[str, list[JobSpec]] = {}
    for spec in in_order:
        members.setdefault(spec.dag_id, []).append(spec)
    return (members[dag_id] for dag_id in sorted(members))
