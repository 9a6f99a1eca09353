"""What a sync says about what it did, line by line."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from dagsync.errors import DagsyncError
from dagsync.model import Finding, Report


def error_lines(error: DagsyncError) -> list[str]:
    """Return what is printed for a failure: what is wrong, then what to do."""
    return [f"error: {error}", *([f"  fix: {error.fix}"] if error.fix else [])]


def finding_lines(kind: str, findings: Iterable[Finding], root: Path) -> Iterator[str]:
    """Yield ``problem: path:line: message`` and, on the next line, what to do."""
    for finding in findings:
        yield f"{kind}: {root / finding.location}: {finding.message}"
        if finding.fix:
            yield f"  fix: {finding.fix}"


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
