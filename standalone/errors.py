"""Every way a command here fails, with its exit code and the next thing to do.

2 is typer's, for wrong usage; 130 is what a shell gives for Ctrl-C.
"""

from pathlib import Path

from standalone.command_line import ActionableError


class StandaloneError(ActionableError):
    """A failure of ``make try``'s commands."""

    stays_up = False
    """Whether Airflow is up all the same."""


class NotRunningError(StandaloneError):
    """There is no Airflow of this state folder."""

    exit_code = 3


class PortBusyError(StandaloneError):
    """Another program listens where the API server should."""

    exit_code = 10


class AnotherRunError(StandaloneError):
    """Airflow is up already, with other packages or on another port."""

    exit_code = 11


class DiskFullError(StandaloneError):
    """Too little space for the database and the logs."""

    exit_code = 12


class PackagesError(StandaloneError):
    """The packages folder is missing or holds no job."""

    exit_code = 13


class StateFolderError(StandaloneError):
    """The state folder cannot be written or read."""

    exit_code = 14


class NewerSchemaError(StandaloneError):
    """The database was written by a newer Airflow."""

    exit_code = 15


class ComponentError(StandaloneError):
    """A process ended that should stay up, or a one-off command failed."""

    exit_code = 16


class UnhealthyError(StandaloneError):
    """Airflow did not become healthy before the deadline."""

    exit_code = 17


class JobsNotLoadedError(StandaloneError):
    """A job did not become a DAG, or a DAG file does not import. Airflow stays up."""

    exit_code = 18
    stays_up = True


class FirstRunError(StandaloneError):
    """The job that was run did not succeed. Airflow stays up."""

    exit_code = 19
    stays_up = True


class BusyError(StandaloneError):
    """Another start or stop of the same state folder is under way."""

    exit_code = 20


class StopError(StandaloneError):
    """Something survived SIGKILL."""

    exit_code = 21


class InterruptedStartError(StandaloneError):
    """Ctrl-C or SIGTERM during start; everything is stopped again."""

    exit_code = 130


def tail(path: Path, lines: int = 15) -> str:
    """Return the last lines of a log, indented for a message; empty when there is no log."""
    if not path.exists():
        return ""
    text = path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
    return "".join(f"\n    {line}" for line in text)
