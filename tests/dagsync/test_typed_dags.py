"""From a job with a parser to its DAG file and back to its arguments."""

import ast
import json
import os
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagsync import runtime
from dagsync.errors import JobFailedError
from dagsync.model import JobSpec
from dagsync.reading import read_job
from dagsync.rendering import render_file
from dagsync.rows import Rows, spec_from
from tests.dagsync.tree import Monorepo

TYPED = """
    import argparse

    def main(argv):
        parser = argparse.ArgumentParser()
        parser.add_argument("--day")
        parser.add_argument("--limit", type=int, default=5)
        parser.parse_args(argv)

    JOB = (main, "Typed")
"""
OPTIONS = [("day", "--day", "value", None), ("limit", "--limit", "value", 5)]


def test_params_and_how_they_become_arguments_are_in_the_dag_file(monorepo: Monorepo) -> None:
    monorepo.job("shop.load", TYPED)
    monorepo.sync()
    text = monorepo.files()["shop_dags.py"].decode()
    assert "            'limit': Param(5, type='integer', title='--limit'),\n            'args': Param(None, **RAW),\n" in text
    assert f"            options=[\n                {OPTIONS[0]!r},\n                {OPTIONS[1]!r},\n            ]," in text


def test_dag_file_is_the_same_whether_read_or_remembered(monorepo: Monorepo) -> None:
    monorepo.job("shop.load", TYPED)
    monorepo.job("shop.other")
    monorepo.sync()
    before = monorepo.files()
    past = 1_000_000_000
    os.utime(monorepo.packages / "shop" / "jobs" / "load.py", (past, past))
    monorepo.sync()
    monorepo.job("shop.other", "def main(argv):\n    pass\nJOB = (main, 'Other')\n")
    monorepo.sync()
    after = monorepo.files()["shop_dags.py"]
    assert after != before["shop_dags.py"]
    fresh = Monorepo(monorepo.packages.parent / "fresh")
    fresh.job("shop.load", TYPED)
    fresh.job("shop.other", "def main(argv):\n    pass\nJOB = (main, 'Other')\n")
    fresh.sync()
    assert fresh.files()["shop_dags.py"] == after


def test_last_good_params_stay_while_a_job_is_broken(monorepo: Monorepo) -> None:
    monorepo.job("shop.load", TYPED)
    monorepo.sync()
    before = monorepo.files()
    monorepo.job("shop.load", "JOB = (")
    monorepo.sync()
    assert monorepo.files() == before


# What a job's author may write in help, in a default, as a choice and as the name of a group.
@given(
    st.lists(
        st.text(max_size=30) | st.sampled_from(["')", '"""', "\\", "{x}", "%(default)s", "\n    import os"]),
        min_size=4,
        max_size=4,
    )
)
def test_what_a_parser_says_stays_data(texts: list[str]) -> None:
    shown, default, choice, title = texts
    source = (
        "import argparse\n\ndef main(argv):\n    parser = argparse.ArgumentParser()\n"
        f"    group = parser.add_argument_group({title!r})\n"
        f"    group.add_argument('--a', help={shown!r}, default={default!r})\n"
        f"    parser.add_argument('--b', choices=[{choice!r}])\n    parser.parse_args(argv)\n\nJOB = (main, 'A job')\n"
    )
    spec = read_job(source.encode("utf-8", "surrogatepass"), "p", "job", "p/jobs/job.py").spec
    if spec is None:
        return
    assert len(spec.parameters) == 2
    rendered = render_file([spec], ())
    module = ast.parse(rendered)
    plain = render_file([JobSpec("p", "job", "A job")], ())
    assert len(module.body) == len(ast.parse(plain).body) + 1
    assert spec_from(json.loads(Rows().text(spec))) == spec
    assert not any("\0" in each or "\ud800" in each for each in rendered)


