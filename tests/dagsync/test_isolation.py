"""A job in its own process: what it says arrives, how it ends is told, and nothing of it is left behind."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from dagsync.errors import JobFailedError
from dagsync.isolation import job_environment, run_isolated
from tests.dagsync.tree import Monorepo
from tests.dagsync.waiting import is_gone, until

INFO = logging.INFO
ERROR = logging.ERROR


class Task:
    """Stands for the task that runs a job: keeps what is logged, in order."""

    def __init__(self, monorepo: Monorepo) -> None:
        self.monorepo = monorepo
        self.lines: list[tuple[int, str, str]] = []

    def run(
        self,
        body: str,
        *argv: str,
        environment: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
        grace_seconds: float = 3.0,
    ) -> None:
        source = "def main(argv):\n" + "".join(f"    {line}\n" for line in dedent(body).strip().splitlines())
        self.monorepo.job("p.job", f'{source}\nJOB = (main, "A job")\n')

        def log(level: int, name: str, text: str) -> None:
            self.lines.append((level, name, text))
            if on_line is not None:
                on_line(text)

        given = dict(os.environ) | {"ETL_PACKAGES_ROOT": str(self.monorepo.packages)} | dict(environment or {})
        run_isolated("p.job", argv, given, log, grace_seconds)

    @property
    def texts(self) -> list[str]:
        return [text for _, _, text in self.lines]


@pytest.fixture
def task(monorepo: Monorepo) -> Task:
    return Task(monorepo)


def test_arguments_reach_the_job_as_they_are(task: Task) -> None:
    given = ["--date", "2026-01-01", "", "--", "ä \n'\"", "-x"]
    task.run("import json, sys\nprint(json.dumps([argv, sys.argv[1:]]))", *given)
    import json

    assert json.loads(task.texts[0]) == [given, given]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return 3", "job p.job returned exit code 3"),
        ("import sys; sys.exit(2)", "job p.job called sys.exit: exit code 2"),
        ("import sys; sys.exit('no rows')", "job p.job called sys.exit: 'no rows', exit code 1"),
        ("raise ValueError('first\\nsecond')", "job p.job raised ValueError: first second"),
        ("import nobody_has_this", "job p.job raised ModuleNotFoundError: No module named 'nobody_has_this'"),
        ("import os; os._exit(7)", "job p.job ended its process with exit code 7"),
        ("import os; os.kill(os.getpid(), 9)", "job p.job was killed by SIGKILL"),
        ("import ctypes; ctypes.string_at(0)", "job p.job was killed by SIGSEGV"),
        ("raise KeyboardInterrupt", "job p.job was killed by SIGINT"),
        ("import atexit, os; atexit.register(os._exit, 5)", "job p.job ended its process with exit code 5"),
    ],
)
def test_job_that_fails_says_why_in_one_line(task: Task, body: str, reason: str) -> None:
    with pytest.raises(JobFailedError) as failed:
        task.run(body)
    assert str(failed.value).splitlines()[0].startswith(reason)


@pytest.mark.parametrize("body", ["return 0", "return None", "import sys; sys.exit()", "import os; os.close(1); os.close(2)"])
def test_job_that_ends_well_fails_nothing(task: Task, body: str) -> None:
    task.run(body)
    assert task.texts == []


def test_failure_holds_the_last_twenty_lines(task: Task) -> None:
    with pytest.raises(JobFailedError) as failed:
        task.run("for number in range(100): print('line', number)\nreturn 1")
    assert str(failed.value).splitlines()[1:] == ["its last lines:", *(f"  line {number}" for number in range(80, 100))]


def test_exception_is_a_traceback_in_the_log_that_starts_in_the_job(task: Task) -> None:
    with pytest.raises(JobFailedError) as failed:
        task.run("print('before')\nraise ValueError('the feed is empty')")
    ((level, _, text),) = [line for line in task.lines if line[0] == ERROR]
    lines = text.splitlines()
    assert level == ERROR
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].endswith('p/jobs/job.py", line 3, in main')
    assert lines[-1] == "ValueError: the feed is empty"
    assert str(failed.value) == "job p.job raised ValueError: the feed is empty\nits last lines:\n  before"


def test_lines_arrive_while_the_job_runs(task: Task, tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    # The job waits for what only the arrival of its line brings about.
    task.run(
        f"""
        import pathlib, time
        print("asked")
        deadline = time.monotonic() + 20
        while not pathlib.Path({str(answer)!r}).exists():
            if time.monotonic() > deadline: return 1
            time.sleep(0.01)
        """,
        on_line=lambda text: answer.touch() if text == "asked" else None,
    )


def test_output_and_log_records_arrive_in_order_with_their_levels(task: Task) -> None:
    task.run(
        """
        import logging, os, sys, subprocess
        print("one")
        logging.getLogger("feed").warning("two %s", "late")
        print("three", file=sys.stderr)
        subprocess.run(["sh", "-c", "echo four"])
        logging.getLogger("feed").info("five")
        logging.getLogger("feed").debug("not this")
        sys.stdout.write("six, not ended")
        logging.getLogger("feed").error("seven")
        """
    )
    assert task.lines == [
        (INFO, "p.jobs.job", "one"),
        (logging.WARNING, "feed", "two late"),
        (INFO, "p.jobs.job", "three"),
        (INFO, "p.jobs.job", "four"),
        (INFO, "feed", "five"),
        (INFO, "p.jobs.job", "six, not ended"),
        (ERROR, "feed", "seven"),
    ]


def test_binary_junk_and_endless_lines_arrive(task: Task) -> None:
    task.run(
        """
        import sys
        sys.stdout.buffer.write(bytes(range(256)) + b"\\n" + b"x" * 1_000_000 + b"\\nend")
        """
    )
    assert "\\xff" in "".join(task.texts)
    assert sum(text.count("x" * 1000) for text in task.texts) >= 990
    assert max(text.count("x") for text in task.texts) <= 64 * 1024
    assert task.texts[-1] == "end"


def test_job_cannot_pass_its_output_for_records(task: Task) -> None:
    with pytest.raises(JobFailedError, match="returned exit code 4"):
        task.run("import os\nprint('\\x1edagsync- {\"failure\": null}', dict(os.environ).get('DAGSYNC_CHILD'))\nreturn 4")
    assert task.texts[0].endswith("None")


def test_job_has_a_working_directory_of_its_own_that_is_gone_afterwards(task: Task) -> None:
    task.run("import os, pathlib\npathlib.Path('left').write_text('x')\nos.mkdir('ro', 0o555)\nprint(os.getcwd())")
    folder = Path(task.texts[0])
    assert folder != Path.cwd()
    assert not folder.exists()


def test_airflows_secrets_are_kept_from_the_job(task: Task) -> None:
    secret = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "s3cret",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD": "s3cret",
        "AIRFLOW__CORE__FERNET_KEY": "s3cret",
        "AIRFLOW__CORE__FERNET_KEY_SECRET": "s3cret",
        "AIRFLOW__API_AUTH__JWT_SECRET": "s3cret",
        "AIRFLOW__API__SECRET_KEY": "s3cret",
        "AIRFLOW__CELERY__BROKER_URL": "s3cret",
        "AIRFLOW__CELERY__RESULT_BACKEND": "s3cret",
        "AIRFLOW__SMTP__SMTP_PASSWORD": "s3cret",
    }
    kept = {"AIRFLOW__CORE__EXECUTOR": "LocalExecutor", "AIRFLOW_CONN_SHOP": "for jobs", "SHOP_TOKEN": "for jobs"}
    assert job_environment(secret | kept) == kept
    task.run("import os\nprint([name for name, value in os.environ.items() if value == 's3cret'])", environment=secret)
    assert task.texts == ["[]"]


def test_relative_folders_mean_what_they_meant(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(task.monorepo.packages.parent)
    (task.monorepo.packages / "elsewhere").mkdir()
    (task.monorepo.packages / "elsewhere" / "shared_by_path.py").touch()
    given = {"ETL_PACKAGES_ROOT": "packages", "PYTHONPATH": "packages/elsewhere"}
    task.run("import shared_by_path", environment=given)


def test_processes_a_job_leaves_behind_are_ended_with_it(task: Task) -> None:
    started = time.monotonic()
    task.run(
        """
        import subprocess
        daemon = "trap '' TERM; echo $$; exec </dev/null; sleep 60 & wait"
        subprocess.Popen(["setsid", "sh", "-c", daemon])
        import time; time.sleep(0.3)
        """
    )
    assert is_gone(int(task.texts[0]))
    assert time.monotonic() - started < 50


STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
told, tell = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print("pid", os.getpid(), flush=True)
        os.write(tell, b".")
        while True: time.sleep(1)
    os._exit(0)
os.read(told, 1)
print("pid", os.getpid())
print("ready")
line = b"x" * 100 + b"\\n"
for _ in range(2000): os.write(1, line * 500)
while True: time.sleep(1)
"""
"""Fills its pipe with 100 MB at most: were it not ended, it would fill the memory of whoever collects its lines."""


