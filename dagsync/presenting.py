"""What commands print: text for people, JSON for programs."""

import difflib
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from dagsync.changes import job_changes
from dagsync.declarations import Cron, plain
from dagsync.discovery import Discovery
from dagsync.model import JobSpec
from dagsync.outcome import Finding
from dagsync.planning import Change, Plan
from dagsync.reporting import counted


def counts_line(jobs: int, problems: int, notes: int) -> str:
    return f"{counted(jobs, 'job')}; {counted(problems, 'problem')}, {counted(notes, 'note')}"


def plan_line(plan: Plan) -> str:
    counts = {action: sum(change.action == action for change in plan.changes) for action in ("create", "update", "delete")}
    files = ", ".join(f"{count} to {action}" for action, count in counts.items())
    return f"{files}, {sum(change.action == 'unchanged' for change in plan.changes)} unchanged"


def diff_lines(change: Change) -> Iterator[str]:
    """Yield the unified diff of one file."""
    before, after = change.before.decode(errors="replace"), change.after.decode()
    old = f"a/{change.name}" if change.action != "create" else "/dev/null"
    new = f"b/{change.name}" if change.action != "delete" else "/dev/null"
    yield from difflib.unified_diff(before.splitlines(), after.splitlines(), old, new, lineterm="")


def discovery_json(discovery: Discovery, root: Path) -> str:
    """Return ``{"jobs": [...], "problems": [...]}``; notes are with their jobs."""
    notes: dict[str, list[str]] = {}
    for note in discovery.notes:
        notes.setdefault(note.path, []).append(note.message)
    jobs = [_job_document(spec, root, notes.get(spec.source, [])) for spec in discovery.jobs]
    return json.dumps({"jobs": jobs, "problems": problem_documents(discovery.problems, root)}, indent=2)


def plan_json(discovery: Discovery, plan: Plan, root: Path) -> str:
    changes = [
        {"action": change.action, "file": change.name, "dags": change.dags, "diff": "\n".join(diff_lines(change))}
        for change in plan.changes
    ]
    document = {
        "jobs": asdict(job_changes(plan)),
        "changes": changes,
        "removed": plan.removed,
        "refused": plan.refused,
        "kept": plan.kept,
        "problems": problem_documents(discovery.problems + plan.problems, root),
    }
    return json.dumps(document, indent=2)


def problem_documents(problems: Iterable[Finding], root: Path) -> list[dict[str, Any]]:
    return [
        {"path": str(root / problem.path), "line": problem.line, "message": problem.message, "fix": problem.fix}
        for problem in problems
    ]


def _job_document(spec: JobSpec, root: Path, notes: list[str]) -> dict[str, Any]:
    return {
        "package": spec.package,
        "job": spec.name,
        "dag_id": spec.dag_id,
        "description": spec.description,
        "schedule": plain(spec.schedule),
        "retries": spec.retries,
        "after": spec.after,
        "args": spec.args,
        "params": [{"name": each.key, "default": each.default, **each.schema} for each in spec.parameters],
        "tags": spec.all_tags,
        "path": str(root / spec.source),
        "line": spec.line,
        "options": {name: plain(getattr(spec, name)) for name in spec.given},
        "notes": notes,
    }


def print_jobs(jobs: Iterable[JobSpec]) -> None:
    """Print the jobs as a table to a terminal, and as lines separated by tabs to anything else."""
    rows = [(spec.dag_id, _trigger(spec), _first_line(spec.description), _fields(spec)) for spec in jobs]
    if not sys.stdout.isatty():
        sys.stdout.writelines("\t".join(row) + "\n" for row in rows)
        return
    # Imported here and below: rich costs more than everything else of a start.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("DAG", "Starts", "Description", "Params", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


def print_diff(changes: Iterable[Change]) -> None:
    """Print the unified diff of all changes, in colours to a terminal."""
    print_marked(line for change in changes for line in diff_lines(change))


def print_marked(lines: Iterable[str]) -> None:
    """Print lines marked as in a diff, in colours to a terminal."""
    if not sys.stdout.isatty():
        sys.stdout.writelines(line + "\n" for line in lines)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console()
    styles = {"+": "green", "-": "red", "~": "yellow", "@": "cyan"}
    for line in lines:
        style = "bold" if line.startswith(("+++", "---")) else styles.get(line[:1], "")
        console.print(Text(line, style), soft_wrap=True)


def _trigger(spec: JobSpec) -> str:
    match spec.schedule:
        case None:
            return f"after {', '.join(spec.after)}" if spec.after else "by hand"
        case Cron(cron, timezone):
            return f"{cron} {timezone}"
        case timedelta() as every:
            return f"every {every}"
        case tuple() as uris:
            return f"on {', '.join(uris)}"
        case preset:
            return preset


def _fields(spec: JobSpec) -> str:
    return ", ".join(each.key for each in spec.parameters) or "args"


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
