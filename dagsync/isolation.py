"""Runs a job in a process of its own, which is gone with all its descendants when this returns.

The job gets a new interpreter and so nothing of the task's memory, a session and a temporary working directory of its own,
and the environment without Airflow's secrets. That keeps jobs out of each other's and of Airflow's way; it is no wall
against a job that means harm, which runs as the same user.
"""

import logging
import os
import re
import secrets
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from dagsync.child import GIVE_UP_SECONDS, SETTINGS_VARIABLE
from dagsync.errors import JobFailedError
from dagsync.stream import Log, Stream

GRACE_SECONDS = 3.0
"""From SIGTERM to SIGKILL. Airflow kills a task's process 5 s after its own SIGTERM, and the failure must be told before."""

_SECRET = re.compile(
    r"AIRFLOW__(?:(?:DATABASE|CELERY|API_AUTH)__|SECRETS__BACKEND_KWARGS|\w*(?:SQL_ALCHEMY_CONN|SECRET|PASSWORD|TOKEN|_KEY))"
)
_READ_BYTES = 64 * 1024
_LEFT_AFTER_END_BYTES = 1024 * 1024


def run_in_environment(job: str, argv: Sequence[str], environment: Mapping[str, str], log: Log | None = None) -> None:
    """Do what ``run_isolated`` does, with the dependencies the job's package brings for itself, if it brings any.

    ``ETL_PACKAGES_ROOT`` of ``environment`` is where the packages are. Raises ``VirtualenvError``, too.
    """
    from dagsync.environments import python_of

    root = Path(environment["ETL_PACKAGES_ROOT"])
    with python_of(root, job.partition(".")[0], environment, log or _log) as python:
        run_isolated(job, argv, environment, log, python=python)


def run_isolated(
    job: str,
    argv: Sequence[str],
    environment: Mapping[str, str],
    log: Log | None = None,
    grace_seconds: float = GRACE_SECONDS,
    python: Path | None = None,
) -> None:
    """Run ``package.job`` with ``argv`` in a child process and log its output, line by line, as it comes.

    ``python`` is that of an environment of the package's own, by default this one.
    SIGTERM, and any exception raised here by a signal (Airflow's timeout is one), ends the job: SIGTERM to all its processes,
    SIGKILL after ``grace_seconds``. Raises ``JobFailedError``, with the last lines of output, if the job did not succeed.
    """
    # Not TMPDIR: what jobs share below the temporary folder stays where all of them look.
    with tempfile.TemporaryDirectory(prefix=f"{job}-", ignore_cleanup_errors=True) as folder:
        token = f"\x1edagsync-{secrets.token_hex(8)} "
        given = job_environment(environment) | {SETTINGS_VARIABLE: f"{token}:{grace_seconds}"}
        if python is not None:
            given |= {
                "VIRTUAL_ENV": str(python.parents[1]),
                "PATH": f"{python.parent}{os.pathsep}{given.get('PATH', os.defpath)}",
            }
        child = _Child(job, _start(job, argv, given, folder, python), Stream(token, _module(job), log or _log), grace_seconds)
        try:
            with child.ended_by_sigterm():
                try:
                    child.follow()
                except BaseException as error:
                    child.stop()
                    child.follow()
                    if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
                        raise
                    reason = f"{type(error).__name__}: {error}".rstrip(": ")
                    raise JobFailedError(f"job {job} was ended by {reason}{child.stream.last_lines}") from error
        finally:
            child.close()
        if failure := child.failure():
            raise JobFailedError(failure + child.stream.last_lines, job_exit_code=child.exit_code)


