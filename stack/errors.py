"""Every way a command here fails, with its exit code and the next thing to do.

2 is typer's, for wrong usage; 130 is what a shell gives for Ctrl-C.
"""

from standalone.command_line import ActionableError


class StackError(ActionableError):
    """A failure of ``make up``'s commands."""


class NotUpError(StackError):
    """There is no such stack."""

    exit_code = 3


class NoPulumiError(StackError):
    """Neither the official Pulumi nor the one ``make tools`` builds can run this stack."""

    exit_code = 10


class NoClusterError(StackError):
    """No cluster can be had, or the one there is does not answer."""

    exit_code = 11


class NoImageError(StackError):
    """The image cannot be built or loaded."""

    exit_code = 12


class SettingsProblemError(StackError):
    """The stack file holds what cannot be used."""

    exit_code = 13


class UpdateError(StackError):
    """Pulumi could not make, change or remove something."""

    exit_code = 14


class PortBusyError(StackError):
    """Another program listens where Airflow should be reached."""

    exit_code = 15


class UnhealthyError(StackError):
    """Airflow did not become healthy before the deadline."""

    exit_code = 16


class FirstRunError(StackError):
    """The job that was run did not succeed. Airflow stays up."""

    exit_code = 17


class NotConfirmedError(StackError):
    """Data would be deleted, and nobody agreed."""

    exit_code = 18


class LockedError(StackError):
    """Another update of the same stack is under way."""

    exit_code = 20


class InterruptedUpdateError(StackError):
    """Ctrl-C or SIGTERM; what was made stays and is known."""

    exit_code = 130
