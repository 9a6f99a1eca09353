"""The command line: arguments in, text and exit codes out. What commands do is elsewhere.

Each command imports what it needs when it runs, because start-up is most of the cost of an unchanged sync.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dagsync.arguments import parse
from dagsync.console import remark, tell
from dagsync.errors import EXIT_PROBLEMS, DagsyncError, NoHeartbeatError
from dagsync.outcome import DEFAULT_SKIPPED_PACKAGES

if TYPE_CHECKING:
    from dagsync.outcome import SyncOptions


def run(arguments: list[str], environment: Mapping[str, str], program: str = "dagsync") -> int:
    """Run one command and return its exit code. Raises ``DagsyncError``; a wrong usage raises ``SystemExit(2)``."""
    parsed = parse(arguments, environment, program)
    try:
        return COMMANDS[parsed.command](parsed, environment)
    except DagsyncError as error:
        if getattr(parsed, "log_format", "text") != "json":
            raise
        from dagsync.sync_command import show_failure

        show_failure(parsed, error)
        return error.exit_code


def _discover(parsed: argparse.Namespace, environment: Mapping[str, str]) -> int:
    from dagsync import presenting, reporting
    from dagsync.discovery import discover

    root: Path = parsed.packages_root
    found = discover(root, _skipped(parsed, environment))
    if parsed.json:
        tell([presenting.discovery_json(found, root)])
    else:
        presenting.print_jobs(found.jobs)
        remark(reporting.finding_lines("note", found.notes, root))
        remark(reporting.finding_lines("problem", found.problems, root))
        remark([presenting.counts_line(len(found.jobs), len(found.problems), len(found.notes))])
    return EXIT_PROBLEMS if found.problems else 0


def _generate(parsed: argparse.Namespace, environment: Mapping[str, str]) -> int:
    from dagsync.sync_command import sync_once

    return sync_once(parsed, _options(parsed, environment, clean=False, allow_mass_removal=False))


def _sync(parsed: argparse.Namespace, environment: Mapping[str, str]) -> int:
    from dagsync.sync_command import stay, sync_once

    options = _options(parsed, environment, clean=parsed.clean, allow_mass_removal=parsed.allow_mass_removal)
    if parsed.source:
        from dagsync import source_command

        return source_command.follow(parsed, options) if parsed.watch else source_command.sync_once(parsed, options)
    return stay(parsed, options) if parsed.watch else sync_once(parsed, options)


def _plan(parsed: argparse.Namespace, environment: Mapping[str, str]) -> int:
    from dagsync.plan_command import plan

    return plan(parsed, _options(parsed, environment, clean=parsed.clean, allow_mass_removal=parsed.allow_mass_removal))


def _validate(parsed: argparse.Namespace, environment: Mapping[str, str]) -> int:
    from dagsync.presenting import counts_line
    from dagsync.reporting import finding_lines
    from dagsync.validation import validate, validation_json

    root: Path = parsed.packages_root
    found = validate(root, _skipped(parsed, environment), parsed.airflow, environment)
    if parsed.json:
        tell([validation_json(found, root)])
    else:
        remark(finding_lines("note", found.notes, root))
        remark(finding_lines("problem", found.problems, root))
        by = f"read, rendered and parsed by Airflow {found.airflow}" if found.airflow else "read and rendered"
        tell([f"{counts_line(found.jobs, len(found.problems), len(found.notes))}: {by}"])
    return EXIT_PROBLEMS if found.problems else 0


def _heartbeat(parsed: argparse.Namespace, environment: Mapping[str, str]) -> int:
    from dagsync.heartbeat import CONNECTION_VARIABLE, check_heartbeat, default_hostname

    url = environment.get(CONNECTION_VARIABLE)
    if not url:
        raise NoHeartbeatError(f"{CONNECTION_VARIABLE} is not set", "give it the URL of Airflow's metadata database")
    hostname = parsed.hostname or default_hostname(environment)
    tell([check_heartbeat(url, parsed.job_type, hostname, parsed.threshold)])
    return 0


def _database_user(parsed: argparse.Namespace, environment: Mapping[str, str]) -> int:
    from dagsync.database_user import make_database_user
    from dagsync.errors import DatabaseLoginError
    from dagsync.heartbeat import CONNECTION_VARIABLE

    url = environment.get(CONNECTION_VARIABLE)
    if not url:
        raise DatabaseLoginError(f"{CONNECTION_VARIABLE} is not set", "give it the URL of Airflow's metadata database")
    tell([make_database_user(url, parsed.user, environment)])
    return 0


def _status(parsed: argparse.Namespace, _: Mapping[str, str]) -> int:
    from datetime import UTC, datetime

    from dagsync.status import read_status, status_json, status_lines

    status, now = read_status(parsed.dags_dir), datetime.now(UTC)
    tell([status_json(status, now, parsed.max_age)] if parsed.json else status_lines(status, now))
    stale = status.is_stale(now, parsed.max_age)
    if stale and not parsed.json:
        remark(
            [f"problem: {parsed.dags_dir}: no sync in the last {parsed.max_age:g} s", "  fix: run sync, or look at who should"]
        )
    return EXIT_PROBLEMS if stale or (status.report and status.report.problems) else 0


def _run_job(parsed: argparse.Namespace, environment: Mapping[str, str]) -> int:
    from dagsync.run_command import run as run_job

    return run_job(parsed, environment)


def _environments(parsed: argparse.Namespace, environment: Mapping[str, str]) -> int:
    from dagsync.environments_command import run

    return run(parsed, environment, _skipped(parsed, environment))


def _new(parsed: argparse.Namespace, _: Mapping[str, str]) -> int:
    from dagsync.scaffolding import create_job

    made = create_job(parsed.packages_root, parsed.package, parsed.job, parsed.description)
    tell(f"created {path}" for path in made)
    return 0


def _completion(parsed: argparse.Namespace, _: Mapping[str, str]) -> int:
    from dagsync.arguments import parser
    from dagsync.completion import completion_script

    # Without the environment, whose defaults have no place in a script.
    tell([completion_script(parsed.shell, parser({}, "dagsync")).rstrip("\n")])
    return 0


def _store(parsed: argparse.Namespace, environment: Mapping[str, str]) -> int:
    from dagsync import store_commands

    lines, problems = store_commands.run(parsed, _skipped(parsed, environment) if parsed.command == "publish" else ())
    remark(problems)
    tell(lines)
    return 0


COMMANDS = {
    "discover": _discover,
    "generate": _generate,
    "sync": _sync,
    "plan": _plan,
    "publish": _store,
    "rollback": _store,
    "versions": _store,
    "validate": _validate,
    "status": _status,
    "run": _run_job,
    "environments": _environments,
    "new": _new,
    "completion": _completion,
    "heartbeat": _heartbeat,
    "database-user": _database_user,
}


def _options(
    parsed: argparse.Namespace, environment: Mapping[str, str], *, clean: bool, allow_mass_removal: bool
) -> "SyncOptions":
    from dagsync.outcome import SyncOptions

    return SyncOptions(
        packages_root=parsed.packages_root,
        dags_dir=parsed.dags_dir,
        group_by=parsed.group_by,
        clean=clean,
        allow_mass_removal=allow_mass_removal,
        skipped=_skipped(parsed, environment),
    )


def _skipped(parsed: argparse.Namespace, environment: Mapping[str, str]) -> tuple[str, ...]:
    given: list[str] | None = parsed.skip_package
    if given is None and "DAGSYNC_SKIP_PACKAGES" in environment:
        given = environment["DAGSYNC_SKIP_PACKAGES"].split()
    return DEFAULT_SKIPPED_PACKAGES if given is None else tuple(sorted(given))