def test_stubborn_job_is_gone_with_its_forks_ten_seconds_after_its_timeout(task: Task) -> None:
    class TimedOut(BaseException):
        """Airflow's timeout is no ``Exception`` either."""

    def ring(*_: object) -> None:
        raise TimedOut("Timeout, PID: 1")

    ready = threading.Event()
    previous = signal.signal(signal.SIGALRM, ring)
    rung_at: list[float] = []

    def on_line(text: str) -> None:
        if text == "ready" and not ready.is_set():
            ready.set()
            rung_at.append(time.monotonic())
            signal.setitimer(signal.ITIMER_REAL, 0.5, 5)

    # An exception raised by a signal is lost where Python ignores exceptions, as in a destructor: it rings again.
    signal.setitimer(signal.ITIMER_REAL, 30, 5)
    try:
        with pytest.raises(JobFailedError) as failed:
            task.run(STUBBORN, on_line=on_line, grace_seconds=1)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert time.monotonic() - rung_at[0] < 10
    pids = [int(text.split()[1]) for text in task.texts if text.startswith("pid")]
    assert len(pids) == 2
    assert all(map(is_gone, pids))
    first, heading, *last = str(failed.value).splitlines()
    assert first == "job p.job was ended by TimedOut: Timeout, PID: 1"
    assert heading == "its last lines:"
    assert last[:-1] == ["  " + "x" * 100] * 19


