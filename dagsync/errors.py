"""Every way a command can fail: one class per cause, each with its exit code.

A message says where, what was expected and what was found; ``fix`` says what to do next. Problems of single jobs are not
here: they are ``Finding`` values, collected so that one broken job never hides the others.
"""

EXIT_PROBLEMS = 1
"""Some jobs have problems; the healthy ones were written."""

EXIT_USAGE = 2
"""The command line was not understood."""

EXIT_BUG = 70
"""A failure dagsync did not foresee (``EX_SOFTWARE`` of sysexits.h)."""

EXIT_INTERRUPTED = 130
"""Ended by SIGINT, as shells report it."""


class DagsyncError(Exception):
    """Base of all failures that end a command."""

    exit_code: int = EXIT_BUG

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


class PackagesRootError(DagsyncError):
    """The folder of packages is missing or cannot be listed. Nothing was changed."""

    exit_code = 3


class MassRemovalError(DagsyncError):
    """A sync would remove more than half of the DAGs. Everything else was written."""

    exit_code = 4


class TargetLockedError(DagsyncError):
    """Another sync held the DAG folder for too long. Nothing was changed."""

    exit_code = 5


class TargetWriteError(DagsyncError):
    """The DAG folder cannot be written. Files are complete, old or new."""

    exit_code = 6


class PlanNotEmptyError(DagsyncError):
    """``plan --check`` found changes to make."""

    exit_code = 7


class JobFailedError(DagsyncError):
    """A job cannot be started, or it failed and ``run`` ends with its own exit code."""

    exit_code = 8

    def __init__(self, message: str, fix: str = "", job_exit_code: int | None = None) -> None:
        """``job_exit_code`` is that of the job's process; of one out of range, the last eight bits count, as everywhere."""
        super().__init__(message, fix)
        if job_exit_code is not None:
            self.exit_code = job_exit_code & 0xFF or 1


class HealthPortError(DagsyncError):
    """The port of the health endpoints cannot be bound."""

    exit_code = 9


class UnknownJobError(DagsyncError):
    """There is no such job."""

    exit_code = 15


class ExistsError(DagsyncError):
    """``new`` was asked for a job that is there already, or for a name no job can have. Nothing was changed."""

    exit_code = 16


class AirflowMissingError(DagsyncError):
    """``validate --airflow require`` found no Airflow, or one that does not start."""

    exit_code = 17


class VirtualenvError(DagsyncError):
    """The environment of a package cannot be made. No other one is touched."""

    exit_code = 18


class DatabaseLoginError(DagsyncError):
    """The metadata database cannot be logged in to, or its user cannot be made."""

    exit_code = 19


class NoHeartbeatError(DagsyncError):
    """``heartbeat`` found no recent heartbeat, or could not look."""

    exit_code = 1
