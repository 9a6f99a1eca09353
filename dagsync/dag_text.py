"""The text of one DAG: of one job, or of the jobs of a group as its tasks.

Values enter the text by ``repr`` only, so a job's strings stay data whatever they contain.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from dagsync.declarations import Cron, plain
from dagsync.model import JobSpec
from dagsync.params import Parameter

MAX_RETRY_DELAY = timedelta(hours=1)
"""As the operator in ``rendering`` has it."""

_WIDTH = 112


Lines = tuple[Parameter, str, str]
"""A param, its line among the params of a DAG and its line among the options of a task."""

Texts = dict[int, Lines]
"""The lines of params, by identity: many jobs share one. With the param itself, so that no identity is used again."""


def dag_text(members: Sequence[JobSpec], announced: Collection[str], names: set[str], known: Texts) -> str:
    """Return the text of the DAG that ``members`` share, and add to ``names`` what it needs to be imported or defined.

    ``announced`` are the jobs (``package.job``) that jobs of other DAGs start after.
    ``known`` is kept from one DAG to the next.
    """
    first = members[0]
    whole = first if first.group is None else _whole(members)
    dag_id = first.dag_id
    schedule = _schedule(members, whole, names)
    arguments = [f"dag_id={dag_id!r}", f"description={whole.description!r}", f"schedule={schedule}"]
    if whole.start_date:
        names.add("datetime")
        arguments.append(f"start_date={_moment(whole.start_date)}")
    arguments.append(f"catchup={whole.catchup!r}")
    arguments.append(f"max_active_runs={whole.max_active_runs!r}")
    arguments.append(f"tags={whole.all_tags!r}")
    if whole.deadline:
        arguments.append(_deadline(members, whole.deadline, names))
    lines = [[known.get(id(each)) or _lines(each, known) for each in spec.parameters] for spec in members]
    if first.group is None:
        arguments.append(f"params={_params(first, lines[0], names)}")
        if docs := _docs(first):
            arguments.append(f"doc_md={docs!r}")
    tasks = [_task(spec, of_params, announced, names) for spec, of_params in zip(members, lines, strict=True)]
    edges = _edges(members) if first.group else []
    if edges:
        tasks = [f"{_variable(spec)} = {task}" for spec, task in zip(members, tasks, strict=True)]
    head, body = ",\n        ".join(arguments), "\n        ".join((*tasks, *edges))
    return f"\nif requested in (None, {dag_id!r}):\n    with DAG(\n        {head},\n    ):\n        {body}\n"


def _whole(members: Sequence[JobSpec]) -> JobSpec:
    """Return the DAG of a group as if it were that of one job, which has what one of its jobs says."""

    def shared(option: str) -> Any:
        usual = getattr(_USUAL, option)
        return next((value for spec in members if (value := getattr(spec, option)) != usual), usual)

    options = {option: shared(option) for option in ("schedule", "start_date", "catchup", "max_active_runs", "deadline")}
    tags = tuple(tag for spec in members for tag in spec.all_tags)
    description = f"{members[0].group}: {', '.join(spec.name for spec in members)}"
    return members[0]._replace(description=description, tags=tags, **options)


_USUAL = JobSpec("", "")


def _docs(spec: JobSpec) -> str:
    if not spec.docs or spec.docs == spec.description.strip():
        return ""
    # Airflow takes a text with this ending for the name of a file.
    return f"{spec.docs}\n" if spec.docs.endswith(".md") else spec.docs


def _schedule(members: Sequence[JobSpec], whole: JobSpec, names: set[str]) -> str:
    awaited = whole.after
    if len(members) > 1:
        own = {spec.ref for spec in members}
        awaited = tuple(ref for spec in members for ref in spec.after if ref not in own)
    if awaited:
        return _assets(awaited, names)
    if whole.schedule is None:
        return "None"
    match whole.schedule:
        case Cron(cron, timezone):
            names.add("CronTriggerTimetable")
            return f"CronTriggerTimetable({cron!r}, timezone={timezone!r})"
        case timedelta() as every:
            return _duration(every)
        case tuple():
            return _assets([uri for spec in members if isinstance(spec.schedule, tuple) for uri in spec.schedule], names)
        case other:
            return repr(other)


def _deadline(members: Sequence[JobSpec], deadline: timedelta, names: set[str]) -> str:
    names |= {"AsyncCallback", "DeadlineAlert", "DeadlineReference"}
    told = list(dict.fromkeys(each for spec in members for each in spec.on_failure))
    kwargs = {"dag_id": members[0].dag_id, "notifications": plain(tuple(told))}
    return (
        "deadline=DeadlineAlert(\n"
        "            reference=DeadlineReference.DAGRUN_QUEUED_AT,\n"
        f"            interval={_duration(deadline)},\n"
        f"            callback=AsyncCallback('dagsync.notifying.deadline_missed', kwargs={kwargs!r}),\n"
        "        )"
    )


def _task(spec: JobSpec, lines: Sequence[Lines], announced: Collection[str], names: set[str]) -> str:
    ref = spec.ref
    arguments = [f"task_id={spec.name!r}", f"job={ref!r}"]
    operator = "JobOperator"
    if spec.isolation == "kubernetes":
        operator = "JobPodOperator"
        names.add(operator)
        arguments += [f"image={spec.image!r}"] if spec.image else []
    elif spec.isolation != _USUAL.isolation:
        arguments.append(f"isolation={spec.isolation!r}")
    if lines:
        arguments.append(f"options=[\n{''.join([row for _, _, row in lines])}            ]")
    if outlets := [*([ref] if ref in announced else []), *spec.produces]:
        arguments.append(f"outlets={_assets(outlets, names)}")
    if _options_of_task(spec) != _USUAL_OF_TASK:
        arguments += _task_options(spec, names)
    if spec.group is not None:
        arguments.append(f"params={_params(spec, lines, names)}")
        arguments += [f"doc_md={docs!r}"] if (docs := _docs(spec)) else []
    text = f"{operator}({', '.join(arguments)})"
    if len(text) <= _WIDTH and not spec.parameters:
        return text
    return f"{operator}(\n            " + ",\n            ".join(arguments) + ",\n        )"


# Compared in one go: nearly all jobs have none of these.
_options_of_task = attrgetter(
    *("consumes", "retries", "retry_delay", "timeout", "pool", "priority", "owner", "queue", "executor"),
    *("on_failure", "on_success", "resources"),
)
_USUAL_OF_TASK = _options_of_task(_USUAL)


def _task_options(spec: JobSpec, names: set[str]) -> list[str]:
    arguments: list[str] = []
    if spec.consumes:
        arguments.append(f"inlets={_assets(spec.consumes, names)}")
    if spec.retries != _USUAL.retries:
        arguments.append(f"retries={spec.retries!r}")
    if spec.retry_delay != _USUAL.retry_delay:
        arguments.append(f"retry_delay={_duration(spec.retry_delay)}")
    if spec.retry_delay > MAX_RETRY_DELAY:
        arguments.append(f"max_retry_delay={_duration(spec.retry_delay)}")
    if spec.timeout:
        arguments.append(f"execution_timeout={_duration(spec.timeout)}")
    arguments += [f"{name}={value!r}" for name, value in _placement(spec) if value is not None]
    for option in ("on_failure", "on_success"):
        if told := getattr(spec, option):
            names.add("notify")
            callbacks = ", ".join(f"notify({option!r}, **{plain(each)!r})" for each in told)
            arguments.append(f"{option}_callback=[{callbacks}]")
    if spec.resources:
        arguments += _resources(spec, names)
    return arguments


def _placement(spec: JobSpec) -> list[tuple[str, object]]:
    return [
        ("pool", spec.pool),
        ("priority_weight", spec.priority if spec.priority != _USUAL.priority else None),
        ("owner", spec.owner),
        ("queue", spec.queue),
        ("executor", spec.executor),
    ]


def _resources(spec: JobSpec, names: set[str]) -> list[str]:
    asked = {name.replace("_", "-"): quantity for name, quantity in vars(spec.resources).items() if quantity}
    found = [f"resources_of_job={asked!r}"]
    in_executors_pod = spec.executor and spec.executor.rpartition(".")[2] == "KubernetesExecutor"
    if in_executors_pod and spec.isolation != "kubernetes":
        names.add("pod_of")
        found.append(f"executor_config=pod_of({asked!r})")
    return found


def _edges(members: Sequence[JobSpec]) -> list[str]:
    by_ref = {spec.ref: spec for spec in members}
    return [f"{_variable(by_ref[ref])} >> {_variable(spec)}" for spec in members for ref in spec.after if ref in by_ref]


def _variable(spec: JobSpec) -> str:
    # A prefix, because a job may be called as something of the file's own is.
    return f"task_{spec.name}"


def _params(spec: JobSpec, lines: Sequence[Lines], names: set[str]) -> str:
    if not lines:
        return f"{{'args': Param({list(spec.args)!r}, type='array', items={{'type': 'string'}}, title='Arguments')}}"
    names.add("RAW")
    return f"{{\n{''.join([field for _, field, _ in lines])}            'args': Param(None, **RAW),\n        }}"


def _lines(parameter: Parameter, known: Texts) -> Lines:
    """Return a param with its line among the params of a DAG and its line among the options of a task."""
    field = f"            {parameter.key!r}: {_param(parameter.default, parameter.schema)},\n"
    known[id(parameter)] = lines = parameter, field, f"                {tuple(parameter.option)!r},\n"
    return lines


def _param(default: object, schema: Mapping[str, object]) -> str:
    return f"Param({', '.join([repr(default), *(f'{name}={value!r}' for name, value in schema.items())])})"


def _assets(uris: Collection[str], names: set[str]) -> str:
    names.add("Asset")
    return f"[{', '.join(f'Asset({uri!r})' for uri in dict.fromkeys(uris))}]"


def _duration(duration: timedelta) -> str:
    seconds = duration.total_seconds()
    return f"timedelta(seconds={int(seconds) if seconds.is_integer() else seconds!r})"


def _moment(moment: datetime) -> str:
    parts = [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second]
    return f"datetime({', '.join(map(str, parts))}, tzinfo=timezone.utc)"
