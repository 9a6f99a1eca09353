"""The record, kept beside the DAG files, of which files are ours and what each job was when it was last good."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dagsync.model import JobSpec
from dagsync.rows import Rows, encode_json, spec_from

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


def encode_manifest(manifest: Manifest, rows: Rows) -> bytes:
    """Return the manifest as JSON, the same bytes for the same content."""
    jobs = ",".join([rows.text(manifest.jobs[ref]) for ref in sorted(manifest.jobs)])
    return f'{{"format":{FORMAT},"files":{encode_json(sorted(manifest.files))},"jobs":[{jobs}]}}'.encode()


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
