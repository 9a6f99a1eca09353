"""Reading the components' logs, one or all of them beside each other."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

POLL_SECONDS = 0.3


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last ``count`` lines of a log."""
    return path.read_text(encoding="utf-8", errors="replace").splitlines()[-count:] if path.exists() else []


def follow(logs: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Yield each line that is added, with the name of its log, until the caller stops.

    A log begun anew is read from its start.
    """
    offsets = {name: path.stat().st_size if path.exists() else 0 for name, path in logs.items()}
    partial = dict.fromkeys(logs, b"")
    while True:
        for name, path in logs.items():
            if not path.exists():
                continue
            if path.stat().st_size < offsets[name]:
                offsets[name], partial[name] = 0, b""
            with path.open("rb") as file:
                file.seek(offsets[name])
                added = file.read()
            offsets[name] += len(added)
            *lines, partial[name] = (partial[name] + added).split(b"\n")
            yield from ((name, line.decode(errors="replace")) for line in lines)
        time.sleep(POLL_SECONDS)
