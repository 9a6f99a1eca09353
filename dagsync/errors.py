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
    """A job returned a non-zero code, called ``sys.exit`` with one, or raised."""

    exit_code = 8


class HealthPortError(DagsyncError):
    """The port of the health endpoints cannot be bound."""

    exit_code = 9


class NoHeartbeatError(DagsyncError):
    """``heartbeat`` found no recent heartbeat, or could not look."""

    exit_code = 1
