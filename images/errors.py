"""Every way a command here fails, with its exit code and the next thing to do.

2 is typer's, for wrong usage; 130 is what a shell gives for Ctrl-C.
"""

from standalone.command_line import ActionableError


class ImagesError(ActionableError):
    """A failure of ``make image``'s commands."""


class NotBuiltError(ImagesError):
    """An image is asked for that no build has made."""

    exit_code = 3


class NoBuilderError(ImagesError):
    """Neither Docker answers nor can buildah build here."""

    exit_code = 10


class BaseError(ImagesError):
    """The base cannot be pulled, nor a stand-in made."""

    exit_code = 11


class PackagesError(ImagesError):
    """The packages folder is missing or not a folder."""

    exit_code = 12


class DiskFullError(ImagesError):
    """Too little space for the layers."""

    exit_code = 13


class BuildError(ImagesError):
    """A step of a build failed; its output is in a log."""

    exit_code = 14


class StorageError(ImagesError):
    """The storage is damaged, or not ours."""

    exit_code = 15


class LoadError(ImagesError):
    """containerd does not answer, or does not take the image."""

    exit_code = 16
