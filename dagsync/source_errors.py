"""Ways in which publishing packages and fetching them can fail."""

from dagsync.errors import DagsyncError


class ArchiveError(DagsyncError):
    """An archive of packages is damaged or holds what no archive may, or a tree cannot be archived. Nothing was changed."""

    exit_code = 10


class StoreError(DagsyncError):
    """The store of published packages cannot be read or written. Nothing was changed."""

    exit_code = 11


class PointerMovedError(DagsyncError):
    """Somebody else published or rolled back in the meantime. Nothing was changed."""

    exit_code = 12


class VersionMissingError(DagsyncError):
    """The store has no such version. Nothing was changed."""

    exit_code = 13


class UnpublishableError(DagsyncError):
    """The packages have problems that would become everybody's. Nothing was changed."""

    exit_code = 14
