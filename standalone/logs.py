"""Reading the components' logs, one or all of them beside each other."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

POLL_SECONDS = 0.3


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last ``count`` lines of a log."""
    if count == 0 or not path.exists():
        return []
    return path.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]


def follow(logs: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Return each line that is added from now on, with the name of its log, until the caller stops.

    A log that the next start began anew is read from its start.
    """
    followed = {name: _Followed(path) for name, path in logs.items()}
    return _added(followed)


class _Followed:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode, self._offset = _identity(path)
        self._partial = b""

    def lines(self) -> list[str]:
        """Return the whole lines added since the last call."""
        inode, size = _identity(self._path)
        if inode != self._inode or size < self._offset:
            self._inode, self._offset, self._partial = inode, 0, b""
        if size == self._offset:
            return []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            added = file.read()
        self._offset += len(added)
        *whole, self._partial = (self._partial + added).split(b"\n")
        return [line.decode(errors="replace") for line in whole]


def _added(followed: Mapping[str, _Followed]) -> Iterator[tuple[str, str]]:
    while True:
        for name, log in followed.items():
            yield from ((name, line) for line in log.lines())
        time.sleep(POLL_SECONDS)


def _identity(path: Path) -> tuple[int, int]:
    """Return a log's inode and size, zeros if there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_ino, status.st_size
