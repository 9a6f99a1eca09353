"""``run`` does what the task would, and ``new`` writes what runs."""

import os
import signal
import subprocess
import sys
import time

import pytest

from dagsync import errors
from dagsync.discovery import discover
from tests.dagsync.tree import Monorepo

ECHO = """
    import logging, os, sys

    def entrypoint(argv):
        print("given", argv, flush=True)
        print("to stderr", file=sys.stderr, flush=True)
        logging.getLogger(__name__).warning("a warning")
        print(os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"))
        return {result}

    JOB = (entrypoint, "Echo", {{"args": ["--default"]}})
"""


@pytest.mark.parametrize(
    ("result", "code", "message"),
    [
        ("0", 0, ""),
        ("None", 0, ""),
        ("3", 3, "error: job sales.echo returned exit code 3"),
        ("-1", 255, "error: job sales.echo returned exit code -1"),
        ("256", 1, "error: job sales.echo returned exit code 256"),
        ("sys.exit(7)", 7, "error: job sales.echo called sys.exit: exit code 7"),
        ("sys.exit('no rows')", 1, "error: job sales.echo called sys.exit: 'no rows', exit code 1"),
        ("1 / 0", 1, "error: job sales.echo raised ZeroDivisionError: division by zero"),
        ("os._exit(9)", 9, "error: job sales.echo ended its process with exit code 9"),
        ("os.kill(os.getpid(), 9)", 137, "error: job sales.echo was killed by SIGKILL"),
    ],
)
def test_run_ends_as_the_job_does_and_says_what_the_task_would(
    monorepo: Monorepo, result: str, code: int, message: str
) -> None:
    monorepo.job("sales.echo", ECHO.format(result=result))
    done = monorepo.cli("run", "sales.echo", environment={"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "secret"})
    assert done.returncode == code
    assert done.stdout.startswith("given ['--default']\nto stderr\n")
    assert "secret" not in done.stdout
    assert "a warning" in done.stderr
    assert message in done.stderr
    assert (done.stdout + done.stderr).count("given [") == 1


@pytest.mark.parametrize(
    ("given", "received"),
    [
        (["--"], []),
        (["--", "--date", "2026-01-01"], ["--date", "2026-01-01"]),
        (["--", "--help", "-v", "--", "x"], ["--help", "-v", "--", "x"]),
    ],
)
def test_everything_after_the_dashes_is_the_jobs(monorepo: Monorepo, given: list[str], received: list[str]) -> None:
    monorepo.job("sales.echo", ECHO.format(result="0"))
    assert monorepo.cli("run", "sales.echo", *given).stdout.splitlines()[0] == f"given {received}"


def test_arguments_without_dashes_are_refused_with_a_hint(monorepo: Monorepo) -> None:
    monorepo.job("sales.echo", ECHO.format(result="0"))
    done = monorepo.cli("run", "sales.echo", "--date", "2026-01-01")
    assert done.returncode == errors.EXIT_USAGE
    assert "unrecognized arguments: --date 2026-01-01; those of the job come after --" in done.stderr


@pytest.mark.parametrize(
    ("job", "fix"), [("sales.ecko", "did you mean sales.echo?"), ("nowhere", "discover lists the jobs"), ("", "discover")]
)
def test_unknown_job_is_told_with_a_suggestion(monorepo: Monorepo, job: str, fix: str) -> None:
    monorepo.job("sales.echo")
    done = monorepo.cli("run", job)
    assert done.returncode == errors.UnknownJobError.exit_code
    assert fix in done.stderr


def test_interrupt_ends_the_job_too(monorepo: Monorepo) -> None:
    monorepo.job(
        "sales.waits",
        "import os, time\ndef run(argv):\n    print(os.getpid(), flush=True)\n    time.sleep(60)\nJOB = (run, '')",
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "dagsync", "run", "sales.waits"],
        env={"ETL_PACKAGES_ROOT": str(monorepo.packages)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    job_pid = int(process.stdout.readline())
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == errors.EXIT_INTERRUPTED
    assert time.monotonic() - started < 50
    with pytest.raises(ProcessLookupError):
        os.kill(job_pid, 0)


@pytest.mark.parametrize(
    "description",
    [None, 'Load yesterday\'s "orders"', 'ends with "', "back\\slash", "two\nlines", "{braces} %s", '"""', "é 日本"],
)
def test_new_job_is_found_as_described_and_runs(monorepo: Monorepo, description: str | None) -> None:
    arguments = ["new", "sales", "load_orders", *([] if description is None else ["--description", description])]
    done = monorepo.cli(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == f"created {monorepo.packages}/sales/jobs/load_orders.py"
    found = discover(monorepo.packages)
    assert (found.problems, found.notes) == ((), ())
    assert found.jobs[0].description == (description or "Load orders")
    ran = monorepo.cli("run", "sales.load_orders", "--", "--limit", "3")
    assert (ran.returncode, ran.stdout) == (0, "handling at most 3 rows\n")


def test_new_overwrites_nothing(monorepo: Monorepo) -> None:
    path = monorepo.job("sales.load", "# mine\n")
    init = monorepo.packages / "sales/__init__.py"
    init.write_text("# mine too\n")
    done = monorepo.cli("new", "sales", "load")
    assert done.returncode == errors.ExistsError.exit_code
    assert (path.read_text(), init.read_text()) == ("# mine\n", "# mine too\n")
    assert monorepo.cli("new", "sales", "other").returncode == 0
    assert init.read_text() == "# mine too\n"
    assert sorted(each.name for each in path.parent.iterdir()) == ["__init__.py", "load.py", "other.py"]


@pytest.mark.parametrize(
    ("package", "job", "fix"),
    [
        ("my-pkg", "load", "write it as my_pkg"),
        ("sales", "2fast", "write it as job_2fast"),
        ("sales", "class", "write it as class_"),
        ("etl_core", "load", "choose another name"),
        ("json", "load", "choose another name"),
        ("sales", "../../escape", "write it as"),
        ("sales", "x" * 250, "choose shorter names"),
    ],
)
def test_new_refuses_names_no_job_can_have(monorepo: Monorepo, package: str, job: str, fix: str) -> None:
    done = monorepo.cli("new", package, job)
    assert done.returncode == errors.ExistsError.exit_code
    assert f"fix: {fix}" in done.stderr
    assert list(monorepo.packages.iterdir()) == []
