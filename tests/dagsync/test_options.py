"""Options are read without running anything, and what is wrong with one is said where it stands."""

import ast
import inspect
import json
import pickle
import sys
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagsync.checks import CHECKS, checked
from dagsync.conversions import UnfitError
from dagsync.declarations import Cron, Email, Resources, Slack, Sns, Webhook, plain
from dagsync.job import Job
from dagsync.model import JobSpec
from dagsync.reading import read_job
from dagsync.rendering import render_file
from dagsync.rows import Rows, spec_from

HEAD = "from datetime import *\nfrom dagsync import *\n"

FORMS: list[tuple[str, str, object]] = [
    ("schedule", 'Cron("0 4 * * *", timezone="Europe/Berlin")', Cron("0 4 * * *", "Europe/Berlin")),
    ("schedule", 'dagsync.Cron(cron="@daily", timezone="Asia/Tokyo")', Cron("@daily", "Asia/Tokyo")),
    ("schedule", '{"cron": "0 4 * * *"}', Cron("0 4 * * *", "UTC")),
    ("schedule", "timedelta(hours=6)", timedelta(hours=6)),
    ("schedule", "datetime.timedelta(1, minutes=30)", timedelta(days=1, minutes=30)),
    ("schedule", '[Asset("s3://bucket/a"), "b"]', ("s3://bucket/a", "b")),
    ("schedule", 'Cron("@once")', "@once"),
    ("start_date", '"2026-01-31"', datetime(2026, 1, 31, tzinfo=UTC)),
    ("start_date", "date(2026, 1, 31)", datetime(2026, 1, 31, tzinfo=UTC)),
    ("start_date", '"2026-01-31T04:00:00+02:00"', datetime(2026, 1, 31, 2, tzinfo=UTC)),
    ("catchup", "True", True),
    ("max_active_runs", "3", 3),
    ("consumes", '[Asset("s3://bucket/a")]', ("s3://bucket/a",)),
    ("produces", '["postgres://db/shop/public/orders"]', ("postgres://db/shop/public/orders",)),
    ("group", '"nightly"', "nightly"),
    ("retries", "0", 0),
    ("retry_delay", "timedelta(minutes=2)", timedelta(minutes=2)),
    ("timeout", "90", timedelta(seconds=90)),
    ("deadline", '{"hours": 2}', timedelta(hours=2)),
    ("pool", '"warehouse"', "warehouse"),
    ("priority", "10", 10),
    ("owner", '"data-team"', "data-team"),
    ("queue", '"large"', "large"),
    ("executor", '"KubernetesExecutor"', "KubernetesExecutor"),
    ("tags", '["finance", "daily"]', ("finance", "daily")),
    ("docs", '"# Sales"', "# Sales"),
    ("docs", "None", ""),
    (
        "on_failure",
        '[Slack("#etl", connection="slack"), Email(["a@b.org", "c@d.org"])]',
        (Slack("#etl", "slack"), Email("a@b.org, c@d.org")),
    ),
    ("on_success", 'Sns("arn:aws:sns:eu-west-1:1:t")', (Sns("arn:aws:sns:eu-west-1:1:t"),)),
    ("on_success", 'Webhook("hooks", path="/x", text="{{ run_id }}")', (Webhook("hooks", "/x", "{{ run_id }}"),)),
    ("resources", 'Resources(cpu="500m", memory="1Gi")', Resources("500m", "1Gi")),
    ("isolation", '"inline"', "inline"),
    ("isolation", '"kubernetes"', "kubernetes"),
    ("image", '"localhost:5000/a/b_c.d:v1.0"', "localhost:5000/a/b_c.d:v1.0"),
    ("image", f'"sales@sha256:{"0" * 64}"', f"sales@sha256:{'0' * 64}"),
]

