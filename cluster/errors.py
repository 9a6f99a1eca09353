"""Every way a command here fails, with its exit code and the next thing to do.

2 is typer's, for wrong usage; 130 is what a shell gives for Ctrl-C.
"""

from standalone.command_line import ActionableError


class ClusterError(ActionableError):
    """A failure of ``make cluster``'s commands."""


class NotUpError(ClusterError):
    """There is no cluster of that name."""

    exit_code = 3


class MachineError(ClusterError):
    """This machine lacks something: Linux, root, a program, disk."""

    exit_code = 10


class StateFolderError(ClusterError):
    """The state folder cannot be used."""

    exit_code = 11


class NodeError(ClusterError):
    """The node did not come up, or a part of it did not become ready in time."""

    exit_code = 12


class ImageError(ClusterError):
    """An image archive could not be loaded."""

    exit_code = 13


class ContextError(ClusterError):
    """The cluster that was named does not answer."""

    exit_code = 14


class BusyError(ClusterError):
    """Another start or stop of the same cluster is under way."""

    exit_code = 20


class LeftoverError(ClusterError):
    """Something could not be removed."""

    exit_code = 21


class InterruptedStartError(ClusterError):
    """Ctrl-C or SIGTERM during start; everything is removed again."""

    exit_code = 130
