"""The process of one job, started by ``isolation``: ``python -m dagsync.child package.job -- ARGUMENTS``.

It is two processes. The first, the keeper, does nothing but end the other and all its descendants, even those that left its
process group, when the job is over, when it is told to by SIGTERM, or when the task's process is gone, which it knows by its
standard input being closed. The second runs the job.
"""

import contextlib
import io
import os
import resource
import select
import signal
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagsync.stream import RecordWriter

SETTINGS_VARIABLE = "DAGSYNC_CHILD"
"""``TOKEN:GRACE_SECONDS``: what marks records in the output, and how long after SIGTERM comes SIGKILL."""

LEFTOVER_GRACE_SECONDS = 1.0
"""How long processes that outlive their job may take to end."""

GIVE_UP_SECONDS = 5.0
"""After this long of SIGKILL, what is left hangs in the kernel and nobody can end it."""

_PR_SET_CHILD_SUBREAPER = 36


def main(arguments: list[str]) -> int:
    """Run the job ``arguments[0]`` with the arguments after ``--`` and return its exit code."""
    token, _, grace = os.environ.pop(SETTINGS_VARIABLE).partition(":")
    lifeline = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    _adopt_orphans()
    watched = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
    # Blocked until somebody is there to handle them, or one that comes now would end the keeper alone.
    signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    job_pid = os.fork()
    if job_pid == 0:
        os.setsid()
        os.close(lifeline)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)
        return _run(arguments[0], arguments[2:], token)
    keeper = _Keeper(job_pid, lifeline, float(grace))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)
    code = _exit_as(keeper.keep())
    # Nothing to tidy up: what an interpreter does at its end costs a tenth of a short job.
    os._exit(code & 0xFF)


def _run(job: str, argv: list[str], token: str) -> int:
    from dagsync.calling import DEFAULT_PACKAGES_ROOT, call_job
    from dagsync.errors import JobFailedError
    from dagsync.stream import ERROR, RecordWriter

    # A copy, because a job may close or redirect its output.
    writer = RecordWriter(os.dup(1), token)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Unbuffered Python writes each argument of print on its own, and lines of two processes would mix.
            stream.reconfigure(line_buffering=True, write_through=False)
    _log_through(writer)
    try:
        call_job(job, argv, os.environ.get("ETL_PACKAGES_ROOT") or DEFAULT_PACKAGES_ROOT)
    except JobFailedError as failure:
        _flush()
        if failure.__cause__ is not None:
            writer.log(ERROR, job, _job_traceback(failure.__cause__))
        writer.failed(" ".join(str(failure).split()))
        return failure.exit_code
    return 0


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        # A job may have closed either.
        with contextlib.suppress(ValueError, OSError, AttributeError):
            stream.flush()


def _log_through(writer: "RecordWriter") -> None:
    """Send what the job's loggers say to the task's log with its level."""
    import logging

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            try:
                _flush()
                writer.log(record.levelno, record.name, self.format(record))
            except Exception:
                self.handleError(record)

    level = os.environ.get("AIRFLOW__LOGGING__LOGGING_LEVEL", "INFO").upper()
    logging.basicConfig(
        level=logging.getLevelNamesMapping().get(level, logging.INFO), handlers=[Handler()], format="%(message)s"
    )
    logging.captureWarnings(True)


def _job_traceback(error: BaseException) -> str:
    """Return the traceback without the frames that lead from here to the job."""
    import traceback

    found = error.__traceback__
    while found is not None and str(found.tb_frame.f_globals.get("__name__")).split(".")[0] in {"dagsync", "importlib"}:
        found = found.tb_next
    return "".join(traceback.format_exception(type(error), error, found)).rstrip()


class _Keeper:
    """Waits for the job and ends whatever it started."""

    def __init__(self, job_pid: int, lifeline: int, grace_seconds: float) -> None:
        self._job_pid = job_pid
        self._lifeline: int | None = lifeline
        self._grace_seconds = grace_seconds
        self._job_status: int | None = None
        self._stop_requested = False
        self._kill_at: float | None = None
        self._wake, written = os.pipe()
        for descriptor in (self._wake, written):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(written, warn_on_full_buffer=False)
        # Handled, not ignored: only then does the signal wake the keeper.
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)

    def keep(self) -> int:
        """Return the job's wait status once it and its descendants are gone."""
        while self._reap():
            now = time.monotonic()
            if self._kill_at is None:
                if self._stop_requested or self._lifeline is None:
                    self._end(self._grace_seconds)
                elif self._job_status is not None:
                    self._end(LEFTOVER_GRACE_SECONDS)
            elif now >= self._kill_at + GIVE_UP_SECONDS:
                break
            elif now >= self._kill_at:
                self._signal_all(signal.SIGKILL)
            self._wait()
        if self._lifeline is None:
            import shutil

            # Who made the working directory is not there any more to remove it.
            shutil.rmtree(os.getcwd(), ignore_errors=True)  # noqa: PTH109 - as below
        return 0 if self._job_status is None else self._job_status

    def _signalled(self, number: int, _frame: object) -> None:
        self._stop_requested |= number != signal.SIGCHLD

    def _end(self, grace_seconds: float) -> None:
        self._kill_at = time.monotonic() + grace_seconds
        self._signal_all(signal.SIGTERM)

    def _wait(self) -> None:
        timeout = None
        if self._kill_at is not None:
            # What is started between a look and SIGKILL is met at the next look.
            timeout = max(self._kill_at - time.monotonic(), 0.02)
        watched = [self._wake] if self._lifeline is None else [self._wake, self._lifeline]
        ready, _, _ = select.select(watched, [], [], timeout)
        if self._wake in ready:
            os.read(self._wake, 4096)
        if self._lifeline in ready and not os.read(self._lifeline, 4096):
            os.close(self._lifeline)
            self._lifeline = None
            if self._kill_at is not None:
                self._kill_at = time.monotonic()

    def _reap(self) -> bool:
        """Return whether any child, own or adopted, is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._job_pid:
                self._job_status = status

    def _signal_all(self, number: signal.Signals) -> None:
        pids = _descendants(os.getpid())
        for pid in [self._job_pid] if pids is None and self._job_status is None else pids or []:
            try:
                if pids is None:
                    os.killpg(pid, number)
                else:
                    os.kill(pid, number)
            except (ProcessLookupError, PermissionError):
                continue


def _descendants(ancestor: int) -> list[int] | None:
    """Return all processes below ``ancestor``, or ``None`` where the kernel does not list them."""
    parents: dict[int, int] = {}
    try:
        names = os.listdir("/proc")  # noqa: PTH208 - pathlib costs more than all the rest of the keeper's start
    except OSError:
        return None
    for name in names:
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 - as above
                    # The command, in brackets, may itself hold spaces and brackets.
                    parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
    if not parents:
        return None
    found = {ancestor}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {ancestor})


def _adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends, so that none is lost from sight. Linux only."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _exit_as(status: int) -> int:
    """Return the exit code of a wait status, or end by the signal that ended the job."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        # The core is the job's, if anybody's.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
