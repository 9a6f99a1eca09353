"""Remembers what each module turned out to be, so that a sync parses only what changed.

Needed for nothing but speed: damaged or missing, everything is read again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dagsync.outcome import Finding
from dagsync.reading import NOT_A_JOB, Reading
from dagsync.rows import Rows, encode_json, spec_from
from dagsync.storage import code_version, is_settled, read_checked, write_checked
from dagsync.walking import ModuleFile

READINGS_NAME = "readings.json"


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
    dags_dir: Path, root: Path, modules: Iterable[ModuleFile], readings: Mapping[str, Reading], listed_ns: int, rows: Rows
) -> None:
    """Remember the readings of the modules that had settled when they were listed, at ``listed_ns`` since the epoch."""
    settled = [module for module in modules if is_settled(module, listed_ns)]
    write_checked(dags_dir, READINGS_NAME, _document(root, settled, readings, rows))


_AT_ONCE = 500
"""Modules to a piece of the document: some hundred kilobytes."""


def _document(root: Path, modules: Sequence[ModuleFile], readings: Mapping[str, Reading], rows: Rows) -> Iterator[str]:
    yield f'{{"version":{encode_json([code_version(), str(root)])},"readings":{{'
    for start in range(0, len(modules), _AT_ONCE):
        some = modules[start : start + _AT_ONCE]
        remembered = ",".join([f"{encode_json(each.path)}:{_row_of(each, readings[each.path], rows)}" for each in some])
        yield f",{remembered}" if start else remembered
    yield "}}"


def _row_of(module: ModuleFile, reading: Reading, rows: Rows) -> str:
    signature = "[%d,%d,%d,%d]" % module[2:]  # noqa: UP031 - twice as fast
    if reading is NOT_A_JOB:
        return f"[{signature}]"
    spec = "null" if reading.spec is None else rows.text(reading.spec)
    findings = ",[],[]"
    if reading.problems or reading.notes:
        findings = "".join(f",{encode_json(some)}" for some in (reading.problems, reading.notes))
    return f"[{signature},{spec}{findings}]"


def _reading_from(row: list[Any]) -> Reading:
    if len(row) == 1:
        return NOT_A_JOB
    _, spec, problems, notes = row
    return Reading(
        None if spec is None else spec_from(spec),
        tuple(Finding(*problem) for problem in problems),
        tuple(Finding(*note) for note in notes),
    )