def job_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a job may know of the task's environment: all but what opens Airflow's database, broker and API."""
    given = {name: value for name, value in environment.items() if not _SECRET.match(name)}
    # Relative to this working directory, which is not the job's.
    if root := given.get("ETL_PACKAGES_ROOT"):
        given["ETL_PACKAGES_ROOT"] = str(Path(root).absolute())
    if search := given.get("PYTHONPATH"):
        given["PYTHONPATH"] = os.pathsep.join(str(Path(each).absolute()) for each in search.split(os.pathsep))
    return given


class _Child:
    """The keeper of a job, seen from the task's process."""

    def __init__(self, job: str, started: "_Started", stream: Stream, grace_seconds: float) -> None:
        self._job = job
        self._process, self._output = started
        self._stop_seconds = grace_seconds + GIVE_UP_SECONDS
        self._give_up_at: float | None = None
        self.stream = stream

    def follow(self) -> None:
        """Log output until the job and all its descendants are gone."""
        left = _LEFT_AFTER_END_BYTES
        while left > 0:
            ready, _, _ = select.select([self._output], [], [], 0.2)
            if ready:
                data = os.read(self._output, _READ_BYTES)
                if not data:
                    break
                self.stream.feed(data)
            # The pipe stays open as long as anybody holds it, even one that got away.
            if self._process.poll() is not None:
                left = left - _READ_BYTES if ready else 0
            if self._give_up_at is not None and time.monotonic() > self._give_up_at:
                self._process.kill()
                break
        self.stream.close()
        self._process.wait(self._stop_seconds)

    def stop(self) -> None:
        """Ask the keeper to end the job."""
        if self._give_up_at is None:
            self._give_up_at = time.monotonic() + self._stop_seconds
        if self._process.poll() is None:
            self._process.terminate()

    def failure(self) -> str | None:
        """Return why the job did not succeed, or ``None`` if it did."""
        code = self._process.returncode
        if self._give_up_at is not None:
            return f"job {self._job} was ended by SIGTERM"
        if self.stream.failure is not None:
            return self.stream.failure
        if code < 0:
            killed = signal.Signals(-code)
            hint = ", as the kernel does when memory runs out" if killed is signal.SIGKILL else ""
            return f"job {self._job} was killed by {killed.name}{hint}"
        return f"job {self._job} ended its process with exit code {code}" if code else None

    @property
    def exit_code(self) -> int:
        """The job's exit code, or 128 and the number of the signal that ended it, as shells have it."""
        code = self._process.returncode
        return 128 - code if code < 0 else code

    def close(self) -> None:
        """Close the pipes; a keeper that is still there then ends the job and itself."""
        os.close(self._output)
        if self._process.stdin is not None:
            self._process.stdin.close()

    @contextmanager
    def ended_by_sigterm(self) -> Generator[None]:
        """End the job when this process is sent SIGTERM, before what was to happen then."""
        # Only the main thread may handle signals; anywhere else the caller has to stop us by an exception.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = signal.getsignal(signal.SIGTERM)

        def terminated(number: int, frame: FrameType | None) -> None:
            self.stop()
            if callable(previous):
                previous(number, frame)

        signal.signal(signal.SIGTERM, terminated)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, previous or signal.SIG_DFL)


_Started = tuple["subprocess.Popen[bytes]", int]


def _start(job: str, argv: Sequence[str], environment: Mapping[str, str], folder: str, python: Path | None) -> _Started:
    """Return the keeper and the descriptor its and the job's output is read from."""
    output, written = os.pipe()
    # -P keeps the working directory, which is the job's to fill, off the module search path.
    child = ["-m", "dagsync.child"] if python is None else [str(Path(__file__).with_name("bootstrap.py"))]
    command = [str(python or sys.executable), "-P", "-u", *child, job, "--", *argv]
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell; running what the packages declare is what this is for
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=written,
            stderr=written,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        os.close(output)
        fix = "arguments may hold no NUL character, and each at most 128 KiB"
        raise JobFailedError(f"job {job} cannot be started: {error}", fix) from error
    finally:
        os.close(written)
    return process, output


def _module(job: str) -> str:
    return job.replace(".", ".jobs.", 1)


def _log(level: int, name: str, text: str) -> None:
    logging.getLogger(name).log(level, "%s", text)
