"""What lets a repeated sync read only what changed: readings by file signature, and a fingerprint of the whole.

Neither is needed for anything but speed: damaged or missing, everything is read again.
"""

import functools
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any

from dagsync.manifest import spec_from
from dagsync.model import Finding
from dagsync.reading import NOT_A_JOB, Reading
from dagsync.storage import read_checked, write_checked
from dagsync.walking import ModuleFile, Signature, signature_of

READINGS_NAME = "readings.json"

SETTLED_NS = 50_000_000
"""A file changed less than this before it was listed may change again without a new time stamp (kernels stamp files with the
time of the last tick, at most 10 ms apart), so it is read again next time."""


@functools.cache
def code_version() -> str:
    """Return what identifies the code at work, so that an upgrade reads and renders everything again."""
    modules = sorted(Path(__file__).parent.glob("*.py"))
    stamps = [(module.name, module.stat().st_mtime_ns, module.stat().st_size) for module in modules]
    return hashlib.blake2b(repr(stamps).encode(), digest_size=16).hexdigest()


def fingerprint(*parts: object) -> str:
    """Return a digest of plain values."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def is_settled(signature: Signature, listed_ns: int) -> bool:
    """Return whether any later change of the file must show in its signature."""
    return max(signature.mtime_ns, signature.ctime_ns) < listed_ns - SETTLED_NS


def cached_readings(dags_dir: Path, root: Path, modules: Iterable[ModuleFile]) -> dict[str, Reading]:
    """Return the readings of those modules that have not changed since they were remembered."""
    document = read_checked(dags_dir, READINGS_NAME)
    if document is None or document["version"] != [code_version(), str(root)]:
        return {}
    remembered: dict[str, Any] = document["readings"]
    found: dict[str, Reading] = {}
    for module in modules:
        row = remembered.get(module.path)
        if row is not None and row[0] == list(module.signature):
            found[module.path] = _reading_from(row)
    return found


def remember_readings(
    dags_dir: Path, root: Path, modules: Iterable[ModuleFile], readings: Mapping[str, Reading], listed_ns: int
) -> None:
    """Remember the readings of the modules that had settled when they were listed, at ``listed_ns`` since the epoch."""
    rows = {
        module.path: _row_of(module.signature, readings[module.path])
        for module in modules
        if is_settled(module.signature, listed_ns)
    }
    write_checked(dags_dir, READINGS_NAME, {"version": [code_version(), str(root)], "readings": rows})


def file_signatures(folder: Path, names: Iterable[str]) -> list[Signature | None]:
    """Return the signatures of files, ``None`` for a missing one."""
    found: list[Signature | None] = []
    for name in names:
        try:
            found.append(signature_of((folder / name).lstat()))
        except OSError:
            found.append(None)
    return found


def finding_from(row: list[Any]) -> Finding:
    path, line, message, fix = row
    return Finding(path, line, message, fix)


def _row_of(signature: Signature, reading: Reading) -> list[Any]:
    if reading is NOT_A_JOB:
        return [signature]
    spec = None if reading.spec is None else astuple(reading.spec)
    return [signature, spec, [astuple(each) for each in reading.problems], [astuple(each) for each in reading.notes]]


def _reading_from(row: list[Any]) -> Reading:
    if len(row) == 1:
        return NOT_A_JOB
    _, spec, problems, notes = row
    return Reading(
        None if spec is None else spec_from(spec),
        tuple(finding_from(problem) for problem in problems),
        tuple(finding_from(note) for note in notes),
    )
