"""What a job returns, raises or exits with decides whether its task fails, and the reason names the job."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dagsync import Job, runtime
from dagsync.errors import JobFailedError
from tests.dagsync.tree import Monorepo


@pytest.fixture(autouse=True)
def process_state(monorepo: Monorepo, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Keep what running a job changes in the process from other tests."""
    monkeypatch.setenv("ETL_PACKAGES_ROOT", str(monorepo.packages))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", ["airflow"])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        monkeypatch.delitem(sys.modules, name)


def context(args: "tuple[str, ...] | object" = (), conf: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"params": {"args": [*args] if isinstance(args, tuple) else args}, "dag_run": SimpleNamespace(conf=conf)}


def run(monorepo: Monorepo, body: str, args: tuple[str, ...] = ()) -> None:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    monorepo.job("shop.load", f'import sys\ndef entrypoint(argv):\n{lines}JOB = (entrypoint, "x")\n')
    runtime.run_job("shop.load", context(args))


@pytest.mark.parametrize("body", ["return 0", "return None", "pass", "sys.exit()", "sys.exit(0)", "return False"])
def test_success_is_zero_or_nothing(monorepo: Monorepo, body: str) -> None:
    run(monorepo, body)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 3", "job shop.load returned exit code 3"),
        ("return -1", "job shop.load returned exit code -1"),
        ("return True", "job shop.load returned exit code 1"),
        ("sys.exit(2)", "job shop.load called sys.exit: exit code 2"),
        ("sys.exit('no feed')", "job shop.load called sys.exit: 'no feed', exit code 1"),
        ("raise ValueError('no feed')", "job shop.load raised ValueError: no feed"),
        ("import not_there", "job shop.load raised ModuleNotFoundError: No module named 'not_there'"),
        ("return {'rows': 3}", "job shop.load returned dict, expected an exit code"),
    ],
)
def test_failure_names_the_job_and_what_it_did(monorepo: Monorepo, body: str, message: str) -> None:
    with pytest.raises(JobFailedError) as failure:
        run(monorepo, body)
    assert str(failure.value) == message


def test_exception_of_the_job_is_kept_for_the_log(monorepo: Monorepo) -> None:
    with pytest.raises(JobFailedError) as failure:
        run(monorepo, "raise KeyError('row')")
    assert isinstance(failure.value.__cause__, KeyError)


def test_arguments_reach_the_job_and_sys_argv(monorepo: Monorepo) -> None:
    run(monorepo, "assert argv == ['--date', 'x'] == sys.argv[1:], argv", ("--date", "x"))


@pytest.mark.parametrize(
    "source",
    [
        "def main():\n    return int(sys.argv[1])",
        "async def main(argv):\n    return int(argv[0])",
        "async def main():\n    return int(sys.argv[1])",
        "class Load:\n    def run(self):\n        return int(sys.argv[1])\nmain = Load().run",
        "def main(argv=None):\n    return int(argv[0])",
        "def main(*argv):\n    return int(argv[0][0])",
    ],
)
def test_entrypoint_has_its_arguments_however_it_takes_them(monorepo: Monorepo, source: str) -> None:
    monorepo.job("shop.load", f"import sys\n{source}\nJOB = (main, 'x')\n")
    with pytest.raises(JobFailedError, match="returned exit code 7"):
        runtime.run_job("shop.load", context(("7",)))


def test_log_says_how_to_do_the_same_by_hand(monorepo: Monorepo, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        run(monorepo, "return 0", ("--note", "it's $HOME"))
    (line,) = (record.getMessage() for record in caplog.records if record.name == "dagsync.runtime")
    command = line.removeprefix("the same by hand: ")
    assert shlex.split(command) == ["airflow-control-plane", "run", "shop.load", "--", "--note", "it's $HOME"]


def test_job_may_import_other_packages_of_the_tree(monorepo: Monorepo) -> None:
    monorepo.job("shop.other")
    run(monorepo, "import shop.jobs.other as other\nreturn other.JOB[0](argv)")


def test_typed_declaration_runs(monorepo: Monorepo) -> None:
    monorepo.job("shop.load", "from dagsync import Job\nJOB = Job(lambda argv: len(argv), 'x', retries=1)\n")
    with pytest.raises(JobFailedError, match="exit code 2"):
        runtime.run_job("shop.load", context(("a", "b")))


def test_arguments_given_to_a_run_win() -> None:
    assert runtime.arguments_of(context(("declared",), {"args": ["given"]})) == ["given"]
    assert runtime.arguments_of(context(("declared",), {"args": []})) == []
    assert runtime.arguments_of(context(("declared",), {"other": 1})) == ["declared"]
    assert runtime.arguments_of({"params": {"args": ["declared"]}}) == ["declared"]


@pytest.mark.parametrize("args", ["--date 2026-01-01", None, 3, {"a": 1}])
def test_arguments_that_are_no_list_are_refused(args: object) -> None:
    with pytest.raises(JobFailedError, match="args: expected a list of strings"):
        runtime.arguments_of(context((), {"args": args}))


def test_neither_the_declaration_nor_the_runtime_imports_airflow_or_the_command_line() -> None:
    code = "import dagsync.runtime, sys, json\nfrom dagsync import Job\njson.dump(sorted(sys.modules), sys.stdout)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & {"airflow", "rich", "typer", "watchfiles", "argparse", "sqlalchemy"}


def test_declaration_takes_what_the_reader_understands() -> None:
    job = Job(print, "x", schedule="@daily", retries=1, after=["a.b"], args=["-v"])
    assert (job.description, job.schedule, job.retries, job.after, job.args) == ("x", "@daily", 1, ["a.b"], ["-v"])
    with pytest.raises(TypeError):
        Job(print, "x", "@daily")  # pyright: ignore[reportCallIssue] - the point of the test


def test_packages_root_is_the_images_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ETL_PACKAGES_ROOT")
    with pytest.raises(JobFailedError, match="No module named 'shop_of_nobody'"):
        runtime.run_job("shop_of_nobody.load", context())
    assert sys.path[0] == str(Path("/app/packages"))