REFUSED: list[tuple[str, str, str]] = [
    ("schedule", 'Cron("0 4 * *")', "expected a cron expression of 5 fields"),
    ("schedule", 'Cron("0 4 * * *", timezone="Europe/Berlim")', "timezone: expected a name of the tz database"),
    ("schedule", 'Cron("0 4 * * *", zone="UTC")', "Cron(...) takes cron, timezone, each once; found zone"),
    ("schedule", "timedelta(hours=-1)", "schedule: expected a preset"),
    ("schedule", "timedelta(hours=now())", "now() is not a constant expression"),
    ("schedule", "[]", "schedule: expected a preset"),
    ("schedule", "True", "schedule: expected a preset"),
    ("start_date", '"soon"', "start_date: expected a date such as"),
    ("start_date", "date(2026, 2, 31)", "day is out of range for month"),
    ("start_date", "datetime.now()", "is not a constant expression"),
    ("catchup", "1", "catchup: expected True or False, found 1"),
    ("max_active_runs", "0", "max_active_runs: expected a whole number from 1 to 1000, found 0"),
    ("produces", '[""]', "expected an asset such as"),
    ("produces", '["airflow://x"]', "the scheme 'airflow' is reserved"),
    ("produces", '["postgres://user:secret@db/a/b/c"]', "with user or password in it"),
    ("produces", '["postgres://db/orders"]', "expected 3 names after the host"),
    ("produces", '["s3:///key"]', "with a host or bucket"),
    ("produces", '["http://[::1/x"]', "Invalid IPv6 URL"),
    ("group", '"a b"', "group: expected a name of letters, digits and underscores or None"),
    ("retry_delay", "0", "retry_delay: expected a duration"),
    ("timeout", "timedelta(days=10**9)", "timeout: expected a duration such as timedelta(minutes=5)"),
    ("timeout", '{"fortnights": 1}', "timeout: expected a duration"),
    ("pool", '""', "pool: expected the name of a pool or None, found ''"),
    ("priority", '"high"', "priority: expected a whole number"),
    ("owner", r'"\0x"', "owner: expected the name"),
    ("executor", '"Kubernetes Executor"', "executor: expected the name of an executor"),
    ("tags", '"finance"', "tags: expected a list of tags"),
    ("tags", '["x" , ""]', "tags: expected a list of tags"),
    ("docs", "3", "docs: expected a text, found 3"),
    ("on_failure", '["#etl"]', "on_failure: expected a list of Slack, Sns, Email or Webhook"),
    ("on_failure", '[{"via": "pigeon"}]', "via: expected one of slack, sns, email, webhook, found 'pigeon'"),
    ("on_failure", "[Slack()]", "Slack: channel is missing"),
    ("on_failure", '[Slack("#etl", conection="x")]', "Slack(...) takes channel, connection, text, each once; found conection"),
    ("resources", 'Resources(cpu="lots")', "cpu: expected a Kubernetes quantity such as '500m' or '2', found 'lots'"),
    ("resources", 'Resources(memory="1 GB")', "memory: expected a Kubernetes quantity"),
    ("resources", "{}", "resources: expected Resources("),
    ("isolation", '"docker"', "isolation: expected one of 'process', 'inline', 'kubernetes'"),
    ("image", '"Sales:1"', "image: expected the reference of an image"),
    ("image", '"sales:1 --privileged"', "image: expected the reference of an image"),
    ("image", '"{{ var.value.image }}"', "image: expected the reference of an image"),
    ("polo", "1", "unknown option 'polo'"),
]


def read(option: str, source: str, *, typed: bool) -> JobSpec | str:
    declaration = f"Job(main, 'x',\n{option}={source})" if typed else f"(main, 'x', {{\n'{option}': {source}}})"
    reading = read_job(f"{HEAD}JOB = {declaration}\n".encode(), "p", "j", "p/jobs/j.py")
    if reading.spec is not None:
        return reading.spec
    (problem,) = reading.problems
    return f"{problem.location}: {problem.message} {problem.fix}"


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize(("option", "source", "expected"), FORMS)
def test_every_form_of_every_option_is_read_from_both_declarations(
    option: str, source: str, expected: object, typed: bool
) -> None:
    spec = read(option, source, typed=typed)
    assert isinstance(spec, JobSpec), spec
    assert getattr(spec, option) == expected


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize(("option", "source", "expected"), REFUSED)
def test_what_an_option_cannot_be_is_said_at_its_line(option: str, source: str, expected: str, typed: bool) -> None:
    problem = read(option, source, typed=typed)
    assert isinstance(problem, str), problem
    assert problem.startswith("p/jobs/j.py:4: ")
    assert expected in problem


