"""``plan``: what a sync would do."""

import argparse

from dagsync.applying import plan_sync
from dagsync.changes import job_changes, job_lines
from dagsync.console import remark, tell
from dagsync.errors import EXIT_PROBLEMS, PlanNotEmptyError
from dagsync.outcome import SyncOptions
from dagsync.presenting import plan_json, plan_line, print_diff, print_marked
from dagsync.reporting import finding_lines
from dagsync.sync_command import mass_removal


def plan(parsed: argparse.Namespace, options: SyncOptions) -> int:
    """Show the plan and return the exit code. Raises ``PlanNotEmptyError``, ``MassRemovalError`` and ``PackagesRootError``."""
    root = options.packages_root
    discovery, found = plan_sync(options)
    problems = discovery.problems + found.problems
    if parsed.json:
        tell([plan_json(discovery, found, root)])
    elif parsed.markdown:
        from dagsync.markdown import plan_markdown

        tell([plan_markdown(found, problems).rstrip("\n")])
    else:
        print_diff(found.changes)
        remark(finding_lines("note", discovery.notes + found.notes, root))
        remark(finding_lines("problem", problems, root))
        print_marked(job_lines(job_changes(found)))
        tell([plan_line(found)])
    if parsed.check and not found.is_empty:
        raise PlanNotEmptyError(f"{options.dags_dir}: the DAG files are not what the packages declare", "run sync")
    if found.refused:
        raise mass_removal(found.refused, options.dags_dir)
    return EXIT_PROBLEMS if problems else 0
