"""A plan as Markdown for a pull request."""

import re
from collections.abc import Iterable, Sequence

from dagsync.changes import job_changes
from dagsync.outcome import Finding
from dagsync.planning import Change, Plan
from dagsync.presenting import diff_lines
from dagsync.reporting import counted

MAX_MARKDOWN_BYTES = 65_536
"""GitHub's limit for a comment or a pull request's text is as many characters; bytes are never fewer."""

MAX_LISTED = 100
"""Jobs, or problems, in a list of Markdown."""


def plan_markdown(plan: Plan, problems: Sequence[Finding]) -> str:
    """Return the plan as Markdown of at most ``MAX_MARKDOWN_BYTES``. What does not fit is counted."""
    changes = job_changes(plan)
    head = [f"### DAGs: {changes.counts()}, {counted(len(problems), 'problem')}", ""]
    if plan.is_empty:
        head += ["The DAG folder is what the packages declare.", ""]
    head += _list("Problems", [f"{_code(each.location)}: {_code(_told(each))}" for each in problems])
    for title, refs in (("Added", changes.added), ("Changed", changes.changed), ("Removed", changes.removed)):
        head += _list(title, map(_code, refs))
    head += _list("Kept although broken: the last good DAG stays", map(_code, plan.kept))
    head += _list("Gone, but more than half of all DAGs: removed only with `--allow-mass-removal`", map(_code, plan.refused))
    # What is wrong and which jobs change comes first: it fits whatever the diffs are.
    text = _cut("\n".join(head), MAX_MARKDOWN_BYTES - 200)
    left_out = 0
    for change in plan.changes:
        section = _diff(change) if change.action != "unchanged" else ""
        if len((text + section).encode()) > MAX_MARKDOWN_BYTES - 200:
            left_out += 1
        else:
            text += section
    return text + (f"\n{counted(left_out, 'diff')} left out for length: see `dagsync plan`.\n" if left_out else "")


def _told(finding: Finding) -> str:
    return f"{finding.message} (fix: {finding.fix})" if finding.fix else finding.message


def _list(title: str, items: Iterable[str]) -> list[str]:
    found = list(items)
    if not found:
        return []
    rest = [f"- and {len(found) - MAX_LISTED} more"] if len(found) > MAX_LISTED else []
    return [f"**{title}**", "", *(f"- {item}" for item in found[:MAX_LISTED]), *rest, ""]


def _diff(change: Change) -> str:
    lines = "\n".join(diff_lines(change))
    fence = "`" * max(3, _longest_run(lines) + 1)
    summary = f"{change.name}: {change.action}, {counted(change.dags, 'DAG')}"
    return f"\n<details><summary>{summary}</summary>\n\n{fence}diff\n{lines}\n{fence}\n\n</details>\n"


def _code(text: str) -> str:
    """Return a code span, in which nothing is markup and nobody is mentioned."""
    line = " ".join(text.split())[:500]
    fence = "`" * (_longest_run(line) + 1)
    padding = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{padding}{line}{padding}{fence}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _cut(text: str, max_bytes: int) -> str:
    if len(text.encode()) <= max_bytes:
        return text
    kept = text.encode()[: max_bytes - 20].decode(errors="ignore")
    return kept[: kept.rfind("\n")] + "\n- and more\n"
