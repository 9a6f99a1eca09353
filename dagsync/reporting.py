"""What a sync says about what it did, line by line."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from dagsync.errors import DagsyncError
from dagsync.outcome import Finding, Report


def error_lines(error: DagsyncError) -> list[str]:
    """Return what is printed for a failure: what is wrong, then what to do."""
    return [f"error: {error}", *([f"  fix: {error.fix}"] if error.fix else [])]


def finding_lines(kind: str, findings: Iterable[Finding], root: Path) -> Iterator[str]:
    """Yield ``problem: path:line: message`` and, on the next line, what to do: once after several with the same fix."""
    for fix, alike in groupby(findings, attrgetter("fix")):
        for finding in alike:
            yield _printable(f"{kind}: {root / finding.location}: {finding.message}")
        if fix:
            yield _printable(f"  fix: {fix}")


def _printable(line: str) -> str:
    """Return a line that stays one, and moves no cursor, though names and texts of jobs are in it."""
    if line.isprintable():
        return line
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in line)


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def report_line(report: Report) -> str:
    """Return the one-line summary of a sync."""
    return (
        f"{counted(report.jobs, 'job')}: {counted(report.written, 'DAG')} written, {report.unchanged} unchanged, "
        f"{report.removed} removed; {counted(len(report.problems), 'problem')}, {counted(len(report.notes), 'note')}"
    )


def report_notes(report: Report, root: Path) -> Iterator[str]:
    """Yield everything a person should look at after a sync."""
    yield from finding_lines("note", report.notes, root)
    yield from finding_lines("problem", report.problems, root)
    if report.kept:
        yield f"note: the last good DAG stays for {', '.join(report.kept)}"
    if report.refused:
        yield f"note: {counted(len(report.refused), 'DAG')} whose jobs are gone left in place"
    if not report.jobs:
        yield f"note: no jobs found below {root}"
