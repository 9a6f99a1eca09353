"""Makes the DAG folder match the packages; costs one ``stat`` per file where nothing changed since the last time."""

import json
import os
import time
from typing import Any

from dagsync.outcome import Finding, Report, SyncOptions
from dagsync.storage import (
    STATE_FOLDER,
    code_version,
    fingerprint,
    is_settled,
    locked,
    read_checked,
    signatures,
    write_checked,
    writing,
)
from dagsync.walking import list_modules

LAST_NAME = "last.json"
"""What the last sync that succeeded found and left; its time stamp is that of the sync, even where nothing changed."""


def sync(options: SyncOptions) -> Report:
    """Make the DAG folder match the packages and return what was done.

    Raises ``PackagesRootError``, ``TargetLockedError`` and ``TargetWriteError``; problems of jobs are in the report.
    """
    # Under the lock from the first look: a sync that read an older tree must not write last.
    with locked(options.dags_dir), writing(options.dags_dir):
        listed_ns = time.time_ns()
        listing = list_modules(options.packages_root, options.skipped)
        key = fingerprint(code_version(), options, listing.content())
        last = read_checked(options.dags_dir, LAST_NAME)
        if last is not None and last["key"] == key and last["signatures"] == signatures(options.dags_dir, last["signatures"]):
            os.utime(options.dags_dir / STATE_FOLDER / LAST_NAME)
            return report_from(last["report"])
        # Imported here: what reads, renders and plans is not needed as long as nothing changes.
        from dagsync.applying import sync_changed

        report, left = sync_changed(options, listing, listed_ns)
        settled = all(
            is_settled(each, listed_ns) for each in (*listing.modules, *(each.signature for each in listing.settings))
        )
        files = tuple(("unchanged", name) for action, name in report.files if action != "delete")
        repeated = report._replace(written=0, unchanged=report.written + report.unchanged, removed=0, files=files)
        document = {
            "key": key if settled else None,
            "signatures": left,
            "root": str(options.packages_root),
            "report": repeated,
        }
        write_checked(options.dags_dir, LAST_NAME, [json.dumps(document, separators=(",", ":"))])
        return report


def report_from(row: list[Any]) -> Report:
    """Return the report of a row as JSON has it."""
    jobs, written, unchanged, removed, kept, refused, problems, notes, files = row
    problems, notes = (tuple(Finding(*each) for each in findings) for findings in (problems, notes))
    done = tuple((action, name) for action, name in files)
    return Report(jobs, written, unchanged, removed, tuple(kept), tuple(refused), problems, notes, done)
