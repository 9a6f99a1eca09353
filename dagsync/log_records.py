"""What a sync says, as JSON: one object per line, with the keys Airflow's own JSON logs have."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from dagsync.errors import DagsyncError
from dagsync.outcome import Finding, Report
from dagsync.reporting import report_line


def report_records(report: Report, root: Path, now: datetime) -> Iterator[str]:
    """Yield one record per note, problem and file that was changed, and one for the sync."""
    for kind, level, findings in (("note", "warning", report.notes), ("problem", "error", report.problems)):
        for finding in findings:
            yield record(now, level, finding.message, kind=kind, **_place(finding, root))
    for action, name in report.files:
        if action != "unchanged":
            yield record(now, "info", f"{action} {name}", kind="file", action=action, file=name)
    counts = {"jobs": report.jobs, "dags_written": report.written, "dags_unchanged": report.unchanged}
    counts |= {"dags_removed": report.removed, "problems": len(report.problems), "notes": len(report.notes)}
    stays = {"kept": report.kept, "refused": report.refused}
    yield record(now, "info", report_line(report), kind="sync", **counts, **stays)


def failure_record(error: DagsyncError, now: datetime) -> str:
    """Return the record of a command that failed as a whole."""
    return record(now, "error", str(error), kind="failure", fix=error.fix, exit_code=error.exit_code)


def record(now: datetime, level: str, event: str, **fields: object) -> str:
    """Return one line."""
    named = {"timestamp": now.isoformat().replace("+00:00", "Z"), "level": level, "event": event, "logger": "dagsync"}
    return json.dumps(named | fields)


def _place(finding: Finding, root: Path) -> dict[str, object]:
    return {"path": str(root / finding.path), "line": finding.line, "fix": finding.fix}
