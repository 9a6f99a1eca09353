"""The dependencies a package brings for itself: ``virtualenv`` in ``[tool.dagsync]`` of its ``pyproject.toml``.

``true`` stands for ``requirements.txt`` beside it. A lock is a requirements file that pins every distribution by version and
hash: ``uv export``, ``uv pip compile --generate-hashes`` and ``pip-compile --generate-hashes`` write one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dagsync.errors import VirtualenvError

USUAL_LOCK = "requirements.txt"

_PINNED = re.compile(r"[A-Za-z0-9][\w.-]*(?:\[[^\]]*\])?\s*==\s*[^\s;,*]+(?=[\s;]|$)")
_HASH = re.compile(r"--hash[= ]sha(?:256|384|512):[0-9a-f]{64,128}")
_INDEX = re.compile(r"(?:-i|-f|--index-url|--extra-index-url|--find-links|--no-index|--only-binary)\b")
_HASHES = "write it with uv export --format requirements-txt, uv pip compile --generate-hashes or pip-compile --generate-hashes"


@dataclass(frozen=True, slots=True)
class Lock:
    """What the environment of a package is made of."""

    package: str
    path: Path
    data: bytes
    pinned: tuple[str, ...]
    """``name==version`` of every distribution, whatever its markers say of this machine."""


def lock_of(root: Path, package: str) -> Lock | None:
    """Return the lock of a package below ``root``, or ``None`` if it brings nothing. Raises ``VirtualenvError``."""
    settings = root / package / "pyproject.toml"
    try:
        data = settings.read_bytes()
        # Nearly all of these files are about other things.
        if b"virtualenv" not in data:
            return None
        import tomllib

        table: Any = tomllib.loads(data.decode()).get("tool", {}).get("dagsync", {})
        value = table.get("virtualenv", False)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError) as error:
        raise VirtualenvError(f"{settings}: cannot be read: {error}", "mend it") from None
    if problem := virtualenv_problem(value):
        raise VirtualenvError(f"{settings}: [tool.dagsync] {problem[0]}", problem[1])
    if value is False:
        return None
    return _read(package, root / package / (USUAL_LOCK if value is True else value))


def virtualenv_problem(value: object) -> tuple[str, str] | None:
    """Return what is wrong with a value of ``virtualenv``, and how to mend it."""
    fix = f"write virtualenv = true for {USUAL_LOCK} beside it, or the path of another lock of the package"
    if isinstance(value, bool):
        return None
    if not isinstance(value, str) or not value or "\0" in value:
        return f"virtualenv: expected true, false or the path of a lock, found {value!r}", fix
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts:
        return f"virtualenv: {value!r} is outside the package", fix
    if path.suffix in {".lock", ".toml"}:
        return f"virtualenv: {value!r} is no requirements file", _HASHES
    return None


def _read(package: str, path: Path) -> Lock:
    try:
        data = path.read_bytes()
        text = data.decode()
    except OSError as error:
        raise VirtualenvError(f"{path}: expected the lock of package {package}, found: {error.strerror}", _HASHES) from None
    except ValueError:
        raise VirtualenvError(f"{path}: is no text in UTF-8", _HASHES) from None
    return Lock(package, path, data, tuple(_pinned(path, text)))


def _pinned(path: Path, text: str) -> Iterator[str]:
    for line, entry in _entries(text):
        if entry.startswith("-"):
            if not _INDEX.match(entry):
                raise VirtualenvError(f"{path}:{line}: {entry.split()[0]} has no place in a lock", _HASHES)
            continue
        pin = _PINNED.match(entry)
        if pin is None:
            raise VirtualenvError(f"{path}:{line}: {entry.split(' --hash')[0]!r} is not pinned by ==", _HASHES)
        if not _HASH.search(entry):
            raise VirtualenvError(f"{path}:{line}: {pin[0]} has no hash", _HASHES)
        yield pin[0]


def _entries(text: str) -> Iterator[tuple[int, str]]:
    """Yield each requirement or option on one line, and the line it starts at."""
    start, entry = 1, ""
    for number, line in enumerate(text.splitlines(), 1):
        start = start if entry else number
        continued = line.endswith("\\")
        entry += re.sub(r"(?:^|\s)#.*", "", line.removesuffix("\\")) + " "
        if not continued:
            if entry.strip():
                yield start, entry.strip()
            entry = ""
    if entry.strip():
        yield start, entry.strip()