PARENT = """
import os, sys
from dagsync.isolation import run_isolated
run_isolated("p.job", [], os.environ, lambda level, name, text: print(text, flush=True), 1.0)
"""


@pytest.fixture
def parent(monorepo: Monorepo) -> Generator["subprocess.Popen[str]"]:
    """A task's process whose job is the stubborn one, less its flood."""
    body = STUBBORN.replace("os.write(1, line * 500)", "pass").strip().splitlines()
    monorepo.job("p.job", "def main(argv):\n" + "".join(f"    {line}\n" for line in body) + '\nJOB = (main, "A job")\n')
    given = dict(os.environ) | {"ETL_PACKAGES_ROOT": str(monorepo.packages), "TMPDIR": str(monorepo.packages.parent)}
    started = subprocess.Popen(
        [sys.executable, "-c", PARENT], env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    yield started
    # Also where the test failed; the job ends with it.
    started.kill()
    started.communicate(timeout=60)


def pids_of(parent: "subprocess.Popen[str]") -> list[int]:
    assert parent.stdout is not None
    pids: list[int] = []
    for line in parent.stdout:
        if line.startswith("pid"):
            pids.append(int(line.split()[1]))
        if len(pids) == 2:
            return pids
    raise AssertionError(f"ended early: {parent.stderr and parent.stderr.read()}")


def test_sigterm_to_the_task_ends_the_job_and_fails_the_task(parent: "subprocess.Popen[str]") -> None:
    pids = pids_of(parent)
    parent.terminate()
    _, said = parent.communicate(timeout=60)
    assert "job p.job was ended by SIGTERM\nits last lines:\n" in said
    assert all(map(is_gone, pids))


def test_nothing_survives_the_sudden_death_of_the_task(parent: "subprocess.Popen[str]", monorepo: Monorepo) -> None:
    pids = pids_of(parent)
    parent.kill()
    parent.communicate(timeout=60)
    until(lambda: all(map(is_gone, pids)), "the job and what it forked are gone")
    until(lambda: not list(monorepo.packages.parent.glob("p.job-*")), "its working directory is gone")


def test_sigterm_lets_a_job_clean_up(task: Task) -> None:
    with pytest.raises(JobFailedError, match="ended by SIGTERM"):
        task.run(
            """
            import signal, sys, time
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("cleaned up")))
            print("ready")
            time.sleep(60)
            """,
            on_line=lambda text: os.kill(os.getpid(), signal.SIGTERM) if text == "ready" else None,
        )
    assert task.texts == ["ready", "cleaned up"]


def test_sigterm_handler_of_the_task_is_called_and_comes_back(task: Task) -> None:
    called: list[int] = []
    previous = signal.signal(signal.SIGTERM, lambda number, frame: called.append(number))
    try:
        with pytest.raises(JobFailedError):
            task.run(
                "import time\nprint('ready')\ntime.sleep(60)",
                on_line=lambda text: os.kill(os.getpid(), signal.SIGTERM) if text == "ready" else None,
            )
        assert called == [signal.SIGTERM]
        os.kill(os.getpid(), signal.SIGTERM)
        assert called == [signal.SIGTERM] * 2
    finally:
        signal.signal(signal.SIGTERM, previous)


def test_job_runs_outside_the_main_thread_too(task: Task) -> None:
    thread = threading.Thread(target=task.run, args=("print('here')",))
    thread.start()
    thread.join(20)
    assert task.texts == ["here"]


@pytest.mark.parametrize("argument", ["a\0b", "x" * 200_000])
def test_argument_no_process_can_take_is_a_sentence(task: Task, argument: str) -> None:
    with pytest.raises(JobFailedError, match=r"job p\.job cannot be started"):
        task.run("return 0", argument)


def test_nothing_of_the_runs_is_left(task: Task) -> None:
    def descriptors_and_children() -> tuple[int, set[int]]:
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
        return descriptors, {child.pid for child in psutil.Process().children(recursive=True)}

    before = descriptors_and_children()
    for _ in range(3):
        task.run("return 0")
    assert descriptors_and_children() == before
