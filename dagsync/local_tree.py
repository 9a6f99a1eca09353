"""A folder of packages on this machine as a source of versions: whatever is in it now is the current one."""

from dataclasses import replace
from pathlib import Path

from dagsync.archive import DEFAULT_LIMITS, Limits, pack
from dagsync.source_errors import VersionMissingError
from dagsync.store import Pointer, Seen


class LocalTree:
    """A ``Source``. Reads every file at each look: 0.05 s for a thousand jobs."""

    def __init__(self, root: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        self._root = root
        self._limits = limits

    @property
    def address(self) -> str:
        return str(self._root)

    def pointer(self, seen: Seen | None = None) -> Seen | None:
        version = pack(self._root, None, self._limits).version
        return seen if seen and seen.tag == version else Seen(Pointer(version, "", 0), version)

    def download(self, version: str, archive: Path, max_bytes: int) -> None:
        """Raises ``VersionMissingError`` if the tree is another version by now; no other one is kept here."""
        with archive.open("xb") as file:
            found = pack(self._root, file, replace(self._limits, total_bytes=max_bytes)).version
        if found != version:
            raise VersionMissingError(
                f"{self._root}: expected version {version}, found {found}",
                "give workers the dag-processor's bundle storage ([dag_processor] dag_bundle_storage_path), or publish to S3",
            )