def test_isolation_is_written_only_where_it_is_not_the_default(monorepo: Monorepo) -> None:
    monorepo.job("shop.load", "JOB = (print, 'x', {'isolation': 'inline'})\n")
    monorepo.job("shop.other")
    monorepo.sync()
    text = monorepo.files()["shop_dags.py"].decode()
    assert "JobOperator(task_id='load', job='shop.load', isolation='inline')" in text
    assert "JobOperator(task_id='other', job='shop.other')" in text
    assert 'isolation="process"' in text


def context(params: dict[str, Any], conf: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"params": {"args": None} | params, "dag_run": SimpleNamespace(conf=conf)}


@pytest.mark.parametrize(
    ("params", "conf", "argv"),
    [
        ({"day": None, "limit": 5}, None, []),
        ({"day": "2026-01-01", "limit": 6}, None, ["--day=2026-01-01", "--limit=6"]),
        ({"day": "x", "limit": 6}, {"args": ["--raw"], "day": "x"}, ["--raw"]),
        ({"day": "x", "limit": 6}, {"args": []}, []),
        ({"day": "x", "limit": 5}, {"args": None, "day": "x"}, ["--day=x"]),
        # As it is where dag_run_conf_overrides_params is off.
        ({"day": None, "limit": 5}, {"day": "x"}, ["--day=x"]),
        ({"args": ["--declared"], "day": None}, None, ["--declared"]),
    ],
)
def test_given_arguments_win_as_a_whole_over_params(
    params: dict[str, Any], conf: dict[str, Any] | None, argv: list[str]
) -> None:
    assert runtime.arguments_of(context(params, conf), OPTIONS) == argv


def test_params_no_command_line_can_say_fail_the_task_with_a_sentence() -> None:
    with pytest.raises(JobFailedError, match="day: expected a text or a number") as failed:
        runtime.arguments_of(context({"day": {"a": 1}}), OPTIONS)
    assert failed.value.fix == "give the whole command line as args"


@pytest.mark.parametrize("isolation", ["process", "inline"])
def test_task_runs_its_job_as_isolated_as_declared(monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch, isolation: str) -> None:
    out = monorepo.packages.parent / "pid"
    monorepo.job(
        f"{isolation}_shop.load",
        f"""
        import os, pathlib
        def main(argv):
            pathlib.Path({str(out)!r}).write_text(f"{{os.getpid()}} {{argv[0]}}")
        JOB = (main, "x")
    """,
    )
    monkeypatch.setenv("ETL_PACKAGES_ROOT", str(monorepo.packages))
    monkeypatch.setattr("sys.path", list(__import__("sys").path))
    monkeypatch.setattr("sys.argv", ["airflow"])
    runtime.run_job(f"{isolation}_shop.load", context({"limit": 6}), OPTIONS, isolation)
    pid, argument = out.read_text().split()
    assert (int(pid) == os.getpid()) == (isolation == "inline")
    assert argument == "--limit=6"


def test_discover_says_which_jobs_have_typed_params_and_why_others_have_not(monorepo: Monorepo) -> None:
    monorepo.job("shop.load", TYPED)
    monorepo.job("shop.odd", TYPED.replace('"--day"', "name()"))
    monorepo.job("shop.plain")
    found = {job["job"]: job for job in json.loads(monorepo.cli("discover", "--json").stdout)["jobs"]}
    assert found["load"]["params"] == [
        {"name": "day", "default": None, "type": ["string", "null"], "title": "--day"},
        {"name": "limit", "default": 5, "type": "integer", "title": "--limit"},
    ]
    assert found["odd"]["params"] == found["plain"]["params"] == []
    (note,) = found["odd"]["notes"]
    assert note.startswith("the trigger form has no typed fields, only raw args: the name of an argument is not a constant")
    assert found["plain"]["notes"] == []
    listed = monorepo.cli("discover")
    assert "shop_load\tby hand\tTyped\tday, limit\n" in listed.stdout
    assert "shop_plain\tby hand\tA job\targs\n" in listed.stdout
    assert "shop/jobs/odd.py:6: the trigger form has no typed fields" in listed.stderr