def test_every_option_is_in_the_table_the_class_and_the_record() -> None:
    declared = [each.name for each in fields(Job) if each.name not in {"entrypoint", "description"}]
    assert declared == list(CHECKS)
    assert set(CHECKS) < {*JobSpec._fields}
    assert {option for option, *_ in FORMS} | {"after", "args"} == set(CHECKS)


def test_class_and_record_have_the_same_built_in_values() -> None:
    spec = JobSpec("p", "j")
    for each in fields(Job):
        if each.name in CHECKS and each.name != "docs":
            assert getattr(spec, each.name) == each.default


@pytest.mark.parametrize(("option", "source", "expected"), FORMS)
def test_record_of_a_sync_gives_back_what_was_declared(option: str, source: str, expected: object) -> None:
    spec = read(option, source, typed=True)
    assert isinstance(spec, JobSpec)
    assert spec_from(json.loads(Rows().text(spec))) == spec


@pytest.mark.parametrize(("option", "source", "expected"), FORMS)
def test_a_process_hands_over_what_was_declared(option: str, source: str, expected: object) -> None:
    reading = read_job(f"{HEAD}JOB = (main, 'x', {{'{option}': {source}}})\n".encode(), "p", "j", "p/jobs/j.py")
    assert pickle.loads(pickle.dumps(reading)) == reading
    assert reading.spec is not None
    assert getattr(reading.spec, option) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=6) | st.sampled_from(["via", "cron", "hours", "cpu"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(option=st.sampled_from(list(CHECKS)), value=JSON)
def test_whatever_is_given_is_a_value_that_is_recorded_and_rendered_or_a_sentence(option: str, value: Any) -> None:
    try:
        found = checked(option, value)
    except UnfitError as error:
        assert str(error).startswith(f"{option}: ")  # noqa: PT017 - either outcome is right
        return
    assert checked(option, plain(found)) == found
    spec = JobSpec("p", "j", given=(option,), **{option: found})
    assert spec_from(json.loads(Rows().text(spec))) == spec
    ast.parse(render_file([spec], ()).encode())


def test_consumed_assets_start_a_job_unless_it_says_when_it_starts() -> None:
    alone = read("consumes", '["s3://a/b"]', typed=True)
    timed = read("consumes", '["s3://a/b"], schedule="@daily"', typed=True)
    by_hand = read("consumes", '["s3://a/b"], schedule=None', typed=True)
    assert [spec.schedule for spec in (alone, timed, by_hand) if isinstance(spec, JobSpec)] == [("s3://a/b",), "@daily", None]


def test_docstring_is_the_documentation_and_an_option_wins_over_it() -> None:
    def docs(declaration: str) -> str:
        source = f'"""Loads sales.\n\n    Every night.\n    """\nJOB = {declaration}\n'
        spec = read_job(source.encode(), "p", "j", "p/jobs/j.py").spec
        assert spec is not None
        return spec.docs

    assert docs('(main, "x")') == "Loads sales.\n\nEvery night."
    assert docs('(main, "x", {"docs": "Other"})') == "Other"
    assert docs('(main, "x", {"docs": None})') == ""


@given(st.text(st.sampled_from("a é\n\n\n  \t\x0c\xa0\u2028"), max_size=12))
def test_docstring_is_cleaned_as_python_does(docstring: str) -> None:
    spec = read_job(f"{docstring!r}\nJOB = (main, 'x')\n".encode(), "p", "j", "p/jobs/j.py").spec
    assert spec is not None
    assert spec.docs == inspect.cleandoc(docstring)


def test_names_imported_under_others_are_followed() -> None:
    source = "from dagsync import Cron as C\nfrom datetime import timedelta as td\n"
    source += 'JOB = (f, "x", {"schedule": C("@daily"), "timeout": td(1)})'
    spec = read_job(source.encode(), "p", "j", "p/jobs/j.py").spec
    assert spec is not None
    assert (spec.schedule, spec.timeout) == (Cron("@daily"), timedelta(days=1))


TEXT = st.text(min_size=1, max_size=20) | st.sampled_from(
    ["'", '"""', "\\", "', owner='injected", "\n    import os\n", "{x}", "\r", "\u2028"]
)


@given(pool=TEXT, owner=TEXT, docs=TEXT, tag=TEXT, text=TEXT, path=TEXT)
def test_texts_of_options_are_data_in_the_generated_code(
    pool: str, owner: str, docs: str, tag: str, text: str, path: str
) -> None:
    spec = JobSpec(
        "p",
        "j",
        pool=pool,
        owner=owner,
        docs=docs,
        tags=(tag,),
        on_failure=(Webhook("hooks", path, text),),
        timeout=timedelta(1),
    )
    tree = ast.parse(render_file([spec], ()).encode().decode())
    calls = {
        node.func.id: {keyword.arg: keyword.value for keyword in node.keywords}
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    task, dag, told = calls["JobOperator"], calls["DAG"], calls["notify"]
    assert (ast.literal_eval(task["pool"]), ast.literal_eval(task["owner"])) == (pool, owner)
    assert ast.literal_eval(dag["tags"]) == list(dict.fromkeys(["p", "etl", "auto-generated", tag]))
    assert ast.literal_eval(dag["doc_md"]) == (f"{docs}\n" if docs.endswith(".md") else docs)
    assert ast.literal_eval(told[None]) == plain(Webhook("hooks", path, text))
    assert ast.literal_eval(calls["timedelta"]["seconds"]) in {30, 86400}


def test_everything_used_at_parse_is_imported_and_nothing_else() -> None:
    used = {
        "Cron": "schedule=Cron('0 4 * * *')",
        "deadline": "deadline=60, start_date='2026-01-31'",
        "asset": "produces=['s3://a/b'], on_failure=[Slack('#etl')]",
        "none": "retries=3",
    }
    for declared in used.values():
        spec = read_job(f"from dagsync import *\nJOB = Job(f, 'x', {declared})".encode(), "p", "j", "x").spec
        assert spec is not None
        tree = ast.parse(render_file([spec], ()))
        imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
        imported = {alias.name for node in imports for alias in node.names}
        assert {node.module for node in imports} == {"airflow.sdk", "datetime"}
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert imported <= names
        known = imported | {"JobOperator", "notify", "requested", "super", "dict"}
        called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        assert called - known <= {"send", "run_job"}


@pytest.mark.parametrize("executor", ["KubernetesExecutor", "airflow.providers.cncf.kubernetes.executors.KubernetesExecutor"])
def test_kubernetes_is_asked_for_the_resources_where_it_runs_the_job(monkeypatch: pytest.MonkeyPatch, executor: str) -> None:
    class Double(SimpleNamespace):
        """Remembers what a class of the client was made with."""

    models = Double(**dict.fromkeys(("V1Container", "V1ResourceRequirements", "V1Pod", "V1PodSpec"), Double))
    monkeypatch.setitem(sys.modules, "kubernetes", Double(client=Double(models=models)))
    monkeypatch.setitem(sys.modules, "kubernetes.client", Double(models=models))
    asked = Resources(cpu="500m", memory="1Gi", ephemeral_storage="2Gi")
    text = render_file([JobSpec("p", "j", executor=executor, resources=asked)], ())
    (made,) = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == "pod_of")
    found: dict[str, Any] = {}
    exec(ast.unparse(made), found)  # what Airflow does with the file
    call = next(node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.keyword) and node.arg == "executor_config")
    pod = eval(ast.unparse(call.value), found)["pod_override"]
    (container,) = pod.spec.containers
    assert container.name == "base"
    assert container.resources.requests == {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": "2Gi"}
    # A LimitRange's default for what is left out may be less than what is asked for.
    assert container.resources.limits == container.resources.requests
    assert "pod_of" not in render_file([JobSpec("p", "j", executor="CeleryExecutor", resources=asked)], ())
    # The pod of the task only follows that of the job.
    assert "pod_of" not in render_file([JobSpec("p", "j", executor=executor, resources=asked, isolation="kubernetes")], ())
