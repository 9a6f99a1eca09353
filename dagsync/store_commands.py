"""``publish``, ``rollback`` and ``versions``: what they do in terms of a store, and what they print."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from dagsync.discovery import discover
from dagsync.publishing import Listing, Published, list_versions, publish, rollback
from dagsync.reporting import counted, finding_lines
from dagsync.s3 import S3Store
from dagsync.source_errors import UnpublishableError


def run(parsed: argparse.Namespace, skipped: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Run one of the three and return the lines of its output and the problems of jobs it went ahead with."""
    store = S3Store(parsed.store)
    if parsed.command == "versions":
        listing = list_versions(store)
        return [listing_json(listing)] if parsed.json else list(listing_lines(listing)), []
    problems: list[str] = []
    if parsed.command == "publish":
        problems = publishable(parsed.packages_root, skipped, allow_problems=parsed.allow_problems)
        done = publish(parsed.packages_root, store, keep=parsed.keep, dry_run=parsed.dry_run)
    else:
        done = rollback(store, parsed.to, dry_run=parsed.dry_run)
    return [published_json(done) if parsed.json else published_line(done, dry_run=parsed.dry_run)], problems


def publishable(root: Path, skipped: tuple[str, ...], *, allow_problems: bool = False) -> list[str]:
    """Return the problems of jobs, line by line.

    Raises ``UnpublishableError`` if there are any, or no jobs at all, unless that is allowed, and ``PackagesRootError``.
    """
    found = discover(root, skipped)
    problems = list(finding_lines("problem", found.problems, root))
    if not allow_problems and (problems or not found.jobs):
        counts = f"{root}: {counted(len(found.jobs), 'job')} and {counted(len(found.problems), 'problem')}"
        raise UnpublishableError("\n".join([f"{counts}: not published", *problems]), "mend the jobs, or add --allow-problems")
    return problems


def published_line(done: Published, *, dry_run: bool) -> str:
    """Return one sentence on a publish or rollback."""
    would = "would be " if dry_run else ""
    parts = [f"version {done.pointer.version}"]
    if done.files:
        parts.append(f"{counted(done.files, 'file')}, {done.pointer.size} bytes{f', {would}uploaded' if done.uploaded else ''}")
    if done.moved:
        before = f" instead of {done.pointer.previous}" if done.pointer.previous else ""
        parts.append(f"{would or 'is '}current{before}")
    else:
        parts.append("was current already")
    if done.removed:
        parts.append(f"{counted(len(done.removed), 'old version')} {would}removed")
    return "; ".join(parts)


def published_json(done: Published) -> str:
    return json.dumps(asdict(done), indent=2)


def listing_lines(listing: Listing) -> Iterator[str]:
    """Yield one line per version: what it is, when it was uploaded, its bytes and its name, separated by tabs."""
    for each in listing.versions:
        yield "\t".join(
            [_role(listing, each.version), each.uploaded_at.isoformat(timespec="seconds"), str(each.size), each.version]
        )


def listing_json(listing: Listing) -> str:
    found = [
        {
            "version": each.version,
            "uploaded_at": each.uploaded_at.isoformat(timespec="seconds"),
            "size": each.size,
            "role": _role(listing, each.version) or None,
        }
        for each in listing.versions
    ]
    return json.dumps({"pointer": asdict(listing.pointer) if listing.pointer else None, "versions": found}, indent=2)


def _role(listing: Listing, version: str) -> str:
    if listing.pointer is None:
        return ""
    return {listing.pointer.previous: "previous", listing.pointer.version: "current"}.get(version, "")
