"""The record, kept beside the DAG files, of which files are ours and what each job was when it was last good."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from dagsync.checks import CHECKS, UnfitError, checked
from dagsync.declarations import plain
from dagsync.model import JobSpec
from dagsync.params import Parameter

MANIFEST_NAME = "manifest.json"
FORMAT = 1

_FILE_NAME = re.compile(r"\w+_dags?\.py")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What earlier syncs left in the DAG folder."""

    files: frozenset[str] = frozenset()
    """Names of the files that may be removed once no job needs them."""

    jobs: Mapping[str, JobSpec] = field(default_factory=dict[str, JobSpec])
    """The last good declaration of every job that has a DAG, by ``package.job``."""

    lost: bool = False
    """The record exists and cannot be read: what is on disk may be ours and may be all that is left of a job."""


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the manifest as JSON, the same bytes for the same content."""
    jobs = [row_of(manifest.jobs[ref]) for ref in sorted(manifest.jobs)]
    document = {"format": FORMAT, "files": sorted(manifest.files), "jobs": jobs}
    return json.dumps(document, separators=(",", ":")).encode()


def decode_manifest(data: bytes | None) -> Manifest:
    """Return the manifest of earlier syncs: empty if there was none, ``lost`` if it cannot be read."""
    if data is None:
        return Manifest()
    try:
        document: Any = json.loads(data)
        if document["format"] != FORMAT:
            return Manifest(lost=True)
        specs = [spec_from(row) for row in document["jobs"]]
        # A name with a path in it would reach outside the folder.
        files = frozenset(name for name in document["files"] if _FILE_NAME.fullmatch(name))
    except (ValueError, TypeError, KeyError, RecursionError):
        return Manifest(lost=True)
    return Manifest(files, {spec.ref: spec for spec in specs})


# What most jobs have: compared in one go, as a look at each option of each job costs as much as rendering.
_SPARSE = tuple(name for name in CHECKS if name != "docs")
_options_of = attrgetter(*_SPARSE)
_PLAIN = _options_of(JobSpec("", ""))


def row_of(spec: JobSpec) -> list[Any]:
    """Return a job as JSON has it: all that differs from a job without options."""
    options = _options_of(spec)
    row: list[Any] = [spec.package, spec.name, spec.description, spec.line, spec.docs]
    if options != _PLAIN:
        changed = {name: plain(option) for name, option, usual in zip(_SPARSE, options, _PLAIN, strict=True) if option != usual}
        row += [spec.given, changed, spec.parameters]
    elif spec.given or spec.parameters:
        row += [spec.given, {}, spec.parameters]
    return row


def spec_from(row: list[Any]) -> JobSpec:
    """Return the job of a row written by ``row_of``. Raises ``TypeError`` or ``ValueError`` for anything else."""
    package, name, description, line, docs, *more = row
    if not all(isinstance(text, str) for text in (package, name, description, docs)) or not isinstance(line, int):
        raise TypeError("not a job")
    if not more:
        return JobSpec(package, name, description, line, docs=docs)
    given, changed, parameters = more
    try:
        options: dict[str, Any] = {option: checked(option, value) for option, value in changed.items()}
    except (UnfitError, KeyError, AttributeError) as error:
        raise TypeError("not a job") from error
    known = tuple(option for option in given if option in CHECKS)
    form = tuple(Parameter(*parameter) for parameter in parameters)
    return JobSpec(package, name, description, line, known, docs=docs, **options, parameters=form)
